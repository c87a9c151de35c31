import type { RuleExample } from '../../../core/rule.ts';

const claim = (extra = '') => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: orders, namespace: shop${extra}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  resources: {requests: {storage: 200Gi}}
`;
const storageClass = (policy: string) => `---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: ebs.csi.aws.com
reclaimPolicy: ${policy}
`;
const config = `---
apiVersion: v1
kind: ConfigMap
metadata: {name: orders, namespace: shop}
data: {mode: fast}
`;
const liveClaim = (policy: string, annotations = '') => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: orders, namespace: shop${annotations}}
spec: {accessModes: [ReadWriteOnce], storageClassName: fast, volumeName: pvc-1, resources: {requests: {storage: 200Gi}}}
status: {phase: Bound}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: pvc-1}
spec: {persistentVolumeReclaimPolicy: ${policy}, capacity: {storage: 200Gi}}
`;
const statefulSet = (retention: string, claims: string) => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: orders, namespace: shop}
spec:
  serviceName: orders
  ${retention}
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec: {containers: [{name: db, image: 'registry.example.net/shop/db:14.2'}]}
  ${claims}
`;
const template = `volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 50Gi}}}`;
const flux = { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } } as const;

const whenDeleted = 'persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}';
const ordinalClaim = (owner: string) => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-${owner}-0, namespace: shop}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
status: {phase: Bound, capacity: {storage: 10Gi}}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'a claim leaves an Application with prune',
    before: claim() + config,
    after: config,
    expect: [
      {
        resource: 'PersistentVolumeClaim/shop/orders',
        severity: 'critical',
        confidence: 'determined',
        message: 'this loses the volume with everything on it',
      },
    ],
  },
  {
    name: 'the live volume is Bound and its policy is Delete',
    before: claim() + config,
    after: config,
    live: liveClaim('Delete'),
    expect: [{ severity: 'critical', confidence: 'proven' }],
  },
  {
    name: 'nothing says whether the deploying tool prunes',
    target: { engine: 'kustomize', apply: { mode: 'client-side', prune: 'unknown', automated: 'unknown' } },
    before: claim() + config,
    after: config,
    expect: [{ severity: 'critical', confidence: 'likely', message: 'deleted if pruning is on' }],
  },
  {
    name: 'the class keeps the disk',
    before: claim() + storageClass('Retain'),
    after: storageClass('Retain'),
    expect: [{ severity: 'high', confidence: 'determined', message: 'its volume stays as Released' }],
  },
  {
    name: 'the claims of a StatefulSet go with it',
    target: flux,
    before: statefulSet('persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}', template) + config,
    after: config,
    expect: [{ resource: 'StatefulSet/shop/orders', severity: 'critical', message: 'the claims of all of them' }],
  },
  {
    name: 'the claims of a StatefulSet stay by default',
    target: flux,
    before: statefulSet('', template) + config,
    after: config,
    expect: [{ severity: 'high', message: 'the claims stay behind' }],
  },
  {
    name: 'a database resource is dropped by a chart value',
    target: { engine: 'helm', apply: { mode: 'helm', prune: true, automated: 'unknown' } },
    before: `
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: orders, namespace: shop}
spec: {instances: 3, storage: {size: 100Gi}}
${config}`,
    after: config,
    expect: [
      { resource: 'Cluster/shop/orders', severity: 'critical', message: 'the PostgreSQL cluster with its volumes' },
    ],
  },
  {
    name: 'a claim moves to another Application: the two syncs race',
    before: claim() + config,
    after: config,
    other: {
      target: { id: 'argocd:argocd/storage', name: 'storage' },
      before: config.replace('name: orders', 'name: other'),
      after: claim(),
    },
    expect: [{ severity: 'high', confidence: 'likely', message: 'the two syncs race' }],
  },
  {
    name: 'quiet: prune is off',
    target: { apply: { mode: 'client-side', prune: false, automated: true } },
    before: claim() + config,
    after: config,
    expect: [],
  },
  {
    name: 'quiet: the live object carries the guard',
    before: claim() + config,
    after: config,
    live: liveClaim('Delete', ", annotations: {argocd.argoproj.io/sync-options: 'Prune=false'}"),
    expect: [],
  },
  {
    name: 'quiet: Flux leaves what is marked',
    target: flux,
    before: claim(', annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}') + config,
    after: config,
    expect: [],
  },
  {
    name: 'a StatefulSet goes, and the claims of its pods are there',
    before: statefulSet(whenDeleted, template) + config,
    after: config,
    live: `${statefulSet(whenDeleted, template)}---${ordinalClaim('orders')}`,
    expect: [{ resource: 'StatefulSet/shop/orders', severity: 'critical', message: 'the claims of all of them' }],
  },
  {
    name: 'quiet: a StatefulSet goes that never had a pod with a claim',
    before: statefulSet(whenDeleted, template) + config,
    after: config,
    live: `${statefulSet(whenDeleted, template)}---${ordinalClaim('search')}`,
    expect: [],
  },
  {
    name: 'quiet: a StatefulSet without volumes',
    before: statefulSet('', '') + config,
    after: config,
    expect: [],
  },
  {
    name: 'quiet: the cluster does not have the claim any more',
    before: claim() + config,
    after: config,
    live: `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: other, namespace: shop}
`,
    expect: [],
  },
];
