/** One client-side apply over a live object that others have written to. */
export interface MergeCase {
  readonly name: string;
  readonly kind: string;
  readonly before: string;
  /** What something else writes into the live object: a merge patch. */
  readonly meanwhile?: object;
  readonly after: string;
}

export const deployment = (spec: string, containers: string, metadata = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: merged${metadata}}
spec:
  selector: {matchLabels: {app: merged}}
  ${spec}
  template:
    metadata: {labels: {app: merged}}
    spec:
      ${containers}
`;
export const main = (more = '', image = '1.0.0') => `{name: main, image: 'registry.example.org/main:${image}'${more}}`;
export const side = `{name: side, image: 'registry.example.org/side:1.0.0'}`;
const sidecar = { name: 'injected', image: 'registry.example.org/mesh:1.0.0' };
const service = (ports: string, more = '') => `
apiVersion: v1
kind: Service
metadata: {name: merged}
spec: {selector: {app: merged}, ports: [${ports}]${more}}
`;
export const config = (data: string, annotations = '') => `
apiVersion: v1
kind: ConfigMap
metadata: {name: merged${annotations}}
data: {${data}}
`;
export const boat = (spec: string) => `
apiVersion: example.org/v1
kind: Boat
metadata: {name: merged}
spec: {${spec}}
`;
export const boats = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Boat, plural: boats}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`;

export const cases: readonly MergeCase[] = [
  {
    name: 'a removed field goes back to its default',
    kind: 'Deployment',
    before: deployment('replicas: 3', `containers: [${main()}]`),
    after: deployment('', `containers: [${main()}]`),
  },
  {
    name: 'what an autoscaler set stays when Git never named it',
    kind: 'Deployment',
    before: deployment('', `containers: [${main()}]`),
    meanwhile: { spec: { replicas: 5 } },
    after: deployment('', `containers: [${main('', '1.1.0')}]`),
  },
  {
    name: 'an injected container and its volume stay, a removed one of Git goes',
    kind: 'Deployment',
    before: deployment('', `containers: [${main()}, ${side}]`),
    meanwhile: {
      spec: {
        template: {
          spec: {
            containers: [
              sidecar,
              { name: 'main', image: 'registry.example.org/main:1.0.0' },
              { name: 'side', image: 'registry.example.org/side:1.0.0' },
            ],
            volumes: [{ name: 'mesh', emptyDir: {} }],
          },
        },
      },
    },
    after: deployment(
      '',
      `volumes: [{name: own, emptyDir: {}}]\n      containers: [${main(', volumeMounts: [{name: own, mountPath: /own}]')}]`,
    ),
  },
  {
    name: 'Recreate takes the values of RollingUpdate away',
    kind: 'Deployment',
    before: deployment('', `containers: [${main()}]`),
    after: deployment('strategy: {type: Recreate}', `containers: [${main()}]`),
  },
  {
    name: 'a volume that changes its source keeps nothing of the old one',
    kind: 'Deployment',
    before: deployment('', `volumes: [{name: v, emptyDir: {}}]\n      containers: [${main()}]`),
    after: deployment('', `volumes: [{name: v, configMap: {name: c}}]\n      containers: [${main()}]`),
  },
  {
    name: 'a variable changes from a value to a reference',
    kind: 'Deployment',
    before: deployment('', `containers: [${main(', env: [{name: A, value: x}, {name: B, value: w}]')}]`),
    after: deployment(
      '',
      `containers: [${main(', env: [{name: B, valueFrom: {configMapKeyRef: {name: c, key: b}}}, {name: C, value: z}]')}]`,
    ),
  },
  {
    name: 'tolerations and commands are replaced as a whole',
    kind: 'Deployment',
    before: deployment(
      '',
      `tolerations: [{key: a, operator: Exists}]\n      containers: [${main(', command: [a, b]')}]`,
    ),
    meanwhile: { spec: { template: { spec: { tolerations: [{ key: 'live', operator: 'Exists' }] } } } },
    after: deployment('', `tolerations: [{key: b, operator: Exists}]\n      containers: [${main(', command: [c]')}]`),
  },
  {
    name: 'a removed toleration that somebody changed',
    kind: 'Deployment',
    before: deployment('', `tolerations: [{key: a, operator: Exists}]\n      containers: [${main()}]`),
    meanwhile: { spec: { template: { spec: { tolerations: [{ key: 'live', operator: 'Exists' }] } } } },
    after: deployment('', `containers: [${main()}]`),
  },
  {
    name: 'labels and annotations of others stay, those of Git go',
    kind: 'Deployment',
    before: deployment('', `containers: [${main()}]`, ', labels: {a: one, b: two}, annotations: {x: one}'),
    meanwhile: {
      metadata: { labels: { live: 'yes' }, annotations: { live: 'yes' }, finalizers: ['example.org/live'] },
    },
    after: deployment('', `containers: [${main()}]`, ', labels: {b: three}, finalizers: [example.org/git]'),
  },
  {
    name: 'null takes a field away',
    kind: 'Deployment',
    before: deployment('replicas: 3', `containers: [${main(', livenessProbe: {tcpSocket: {port: 80}}')}]`),
    after: deployment('replicas: 3', `containers: [${main(', livenessProbe: null')}]`),
  },
  {
    name: 'ports of a Service by their number; the address stays',
    kind: 'Service',
    before: service('{name: http, port: 80}, {name: admin, port: 81}'),
    after: service('{name: http, port: 80, targetPort: 8080}, {name: metrics, port: 82}', ', type: NodePort'),
  },
  {
    name: 'keys of a ConfigMap',
    kind: 'ConfigMap',
    before: config('a: one, b: two'),
    meanwhile: { data: { live: 'yes', b: 'changed' } },
    after: config('a: three, c: four'),
  },
  {
    name: 'a ConfigMap without data any more',
    kind: 'ConfigMap',
    before: config('a: one'),
    meanwhile: { data: { live: 'yes' } },
    after: config('').replace('data: {}', ''),
  },
  {
    name: 'lists of a custom resource are replaced',
    kind: 'Boat',
    before: boat('sails: [{name: main, area: 10}], crew: 3, port: {name: home}'),
    meanwhile: {
      spec: {
        sails: [
          { name: 'main', area: 10 },
          { name: 'jib', area: 4 },
        ],
        crew: 5,
        live: true,
      },
    },
    after: boat('sails: [{name: main, area: 12}], port: {berth: 4}'),
  },
];
