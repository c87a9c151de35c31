import { groupOf } from '../core/json.ts';
import type { Entry, KubeObject } from '../core/model.ts';
import type { LiveWorld } from '../core/rule.ts';
import { identityOf, identityOfObject } from './identity.ts';

/** What is known of the live side of one scope. */
export interface LiveSide {
  readonly objects: readonly KubeObject[];
  /** Was the kind read completely (in that namespace)? Absent: nothing may be said about what is not there. */
  readonly covers?: (group: string, kind: string, namespace?: string) => boolean;
  readonly kubernetesVersion?: string;
  /** False: the fingerprints of Secret values were made with another key, so only their keys are compared. */
  readonly secretsComparable?: boolean;
}

/** What diffing takes of a cluster. */
export function liveSide(world: LiveWorld | undefined): LiveSide | undefined {
  if (world === undefined) return undefined;
  const { kubernetesVersion, secretsComparable } = world.state;
  return {
    objects: world.objects,
    covers: (group, kind, namespace) => world.covers(group, kind, namespace),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(secretsComparable === undefined ? {} : { secretsComparable }),
  };
}

/** A {@link LiveSide} by identity. */
export interface LiveIndex extends LiveSide {
  readonly byIdentity: ReadonlyMap<string, KubeObject>;
}

export function indexLive(side: LiveSide): LiveIndex {
  return { ...side, byIdentity: new Map(side.objects.map((object) => [identityOfObject(object), object])) };
}

/** The live object of an entry, in whatever API version it was read. */
export function liveOf(entry: Entry, index: LiveIndex | undefined): KubeObject | undefined {
  return index?.byIdentity.get(identityOf(entry.ref));
}

/**
 * Is it certain that the cluster does not have the object? A namespaced object whose namespace is not known lives
 * wherever it is applied to.
 * @param clusterKinds custom kinds (`group/Kind`) that live outside of namespaces
 */
export function isMissing(entry: Entry, index: LiveIndex, clusterKinds: ReadonlySet<string>): boolean {
  const { group, kind, namespace } = entry.ref;
  if (index.covers?.(group, kind, namespace) !== true || liveOf(entry, index) !== undefined) return false;
  return namespace !== undefined || clusterScoped.has(`${group}/${kind}`) || clusterKinds.has(`${group}/${kind}`);
}

/** Custom kinds that live outside of namespaces, as their definitions say. */
export function clusterKindsOf(crds: Iterable<KubeObject>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const crd of crds) {
    const spec = crd['spec'] as { group?: unknown; scope?: unknown; names?: { kind?: unknown } } | undefined;
    if (spec?.scope === 'Cluster') found.add(`${String(spec.group)}/${String(spec.names?.kind)}`);
  }
  return found;
}

const clusterScoped = new Set([
  '/Namespace',
  '/Node',
  '/PersistentVolume',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/CSIDriver',
  'storage.k8s.io/VolumeAttributesClass',
  'scheduling.k8s.io/PriorityClass',
  'node.k8s.io/RuntimeClass',
  'networking.k8s.io/IngressClass',
  'flowcontrol.apiserver.k8s.io/FlowSchema',
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
]);

/** `group/Kind` of an object, core: `/Kind`. */
export function kindOf(object: Pick<KubeObject, 'apiVersion' | 'kind'>): string {
  return `${groupOf(object.apiVersion)}/${object.kind}`;
}
