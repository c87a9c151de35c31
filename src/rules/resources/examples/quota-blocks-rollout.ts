import type { RuleExample } from '../../../core/rule.ts';

function api(image: string, replicas: number, options: { resources?: string; strategy?: string } = {}): string {
  const resources = options.resources ?? '{requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi}}';
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: ${replicas}
  ${options.strategy ?? ''}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: 'registry.example.net/shop/api:${image}', resources: ${resources}}]
`;
}

const quota = (hard: string, status = '') => `---
apiVersion: v1
kind: ResourceQuota
metadata: {name: compute, namespace: shop}
spec: {hard: ${hard}}
${status}
`;
const noGap = 'strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}';

export const examples: readonly RuleExample[] = [
  {
    name: 'more replicas than the quota of the namespace allows',
    before: api('1.0.0', 8) + quota('{requests.cpu: "5"}'),
    after: api('1.0.0', 12) + quota('{requests.cpu: "5"}'),
    expect: [
      {
        resource: 'ResourceQuota/shop/compute',
        path: '/spec/hard/requests.cpu',
        severity: 'high',
        confidence: 'determined',
        message: 'allows 5 requests.cpu and this change needs 6',
      },
    ],
  },
  {
    name: 'the quota is lowered so that the surplus pod of a rollout no longer fits, and no pod may be missing',
    before: api('1.0.0', 8, { strategy: noGap }) + quota('{pods: "10"}'),
    after: api('1.1.0', 8, { strategy: noGap }) + quota('{pods: "8"}'),
    expect: [{ path: '/spec/hard/pods', severity: 'high', message: 'stands still until its deadline (600 s)' }],
  },
  {
    name: 'the same with room to take an old pod away first',
    before: api('1.0.0', 8) + quota('{pods: "12"}'),
    after: api('1.1.0', 8) + quota('{pods: "8"}'),
    expect: [{ path: '/spec/hard/pods', severity: 'medium', message: 'with less capacity' }],
  },
  {
    name: 'the cluster shows how much is used already, also by what is not in this repository',
    before: api('1.0.0', 8) + quota('{requests.cpu: "200"}'),
    after: api('1.0.0', 24) + quota('{requests.cpu: "200"}'),
    live: quota('{requests.cpu: "200"}', 'status: {hard: {requests.cpu: "200"}, used: {requests.cpu: "195"}}'),
    expect: [{ severity: 'high', confidence: 'proven', message: 'needs 203' }],
  },
  {
    name: 'a quota on memory limits meets a container without one',
    before: api('1.0.0', 2, { resources: '{requests: {cpu: 100m}}' }),
    after: api('1.0.0', 2, { resources: '{requests: {cpu: 100m}}' }) + quota('{limits.memory: 64Gi}'),
    expect: [
      {
        resource: 'Deployment/shop/api',
        path: '/spec/template/spec',
        confidence: 'determined',
        message: 'bounds limits.memory, and Deployment shop/api does not set it',
      },
    ],
  },
  {
    name: 'quiet: a LimitRange gives the default',
    before: api('1.0.0', 2, { resources: '{requests: {cpu: 100m}}' }),
    after: `${api('1.0.0', 2, { resources: '{requests: {cpu: 100m}}' })}${quota('{limits.memory: 64Gi}')}---
apiVersion: v1
kind: LimitRange
metadata: {name: defaults, namespace: shop}
spec: {limits: [{type: Container, default: {memory: 512Mi}}]}
`,
    expect: [],
  },
  {
    name: 'quiet: it fits, with the surplus pods',
    before: api('1.0.0', 8) + quota('{requests.cpu: "5", pods: "10"}'),
    after: api('1.1.0', 8) + quota('{requests.cpu: "5", pods: "10"}'),
    expect: [],
  },
  {
    name: 'quiet: the rollout never had room for surplus pods, and nothing gets worse',
    before: api('1.0.0', 8) + quota('{pods: "8"}'),
    after: api('1.1.0', 8) + quota('{pods: "8"}'),
    expect: [],
  },
  {
    name: 'quiet: the scope of the quota leaves these pods out',
    before: `${api('1.0.0', 2)}`,
    after: `${api('1.0.0', 2)}---
apiVersion: v1
kind: ResourceQuota
metadata: {name: best-effort, namespace: shop}
spec: {hard: {pods: "1"}, scopes: [BestEffort]}
`,
    expect: [],
  },
];
