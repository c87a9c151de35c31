/** Kinds of one API version that Kubernetes no longer serves, or will stop to serve. */
export interface RemovedApi {
  /** `group/version` as in manifests. */
  readonly apiVersion: string;
  /** Empty: every kind of the version. */
  readonly kinds: readonly string[];
  /** First Kubernetes version without it: `1.22`. */
  readonly removedIn: string;
  /** `apiVersion` to use; undefined when there is none. */
  readonly use?: string;
  /** What has to change besides the version. */
  readonly note?: string;
}

const ingressNote = 'pathType is required, and backends are written service.name and service.port.number or .name';
const crdNote = 'spec.versions[].schema must be structural';
const pdbNote = 'an empty selector selects all pods in v1; in v1beta1 it selected none';
const hpaNote = 'metrics[].resource.target replaces targetAverageUtilization';

/**
 * Removals of built-in APIs, from the `+k8s:prerelease-lifecycle-gen` markers of k8s.io/api (v0.34.0 and v0.37.2) and
 * the deprecation guide of kubernetes.io for what was removed before the markers existed.
 */
export const removedApis: readonly RemovedApi[] = [
  {
    apiVersion: 'extensions/v1beta1',
    kinds: ['Deployment', 'DaemonSet', 'ReplicaSet'],
    removedIn: '1.16',
    use: 'apps/v1',
    note: 'spec.selector is required',
  },
  { apiVersion: 'extensions/v1beta1', kinds: ['NetworkPolicy'], removedIn: '1.16', use: 'networking.k8s.io/v1' },
  {
    apiVersion: 'extensions/v1beta1',
    kinds: ['PodSecurityPolicy'],
    removedIn: '1.16',
    note: 'use Pod Security admission',
  },
  { apiVersion: 'apps/v1beta1', kinds: [], removedIn: '1.16', use: 'apps/v1', note: 'spec.selector is required' },
  { apiVersion: 'apps/v1beta2', kinds: [], removedIn: '1.16', use: 'apps/v1' },
  {
    apiVersion: 'extensions/v1beta1',
    kinds: ['Ingress'],
    removedIn: '1.22',
    use: 'networking.k8s.io/v1',
    note: ingressNote,
  },
  {
    apiVersion: 'networking.k8s.io/v1beta1',
    kinds: ['Ingress', 'IngressClass'],
    removedIn: '1.22',
    use: 'networking.k8s.io/v1',
    note: ingressNote,
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1beta1',
    kinds: ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
    removedIn: '1.22',
    use: 'admissionregistration.k8s.io/v1',
    note: 'the default of failurePolicy becomes Fail; sideEffects and admissionReviewVersions are required',
  },
  {
    apiVersion: 'apiextensions.k8s.io/v1beta1',
    kinds: ['CustomResourceDefinition'],
    removedIn: '1.22',
    use: 'apiextensions.k8s.io/v1',
    note: crdNote,
  },
  {
    apiVersion: 'apiregistration.k8s.io/v1beta1',
    kinds: ['APIService'],
    removedIn: '1.22',
    use: 'apiregistration.k8s.io/v1',
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1beta1',
    kinds: [],
    removedIn: '1.22',
    use: 'rbac.authorization.k8s.io/v1',
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1alpha1',
    kinds: [],
    removedIn: '1.22',
    use: 'rbac.authorization.k8s.io/v1',
  },
  { apiVersion: 'scheduling.k8s.io/v1beta1', kinds: ['PriorityClass'], removedIn: '1.22', use: 'scheduling.k8s.io/v1' },
  {
    apiVersion: 'storage.k8s.io/v1beta1',
    kinds: ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment'],
    removedIn: '1.22',
    use: 'storage.k8s.io/v1',
  },
  {
    apiVersion: 'certificates.k8s.io/v1beta1',
    kinds: ['CertificateSigningRequest'],
    removedIn: '1.22',
    use: 'certificates.k8s.io/v1',
    note: 'spec.signerName is required',
  },
  { apiVersion: 'coordination.k8s.io/v1beta1', kinds: ['Lease'], removedIn: '1.22', use: 'coordination.k8s.io/v1' },
  {
    apiVersion: 'authentication.k8s.io/v1beta1',
    kinds: ['TokenReview'],
    removedIn: '1.22',
    use: 'authentication.k8s.io/v1',
  },
  { apiVersion: 'authorization.k8s.io/v1beta1', kinds: [], removedIn: '1.22', use: 'authorization.k8s.io/v1' },
  { apiVersion: 'batch/v1beta1', kinds: ['CronJob'], removedIn: '1.25', use: 'batch/v1' },
  { apiVersion: 'batch/v2alpha1', kinds: ['CronJob'], removedIn: '1.21', use: 'batch/v1' },
  { apiVersion: 'policy/v1beta1', kinds: ['PodDisruptionBudget'], removedIn: '1.25', use: 'policy/v1', note: pdbNote },
  {
    apiVersion: 'policy/v1beta1',
    kinds: ['PodSecurityPolicy'],
    removedIn: '1.25',
    note: 'there is no successor: use Pod Security admission (namespace labels) or a policy engine',
  },
  { apiVersion: 'discovery.k8s.io/v1beta1', kinds: ['EndpointSlice'], removedIn: '1.25', use: 'discovery.k8s.io/v1' },
  { apiVersion: 'events.k8s.io/v1beta1', kinds: ['Event'], removedIn: '1.25', use: 'events.k8s.io/v1' },
  {
    apiVersion: 'autoscaling/v2beta1',
    kinds: ['HorizontalPodAutoscaler'],
    removedIn: '1.25',
    use: 'autoscaling/v2',
    note: hpaNote,
  },
  { apiVersion: 'node.k8s.io/v1beta1', kinds: ['RuntimeClass'], removedIn: '1.25', use: 'node.k8s.io/v1' },
  { apiVersion: 'autoscaling/v2beta2', kinds: ['HorizontalPodAutoscaler'], removedIn: '1.26', use: 'autoscaling/v2' },
  {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1beta1',
    kinds: [],
    removedIn: '1.26',
    use: 'flowcontrol.apiserver.k8s.io/v1',
  },
  { apiVersion: 'storage.k8s.io/v1beta1', kinds: ['CSIStorageCapacity'], removedIn: '1.27', use: 'storage.k8s.io/v1' },
  {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1beta2',
    kinds: [],
    removedIn: '1.29',
    use: 'flowcontrol.apiserver.k8s.io/v1',
  },
  {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1beta3',
    kinds: [],
    removedIn: '1.32',
    use: 'flowcontrol.apiserver.k8s.io/v1',
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1alpha1',
    kinds: ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    removedIn: '1.32',
    use: 'admissionregistration.k8s.io/v1',
  },
  {
    apiVersion: 'authentication.k8s.io/v1alpha1',
    kinds: ['SelfSubjectReview'],
    removedIn: '1.32',
    use: 'authentication.k8s.io/v1',
  },
  {
    apiVersion: 'authentication.k8s.io/v1beta1',
    kinds: ['SelfSubjectReview'],
    removedIn: '1.33',
    use: 'authentication.k8s.io/v1',
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1beta1',
    kinds: ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    removedIn: '1.34',
    use: 'admissionregistration.k8s.io/v1',
  },
  {
    apiVersion: 'storage.k8s.io/v1alpha1',
    kinds: ['VolumeAttributesClass'],
    removedIn: '1.35',
    use: 'storage.k8s.io/v1',
  },
  {
    apiVersion: 'networking.k8s.io/v1beta1',
    kinds: ['IPAddress', 'ServiceCIDR'],
    removedIn: '1.37',
    use: 'networking.k8s.io/v1',
  },
  {
    apiVersion: 'storage.k8s.io/v1beta1',
    kinds: ['VolumeAttributesClass'],
    removedIn: '1.37',
    use: 'storage.k8s.io/v1',
  },
  {
    apiVersion: 'certificates.k8s.io/v1alpha1',
    kinds: ['ClusterTrustBundle'],
    removedIn: '1.37',
    use: 'certificates.k8s.io/v1beta1',
  },
  { apiVersion: 'resource.k8s.io/v1beta1', kinds: [], removedIn: '1.38', use: 'resource.k8s.io/v1' },
  {
    apiVersion: 'admissionregistration.k8s.io/v1alpha1',
    kinds: ['MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding'],
    removedIn: '1.38',
    use: 'admissionregistration.k8s.io/v1beta1',
  },
  {
    apiVersion: 'coordination.k8s.io/v1alpha2',
    kinds: ['LeaseCandidate'],
    removedIn: '1.38',
    use: 'coordination.k8s.io/v1beta1',
  },
  { apiVersion: 'resource.k8s.io/v1beta2', kinds: [], removedIn: '1.39', use: 'resource.k8s.io/v1' },
  { apiVersion: 'resource.k8s.io/v1alpha3', kinds: [], removedIn: '1.39', use: 'resource.k8s.io/v1' },
];

/** First Kubernetes version that serves a stable API, for manifests that are newer than the cluster. */
export const introducedApis: readonly {
  readonly apiVersion: string;
  readonly kinds: readonly string[];
  readonly since: string;
}[] = [
  { apiVersion: 'networking.k8s.io/v1', kinds: ['Ingress', 'IngressClass'], since: '1.19' },
  { apiVersion: 'policy/v1', kinds: ['PodDisruptionBudget'], since: '1.21' },
  { apiVersion: 'batch/v1', kinds: ['CronJob'], since: '1.21' },
  { apiVersion: 'discovery.k8s.io/v1', kinds: ['EndpointSlice'], since: '1.21' },
  { apiVersion: 'autoscaling/v2', kinds: ['HorizontalPodAutoscaler'], since: '1.23' },
  { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kinds: ['FlowSchema', 'PriorityLevelConfiguration'], since: '1.29' },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kinds: ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    since: '1.30',
  },
  { apiVersion: 'networking.k8s.io/v1', kinds: ['IPAddress', 'ServiceCIDR'], since: '1.33' },
  {
    apiVersion: 'resource.k8s.io/v1',
    kinds: ['DeviceClass', 'ResourceClaim', 'ResourceClaimTemplate', 'ResourceSlice'],
    since: '1.34',
  },
  { apiVersion: 'storage.k8s.io/v1', kinds: ['VolumeAttributesClass'], since: '1.34' },
];

/** The removal that concerns a kind of an API version. */
export function removalOf(apiVersion: string, kind: string): RemovedApi | undefined {
  return removedApis.find(
    (api) => api.apiVersion === apiVersion && (api.kinds.length === 0 || api.kinds.includes(kind)),
  );
}

/** First Kubernetes version with this kind in this API version; undefined when it is old or not built in. */
export function introductionOf(apiVersion: string, kind: string): string | undefined {
  return introducedApis.find((api) => api.apiVersion === apiVersion && api.kinds.includes(kind))?.since;
}

/** Compares `1.22`, `v1.34.3`, `1.31.4-eks-1` by major and minor. Negative when the left one is older; NaN when unreadable. */
export function compareVersions(left: string, right: string): number {
  const read = (text: string) => {
    const match = /^v?(\d{1,3})\.(\d{1,3})/.exec(text);
    return match === null ? Number.NaN : Number(match[1]) * 1000 + Number(match[2]);
  };
  return read(left) - read(right);
}
