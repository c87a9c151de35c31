import type { ResourceRef, Target } from '../core/model.ts';

export interface Blast {
  /** 0..1 */
  readonly value: number;
  readonly reason: string;
}

/** Kinds whose failure reaches the whole control plane or every admission request. */
const controlPlaneKinds = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'APIService',
  'CustomResourceDefinition',
  'ApplicationSet',
  'AppProject',
]);

const controlPlaneNamespaces = new Set([
  'kube-system',
  'argocd',
  'flux-system',
  'gatekeeper-system',
  'kyverno',
  'cert-manager',
  'tigera-operator',
  'calico-system',
  'cilium',
]);

const sharedKinds = new Set([
  'StorageClass',
  'PriorityClass',
  'IngressClass',
  'GatewayClass',
  'RuntimeClass',
  'ClusterRole',
  'ClusterRoleBinding',
  'PersistentVolume',
]);

const sharedNamespaces =
  /^(ingress(-nginx)?|traefik|istio-(system|ingress|gateways?)|linkerd|monitoring|observability|prometheus|grafana|logging|longhorn-system|rook-ceph|storage|external-dns|keda|metallb-system|node-feature-discovery)$/;

const statefulKinds = new Set(['StatefulSet', 'PersistentVolumeClaim', 'VolumeSnapshot']);

/**
 * Blast radius b of rules.md 4.1 from what the object is, where it lives and how many clusters the same change reaches.
 * @param clusters number of distinct clusters (scopes) with the same finding
 * @param namespaces number of distinct namespaces in the group of findings with one root cause
 */
export function blastRadius(input: {
  readonly resource: ResourceRef;
  readonly target: Target | undefined;
  readonly production: boolean;
  readonly clusters: number;
  readonly namespaces: number;
}): Blast {
  const base = baseRadius(input);
  const doublings = input.clusters > 1 ? Math.log2(input.clusters) : 0;
  if (doublings === 0) return base;
  const value = Math.min(1, base.value + 0.1 * doublings);
  return {
    value: Math.round(value * 100) / 100,
    reason: `${base.reason}, in ${input.clusters} clusters or environments`,
  };
}

function baseRadius({ resource, production, namespaces }: Parameters<typeof blastRadius>[0]): Blast {
  const namespace = resource.namespace ?? '';
  if (controlPlaneKinds.has(resource.kind)) return { value: 1, reason: 'control plane or admission' };
  if (controlPlaneNamespaces.has(namespace))
    return { value: 1, reason: `namespace ${namespace} serves the whole cluster` };
  if (sharedKinds.has(resource.kind)) return { value: 0.8, reason: 'shared by the whole cluster' };
  if (sharedNamespaces.test(namespace))
    return { value: 0.8, reason: `namespace ${namespace} is shared by the whole cluster` };
  if (namespaces > 1) return { value: 0.6, reason: `${namespaces} namespaces` };
  if (!production) return { value: 0.2, reason: 'not production' };
  if (resource.kind === 'Namespace') return { value: 0.6, reason: 'everything in the namespace' };
  if (statefulKinds.has(resource.kind)) return { value: 0.5, reason: 'stateful' };
  return { value: 0.4, reason: 'one application' };
}
