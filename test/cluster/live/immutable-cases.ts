/** One update of one object, with what the API server is known to do with it (rules.md 0.4 of the design notes). */
export interface UpdateCase {
  readonly name: string;
  readonly kind: string;
  /** The object without name; `NAME` stands for it. */
  readonly before: string;
  readonly after: string;
  readonly refused: boolean;
  /** Status that the live object has. */
  readonly status?: object;
}

const pod = 'spec: {restartPolicy: Always, containers: [{name: main, image: registry.example.org/main:1.0.0}]}';
const template = (labels: string, spec = pod) => `template: {metadata: {labels: {${labels}}}, ${spec}}`;

const workload = (kind: string, selector: string, more = '') => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: NAME}
spec: {${more}selector: {matchLabels: {${selector}}}, ${template('app: NAME, tier: back')}}`;

const stateful = (more: string, claim = 'storage: 1Gi') => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  ${template('app: NAME')}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {${claim}}}}}]
  ${more}`;

const job = (more: string, image = '1.0.0') => `
apiVersion: batch/v1
kind: Job
metadata: {name: NAME}
spec:
  template: {spec: {restartPolicy: Never, containers: [{name: main, image: 'registry.example.org/main:${image}'}]}}
  ${more}`;

const service = (more: string) => `
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{port: 80}]${more}}`;

const claim = (more: string, size = '10Gi') => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size}}}${more}}`;

const volume = (source: string, more = '') => `
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME}
spec: {capacity: {storage: 10Gi}, accessModes: [ReadWriteOnce], ${source}${more}}`;

/** Beside pods and claims, whose judgement a changing quota leaves open. */
const quota = (spec: string) => `
apiVersion: v1
kind: ResourceQuota
metadata: {name: NAME, namespace: kube-public}
spec: ${spec}`;

const top = (apiVersion: string, kind: string, rest: string) => `
apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: NAME}
${rest}`;

const zone = (name: string) =>
  `, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [${name}]}]}]}}`;
const nfs = (path: string) => `nfs: {server: files.example.org, path: ${path}}`;
const csi = (more: string) => `csi: {driver: disk.example.org, volumeHandle: NAME${more}}`;

const crd = (names: string, scope = 'Namespaced', more = '') => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: NAMEs.example.org}
spec:
  group: example.org
  scope: ${scope}
  names: {${names}, plural: NAMEs, singular: NAME}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object${more}}}}]`;

const set = (kind: string, before: string, after: string, make: (text: string) => string) => ({
  kind,
  before: make(before),
  after: make(after),
});

export const cases: readonly UpdateCase[] = [
  ...['Deployment', 'DaemonSet', 'ReplicaSet'].flatMap((kind): UpdateCase[] => [
    {
      name: `${kind} selector`,
      refused: true,
      ...set(kind, 'app: NAME', 'app: NAME, tier: back', (s) => workload(kind, s)),
    },
    {
      name: `${kind} minReadySeconds`,
      refused: false,
      ...set(kind, '', 'minReadySeconds: 5, ', (more) => workload(kind, 'app: NAME', more)),
    },
  ]),
  {
    name: 'StatefulSet serviceName',
    refused: true,
    ...set('StatefulSet', 'serviceName: a', 'serviceName: b', stateful),
  },
  {
    name: 'StatefulSet podManagementPolicy',
    refused: true,
    ...set('StatefulSet', '', 'podManagementPolicy: Parallel', stateful),
  },
  {
    name: 'StatefulSet volumeClaimTemplates',
    refused: true,
    ...set('StatefulSet', 'storage: 1Gi', 'storage: 2Gi', (size) => stateful('', size)),
  },
  {
    name: 'StatefulSet volumeClaimTemplates in another unit',
    refused: false,
    kind: 'StatefulSet',
    before: stateful('', 'storage: 1Gi'),
    after: stateful('replicas: 2', 'storage: 1024Mi'),
  },
  ...[
    ['replicas', 'replicas: 1', 'replicas: 3'],
    ['updateStrategy', '', 'updateStrategy: {rollingUpdate: {partition: 1}}'],
    ['retention', '', 'persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}'],
    ['minReadySeconds', '', 'minReadySeconds: 3'],
    ['ordinals', '', 'ordinals: {start: 2}'],
    ['revisionHistoryLimit', 'revisionHistoryLimit: 10', 'revisionHistoryLimit: 3'],
  ].map(([field = '', before = '', after = '']): UpdateCase => ({
    name: `StatefulSet ${field}`,
    refused: false,
    ...set('StatefulSet', before, after, stateful),
  })),
  { name: 'Job template', refused: true, ...set('Job', '1.0.0', '1.1.0', (image) => job('', image)) },
  {
    name: 'Job completionMode',
    refused: true,
    ...set('Job', '', 'completionMode: Indexed', (m) => job(`completions: 2\n  ${m}`)),
  },
  { name: 'Job completions', refused: true, ...set('Job', 'completions: 1', 'completions: 2', job) },
  {
    name: 'Job completions with parallelism, Indexed',
    refused: false,
    ...set('Job', '2', '3', (n) => job(`completionMode: Indexed\n  completions: ${n}\n  parallelism: ${n}`)),
  },
  {
    name: 'Job completions alone, Indexed',
    refused: true,
    ...set('Job', '2', '3', (n) => job(`completionMode: Indexed\n  completions: ${n}\n  parallelism: 2`)),
  },
  {
    name: 'Job podFailurePolicy',
    refused: true,
    ...set('Job', 'Ignore', 'Count', (action) =>
      job(`podFailurePolicy: {rules: [{action: ${action}, onPodConditions: [{type: DisruptionTarget}]}]}`),
    ),
  },
  {
    name: 'Job backoffLimitPerIndex',
    refused: true,
    ...set('Job', '1', '2', (n) =>
      job(`completionMode: Indexed\n  completions: 2\n  parallelism: 2\n  backoffLimitPerIndex: ${n}`),
    ),
  },
  {
    name: 'Job managedBy',
    refused: true,
    ...set('Job', 'example.org/a', 'example.org/b', (by) => job(`managedBy: ${by}`)),
  },
  {
    name: 'Job successPolicy',
    refused: true,
    ...set('Job', '1', '2', (n) =>
      job(
        `completionMode: Indexed\n  completions: 2\n  parallelism: 2\n  successPolicy: {rules: [{succeededCount: ${n}}]}`,
      ),
    ),
  },
  { name: 'Job backoffLimit', refused: false, ...set('Job', 'backoffLimit: 3', 'backoffLimit: 4', job) },
  { name: 'Job parallelism', refused: false, ...set('Job', 'parallelism: 1', 'parallelism: 2', job) },
  {
    name: 'CronJob template',
    refused: false,
    ...set('CronJob', '1.0.0', '1.1.0', (image) =>
      top(
        'batch/v1',
        'CronJob',
        `spec: {schedule: '5 4 * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: 'registry.example.org/main:${image}'}]}}}}}`,
      ),
    ),
  },
  {
    name: 'Service clusterIP',
    refused: true,
    ...set('Service', ', clusterIP: 10.0.5.1', ', clusterIP: 10.0.5.2', service),
  },
  { name: 'Service made headless', refused: true, ...set('Service', '', ', clusterIP: None', service) },
  {
    name: 'Service clusterIP left out',
    refused: false,
    ...set('Service', ', clusterIP: 10.0.5.3', ', type: NodePort', service),
  },
  { name: 'Service type', refused: false, ...set('Service', '', ', type: NodePort', service) },
  {
    name: 'Service loadBalancerClass',
    refused: true,
    ...set('Service', 'example.org/a', 'example.org/b', (c) =>
      service(`, type: LoadBalancer, loadBalancerClass: ${c}`),
    ),
  },
  {
    name: 'Service healthCheckNodePort',
    refused: true,
    ...set('Service', '30711', '30712', (port) =>
      service(`, type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: ${port}`),
    ),
  },
  {
    name: 'Service ipFamilies',
    refused: true,
    ...set('Service', 'IPv4', 'IPv6', (f) => service(`, ipFamilies: [${f}]`)),
  },
  { name: 'Service ports', refused: false, ...set('Service', '', ', sessionAffinity: ClientIP', service) },
  {
    name: 'PVC accessModes',
    refused: true,
    kind: 'PersistentVolumeClaim',
    before: claim(''),
    after: claim('').replace('ReadWriteOnce', 'ReadWriteMany'),
  },
  {
    name: 'PVC storageClassName',
    refused: true,
    ...set('PersistentVolumeClaim', 'slow', 'fast', (c) => claim(`, storageClassName: ${c}`)),
  },
  {
    name: 'PVC volumeName',
    refused: true,
    ...set('PersistentVolumeClaim', 'disk-a', 'disk-b', (v) => claim(`, volumeName: ${v}`)),
  },
  {
    name: 'PVC volumeName, the first',
    refused: false,
    ...set('PersistentVolumeClaim', '', ', volumeName: disk-a', (v) => claim(v)),
  },
  {
    name: 'PVC selector',
    refused: true,
    ...set('PersistentVolumeClaim', 'a', 'b', (v) => claim(`, selector: {matchLabels: {disk: ${v}}}`)),
  },
  {
    name: 'PVC volumeMode',
    refused: true,
    ...set('PersistentVolumeClaim', '', ', volumeMode: Block', (v) => claim(v)),
  },
  {
    name: 'PVC grows',
    refused: false,
    ...set('PersistentVolumeClaim', '10Gi', '20Gi', (size) => claim(', storageClassName: growing', size)),
    status: { phase: 'Bound', capacity: { storage: '10Gi' } },
  },
  {
    name: 'PVC shrinks below its capacity',
    refused: true,
    ...set('PersistentVolumeClaim', '10Gi', '5Gi', (size) => claim(', storageClassName: growing', size)),
    status: { phase: 'Bound', capacity: { storage: '10Gi' } },
  },
  { name: 'PV source', refused: true, ...set('PersistentVolume', '/a', '/b', (path) => volume(nfs(path))) },
  {
    name: 'PV volumeMode',
    refused: true,
    ...set('PersistentVolume', 'Filesystem', 'Block', (m) => volume(csi(''), `, volumeMode: ${m}`)),
  },
  { name: 'PV nodeAffinity', refused: true, ...set('PersistentVolume', 'a', 'b', (z) => volume(nfs('/a'), zone(z))) },
  {
    name: 'PV nodeAffinity, the first',
    refused: false,
    ...set('PersistentVolume', '', zone('a'), (z) => volume(nfs('/a'), z)),
  },
  {
    name: 'PV reclaim policy',
    refused: false,
    ...set('PersistentVolume', 'Retain', 'Delete', (p) => volume(nfs('/a'), `, persistentVolumeReclaimPolicy: ${p}`)),
  },
  {
    name: 'PV controllerExpandSecretRef, the first',
    refused: false,
    ...set('PersistentVolume', '', ', controllerExpandSecretRef: {name: grow, namespace: default}', (s) =>
      volume(csi(s)),
    ),
  },
  {
    name: 'PV csi attributes',
    refused: true,
    ...set('PersistentVolume', 'a', 'b', (v) => volume(csi(`, volumeAttributes: {tier: ${v}}`))),
  },
  ...[
    ['provisioner', 'provisioner: a.example.org', 'provisioner: b.example.org', true],
    [
      'parameters',
      'provisioner: a.example.org\nparameters: {tier: a}',
      'provisioner: a.example.org\nparameters: {tier: b}',
      true,
    ],
    ['reclaimPolicy', 'provisioner: a.example.org', 'provisioner: a.example.org\nreclaimPolicy: Retain', true],
    [
      'volumeBindingMode',
      'provisioner: a.example.org',
      'provisioner: a.example.org\nvolumeBindingMode: WaitForFirstConsumer',
      true,
    ],
    [
      'allowVolumeExpansion',
      'provisioner: a.example.org',
      'provisioner: a.example.org\nallowVolumeExpansion: true',
      false,
    ],
  ].map(([field, before, after, refused]): UpdateCase => ({
    name: `StorageClass ${String(field)}`,
    refused: refused === true,
    ...set('StorageClass', String(before), String(after), (rest) => top('storage.k8s.io/v1', 'StorageClass', rest)),
  })),
  {
    name: 'VolumeAttributesClass parameters',
    refused: true,
    ...set('VolumeAttributesClass', 'a', 'b', (v) =>
      top('storage.k8s.io/v1', 'VolumeAttributesClass', `driverName: disk.example.org\nparameters: {tier: ${v}}`),
    ),
  },
  {
    name: 'CSIDriver attachRequired',
    refused: true,
    ...set('CSIDriver', 'true', 'false', (v) => top('storage.k8s.io/v1', 'CSIDriver', `spec: {attachRequired: ${v}}`)),
  },
  {
    name: 'CSIDriver podInfoOnMount',
    refused: false,
    ...set('CSIDriver', 'true', 'false', (v) => top('storage.k8s.io/v1', 'CSIDriver', `spec: {podInfoOnMount: ${v}}`)),
  },
  {
    name: 'VolumeAttachment spec',
    refused: true,
    ...set('VolumeAttachment', 'node-a', 'node-b', (node) =>
      top(
        'storage.k8s.io/v1',
        'VolumeAttachment',
        `spec: {attacher: disk.example.org, nodeName: ${node}, source: {persistentVolumeName: disk}}`,
      ),
    ),
  },
  ...['ConfigMap', 'Secret'].flatMap((kind): UpdateCase[] => [
    {
      name: `${kind} data of a changeable one`,
      refused: false,
      ...set(kind, 'aGk=', 'aGkh', (v) => top('v1', kind, `data: {key: ${v}}`)),
    },
  ]),
  {
    name: 'ConfigMap data',
    refused: true,
    ...set('ConfigMap', 'a', 'b', (v) => top('v1', 'ConfigMap', `immutable: true\ndata: {key: ${v}}`)),
  },
  {
    name: 'ConfigMap no longer immutable',
    refused: true,
    ...set('ConfigMap', 'immutable: true\n', '', (v) => top('v1', 'ConfigMap', `${v}data: {key: a}`)),
  },
  {
    name: 'ConfigMap becomes immutable',
    refused: false,
    ...set('ConfigMap', '', 'immutable: true\n', (v) => top('v1', 'ConfigMap', `${v}data: {key: a}`)),
  },
  {
    name: 'Secret type',
    refused: true,
    ...set('Secret', 'Opaque', 'example.org/other', (v) => top('v1', 'Secret', `type: ${v}\ndata: {key: aGk=}`)),
  },
  ...['RoleBinding', 'ClusterRoleBinding'].flatMap((kind): UpdateCase[] => [
    {
      name: `${kind} roleRef`,
      refused: true,
      ...set(kind, 'view', 'edit', (role) =>
        top(
          'rbac.authorization.k8s.io/v1',
          kind,
          `roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${role}}\nsubjects: []`,
        ),
      ),
    },
    {
      name: `${kind} subjects`,
      refused: false,
      ...set(kind, 'a', 'b', (group) =>
        top(
          'rbac.authorization.k8s.io/v1',
          kind,
          `roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: ${group}}]`,
        ),
      ),
    },
  ]),
  {
    name: 'ResourceQuota scopes',
    refused: true,
    ...set('ResourceQuota', 'Terminating', 'NotTerminating', (scope) =>
      quota(`{hard: {pods: 99}, scopes: [${scope}]}`),
    ),
  },
  {
    name: 'ResourceQuota hard',
    refused: false,
    ...set('ResourceQuota', '98', '99', (n) => quota(`{hard: {pods: ${n}}}`)),
  },
  {
    name: 'PriorityClass value',
    refused: true,
    ...set('PriorityClass', '10', '20', (v) => top('scheduling.k8s.io/v1', 'PriorityClass', `value: ${v}`)),
  },
  {
    name: 'PriorityClass preemptionPolicy',
    refused: true,
    ...set('PriorityClass', '', 'preemptionPolicy: Never', (v) =>
      top('scheduling.k8s.io/v1', 'PriorityClass', `value: 10\n${v}`),
    ),
  },
  {
    name: 'PriorityClass description',
    refused: false,
    ...set('PriorityClass', 'a', 'b', (v) =>
      top('scheduling.k8s.io/v1', 'PriorityClass', `value: 10\ndescription: ${v}`),
    ),
  },
  {
    name: 'RuntimeClass handler',
    refused: true,
    ...set('RuntimeClass', 'a', 'b', (v) => top('node.k8s.io/v1', 'RuntimeClass', `handler: ${v}`)),
  },
  {
    name: 'IngressClass controller',
    refused: true,
    ...set('IngressClass', 'example.org/a', 'example.org/b', (v) =>
      top('networking.k8s.io/v1', 'IngressClass', `spec: {controller: ${v}}`),
    ),
  },
  {
    name: 'EndpointSlice addressType',
    refused: true,
    kind: 'EndpointSlice',
    before: top('discovery.k8s.io/v1', 'EndpointSlice', 'addressType: IPv4\nendpoints: [{addresses: [10.9.0.1]}]'),
    after: top('discovery.k8s.io/v1', 'EndpointSlice', "addressType: IPv6\nendpoints: [{addresses: ['fd00::1']}]"),
  },
  {
    name: 'EndpointSlice addresses',
    refused: false,
    ...set('EndpointSlice', '10.9.0.1', '10.9.0.2', (v) =>
      top('discovery.k8s.io/v1', 'EndpointSlice', `addressType: IPv4\nendpoints: [{addresses: [${v}]}]`),
    ),
  },
  {
    name: 'ServiceCIDR cidrs',
    refused: true,
    ...set('ServiceCIDR', '10.90.0.0/24', '10.91.0.0/24', (v) =>
      top('networking.k8s.io/v1', 'ServiceCIDR', `spec: {cidrs: [${v}]}`),
    ),
  },
  {
    name: 'ResourceClaim spec',
    refused: true,
    ...set('ResourceClaim', 'a.example.org', 'b.example.org', (v) =>
      top(
        'resource.k8s.io/v1',
        'ResourceClaim',
        `spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: ${v}}}]}}`,
      ),
    ),
  },
  {
    name: 'ResourceClaimTemplate spec',
    refused: true,
    ...set('ResourceClaimTemplate', 'a.example.org', 'b.example.org', (v) =>
      top(
        'resource.k8s.io/v1',
        'ResourceClaimTemplate',
        `spec: {spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: ${v}}}]}}}`,
      ),
    ),
  },
  {
    name: 'CRD scope',
    refused: true,
    ...set('CustomResourceDefinition', 'Namespaced', 'Cluster', (v) => crd('kind: KINDNAME', v)),
  },
  { name: 'CRD kind', refused: true, ...set('CustomResourceDefinition', 'kind: KINDNAME', 'kind: OtherKINDNAME', crd) },
  {
    name: 'CRD schema',
    refused: false,
    ...set('CustomResourceDefinition', '', ', properties: {spec: {type: object}}', (v) =>
      crd('kind: KINDNAME', 'Namespaced', v),
    ),
  },
  {
    name: 'Pod image',
    refused: false,
    ...set('Pod', '1.0.0', '1.1.0', (v) =>
      top('v1', 'Pod', `spec: {containers: [{name: main, image: 'registry.example.org/main:${v}'}]}`),
    ),
  },
  {
    name: 'Pod command',
    refused: true,
    ...set('Pod', 'a', 'b', (v) =>
      top('v1', 'Pod', `spec: {containers: [{name: main, image: 'registry.example.org/main:1', command: [${v}]}]}`),
    ),
  },
  {
    name: 'Ingress host',
    refused: false,
    ...set('Ingress', 'a', 'b', (v) =>
      top(
        'networking.k8s.io/v1',
        'Ingress',
        `spec: {rules: [{host: ${v}.example.org}], defaultBackend: {service: {name: web, port: {number: 80}}}}`,
      ),
    ),
  },
  {
    name: 'PodDisruptionBudget selector',
    refused: false,
    ...set('PodDisruptionBudget', 'a', 'b', (v) =>
      top('policy/v1', 'PodDisruptionBudget', `spec: {minAvailable: 1, selector: {matchLabels: {app: ${v}}}}`),
    ),
  },
];

/** The object of a case under a name of its own. */
export function named(text: string, index: number): string {
  return text.replaceAll('KINDNAME', `Case${index}`).replaceAll('NAME', `case${index}`);
}

export function nameOf({ kind }: UpdateCase, index: number): string {
  return kind === 'CustomResourceDefinition' ? `case${index}s.example.org` : `case${index}`;
}
