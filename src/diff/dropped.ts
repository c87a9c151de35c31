import type { KubeObject } from '../core/model.ts';

/** A field that API servers store only from some version on, or only with a feature gate. */
interface GatedField {
  readonly kind?: RegExp;
  /** End of the way to the field, names without keys. */
  readonly way: readonly string[];
  /** First minor version of Kubernetes 1 that stores it by default; undefined: none so far. */
  readonly since: number | undefined;
  readonly gate: string;
}

/**
 * Fields behind feature gates, and the version in which the gate is on by default
 * (k8s.io/kubernetes pkg/features/kube_features.go, 1.36). A server drops them silently before
 * (`dropDisabledFields` of each kind's strategy).
 */
const gated: readonly GatedField[] = [
  { way: ['template', 'spec', 'resources'], since: 34, gate: 'PodLevelResources' },
  { way: ['spec', 'hostUsers'], since: 33, gate: 'UserNamespacesSupport' },
  { way: ['spec', 'hostnameOverride'], since: 35, gate: 'HostnameOverride' },
  { way: ['containers', 'resizePolicy'], since: 33, gate: 'InPlacePodVerticalScaling' },
  { way: ['initContainers', 'resizePolicy'], since: 33, gate: 'InPlacePodVerticalScaling' },
  { way: ['initContainers', 'restartPolicy'], since: 29, gate: 'SidecarContainers' },
  { way: ['containers', 'restartPolicyRules'], since: 35, gate: 'ContainerRestartRules' },
  { way: ['containers', 'restartPolicy'], since: 35, gate: 'ContainerRestartRules' },
  { way: ['lifecycle', 'stopSignal'], since: undefined, gate: 'ContainerStopSignals' },
  { way: ['valueFrom', 'fileKeyRef'], since: 35, gate: 'EnvFiles' },
  { way: ['spec', 'resourceClaims'], since: 34, gate: 'DynamicResourceAllocation' },
  { way: ['resources', 'claims'], since: 34, gate: 'DynamicResourceAllocation' },
  { way: ['volumes', 'image'], since: 35, gate: 'ImageVolume' },
  { way: ['sources', 'clusterTrustBundle'], since: undefined, gate: 'ClusterTrustBundleProjection' },
  { way: ['sources', 'podCertificate'], since: undefined, gate: 'PodCertificateRequest' },
  { way: ['securityContext', 'procMount'], since: 33, gate: 'ProcMountType' },
  { way: ['securityContext', 'supplementalGroupsPolicy'], since: 33, gate: 'SupplementalGroupsPolicy' },
  { way: ['securityContext', 'seLinuxChangePolicy'], since: 33, gate: 'SELinuxMount' },
  { way: ['podAffinityTerm', 'matchLabelKeys'], since: 31, gate: 'MatchLabelKeysInPodAffinity' },
  { way: ['podAffinityTerm', 'mismatchLabelKeys'], since: 31, gate: 'MatchLabelKeysInPodAffinity' },
  {
    kind: /^(?:Job|CronJob)$/,
    way: ['spec', 'successPolicy'],
    since: 31,
    gate: 'JobSuccessPolicy',
  },
  { kind: /^(?:Job|CronJob)$/, way: ['spec', 'managedBy'], since: 32, gate: 'JobManagedBy' },
  {
    kind: /^Deployment$/,
    way: ['spec', 'podReplacementPolicy'],
    since: undefined,
    gate: 'DeploymentReplicaSetTerminatingReplicas',
  },
  { kind: /^StatefulSet$/, way: ['rollingUpdate', 'maxUnavailable'], since: 35, gate: 'MaxUnavailableStatefulSet' },
  { kind: /^Service$/, way: ['spec', 'trafficDistribution'], since: 31, gate: 'ServiceTrafficDistribution' },
  { kind: /^HorizontalPodAutoscaler$/, way: ['scaleUp', 'tolerance'], since: 35, gate: 'HPAConfigurableTolerance' },
  { kind: /^HorizontalPodAutoscaler$/, way: ['scaleDown', 'tolerance'], since: 35, gate: 'HPAConfigurableTolerance' },
  {
    kind: /^PersistentVolume(?:Claim)?$/,
    way: ['spec', 'volumeAttributesClassName'],
    since: 34,
    gate: 'VolumeAttributesClass',
  },
];

/**
 * The feature gate without which the server does not store a field that Git sets; undefined: it stores it.
 * @param fields names on the way to the field
 * @param version of the server, `v1.31.4`; undefined: not known, and every gate counts
 */
export function gateOf(object: KubeObject, fields: readonly string[], version: string | undefined): string | undefined {
  const minor = Number(/^v?1\.(\d+)/.exec(version ?? '')?.[1] ?? 0);
  for (const { kind, way, since, gate } of gated) {
    if (kind !== undefined && !kind.test(object.kind)) continue;
    if (since !== undefined && minor >= since) continue;
    const start = fields.length - way.length;
    if (start >= 0 && way.every((name, index) => fields[start + index] === name)) return gate;
  }
  return undefined;
}

const metadataFields = new Set(
  'name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields'.split(
    ' ',
  ),
);
const resourceFields = new Set(['limits', 'requests', 'claims']);

/**
 * Is the field none of the API's, so that no server stores it? Known for `metadata` and the `resources` of containers,
 * where most slips of indentation end up.
 */
export function isNoField(fields: readonly string[]): boolean {
  const name = fields.at(-1) ?? '';
  if (fields.length === 2 && fields[0] === 'metadata') return !metadataFields.has(name);
  return fields.at(-2) === 'resources' && /[cC]ontainers$/.test(fields.at(-3) ?? '') && !resourceFields.has(name);
}
