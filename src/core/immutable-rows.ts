import type { KubeObject } from './model.ts';
import { field, fixedPodSpec, isUnset, present, sameSet, shrinks } from './immutable-fields.ts';
import { semanticEqual } from './semantic.ts';

/** Version of the API server; undefined when unknown. */
export type Versions = { readonly major: number; readonly minor: number } | undefined;

/** One line of the table. */
export interface ImmutableRow {
  /** `group/Kind`; the core group is ''. */
  readonly kinds: readonly string[];
  /** JSON pointers of the fields. A trailing `/*` means each field below, except the listed ones. */
  readonly paths: readonly string[];
  readonly except?: readonly string[];
  readonly message: string;
  /** The row holds only then. */
  readonly when?: (before: KubeObject, after: KubeObject, server: Versions) => boolean;
  readonly condition?: (before: unknown, after: unknown) => string | undefined;
}

/** `FieldImmutableErrorMsg` of apimachinery. */
export const immutable = 'field is immutable';
const whenSet = 'field is immutable when `immutable` is set';
const claimRule =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
const podFields = [
  'spec.containers[*].image',
  'spec.initContainers[*].image',
  'spec.activeDeadlineSeconds',
  'spec.tolerations (only additions to existing tolerations)',
  'spec.terminationGracePeriodSeconds (allow it to be set to 1 if it was previously negative)',
].join(',');

/**
 * Fields that the API server refuses to change (rules.md 0.4). Source: the update functions in
 * pkg/apis/<group>/validation/validation.go of Kubernetes 1.34 and apiextensions-apiserver.
 */
export const rows: readonly ImmutableRow[] = [
  {
    kinds: ['apps/Deployment', 'apps/DaemonSet', 'apps/ReplicaSet'],
    paths: ['/spec/selector'],
    message: `spec.selector: Invalid value: ${immutable}`,
  },
  {
    kinds: ['apps/StatefulSet'],
    paths: ['/spec/*'],
    except: [
      'replicas',
      'ordinals',
      'template',
      'updateStrategy',
      'persistentVolumeClaimRetentionPolicy',
      'minReadySeconds',
      'revisionHistoryLimit',
    ],
    message:
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  },
  {
    // Mutable from Kubernetes 1.33 on (kubernetes/kubernetes#130263). An unknown server counts as newer.
    kinds: ['apps/StatefulSet'],
    paths: ['/spec/revisionHistoryLimit'],
    message:
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    when: (_before, _after, server) => server !== undefined && server.major === 1 && server.minor < 33,
  },
  {
    kinds: ['batch/Job'],
    paths: [
      '/spec/selector',
      '/spec/template',
      '/spec/completionMode',
      '/spec/podFailurePolicy',
      '/spec/backoffLimitPerIndex',
      '/spec/managedBy',
      '/spec/successPolicy',
    ],
    message: immutable,
  },
  {
    kinds: ['batch/Job'],
    paths: ['/spec/completions'],
    message: `spec.completions: Invalid value: ${immutable}`,
    when: (_before, after) => field(after, ['spec', 'completionMode']) !== 'Indexed',
  },
  {
    kinds: ['batch/Job'],
    paths: ['/spec/completions'],
    message: 'spec.completions: Invalid value: can only be modified in tandem with spec.parallelism',
    when: (_before, after) =>
      field(after, ['spec', 'completionMode']) === 'Indexed' &&
      field(after, ['spec', 'completions']) !== field(after, ['spec', 'parallelism']),
  },
  {
    // "may not change once set"; omitting it is safe, the server copies the old address.
    kinds: ['/Service'],
    paths: ['/spec/clusterIP', '/spec/clusterIPs'],
    message: 'spec.clusterIPs[0]: Invalid value: may not change once set',
    when: (before, after) =>
      !present(before, after, ['spec', 'type'], 'ExternalName') &&
      !isUnset(field(after, ['spec', 'clusterIP'])) &&
      field(before, ['spec', 'clusterIP']) !== field(after, ['spec', 'clusterIP']),
    condition: (before, after) =>
      isUnset(before) && after !== 'None' ? 'refused unless the live Service already has this address' : undefined,
  },
  {
    kinds: ['/Service'],
    paths: ['/spec/ipFamilies/0'],
    message: 'spec.ipFamilies[0]: Invalid value: may not change once set',
    when: (before, after) =>
      !present(before, after, ['spec', 'type'], 'ExternalName') &&
      !isUnset(field(before, ['spec', 'ipFamilies', '0'])) &&
      !isUnset(field(after, ['spec', 'ipFamilies', '0'])),
  },
  {
    kinds: ['/Service'],
    paths: ['/spec/loadBalancerClass'],
    message: 'spec.loadBalancerClass: Invalid value: may not change once set',
    when: (before, after) =>
      field(before, ['spec', 'type']) === 'LoadBalancer' && field(after, ['spec', 'type']) === 'LoadBalancer',
  },
  {
    kinds: ['/Service'],
    paths: ['/spec/healthCheckNodePort'],
    message: `spec.healthCheckNodePort: Forbidden: ${immutable}`,
    when: (before, after) =>
      !isUnset(field(before, ['spec', 'healthCheckNodePort'])) &&
      !isUnset(field(after, ['spec', 'healthCheckNodePort'])),
  },
  {
    kinds: ['/PersistentVolumeClaim'],
    paths: ['/spec/*'],
    except: ['resources', 'volumeAttributesClassName', 'volumeName', 'storageClassName'],
    message: `spec: Forbidden: ${claimRule}`,
  },
  {
    kinds: ['/PersistentVolumeClaim'],
    paths: ['/spec/storageClassName'],
    message: `spec: Forbidden: ${claimRule}`,
    // The admission plugin DefaultStorageClass has filled in a class that Git does not show.
    condition: (before) =>
      before === undefined || before === null
        ? 'refused unless the live claim has no class or already this one (DefaultStorageClass)'
        : undefined,
  },
  {
    kinds: ['/PersistentVolumeClaim'],
    paths: ['/spec/volumeName'],
    message: `spec: Forbidden: ${claimRule}`,
    when: (before, after) =>
      !isUnset(field(before, ['spec', 'volumeName'])) && !isUnset(field(after, ['spec', 'volumeName'])),
  },
  {
    kinds: ['/PersistentVolumeClaim'],
    paths: ['/spec/resources/requests/storage'],
    message: 'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    when: (before, after) => shrinks(before, after),
    condition: () => 'refused when the claim was already expanded to the old size',
  },
  {
    kinds: ['/PersistentVolumeClaim'],
    paths: ['/spec/resources/limits'],
    message: `spec: Forbidden: ${claimRule}`,
  },
  {
    kinds: ['/PersistentVolume'],
    paths: ['/spec/*'],
    except: [
      'capacity',
      'accessModes',
      'claimRef',
      'persistentVolumeReclaimPolicy',
      'storageClassName',
      'mountOptions',
      'volumeMode',
      'nodeAffinity',
      'volumeAttributesClassName',
      'csi',
    ],
    message: 'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
  },
  {
    kinds: ['/PersistentVolume'],
    paths: ['/spec/csi/*'],
    except: ['controllerExpandSecretRef'],
    message: 'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
  },
  {
    kinds: ['/PersistentVolume'],
    paths: ['/spec/csi/controllerExpandSecretRef'],
    message: 'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
    when: (before) => field(before, ['spec', 'csi', 'controllerExpandSecretRef']) !== undefined,
  },
  { kinds: ['/PersistentVolume'], paths: ['/spec/volumeMode'], message: `volumeMode: Invalid value: ${immutable}` },
  {
    kinds: ['/PersistentVolume'],
    paths: ['/spec/nodeAffinity'],
    message: `nodeAffinity: Invalid value: ${immutable}, except for updating from beta label to GA`,
    when: (before) => field(before, ['spec', 'nodeAffinity']) !== undefined,
  },
  {
    kinds: ['storage.k8s.io/StorageClass'],
    paths: ['/provisioner', '/parameters', '/reclaimPolicy', '/volumeBindingMode'],
    message: 'Forbidden: updates to provisioner, parameters, reclaimPolicy and volumeBindingMode are forbidden',
  },
  {
    kinds: ['storage.k8s.io/VolumeAttributesClass'],
    paths: ['/driverName', '/parameters'],
    message: immutable,
  },
  {
    kinds: ['storage.k8s.io/CSIDriver'],
    paths: ['/spec/attachRequired', '/spec/volumeLifecycleModes'],
    message: immutable,
  },
  { kinds: ['storage.k8s.io/VolumeAttachment'], paths: ['/spec'], message: `spec: Invalid value: ${immutable}` },
  {
    kinds: ['/ConfigMap', '/Secret'],
    paths: ['/data', '/binaryData', '/immutable'],
    message: whenSet,
    when: (before) => before['immutable'] === true,
  },
  { kinds: ['/Secret'], paths: ['/type'], message: `type: Invalid value: ${immutable}` },
  {
    kinds: ['rbac.authorization.k8s.io/RoleBinding', 'rbac.authorization.k8s.io/ClusterRoleBinding'],
    paths: ['/roleRef'],
    message: 'roleRef: Invalid value: cannot change roleRef',
  },
  {
    kinds: ['/ResourceQuota'],
    paths: ['/spec/scopes'],
    message: `spec.scopes: Invalid value: ${immutable}`,
    when: (before, after) => !sameSet(field(before, ['spec', 'scopes']), field(after, ['spec', 'scopes'])),
  },
  {
    kinds: ['scheduling.k8s.io/PriorityClass'],
    paths: ['/value', '/preemptionPolicy'],
    message: 'Forbidden: may not be changed in an update.',
  },
  { kinds: ['node.k8s.io/RuntimeClass'], paths: ['/handler'], message: `handler: Invalid value: ${immutable}` },
  {
    kinds: ['networking.k8s.io/IngressClass'],
    paths: ['/spec/controller'],
    message: `spec.controller: Invalid value: ${immutable}`,
  },
  {
    kinds: ['networking.k8s.io/IPAddress'],
    paths: ['/spec/parentRef'],
    message: `spec.parentRef: Invalid value: ${immutable}`,
  },
  {
    kinds: ['networking.k8s.io/ServiceCIDR'],
    paths: ['/spec/cidrs'],
    message: `spec.cidrs: Invalid value: ${immutable}`,
  },
  {
    kinds: ['discovery.k8s.io/EndpointSlice'],
    paths: ['/addressType'],
    message: `addressType: Invalid value: ${immutable}`,
  },
  {
    kinds: ['resource.k8s.io/ResourceClaim', 'resource.k8s.io/ResourceClaimTemplate'],
    paths: ['/spec'],
    message: `spec: Invalid value: ${immutable}`,
  },
  {
    kinds: ['apiextensions.k8s.io/CustomResourceDefinition'],
    paths: ['/spec/group', '/spec/names/plural', '/spec/names/kind', '/spec/scope'],
    message: immutable,
  },
  {
    kinds: ['gateway.networking.k8s.io/GatewayClass'],
    paths: ['/spec/controllerName'],
    message: 'spec.controllerName: Invalid value: Value is immutable',
  },
  {
    kinds: ['/Pod'],
    paths: ['/spec'],
    message: `spec: Forbidden: pod updates may not change fields other than ${podFields}`,
    when: (before, after) => !semanticEqual(fixedPodSpec(before), fixedPodSpec(after)),
  },
];
