import type { RuleExample } from '../../../core/rule.ts';

const falco = (kind: string, more = '', version = '0.41.3') => `apiVersion: v1
kind: ConfigMap
metadata: {name: falco, namespace: falco}
data:
  falco.yaml: |
    engine:
      kind: ${kind}
      ${kind}: {buf_size_preset: 4}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: falco, namespace: falco}
spec:
  selector: {matchLabels: {app: falco}}
  updateStrategy: {rollingUpdate: {maxUnavailable: 1}}
  template:
    metadata: {labels: {app: falco}}
    spec:
${more}      containers:
        - name: falco
          image: registry.example.org/falco:${version}
          securityContext: {privileged: true}
          resources: {limits: {cpu: "1", memory: 1Gi}}
          volumeMounts: [{name: config, mountPath: /etc/falco}]
      volumes: [{name: config, configMap: {name: falco}}]
---
`;

const pool = '      nodeSelector: {pool: canary}\n';

const policy = (actions: string) => `apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata: {name: no-shells}
spec:
  kprobes:
    - call: sys_execve
      syscall: true
      selectors: [{matchBinaries: [{operator: In, values: [/bin/sh]}]${actions}}]
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'the driver kind changes on every node',
    before: falco('ebpf'),
    after: falco('modern_ebpf'),
    expect: [{ resource: 'DaemonSet/falco/falco', severity: 'high', message: 'another way' }],
  },
  {
    name: 'the driver kind changes on a canary pool',
    before: falco('ebpf', pool),
    after: falco('modern_ebpf', pool),
    expect: [{ resource: 'DaemonSet/falco/falco', severity: 'medium' }],
  },
  {
    name: 'the driver kind changes in a cluster for development',
    before: falco('ebpf'),
    after: falco('modern_ebpf'),
    target: { environment: 'development' },
    expect: [{ resource: 'DaemonSet/falco/falco', severity: 'medium' }],
  },
  {
    name: 'the agent moves from its pool to every node',
    before: falco('modern_ebpf', pool),
    after: falco('modern_ebpf'),
    expect: [{ path: '/spec/template/spec/nodeSelector', severity: 'high', message: 'every node' }],
  },
  {
    name: 'a new agent on every node',
    after: falco('modern_ebpf'),
    expect: [{ resource: 'DaemonSet/falco/falco', message: 'new eBPF agent' }],
  },
  {
    name: 'another minor version, node by node',
    before: falco('ebpf'),
    after: falco('ebpf', '', '0.42.0'),
    expect: [{ severity: 'medium', message: 'minor version' }],
  },
  { name: 'a patch release', before: falco('ebpf'), after: falco('ebpf', '', '0.41.4'), expect: [] },
  {
    name: 'only a label of the chart changes',
    before: falco('ebpf'),
    after: falco('ebpf').replace(
      'metadata: {name: falco, namespace: falco}',
      'metadata: {name: falco, namespace: falco, labels: {chart: "2"}}',
    ),
    expect: [],
  },
  {
    name: 'a policy kills processes on every node',
    before: policy(''),
    after: policy(', matchActions: [{action: Sigkill}]'),
    expect: [{ resource: 'TracingPolicy/no-shells', message: 'Sigkill' }],
  },
  { name: 'a policy that only records', after: policy(', matchActions: [{action: Post}]'), expect: [] },
  {
    name: 'a log shipper is no eBPF agent',
    after: falco('ebpf')
      .replaceAll('falco', 'shipper')
      .replace('securityContext: {privileged: true}', 'securityContext: {}'),
    expect: [],
  },
];
