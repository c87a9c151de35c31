import type { RuleExample } from '../../../core/rule.ts';

const checker = (version: string, selector: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: version-checker, namespace: monitoring, labels: {app.kubernetes.io/version: ${version}}}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: version-checker${selector}}}
  template:
    metadata: {labels: {app.kubernetes.io/name: version-checker, app.kubernetes.io/version: ${version}, app.kubernetes.io/component: main}}
    spec: {containers: [{name: main, image: 'registry.example.net/version-checker:${version}'}]}
`;
const job = (image: string, metadata = '', spec = '') => `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop${metadata}}
spec:
  ${spec}
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: 'registry.example.net/shop/migrate:${image}'}]
`;
const stateful = (size: string, extra = '') => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  ${extra}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: 'registry.example.net/shop/db:14'}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size}}}}
`;
const claim = (spec: string) => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec:
  ${spec}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 10Gi}}
`;
const binding = (role: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${role}}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: shop-team}]
`;
const service = (spec: string) => `
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]${spec}}
`;
const bucket = (region: string) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: buckets.storage.example.net}
spec:
  group: storage.example.net
  names: {kind: Bucket, plural: buckets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                region:
                  type: string
                  x-kubernetes-validations: [{rule: self == oldSelf, message: region is immutable}]
---
apiVersion: storage.example.net/v1
kind: Bucket
metadata: {name: images, namespace: shop}
spec: {region: ${region}}
`;
const flux = { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } } as const;

const growing = (size: string, status = '') => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: uploads, namespace: shop}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: local
  resources: {requests: {storage: ${size}}}
${status}`;
const localClass = (more = '') => `---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: local}
provisioner: rancher.io/local-path
${more}`;

export const examples: readonly RuleExample[] = [
  {
    name: 'incident I-24: the version is part of the selector, and the version is bumped',
    before: checker('v0.3.1', ', app.kubernetes.io/version: v0.3.1'),
    after: checker('v0.3.2', ', app.kubernetes.io/version: v0.3.2'),
    expect: [
      {
        resource: 'Deployment/monitoring/version-checker',
        path: '/spec/selector',
        severity: 'high',
        confidence: 'determined',
        willNotApply: true,
        message: 'makes every version bump fail',
      },
    ],
  },
  {
    name: 'incident I-27: a chart adds a label to the selector',
    before: checker('v1', ''),
    after: checker('v1', ', app.kubernetes.io/component: main'),
    expect: [{ path: '/spec/selector', willNotApply: true }],
  },
  {
    name: 'the cluster holds the old selector',
    before: checker('v1', ''),
    after: checker('v1', ', app.kubernetes.io/component: main'),
    live: checker('v1', ''),
    expect: [{ confidence: 'proven', willNotApply: true }],
  },
  {
    name: 'quiet: the object is not in the cluster, so it is created',
    before: checker('v1', ''),
    after: checker('v1', ', app.kubernetes.io/component: main'),
    live: checker('v1', '').replaceAll('name: version-checker,', 'name: another,'),
    expect: [],
  },
  {
    name: 'a larger volumeClaimTemplate',
    target: flux,
    before: stateful('50Gi'),
    after: stateful('100Gi'),
    expect: [{ path: '/spec/volumeClaimTemplates', willNotApply: true, message: 'updates to statefulset spec' }],
  },
  {
    name: 'a Job with a new image',
    target: { engine: 'helm', apply: { mode: 'helm', prune: true, automated: 'unknown' } },
    before: job('1.0.0'),
    after: job('1.1.0'),
    expect: [{ resource: 'Job/shop/migrate', path: '/spec/template', willNotApply: true }],
  },
  {
    name: 'a chart gets a Job with a fixed name: the next bump will be refused',
    after: `# Source: shop/templates/migrate.yaml${job('1.0.0')}`,
    expect: [{ path: '/spec/template', severity: 'medium', confidence: 'likely', willNotApply: false }],
  },
  {
    name: 'a Job that removes itself may be gone by then',
    before: job('1.0.0', '', 'ttlSecondsAfterFinished: 600'),
    after: job('1.1.0', '', 'ttlSecondsAfterFinished: 600'),
    expect: [{ confidence: 'likely', willNotApply: false }],
  },
  {
    name: 'a forced Deployment is deleted and created',
    target: { apply: { mode: 'client-side', prune: true, automated: true, force: true } },
    before: checker('v1', ''),
    after: checker('v1', ', app.kubernetes.io/component: main'),
    expect: [{ severity: 'high', willNotApply: false, message: 'then deletes and creates it' }],
  },
  {
    name: 'a headless Service cannot get a cluster IP, and nothing says so',
    before: service(', clusterIP: None'),
    after: service(''),
    expect: [{ path: '/spec/clusterIP', severity: 'medium', willNotApply: false, message: 'stays headless' }],
  },
  {
    name: 'a field that the CRD freezes',
    before: bucket('eu-west-1'),
    after: bucket('eu-central-1'),
    expect: [
      { resource: 'Bucket/shop/images', path: '/spec/region', willNotApply: true, message: 'region is immutable' },
    ],
  },
  {
    name: 'revisionHistoryLimit of a StatefulSet on an old server',
    target: { kubeVersion: '1.31' },
    before: stateful('50Gi', 'revisionHistoryLimit: 10'),
    after: stateful('50Gi', 'revisionHistoryLimit: 3'),
    expect: [{ path: '/spec/revisionHistoryLimit', willNotApply: true }],
  },
  {
    name: 'quiet: the same on a server from 1.33 on',
    target: { kubeVersion: '1.33' },
    before: stateful('50Gi', 'revisionHistoryLimit: 10'),
    after: stateful('50Gi', 'revisionHistoryLimit: 3'),
    expect: [],
  },
  {
    name: 'quiet: a Job that asks to be replaced',
    before: job('1.0.0', ", annotations: {argocd.argoproj.io/sync-options: 'Force=true,Replace=true'}"),
    after: job('1.1.0', ", annotations: {argocd.argoproj.io/sync-options: 'Force=true,Replace=true'}"),
    expect: [],
  },
  {
    name: 'quiet: a Job that is a hook',
    before: job('1.0.0', ', annotations: {helm.sh/hook: pre-upgrade}'),
    after: job('1.1.0', ', annotations: {helm.sh/hook: pre-upgrade}'),
    expect: [],
  },
  {
    name: 'quiet: a Flux Kustomization with force and a Job',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true, force: true } },
    before: job('1.0.0'),
    after: job('1.1.0'),
    expect: [],
  },
  {
    name: 'quiet: defaults of the claim template are written out',
    before: stateful('1Ti'),
    after: stateful('1024Gi').replace('accessModes', 'volumeMode: Filesystem, accessModes'),
    expect: [],
  },
  {
    name: 'the API server was asked and refuses it: proven, and refused for certain although the claim class is unknown',
    target: { apply: { mode: 'server-side', prune: true, automated: true } },
    before: claim(''),
    after: claim('storageClassName: fast'),
    dryRun: [
      {
        resource: 'PersistentVolumeClaim/shop/data',
        outcome: 'rejected',
        code: 422,
        reason: 'Invalid',
        message:
          'PersistentVolumeClaim "data" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
        causes: [{ field: 'spec', message: 'Forbidden: spec is immutable after creation' }],
      },
    ],
    expect: [{ path: '/spec/storageClassName', confidence: 'proven', willNotApply: true }],
  },
  {
    name: 'quiet: the API server was asked and accepts it, because the live object is so already',
    before: stateful('50Gi'),
    after: stateful('100Gi'),
    dryRun: [{ resource: 'StatefulSet/shop/db', outcome: 'accepted', code: 200 }],
    expect: [],
  },
  {
    name: 'a claim grows whose StorageClass does not allow that',
    before: growing('10Gi'),
    after: growing('20Gi'),
    live: growing('10Gi', 'status: {phase: Bound}\n') + localClass(),
    expect: [
      {
        resource: 'PersistentVolumeClaim/shop/uploads',
        path: '/spec/resources/requests/storage',
        confidence: 'proven',
        willNotApply: true,
        message: 'does not have allowVolumeExpansion: true',
      },
    ],
  },
  {
    name: 'quiet: the StorageClass lets its claims grow',
    before: growing('10Gi'),
    after: growing('20Gi'),
    live: growing('10Gi', 'status: {phase: Bound}\n') + localClass('allowVolumeExpansion: true\n'),
    expect: [],
  },
  {
    name: 'a claim grows before it is bound',
    before: growing('10Gi'),
    after: growing('20Gi'),
    live: growing('10Gi', 'status: {phase: Pending}\n') + localClass('allowVolumeExpansion: true\n'),
    expect: [{ confidence: 'proven', willNotApply: true, message: 'only bound claims can be expanded' }],
  },
  {
    name: 'a role binding for another role, by Flux',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: binding('reader'),
    after: binding('editor'),
    expect: [{ path: '/roleRef', willNotApply: true }],
  },
  {
    name: 'quiet: the same by Argo CD, which deletes and creates such a binding itself',
    before: binding('reader'),
    after: binding('editor'),
    expect: [],
  },
];
