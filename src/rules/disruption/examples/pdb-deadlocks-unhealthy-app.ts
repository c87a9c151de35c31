import type { RuleExample } from '../../../core/rule.ts';

const deployment = (image: string, options: { probe?: string; strategy?: string } = {}) => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 4
  strategy: ${options.strategy ?? '{type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}'}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example.net/shop/api:${image}
          readinessProbe: ${options.probe ?? '{httpGet: {path: /ready, port: 8080}}'}
`;

const statefulSet = (image: string, replicas: number) => `---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: shop}
spec:
  replicas: ${replicas}
  serviceName: store
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: store, image: 'registry.example.net/shop/store:${image}'}]
`;

const budget = (spec: string) => `---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec: {${spec}, selector: {matchLabels: {app: api}}}
`;

const unhealthy = `${budget('minAvailable: 80%')}status: {currentHealthy: 0, desiredHealthy: 4, disruptionsAllowed: 0, expectedPods: 4}
---
apiVersion: v1
kind: Node
metadata: {name: node-a}
spec: {unschedulable: true}
`;

const withNode = (ready: string) =>
  unhealthy.replace('spec: {unschedulable: true}', `status: {conditions: [{type: Ready, status: "${ready}"}]}`);

const resource = 'PodDisruptionBudget/api';
const tight = '{httpGet: {path: /ready, port: 8080}, timeoutSeconds: 1, failureThreshold: 1}';

export const examples: readonly RuleExample[] = [
  {
    name: 'AlwaysAllow is taken away',
    before: deployment('1.0.0') + budget('maxUnavailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow'),
    after: deployment('1.0.0') + budget('maxUnavailable: 1'),
    expect: [
      {
        resource,
        path: '/spec/unhealthyPodEvictionPolicy',
        severity: 'high',
        confidence: 'likely',
        novelty: 'introduced',
        message: 'it was AlwaysAllow',
      },
    ],
  },
  {
    name: 'a new budget of 80 % comes with a new image and a tighter probe',
    before: deployment('1.0.0'),
    after: deployment('1.1.0', { probe: tight }) + budget('minAvailable: 80%'),
    expect: [{ resource, novelty: 'introduced', message: '3 of 4 healthy, 4 required' }],
  },
  {
    name: 'the same, with AlwaysAllow',
    before: deployment('1.0.0'),
    after: deployment('1.1.0', { probe: tight }) + budget('minAvailable: 80%, unhealthyPodEvictionPolicy: AlwaysAllow'),
    expect: [],
  },
  {
    name: 'the probe is tightened under an old budget that a failed rollout breaks',
    before: deployment('1.0.0') + budget('minAvailable: 80%'),
    after: deployment('1.0.0', { probe: tight }) + budget('minAvailable: 80%'),
    expect: [{ resource, novelty: 'introduced', message: 'probes change' }],
  },
  {
    name: 'the probe becomes more patient under the same old budget',
    before: deployment('1.0.0', { probe: tight }) + budget('minAvailable: 80%'),
    after: deployment('1.0.0') + budget('minAvailable: 80%'),
    expect: [{ resource, novelty: 'touched-preexisting' }],
  },
  {
    name: 'an ordinary release under the same old budget',
    before: deployment('1.0.0') + budget('minAvailable: 80%'),
    after: deployment('1.1.0') + budget('minAvailable: 80%'),
    expect: [{ resource, novelty: 'touched-preexisting' }],
  },
  {
    name: 'an ordinary release: the budget bears what the rollout takes away',
    before: deployment('1.0.0') + budget('maxUnavailable: 1'),
    after: deployment('1.1.0') + budget('maxUnavailable: 1'),
    expect: [],
  },
  {
    name: 'the strategy becomes Recreate together with a new image',
    before: deployment('1.0.0') + budget('maxUnavailable: 1'),
    after: deployment('1.1.0', { strategy: '{type: Recreate}' }) + budget('maxUnavailable: 1'),
    expect: [{ resource, novelty: 'introduced', message: '0 of 4 healthy, 3 required' }],
  },
  {
    name: 'a single-replica StatefulSet gets a new image',
    before: statefulSet('7.0', 1) + budget('maxUnavailable: 1'),
    after: statefulSet('7.1', 1) + budget('maxUnavailable: 1'),
    expect: [],
  },
  {
    name: 'the pods are unhealthy now and a node is being drained',
    before: deployment('1.0.0'),
    after: deployment('1.1.0', { probe: tight }) + budget('minAvailable: 80%'),
    live: unhealthy,
    expect: [{ resource, severity: 'critical', confidence: 'proven' }],
  },
  {
    name: 'the pods are unhealthy now and a node waits for its repair',
    before: deployment('1.0.0'),
    after: deployment('1.1.0', { probe: tight }) + budget('minAvailable: 80%'),
    live: withNode('False'),
    expect: [{ resource, severity: 'critical', confidence: 'proven' }],
  },
  {
    name: 'the pods are unhealthy now and all nodes are ready',
    before: deployment('1.0.0'),
    after: deployment('1.1.0', { probe: tight }) + budget('minAvailable: 80%'),
    live: withNode('True'),
    expect: [{ resource, severity: 'high', confidence: 'proven' }],
  },
];
