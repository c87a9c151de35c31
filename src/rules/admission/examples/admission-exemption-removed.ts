import type { RuleExample } from '../../../core/rule.ts';

const namespace = (name: string, labels: string) => `---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: ${labels}}
`;

const webhook = (requirement: string, failurePolicy = 'Fail') => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: opa}
webhooks:
  - name: validating-webhook.openpolicyagent.example
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: ${failurePolicy}
    namespaceSelector: {matchExpressions: [${requirement}]}
    rules: [{apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: ["*"]}]
    clientConfig: {caBundle: LS0tIG5vdCBhIGNlcnRpZmljYXRlIC0tLQ==, service: {namespace: opa, name: opa}}
`;

const byLabel = '{key: openpolicyagent.org/webhook, operator: NotIn, values: [ignore]}';
const byName = (...names: readonly string[]) =>
  `{key: kubernetes.io/metadata.name, operator: NotIn, values: [${names.join(', ')}]}`;

const gatekeeper = (...namespaces: readonly string[]) => `
apiVersion: config.gatekeeper.sh/v1alpha1
kind: Config
metadata: {name: config, namespace: gatekeeper-system}
spec:
  match: [{excludedNamespaces: [${namespaces.map((name) => `"${name}"`).join(', ')}], processes: ["*"]}]
`;

const kyverno = (filters: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: kyverno, namespace: kyverno, labels: {app.kubernetes.io/part-of: kyverno}}
data:
  resourceFilters: '${filters}'
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'kube-system loses the label by which a fail-closed webhook skips it',
    before: webhook(byLabel) + namespace('kube-system', '{openpolicyagent.org/webhook: ignore}'),
    after: webhook(byLabel) + namespace('kube-system', '{team: platform}'),
    expect: [
      {
        resource: 'Namespace/kube-system',
        path: '/metadata/labels/openpolicyagent.org~1webhook',
        severity: 'critical',
        confidence: 'determined',
        message: 'loses the label openpolicyagent.org/webhook=ignore',
      },
    ],
  },
  {
    name: 'the webhook is only in the cluster',
    before: namespace('kube-system', '{openpolicyagent.org/webhook: ignore}'),
    after: namespace('kube-system', '{team: platform}'),
    live: webhook(byLabel),
    expect: [
      {
        resource: 'Namespace/kube-system',
        severity: 'critical',
        confidence: 'determined',
        message: 'validating-webhook.openpolicyagent.example',
      },
    ],
  },
  {
    name: 'no webhook to be seen: the label itself says what it is for',
    before: namespace('kube-system', '{openpolicyagent.org/webhook: ignore}'),
    after: namespace('kube-system', '{team: platform}'),
    expect: [{ resource: 'Namespace/kube-system', severity: 'critical', confidence: 'likely' }],
  },
  {
    name: 'an application namespace loses the label of a webhook that fails open',
    before: webhook(byLabel, 'Ignore') + namespace('shop', '{openpolicyagent.org/webhook: ignore}'),
    after: webhook(byLabel, 'Ignore') + namespace('shop', '{}'),
    expect: [{ resource: 'Namespace/shop', severity: 'medium' }],
  },
  {
    name: 'the exemption moves from the label to the name',
    before: webhook(byLabel) + namespace('kube-system', '{openpolicyagent.org/webhook: ignore}'),
    after: webhook(byName('kube-system', 'opa')) + namespace('kube-system', '{team: platform}'),
    expect: [],
  },
  {
    name: 'another label changes',
    before: webhook(byLabel) + namespace('kube-system', '{openpolicyagent.org/webhook: ignore, team: platform}'),
    after: webhook(byLabel) + namespace('kube-system', '{openpolicyagent.org/webhook: ignore, team: base}'),
    expect: [],
  },
  {
    name: 'kube-system leaves the NotIn list of the webhook',
    before: webhook(byName('kube-system', 'opa')),
    after: webhook(byName('opa')),
    expect: [
      {
        resource: 'ValidatingWebhookConfiguration/opa',
        path: '/webhooks/validating-webhook.openpolicyagent.example/namespaceSelector',
        severity: 'critical',
        message: 'no longer exempts namespace kube-system',
      },
    ],
  },
  {
    name: 'one more namespace in the NotIn list',
    before: webhook(byName('kube-system')),
    after: webhook(byName('kube-system', 'opa')),
    expect: [],
  },
  {
    name: 'Gatekeeper no longer leaves kube-system alone',
    before: gatekeeper('kube-*', 'gatekeeper-system'),
    after: gatekeeper('gatekeeper-system'),
    expect: [{ resource: 'Config/config', path: '/spec/match', severity: 'critical', message: 'kube-*' }],
  },
  {
    name: 'names are replaced by a glob that covers them',
    before: gatekeeper('kube-system', 'kube-public'),
    after: gatekeeper('kube-*'),
    expect: [],
  },
  {
    name: 'Kyverno: the filter of an application namespace is dropped',
    before: kyverno('[*/*,kyverno,*] [*/*,shop,*] [Event,*,*]'),
    after: kyverno('[*/*,kyverno,*] [Event,*,*]'),
    expect: [
      { resource: 'ConfigMap/kyverno', path: '/data/resourceFilters', severity: 'high', message: 'namespace shop' },
    ],
  },
  {
    name: 'Kyverno: a chart bump spells the same filters another way',
    before: kyverno('[Event,*,*] [*,kyverno,*] [*,kube-system,*]'),
    after: kyverno('[Event,*,*] [*/*,kyverno,*] [*/*,kube-system,*] [Node/*,*,*]'),
    expect: [],
  },
  {
    name: 'a Namespace manifest without the live label is applied with Replace',
    after: namespace('kube-system', '{team: platform}'),
    live: webhook(byLabel) + namespace('kube-system', '{openpolicyagent.org/webhook: ignore}'),
    target: { apply: { mode: 'client-side', prune: true, automated: true, replace: true } },
    expect: [
      { resource: 'Namespace/kube-system', severity: 'critical', message: 'openpolicyagent.org/webhook=ignore' },
    ],
  },
  {
    name: 'the same with a normal apply, which leaves the live label alone',
    after: namespace('kube-system', '{team: platform}'),
    live: webhook(byLabel) + namespace('kube-system', '{openpolicyagent.org/webhook: ignore}'),
    expect: [],
  },
];
