import type { RuleExample } from '../../../core/rule.ts';

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: registry.example.org/web:1.4.0}]
`;

const denyKubelet = `---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: deny-kubelet-read-only}
spec:
  endpointSelector:
    matchExpressions: [{key: "k8s:app", operator: NotIn, values: [prometheus]}]
  egressDeny:
    - toPorts: [{ports: [{port: "10255", protocol: TCP}]}]
`;

const toDatabase = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app: db}}}]
      ports: [{port: 5432, protocol: TCP}]
`;

const dns = `    - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
`;

const clusterPolicy = (port: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: platform, namespace: shop}
spec:
  podSelector: {matchLabels: {app: ${port === '53' ? 'web' : 'worker'}}}
  policyTypes: [Egress]
  egress: [{ports: [{port: ${port}, protocol: UDP}]}]
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'a Cilium policy that only denies one port cuts all egress of the cluster',
    before: web,
    after: web + denyKubelet,
    expect: [
      {
        resource: 'CiliumClusterwideNetworkPolicy/deny-kubelet-read-only',
        path: '/spec/egressDeny',
        severity: 'critical',
        confidence: 'determined',
      },
    ],
  },
  {
    name: 'the same policy with default deny switched off',
    before: web,
    after: web + denyKubelet + '  enableDefaultDeny: {egress: false}\n',
    expect: [],
  },
  {
    name: 'egress of running pods is isolated and DNS is not allowed',
    before: web,
    after: web + toDatabase,
    expect: [{ resource: 'NetworkPolicy/shop/web', severity: 'critical', message: 'port 53' }],
  },
  { name: 'egress is isolated and DNS is allowed', before: web, after: web + toDatabase + dns, expect: [] },
  {
    name: 'another policy of the namespace allows DNS',
    before: web,
    after: `${web}${toDatabase}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-dns, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{ports: [{port: 53, protocol: UDP}]}]
`,
    expect: [],
  },
  {
    name: 'a policy that only the cluster has allows DNS',
    before: web,
    after: web + toDatabase,
    live: clusterPolicy('53'),
    expect: [],
  },
  {
    name: 'the policies that only the cluster has allow something else',
    before: web,
    after: web + toDatabase,
    live: clusterPolicy('8125'),
    expect: [{ resource: 'NetworkPolicy/shop/web', message: 'port 53' }],
  },
  { name: 'an application that is new together with its policy', after: web + toDatabase, expect: [] },
  {
    name: 'the isolation was there before',
    before: web + toDatabase,
    after: web + toDatabase.replace('5432', '5433'),
    expect: [],
  },
];
