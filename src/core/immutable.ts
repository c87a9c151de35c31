import type { KubeObject } from './model.ts';
import { compareQuantities } from './quantity.ts';
import { semanticEqual } from './semantic.ts';

/** An update that the API server refuses. */
export interface ImmutableViolation {
  /** JSON pointer of the refused field. */
  readonly path: string;
  /** As the API server words it, without the value. */
  readonly message: string;
  readonly before: unknown;
  readonly after: unknown;
  /** Set when the refusal depends on the live object, which Git does not show: what must hold for it to be refused. */
  readonly condition?: string;
}

type Versions = { readonly major: number; readonly minor: number } | undefined;

interface ImmutableRow {
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

const immutable = 'field is immutable';
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
const rows: readonly ImmutableRow[] = [
  {
    kinds: ['apps/Deployment', 'apps/DaemonSet', 'apps/ReplicaSet'],
    paths: ['/spec/selector'],
    message: `spec.selector: Invalid value: ${immutable}`,
  },
  {
    kinds: ['apps/StatefulSet'],
    paths: ['/spec/*'],
    except: [
      ...['replicas', 'ordinals', 'template', 'updateStrategy'],
      ...['persistentVolumeClaimRetentionPolicy', 'minReadySeconds', 'revisionHistoryLimit'],
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
      ...['/spec/selector', '/spec/template', '/spec/completionMode', '/spec/podFailurePolicy'],
      ...['/spec/backoffLimitPerIndex', '/spec/managedBy', '/spec/successPolicy'],
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
      ...['capacity', 'accessModes', 'claimRef', 'persistentVolumeReclaimPolicy', 'storageClassName'],
      ...['mountOptions', 'volumeMode', 'nodeAffinity', 'volumeAttributesClassName', 'csi'],
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

const rowsByKind = new Map<string, ImmutableRow[]>();
for (const row of rows) {
  for (const kind of row.kinds) rowsByKind.set(kind, [...(rowsByKind.get(kind) ?? []), row]);
}

/**
 * Which changes of an object the API server refuses.
 * @param group '' for the core group
 * @param before with defaults filled in (`Entry.effective`); best the live object, since Git may not show what it holds
 * @param after with defaults filled in
 * @param serverVersion `1.32` or `v1.32.4`; unknown counts as the newest
 * @returns one entry per refused field; empty when the update is accepted as far as immutability goes
 */
export function immutableViolations(
  kind: string,
  group: string,
  before: KubeObject,
  after: KubeObject,
  serverVersion?: string,
): readonly ImmutableViolation[] {
  const matching = rowsByKind.get(`${group}/${kind}`);
  if (matching === undefined) return [];
  const server = parseVersion(serverVersion);
  const found: ImmutableViolation[] = [];
  for (const row of matching) {
    if (row.when !== undefined && !row.when(before, after, server)) continue;
    for (const path of expand(row, before, after)) {
      const segments = path.slice(1).split('/');
      const old = field(before, segments);
      const now = field(after, segments);
      if (semanticEqual(old, now, segments.at(-1), segments.at(-2))) continue;
      const condition = row.condition?.(old, now);
      found.push({
        path,
        message: row.message === immutable ? `${segments.join('.')}: Invalid value: ${immutable}` : row.message,
        before: old,
        after: now,
        ...(condition === undefined ? {} : { condition }),
      });
    }
  }
  return found;
}

/** Paths of a row: a trailing `/*` becomes one path per field that is there on either side. */
function expand(row: ImmutableRow, before: KubeObject, after: KubeObject): readonly string[] {
  return row.paths.flatMap((path) => {
    if (!path.endsWith('/*')) return [path];
    const parent = path.slice(0, -2);
    const segments = parent.slice(1).split('/');
    const names = new Set([...keysOf(field(before, segments)), ...keysOf(field(after, segments))]);
    return [...names].filter((name) => row.except?.includes(name) !== true).map((name) => `${parent}/${name}`);
  });
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

function field(object: unknown, segments: readonly string[]): unknown {
  let value = object;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0;
}

function present(before: KubeObject, after: KubeObject, path: readonly string[], value: string): boolean {
  return field(before, path) === value || field(after, path) === value;
}

function sameSet(left: unknown, right: unknown): boolean {
  const a = new Set<unknown>(Array.isArray(left) ? left : []);
  const b = new Set<unknown>(Array.isArray(right) ? right : []);
  return a.size === b.size && [...a].every((item) => b.has(item));
}

function shrinks(before: KubeObject, after: KubeObject): boolean {
  const path = ['spec', 'resources', 'requests', 'storage'];
  const old = field(before, path);
  const now = field(after, path);
  if (!isQuantityText(old) || !isQuantityText(now)) return false;
  return (compareQuantities(now, old) ?? 0) < 0;
}

function isQuantityText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** A Pod's spec without what may change in place. */
function fixedPodSpec(pod: KubeObject): unknown {
  const spec = field(pod, ['spec']);
  if (typeof spec !== 'object' || spec === null) return spec;
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    terminationGracePeriodSeconds: _grace,
    schedulingGates: _gates,
    ...rest
  } = spec as Record<string, unknown>;
  for (const list of ['containers', 'initContainers']) {
    const items = rest[list];
    if (!Array.isArray(items)) continue;
    rest[list] = items.map((item: unknown) =>
      typeof item === 'object' && item !== null ? { ...item, image: undefined, imagePullPolicy: undefined } : item,
    );
  }
  return rest;
}

function parseVersion(text: string | undefined): Versions {
  const match = text === undefined ? null : /^v?(\d{1,3})\.(\d{1,3})/.exec(text);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}
