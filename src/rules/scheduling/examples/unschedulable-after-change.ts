import type { RuleExample } from '../../../core/rule.ts';

const workload = (constraints: string, kind = 'Deployment') => `apiVersion: apps/v1
kind: ${kind}
metadata: {name: trainer, namespace: ml}
spec:
  selector: {matchLabels: {app: trainer}}
  template:
    metadata: {labels: {app: trainer}}
    spec:
${constraints}      containers: [{name: trainer, image: registry.example.org/ml/trainer:1.2.0}]
`;

const pool = (value: string) => `      nodeSelector: {example.org/pool: ${value}}\n`;
const tolerate = '      tolerations: [{key: dedicated, operator: Equal, value: gpu, effect: NoSchedule}]\n';
const affinity = (operator: string) => `      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: example.org/pool, operator: ${operator}, values: [gpu]}]}]
`;

const nodes = `apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Node, metadata: {name: node-a, labels: {example.org/pool: general}}}
  - apiVersion: v1
    kind: Node
    metadata: {name: node-b, labels: {example.org/pool: gpu}}
    spec: {taints: [{key: dedicated, value: gpu, effect: NoSchedule}]}
`;

const sized = (memory: string) => `apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Node, metadata: {name: node-a}, status: {allocatable: {cpu: "8", memory: 16Gi, pods: "110"}}}
  - {apiVersion: v1, kind: Node, metadata: {name: node-b}, status: {allocatable: {cpu: "16", memory: ${memory}, pods: "110"}}}
`;

const nodePool = `---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu}
spec: {}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'the pool is tainted and the pods do not tolerate it',
    before: workload(pool('general')),
    after: workload(pool('gpu')),
    live: nodes,
    expect: [
      {
        resource: 'Deployment/ml/trainer',
        path: '/spec/template/spec/nodeSelector',
        severity: 'critical',
        confidence: 'proven',
        message: '0/2 nodes fit: 1 label mismatch, 1 taint not tolerated',
      },
    ],
  },
  {
    name: 'the pods tolerate the taint',
    before: workload(pool('general')),
    after: workload(pool('gpu') + tolerate),
    live: nodes,
    expect: [],
  },
  {
    name: 'a new DaemonSet for a label that no node has',
    after: workload(pool('batch'), 'DaemonSet'),
    live: nodes,
    expect: [{ resource: 'DaemonSet/ml/trainer', message: 'no pod at all' }],
  },
  {
    name: 'required affinity leaves the tainted node only',
    before: workload(affinity('NotIn')),
    after: workload(affinity('In')),
    live: nodes,
    expect: [{ path: '/spec/template/spec/affinity' }],
  },
  {
    name: 'nodes are made on demand',
    before: workload(''),
    after: workload(pool('batch')),
    live: nodes + nodePool,
    expect: [{ severity: 'high', confidence: 'likely' }],
  },
  {
    name: 'one pod asks for more memory than any node has',
    before: workload('').replace('trainer:1.2.0}', 'trainer:1.2.0, resources: {requests: {memory: 8Gi}}}'),
    after: workload('').replace('trainer:1.2.0}', 'trainer:1.2.0, resources: {requests: {memory: 40Gi}}}'),
    live: sized('32Gi'),
    expect: [
      {
        path: '/spec/template/spec/containers/trainer/resources/requests',
        severity: 'critical',
        confidence: 'proven',
        message: '0/2 nodes fit: 2 too small',
      },
    ],
  },
  {
    name: 'the largest node is large enough',
    before: workload('').replace('trainer:1.2.0}', 'trainer:1.2.0, resources: {requests: {memory: 8Gi}}}'),
    after: workload('').replace('trainer:1.2.0}', 'trainer:1.2.0, resources: {requests: {memory: 40Gi}}}'),
    live: sized('64Gi'),
    expect: [],
  },
  { name: 'the nodes are not known', before: workload(''), after: workload(pool('batch')), expect: [] },
  {
    name: 'it did not fit before either',
    before: workload(pool('batch')),
    after: workload(pool('night')),
    live: nodes,
    expect: [],
  },
];
