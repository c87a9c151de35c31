import { groupOf, splitKind } from '../../core/json.ts';
import type { UnreadKind } from '../../core/cluster.ts';
import { GateError } from '../../core/errors.ts';
import { closest } from '../../core/suggest.ts';
import type { ServedKind } from '../api-server.ts';
import type { Discovery } from '../reading/discovery.ts';
import { helmReleaseKind } from '../helm/helm-releases.ts';

/**
 * What a snapshot holds when nothing else is said, by group: what rules take as evidence, what charts and GitOps
 * repositories usually declare, and what decides whether it works. Custom resources of other groups are left out: nobody
 * can say what they hold, and a reader of everything is not least privilege.
 */
const byGroup: Readonly<Record<string, string>> = {
  '': 'ConfigMap LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod ReplicationController ResourceQuota Secret Service ServiceAccount',
  'admissionregistration.k8s.io':
    'MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration',
  'apiextensions.k8s.io': 'CustomResourceDefinition',
  'apiregistration.k8s.io': 'APIService',
  apps: 'DaemonSet Deployment ReplicaSet StatefulSet',
  'argoproj.io': 'AnalysisTemplate AppProject Application ApplicationSet ClusterAnalysisTemplate Rollout',
  autoscaling: 'HorizontalPodAutoscaler',
  'autoscaling.k8s.io': 'VerticalPodAutoscaler',
  batch: 'CronJob Job',
  'bitnami.com': 'SealedSecret',
  'cert-manager.io': 'Certificate ClusterIssuer Issuer',
  'cilium.io': 'CiliumClusterwideNetworkPolicy CiliumNetworkPolicy',
  'cluster.x-k8s.io': 'MachineDeployment',
  'discovery.k8s.io': 'EndpointSlice',
  'external-secrets.io': 'ClusterExternalSecret ClusterSecretStore ExternalSecret SecretStore',
  'gateway.networking.k8s.io':
    'BackendTLSPolicy GRPCRoute Gateway GatewayClass HTTPRoute ReferenceGrant TCPRoute TLSRoute UDPRoute',
  'helm.toolkit.fluxcd.io': 'HelmRelease',
  'image.toolkit.fluxcd.io': 'ImagePolicy ImageRepository ImageUpdateAutomation',
  'karpenter.k8s.aws': 'EC2NodeClass',
  'karpenter.sh': 'NodePool',
  'keda.sh': 'ClusterTriggerAuthentication ScaledJob ScaledObject TriggerAuthentication',
  'kustomize.toolkit.fluxcd.io': 'Kustomization',
  'kyverno.io': 'ClusterPolicy Policy PolicyException',
  'machine.openshift.io': 'MachineSet',
  'monitoring.coreos.com':
    'Alertmanager AlertmanagerConfig PodMonitor Probe Prometheus PrometheusAgent PrometheusRule ScrapeConfig ServiceMonitor ThanosRuler',
  'networking.istio.io': 'DestinationRule EnvoyFilter Gateway ServiceEntry Sidecar VirtualService',
  'networking.k8s.io': 'Ingress IngressClass NetworkPolicy',
  'node.k8s.io': 'RuntimeClass',
  'notification.toolkit.fluxcd.io': 'Alert Provider Receiver',
  'openreports.io': 'ClusterReport Report',
  policy: 'PodDisruptionBudget',
  'rbac.authorization.k8s.io': 'ClusterRole ClusterRoleBinding Role RoleBinding',
  'route.openshift.io': 'Route',
  'scheduling.k8s.io': 'PriorityClass',
  'security.istio.io': 'AuthorizationPolicy PeerAuthentication RequestAuthentication',
  'snapshot.storage.k8s.io': 'VolumeSnapshot VolumeSnapshotClass',
  'source.toolkit.fluxcd.io': 'Bucket ExternalArtifact GitRepository HelmChart HelmRepository OCIRepository',
  'storage.k8s.io': 'CSIDriver StorageClass VolumeAttributesClass',
  'telemetry.istio.io': 'Telemetry',
  'templates.gatekeeper.sh': 'ConstraintTemplate',
  'traefik.io': 'IngressRoute Middleware TraefikService',
  'wgpolicyk8s.io': 'ClusterPolicyReport PolicyReport',
};

/** `group/Kind` (core: `/Kind`), and the pseudo kind of Helm releases. */
export const snapshotKinds: readonly string[] = [
  ...Object.entries(byGroup).flatMap(([group, kinds]) => kinds.split(' ').map((kind) => `${group}/${kind}`)),
  helmReleaseKind,
];

/**
 * Not even with --all-kinds: what happens rather than what is there, copies of what is read under another kind, and what
 * changes all the time.
 */
const never = new Set([
  '/ComponentStatus',
  '/Endpoints',
  '/Event',
  '/PodTemplate',
  'apps/ControllerRevision',
  'certificates.k8s.io/CertificateSigningRequest',
  'cilium.io/CiliumEndpoint',
  'cilium.io/CiliumIdentity',
  'coordination.k8s.io/Lease',
  'coordination.k8s.io/LeaseCandidate',
  'events.k8s.io/Event',
  'storage.k8s.io/CSINode',
  'storage.k8s.io/CSIStorageCapacity',
  'storage.k8s.io/VolumeAttachment',
]);
const neverGroups =
  /^(?:metrics\.k8s\.io|custom\.metrics\.k8s\.io|external\.metrics\.k8s\.io|internal\.apiserver\.k8s\.io|packages\.operators\.coreos\.com|reports\.kyverno\.io)$/;

export interface KindChoice {
  /** Added to the default: `apps.example.org/Widget`, or a kind of any group. */
  readonly kinds: readonly string[];
  readonly allKinds: boolean;
  /** Left out. */
  readonly without: readonly string[];
}

/**
 * The kinds to read, in the versions that the server prefers, sorted.
 * @returns `releases`: whether Helm releases are read; and the kinds that may exist and cannot be asked for, because the API server of their group is away
 * @throws GateError snapshot.unknown-kind for a kind that was asked for by name and is not served
 */
export function chooseKinds(
  discovery: Discovery,
  choice: KindChoice,
): { readonly kinds: readonly ServedKind[]; readonly releases: boolean; readonly unread: readonly UnreadKind[] } {
  const served = discovery.kinds.filter(({ preferred, verbs }) => preferred && verbs.includes('list'));
  const wanted = new Set(snapshotKinds);
  for (const name of choice.kinds) for (const kind of named(served, name)) wanted.add(keyOf(kind));
  const without = new Set(choice.without.flatMap((name) => leftOut(served, name)));
  for (const kind of without) wanted.delete(kind);
  const chosen = served.filter((kind) => {
    if (wanted.has(keyOf(kind))) return true;
    return choice.allKinds && !without.has(keyOf(kind)) && !never.has(keyOf(kind)) && !neverGroups.test(kind.group);
  });
  const stale = new Set(discovery.stale.map(groupOf));
  const found = new Set(chosen.map(keyOf));
  const unread = [...wanted]
    .filter((kind) => stale.has(splitKind(kind)[0]) && !found.has(kind))
    .map((kind) => ({
      kind,
      reason: 'the extension API server that serves it does not answer',
      next: 'See `kubectl get apiservices`.',
    }));
  return {
    kinds: chosen.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1)),
    releases: wanted.has(helmReleaseKind),
    unread,
  };
}

/** A default kind that this cluster does not serve may be left out all the same. Helm keeps releases in Secrets. */
function leftOut(served: readonly ServedKind[], name: string): readonly string[] {
  const known = snapshotKinds.find((kind) => kind === name || kind === `/${name}`);
  const kinds = known === undefined ? named(served, name).map(keyOf) : [known];
  return kinds.includes('/Secret') ? [...kinds, helmReleaseKind] : kinds;
}

export function keyOf({ group, kind }: Pick<ServedKind, 'group' | 'kind'>): string {
  return `${group}/${kind}`;
}

function named(served: readonly ServedKind[], name: string): readonly ServedKind[] {
  const slash = name.lastIndexOf('/');
  const kind = name.slice(slash + 1).toLowerCase();
  const group = slash === -1 ? undefined : name.slice(0, slash).replace(/\/v\d\w*$/, '');
  const found = served.filter(
    (candidate) =>
      (candidate.kind.toLowerCase() === kind || candidate.plural === kind) &&
      (group === undefined || candidate.group === group),
  );
  if (found.length > 0) return found;
  const known = served.map((candidate) => keyOf(candidate).replace(/^\//, ''));
  const guess =
    closest(name, known) ??
    closest(
      name.slice(slash + 1),
      served.map((candidate) => candidate.kind),
    );
  throw new GateError({
    code: 'snapshot.unknown-kind',
    message: `The cluster does not serve a kind ${name} that can be listed`,
    fault: 'user',
    next:
      guess === undefined ? 'See `kubectl api-resources`.' : `Did you mean ${guess}? See \`kubectl api-resources\`.`,
  });
}
