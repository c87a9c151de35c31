import type { RuleExample } from '../../../core/rule.ts';

const deployment = (replicas: number, labels = '{app: web}') => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: ${labels}}
    spec:
      containers: [{name: web, image: 'registry.example.net/shop/web:4.0.2'}]
`;

const budget = (spec: string, options: { name?: string; selector?: string; annotations?: string } = {}) => `---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: ${options.name ?? 'web'}, namespace: shop, annotations: ${options.annotations ?? '{}'}}
spec: {${spec}, selector: {matchLabels: ${options.selector ?? '{app: web}'}}}
`;

const nodes = `---
apiVersion: v1
kind: Node
metadata: {name: node-a}
status: {nodeInfo: {kubeletVersion: v1.33.5}}
---
apiVersion: v1
kind: Node
metadata: {name: node-b}
status: {nodeInfo: {kubeletVersion: v1.34.1}}
`;

const resource = 'PodDisruptionBudget/web';

export const examples: readonly RuleExample[] = [
  {
    name: 'the budget of three replicas is removed',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: deployment(3),
    expect: [
      {
        resource,
        path: '',
        severity: 'medium',
        confidence: 'determined',
        message: 'PodDisruptionBudget shop/web is removed',
      },
    ],
  },
  {
    name: 'the same while an upgrade is under way',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: deployment(3),
    live: deployment(3) + budget('maxUnavailable: 1') + nodes,
    expect: [{ resource, severity: 'high', confidence: 'proven' }],
  },
  {
    name: 'the budget is renamed',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: deployment(3) + budget('maxUnavailable: 1', { name: 'web-budget' }),
    expect: [],
  },
  {
    name: 'another budget in the cluster selects the same pods',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: deployment(3),
    live: deployment(3) + budget('maxUnavailable: 1') + budget('minAvailable: 2', { name: 'platform-default' }),
    expect: [],
  },
  {
    name: 'the workload goes as well',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: budget('maxUnavailable: 1', { name: 'other', selector: '{app: other}' }),
    expect: [],
  },
  {
    name: 'the workload is down to one replica',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: deployment(1),
    expect: [],
  },
  {
    name: 'Argo CD keeps the object (Prune=false)',
    before:
      deployment(3) + budget('maxUnavailable: 1', { annotations: '{argocd.argoproj.io/sync-options: Prune=false}' }),
    after: deployment(3),
    expect: [],
  },
  {
    name: 'maxUnavailable reaches the number of pods',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: deployment(3) + budget('maxUnavailable: 100%'),
    expect: [
      { resource, path: '/spec/maxUnavailable', message: 'goes from maxUnavailable: 1 to maxUnavailable: 100%' },
    ],
  },
  {
    name: 'loosened, but one of three stays',
    before: deployment(3) + budget('maxUnavailable: 1'),
    after: deployment(3) + budget('maxUnavailable: 2'),
    expect: [],
  },
];
