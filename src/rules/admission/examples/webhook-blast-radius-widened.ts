import type { RuleExample } from '../../../core/rule.ts';

const pods = '{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}';
const deployments = '{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}';

const webhook = (fields: string, options: { version?: string; labels?: string } = {}) => `
apiVersion: admissionregistration.k8s.io/${options.version ?? 'v1'}
kind: MutatingWebhookConfiguration
metadata: {name: sidecar, labels: ${options.labels ?? '{chart: sidecar-1.0.0}'}}
webhooks:
  - name: inject.sidecar.example
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig:
      caBundle: LS0tIG5vdCBhIGNlcnRpZmljYXRlIC0tLQ==
      service: {namespace: mesh, name: sidecar}
${fields.replaceAll(/^/gm, '    ')}
`;

const endpoints = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: sidecar-b5tq7, namespace: mesh, labels: {kubernetes.io/service-name: sidecar}}
addressType: IPv4
endpoints:
  - {addresses: [10.2.0.4], nodeName: node-a, targetRef: {kind: Pod, name: sidecar-1}, conditions: {ready: true}}
  - {addresses: [10.2.1.4], nodeName: node-b, targetRef: {kind: Pod, name: sidecar-2}, conditions: {ready: true}}
ports: [{port: 9443}]
`;

const resource = 'MutatingWebhookConfiguration/sidecar';
const path = '/webhooks/inject.sidecar.example';
const optIn = 'namespaceSelector: {matchLabels: {inject: enabled}}';

const second = (rule: string) => `  - name: second.sidecar.example
    admissionReviewVersions: [v1]
    sideEffects: None
    rules: [${rule}]
    clientConfig:
      caBundle: LS0tIG5vdCBhIGNlcnRpZmljYXRlIC0tLQ==
      service: {namespace: mesh, name: sidecar}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'Ignore becomes Fail for pods',
    before: webhook(`failurePolicy: Ignore\nrules: [${pods}]`),
    after: webhook(`failurePolicy: Fail\nrules: [${pods}]`),
    expect: [
      {
        resource,
        path: `${path}/failurePolicy`,
        severity: 'critical',
        confidence: 'determined',
        novelty: 'worsened',
        message: 'from failurePolicy Ignore to Fail',
      },
    ],
  },
  {
    name: 'the explicit Ignore is dropped; Fail is the default',
    before: webhook(`failurePolicy: Ignore\nrules: [${deployments}]`),
    after: webhook(`rules: [${deployments}]`),
    expect: [{ resource, path: `${path}/failurePolicy`, severity: 'high', message: 'no longer set' }],
  },
  {
    name: 'v1beta1 becomes v1: the default of failurePolicy flips',
    before: webhook(`rules: [${deployments}]\ntimeoutSeconds: 5\nmatchPolicy: Equivalent`, { version: 'v1beta1' }),
    after: webhook(`rules: [${deployments}]\ntimeoutSeconds: 5\nmatchPolicy: Equivalent`),
    expect: [
      { resource, path: `${path}/failurePolicy`, severity: 'high', message: 'from Ignore in v1beta1 to Fail in v1' },
    ],
  },
  {
    name: 'the same while two endpoints on two nodes answer',
    before: webhook(`failurePolicy: Ignore\nrules: [${pods}]`),
    after: webhook(`failurePolicy: Fail\nrules: [${pods}]`),
    live: endpoints,
    expect: [{ resource, severity: 'high' }],
  },
  {
    name: 'Ignore becomes Fail for namespaces that ask for it',
    before: webhook(`failurePolicy: Ignore\nrules: [${pods}]\n${optIn}`),
    after: webhook(`failurePolicy: Fail\nrules: [${pods}]\n${optIn}`),
    expect: [{ resource, severity: 'high' }],
  },
  {
    name: 'a star in the rules',
    before: webhook(`rules: [${deployments}]`),
    after: webhook('rules: [{apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: ["*"]}]'),
    expect: [{ resource, path: `${path}/rules`, severity: 'critical', message: 'every resource' }],
  },
  {
    name: 'the namespaceSelector is removed',
    before: webhook(`rules: [${pods}]\n${optIn}`),
    after: webhook(`rules: [${pods}]`),
    expect: [{ resource, path: `${path}/namespaceSelector`, severity: 'critical', message: 'matches more namespaces' }],
  },
  {
    name: 'one more custom resource of its own operator',
    before: webhook(
      'rules: [{apiGroups: [sidecar.example], apiVersions: [v1], operations: [CREATE], resources: [meshes]}]',
    ),
    after: webhook(
      'rules: [{apiGroups: [sidecar.example], apiVersions: [v1], operations: [CREATE], resources: [meshes, routes]}]',
    ),
    expect: [{ resource, severity: 'low' }],
  },
  {
    name: 'a timeout of 30 s in front of pod creation',
    before: webhook(`rules: [${pods}]\ntimeoutSeconds: 5`),
    after: webhook(`rules: [${pods}]\ntimeoutSeconds: 30`),
    expect: [{ resource, path: `${path}/timeoutSeconds`, severity: 'high', message: '30 s instead of 5 s' }],
  },
  {
    name: 'a match condition is dropped',
    before: webhook(
      `rules: [${deployments}]\nmatchConditions: [{name: not-nodes, expression: '!("system:nodes" in request.userInfo.groups)'}]`,
    ),
    after: webhook(`rules: [${deployments}]`),
    expect: [{ resource, path: `${path}/matchConditions`, severity: 'high', message: 'not-nodes' }],
  },
  {
    name: 'a chart bump changes labels and spells out defaults',
    before: webhook(`rules: [${pods}]`),
    after: webhook(
      `rules: [${pods}]\nfailurePolicy: Fail\ntimeoutSeconds: 10\nmatchPolicy: Equivalent\nnamespaceSelector: {}`,
      { labels: '{chart: sidecar-1.0.1}' },
    ),
    expect: [],
  },
  {
    name: 'narrower: a selector is added and the star is gone',
    before: webhook('rules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]'),
    after: webhook(`rules: [${pods}]\n${optIn}`),
    expect: [],
  },
  {
    name: 'the configuration gets another webhook, for pods',
    before: webhook(`rules: [${deployments}]`),
    after: webhook(`rules: [${deployments}]`) + second(pods),
    expect: [
      {
        resource,
        path: '/webhooks/second.sidecar.example',
        severity: 'critical',
        novelty: 'introduced',
        message: 'is added to',
      },
    ],
  },
  {
    name: 'the configuration gets another webhook, for custom resources of its operator',
    before: webhook(`rules: [${deployments}]`),
    after:
      webhook(`rules: [${deployments}]`) +
      second('{apiGroups: [sidecar.example], apiVersions: [v1], operations: [CREATE], resources: [meshes]}'),
    expect: [],
  },
];
