import type { RuleExample } from '../../../core/rule.ts';

const deployment = (replicas: number | undefined, name = 'web') => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
${replicas === undefined ? '' : `  replicas: ${replicas}\n`}  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: ${name}, image: 'registry.example.net/shop/${name}:4.0.2'}]
`;

const budget = (spec: string, name = 'web', app = name) => `---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: ${name}, namespace: shop}
spec: {${spec}, selector: {matchLabels: {app: ${app}}}}
`;

const autoscaler = (min: number) => `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: ${min}
  maxReplicas: 12
`;

const node = (name: string, cordoned: boolean) => `---
apiVersion: v1
kind: Node
metadata: {name: ${name}}
spec: {unschedulable: ${cordoned}}
`;

const operatorPod = (app: string) => `apiVersion: v1
kind: Pod
metadata:
  name: ${app}-0
  namespace: shop
  labels: {app: ${app}}
  ownerReferences: [{apiVersion: core.strimzi.io/v1beta2, kind: StrimziPodSet, name: ${app}, uid: 77f0, controller: true}]
spec: {nodeName: node-a, containers: [{name: ${app}, image: 'quay.io/strimzi/kafka:0.45.0-kafka-3.9.0'}]}
status: {phase: Running}
`;

const resource = 'PodDisruptionBudget/web';

export const examples: readonly RuleExample[] = [
  {
    name: 'incident I-09: minAvailable 1 for a control plane of one replica',
    before: deployment(1, 'istiod'),
    after: deployment(1, 'istiod') + budget('minAvailable: 1', 'istiod'),
    expect: [
      {
        resource: 'PodDisruptionBudget/shop/istiod',
        path: '/spec/minAvailable',
        severity: 'high',
        confidence: 'determined',
        novelty: 'introduced',
        message: 'with 1 pod, 1 must stay healthy',
      },
    ],
  },
  {
    name: '80 % of 4 pods are 4',
    before: deployment(4),
    after: deployment(4) + budget('minAvailable: 80%'),
    expect: [{ resource, severity: 'high', message: 'with 4 pods, 4 must stay healthy' }],
  },
  {
    name: 'maxUnavailable 20 % of 4 pods is 1',
    before: deployment(4),
    after: deployment(4) + budget('maxUnavailable: 20%'),
    expect: [],
  },
  {
    name: '80 % of 5 pods leave one',
    before: deployment(5),
    after: deployment(5) + budget('minAvailable: 80%'),
    expect: [],
  },
  {
    name: 'the budget stays, the replicas drop below the point where it freezes',
    before: deployment(5) + budget('minAvailable: 80%'),
    after: deployment(3) + budget('minAvailable: 80%'),
    expect: [{ resource, novelty: 'worsened', message: 'it was 5 pods so far' }],
  },
  {
    name: 'the lower bound of the autoscaler counts, not replicas',
    before: deployment(undefined) + autoscaler(3) + budget('minAvailable: 2'),
    after: deployment(undefined) + autoscaler(2) + budget('minAvailable: 2'),
    expect: [{ resource, severity: 'high', message: 'with 2 pods, 2 must stay healthy' }],
  },
  {
    name: 'one replica in the manifest, but the autoscaler keeps three',
    before: deployment(1) + autoscaler(3),
    after: deployment(1) + autoscaler(3) + budget('minAvailable: 1'),
    expect: [],
  },
  {
    name: 'at the lower bound nothing may go, but the cluster runs six pods now',
    before: deployment(undefined) + autoscaler(2),
    after: deployment(undefined) + autoscaler(2) + budget('minAvailable: 80%'),
    live: deployment(6) + node('node-a', false),
    expect: [{ resource, severity: 'medium', confidence: 'determined' }],
  },
  {
    name: 'somebody scaled it up by hand, and Git sets four again',
    before: deployment(4),
    after: deployment(4) + budget('minAvailable: 80%'),
    live: deployment(6) + node('node-a', false),
    expect: [{ resource, severity: 'high', confidence: 'determined' }],
  },
  {
    name: 'a node is cordoned while the budget comes',
    before: deployment(4),
    after: deployment(4) + budget('minAvailable: 80%'),
    live: deployment(4) + node('node-a', true) + node('node-b', false),
    expect: [{ resource, severity: 'critical', confidence: 'proven' }],
  },
  {
    name: 'it was frozen before and only gets another name',
    before: deployment(1) + budget('minAvailable: 1'),
    after: deployment(1) + budget('minAvailable: 1', 'web-budget', 'web'),
    expect: [],
  },
  {
    name: 'it was frozen before and is rewritten without a way out',
    before: deployment(1) + budget('minAvailable: 1'),
    after: deployment(1) + budget('maxUnavailable: 0'),
    expect: [{ resource, novelty: 'touched-preexisting' }],
  },
  {
    name: 'it was frozen before and is not touched',
    before: deployment(1) + budget('minAvailable: 1'),
    after: (deployment(1) + budget('minAvailable: 1')).replace('web:4.0.2', 'web:4.0.3'),
    expect: [],
  },
  {
    name: 'a workload that is switched off has nothing to evict',
    before: deployment(2) + budget('minAvailable: 1'),
    after: deployment(0) + budget('minAvailable: 1'),
    expect: [],
  },
  {
    name: 'maxUnavailable 0 for pods that an operator makes',
    after: budget('maxUnavailable: 0', 'kafka'),
    expect: [
      {
        resource: 'PodDisruptionBudget/kafka',
        path: '/spec/maxUnavailable',
        confidence: 'likely',
        message: 'however many there are',
      },
    ],
  },
  {
    name: 'the same, and such pods run in the cluster',
    after: budget('maxUnavailable: 0', 'kafka'),
    live: operatorPod('kafka'),
    expect: [{ resource: 'PodDisruptionBudget/kafka', severity: 'high', confidence: 'proven' }],
  },
  {
    name: 'the same, and the pods that run there are others',
    after: budget('maxUnavailable: 0', 'kafka'),
    live: operatorPod('zookeeper'),
    expect: [{ resource: 'PodDisruptionBudget/kafka', confidence: 'likely' }],
  },
];
