import type { RuleExample } from '../../../core/rule.ts';

const api = (image: string, spec = '', replicas = 4) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: ${replicas}
  ${spec}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'registry.example.net/shop/api:${image}'}]}
`;
const quota = {
  resource: 'Deployment/shop/api',
  of: 'pod',
  outcome: 'rejected',
  code: 403,
  reason: 'Forbidden',
  message: 'pods "api-x7k2p" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=20, limited: pods=20',
} as const;
const security = {
  resource: 'Deployment/shop/api',
  of: 'pod',
  outcome: 'rejected',
  code: 403,
  reason: 'Forbidden',
  message:
    'pods "api-x7k2p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "api" must set securityContext.allowPrivilegeEscalation=false)',
} as const;

export const examples: readonly RuleExample[] = [
  {
    name: 'the quota of the namespace has no room for the surplus pod',
    before: api('1.0.0'),
    after: api('1.1.0'),
    dryRun: [{ resource: 'Deployment/shop/api', outcome: 'accepted', code: 200 }, quota],
    expect: [
      {
        resource: 'Deployment/shop/api',
        path: '/spec/template/spec',
        severity: 'high',
        confidence: 'proven',
        willNotApply: false,
        message: 'stands still without 1 of 4 pods, reported as failed after 600 s',
      },
    ],
  },
  {
    name: 'Recreate takes all pods away before the new ones are refused',
    before: api('1.0.0', 'strategy: {type: Recreate}'),
    after: api('1.1.0', 'strategy: {type: Recreate}'),
    dryRun: [security],
    expect: [{ severity: 'critical', message: 'takes away all 4 pods and brings none back' }],
  },
  {
    name: 'a new workload that never gets a pod',
    after: api('1.0.0'),
    dryRun: [security],
    expect: [{ severity: 'high', message: 'is accepted and never gets a pod' }],
  },
  {
    name: 'the server accepts a pod of the template',
    before: api('1.0.0'),
    after: api('1.1.0'),
    dryRun: [{ resource: 'Deployment/shop/api', of: 'pod', outcome: 'accepted', code: 201 }],
    expect: [],
  },
  {
    name: 'the workload itself is refused, which another finding says',
    before: api('1.0.0'),
    after: api('1.1.0'),
    dryRun: [
      { resource: 'Deployment/shop/api', outcome: 'rejected', code: 422, message: 'Deployment.apps "api" is invalid' },
      security,
    ],
    expect: [],
  },
];
