import type { RuleExample } from '../../../core/rule.ts';

const gateway = (timeout: string) => `
apiVersion: gateway.example.net/v1
kind: Route
metadata: {name: checkout, namespace: shop}
spec: {host: checkout.example.org, timeout: ${timeout}}
`;
const claim = (size: string, annotation = '') => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop${annotation}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size}}}}
`;
const binding = (role: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${role}}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: shop-team}]
`;
const refused = {
  resource: 'Route/shop/checkout',
  outcome: 'rejected',
  code: 422,
  reason: 'Invalid',
  message:
    'Route.gateway.example.net "checkout" is invalid: spec.timeout: Invalid value: "ten": spec.timeout in body should match \'^[0-9]+s$\'',
  causes: [{ field: 'spec.timeout', message: 'Invalid value: "ten": spec.timeout in body should match \'^[0-9]+s$\'' }],
} as const;

export const examples: readonly RuleExample[] = [
  {
    name: 'the schema of a custom resource forbids the value',
    before: gateway('10s'),
    after: gateway('ten'),
    dryRun: [refused],
    expect: [
      {
        resource: 'Route/shop/checkout',
        path: '/spec/timeout',
        severity: 'high',
        confidence: 'proven',
        willNotApply: true,
        message: 'should match',
      },
    ],
  },
  {
    name: 'an admission webhook that cannot be called',
    before: gateway('10s'),
    after: gateway('20s'),
    dryRun: [
      {
        resource: 'Route/shop/checkout',
        outcome: 'rejected',
        code: 500,
        reason: 'InternalError',
        message:
          'Internal error occurred: failed calling webhook "routes.gateway.example.net": failed to call webhook: Post "https://gateway.edge.svc:443/validate?timeout=10s": dial tcp 10.0.3.7:443: connect: connection refused',
      },
    ],
    expect: [{ resource: 'Route/shop/checkout', willNotApply: true, message: 'connection refused' }],
  },
  {
    name: 'refused, and Force deletes and creates a claim',
    before: claim('10Gi'),
    after: claim('5Gi', ', annotations: {argocd.argoproj.io/sync-options: Force=true}'),
    dryRun: [
      {
        resource: 'PersistentVolumeClaim/shop/data',
        outcome: 'rejected',
        code: 422,
        reason: 'Invalid',
        message:
          'PersistentVolumeClaim "data" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
        causes: [
          {
            field: 'spec.resources.requests.storage',
            message: 'Forbidden: field can not be less than status.capacity',
          },
        ],
      },
    ],
    expect: [
      { path: '/spec/resources/requests/storage', severity: 'critical', willNotApply: false, message: 'with its data' },
    ],
  },
  {
    name: 'the server accepts it',
    before: gateway('10s'),
    after: gateway('20s'),
    dryRun: [{ resource: 'Route/shop/checkout', outcome: 'accepted', code: 200 }],
    expect: [],
  },
  {
    name: 'the server did not judge it; that is told as not evaluated',
    before: gateway('10s'),
    after: gateway('ten'),
    dryRun: [
      { resource: 'Route/shop/checkout', outcome: 'unknown', reason: 'Timeout', message: 'no answer within 35 s' },
    ],
    expect: [],
  },
  {
    name: 'Argo CD deletes and creates a binding whose role changes',
    before: binding('reader'),
    after: binding('editor'),
    dryRun: [
      {
        resource: 'RoleBinding/shop/deployers',
        outcome: 'rejected',
        code: 422,
        reason: 'Invalid',
        message: 'RoleBinding "deployers" is invalid: roleRef: Invalid value: cannot change roleRef',
        causes: [{ field: 'roleRef', message: 'Invalid value: cannot change roleRef' }],
      },
    ],
    expect: [],
  },
];
