import type { RuleExample } from '../../../core/rule.ts';

const binding = (actions: string, extra = '') => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replica-limit}
spec:
  policyName: replica-limit
  validationActions: [${actions}]
${extra}`;

const policy = (validations: string) => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replica-limit}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations: [${validations}]
`;

const kyverno = (action: string, exclude = '') => `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-labels}
spec:
  validationFailureAction: ${action}
  rules:
    - name: team
      match: {any: [{resources: {kinds: [Pod]}}]}
${exclude}      validate: {message: team label, pattern: {metadata: {labels: {team: "?*"}}}}
`;

const constraint = (action: string, status = '') => `
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sRequiredLabels
metadata: {name: team-label}
spec:
${action === '' ? '' : `  enforcementAction: ${action}\n`}  match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}
${status}`;

const report = `
apiVersion: wgpolicyk8s.io/v1alpha2
kind: PolicyReport
metadata: {name: api, namespace: shop}
scope: {kind: Pod, namespace: shop, name: api-0}
results: [{policy: require-labels, rule: team, result: fail}, {policy: require-labels, rule: team, result: pass}]
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'a Kyverno policy goes from Audit to Enforce',
    before: kyverno('Audit'),
    after: kyverno('Enforce'),
    expect: [
      {
        resource: 'ClusterPolicy/require-labels',
        path: '/spec/validationFailureAction',
        severity: 'high',
        confidence: 'likely',
        message: 'from Audit to Enforce',
      },
    ],
  },
  {
    name: 'the same, and a PolicyReport names a running pod that violates it',
    before: kyverno('Audit'),
    after: kyverno('Enforce'),
    live: report,
    expect: [{ resource: 'ClusterPolicy/require-labels', severity: 'critical', confidence: 'proven' }],
  },
  {
    name: 'from Enforce to Audit',
    before: kyverno('Enforce'),
    after: kyverno('Audit'),
    expect: [],
  },
  {
    name: 'a namespace is no longer excluded from an enforcing policy',
    before: kyverno('Enforce', '      exclude: {any: [{resources: {namespaces: [kube-system, shop]}}]}\n'),
    after: kyverno('Enforce', '      exclude: {any: [{resources: {namespaces: [kube-system]}}]}\n'),
    expect: [{ resource: 'ClusterPolicy/require-labels', severity: 'high', message: 'enforces in namespace shop' }],
  },
  {
    name: 'a constraint loses dryrun; deny is the default',
    before: constraint('dryrun'),
    after: constraint(''),
    expect: [
      {
        resource: 'K8sRequiredLabels/team-label',
        path: '/spec/enforcementAction',
        severity: 'high',
        message: 'from dryrun to deny',
      },
    ],
  },
  {
    name: 'the same with no violation counted in the cluster',
    before: constraint('dryrun'),
    after: constraint('deny'),
    live: constraint('dryrun', 'status: {totalViolations: 0}\n'),
    expect: [{ resource: 'K8sRequiredLabels/team-label', severity: 'medium' }],
  },
  {
    name: 'the same with violations',
    before: constraint('dryrun'),
    after: constraint('deny'),
    live: constraint(
      'dryrun',
      'status: {totalViolations: 2, violations: [{kind: Pod, namespace: shop, name: api-0}, {kind: Pod, namespace: shop, name: api-1}]}\n',
    ),
    expect: [{ resource: 'K8sRequiredLabels/team-label', severity: 'critical', confidence: 'proven' }],
  },
  {
    name: 'a binding goes from Warn to Deny',
    before: binding('Warn, Audit'),
    after: binding('Deny'),
    expect: [
      { resource: 'ValidatingAdmissionPolicyBinding/replica-limit', path: '/spec/validationActions', severity: 'high' },
    ],
  },
  {
    name: 'a new policy enforces at once',
    after: kyverno('Enforce'),
    expect: [
      {
        resource: 'ClusterPolicy/require-labels',
        severity: 'medium',
        novelty: 'introduced',
        message: 'is new and refuses',
      },
    ],
  },
  {
    name: 'the policies of a cluster that is new as a whole: nothing runs there yet',
    target: { id: 'kustomize:policies/production/eu-2', scope: 'production/eu-2' },
    targetOnly: 'after',
    after: kyverno('Enforce'),
    expect: [],
  },
  {
    name: 'a new unit with a policy, beside others in the cluster',
    target: { id: 'kustomize:policies/production/eu-1', scope: 'production/eu-1' },
    targetOnly: 'after',
    moreTargets: { before: [{ id: 'kustomize:shop/production/eu-1', scope: 'production/eu-1' }] },
    after: kyverno('Enforce'),
    expect: [{ resource: 'ClusterPolicy/require-labels', severity: 'medium' }],
  },
  {
    name: 'a new unit, and nothing tells which cluster it is for',
    target: { id: 'kustomize:policies', scope: 'kustomize:policies' },
    targetOnly: 'after',
    after: kyverno('Enforce'),
    expect: [{ resource: 'ClusterPolicy/require-labels', severity: 'medium' }],
  },
  {
    name: 'a new policy only warns',
    after: binding('Warn') + policy('{expression: object.spec.replicas <= 50}'),
    expect: [],
  },
  {
    name: 'a denying policy gets another validation',
    before: binding('Deny') + policy('{expression: object.spec.replicas <= 50}'),
    after:
      binding('Deny') + policy('{expression: object.spec.replicas <= 50}, {expression: object.spec.replicas >= 2}'),
    expect: [{ resource: 'ValidatingAdmissionPolicy/replica-limit', path: '/spec/validations', severity: 'medium' }],
  },
  {
    name: 'only the message of a validation changes',
    before: binding('Deny') + policy('{expression: object.spec.replicas <= 50}'),
    after: binding('Deny') + policy('{expression: object.spec.replicas <= 50, message: at most 50 replicas}'),
    expect: [],
  },
  {
    name: 'Deny when the parameter is missing, and it is removed',
    before:
      binding('Deny', '  paramRef: {name: limits, namespace: policy, parameterNotFoundAction: Deny}\n') +
      policy('{expression: object.spec.replicas <= int(params.data.max)}').replace(
        'spec:\n',
        'spec:\n  paramKind: {apiVersion: v1, kind: ConfigMap}\n',
      ) +
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: limits, namespace: policy}\ndata: {max: "50"}\n',
    after:
      binding('Deny', '  paramRef: {name: limits, namespace: policy, parameterNotFoundAction: Deny}\n') +
      policy('{expression: object.spec.replicas <= int(params.data.max)}').replace(
        'spec:\n',
        'spec:\n  paramKind: {apiVersion: v1, kind: ConfigMap}\n',
      ),
    expect: [
      {
        resource: 'ValidatingAdmissionPolicyBinding/replica-limit',
        path: '/spec/paramRef',
        confidence: 'determined',
        message: 'ConfigMap policy/limits does not exist',
      },
    ],
  },
];
