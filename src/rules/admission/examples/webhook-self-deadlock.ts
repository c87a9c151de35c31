import type { RuleExample } from '../../../core/rule.ts';

const everything = '{apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: ["*"]}';
const pods = '{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}';

const webhook = (rule: string, extra = '') => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: policy}
webhooks:
  - name: validate.policy.example
    admissionReviewVersions: [v1]
    sideEffects: None
    timeoutSeconds: 30
    rules: [${rule}]
    clientConfig:
      caBundle: LS0tIG5vdCBhIGNlcnRpZmljYXRlIC0tLQ==
      service: {namespace: policy, name: policy}
${extra}`;

const excluding = (...namespaces: readonly string[]) =>
  `    namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [${namespaces.join(', ')}]}]}\n`;
const excludingLabel =
  '    namespaceSelector: {matchExpressions: [{key: policy.example/ignore, operator: DoesNotExist}]}\n';

const backend = (replicas: number, labels = '{app: policy}') => `---
apiVersion: v1
kind: Service
metadata: {name: policy, namespace: policy}
spec: {selector: {app: policy}, ports: [{port: 443, targetPort: 9443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: policy, namespace: policy}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: policy}}
  template:
    metadata: {labels: ${labels}}
    spec:
      containers: [{name: policy, image: 'registry.example.net/policy:2.4.1', ports: [{containerPort: 9443}]}]
`;

const budget = `---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: policy, namespace: policy}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: policy}}}
`;

const namespace = (labels: string) => `---
apiVersion: v1
kind: Namespace
metadata: {name: policy, labels: ${labels}}
`;

const slice = (nodes: readonly string[]) => `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: policy-8f2kd, namespace: policy, labels: {kubernetes.io/service-name: policy}}
addressType: IPv4
endpoints:
${nodes.map((node, index) => `  - {addresses: [10.2.${index}.4], nodeName: ${node}, targetRef: {kind: Pod, name: policy-${index}}, conditions: {ready: true}}`).join('\n')}
ports: [{port: 9443}]
`;

const resource = 'ValidatingWebhookConfiguration/policy';
const path = '/webhooks/validate.policy.example';

export const examples: readonly RuleExample[] = [
  {
    name: 'incident I-06: a new webhook on everything, without any exclusion',
    after: webhook(everything) + backend(1),
    expect: [
      {
        resource,
        path,
        severity: 'critical',
        confidence: 'determined',
        novelty: 'introduced',
        message: 'fails closed for the creation of its own pods in namespace policy',
      },
    ],
  },
  {
    name: 'own namespace and kube-system excluded, three replicas, a budget',
    after: webhook(everything, excluding('policy', 'kube-system')) + backend(3) + budget,
    expect: [],
  },
  {
    name: 'the same webhook while its live backend answers on two nodes',
    after: webhook(everything) + backend(2),
    live: backend(2) + slice(['node-a', 'node-b']),
    expect: [{ resource, severity: 'high', confidence: 'proven' }],
  },
  {
    name: 'both live pods are on one node',
    after: webhook(everything) + backend(2),
    live: backend(2) + slice(['node-a', 'node-a']),
    expect: [{ resource, severity: 'critical', confidence: 'determined' }],
  },
  {
    name: 'excluded by a label that the Namespace does not carry',
    after: webhook(pods, excludingLabel) + backend(2) + namespace('{team: platform}'),
    expect: [{ resource, severity: 'critical', confidence: 'determined' }],
  },
  {
    name: 'excluded by a label that the Namespace carries',
    after:
      webhook(
        pods,
        `${excludingLabel}    objectSelector: {matchExpressions: [{key: role, operator: NotIn, values: [cni]}]}\n`,
      ) +
      backend(2) +
      namespace('{policy.example/ignore: "true"}'),
    expect: [],
  },
  {
    name: 'excluded by a label, and the Namespace is in no manifest',
    after: webhook(pods, excludingLabel) + backend(2),
    expect: [{ resource, severity: 'critical', confidence: 'likely' }],
  },
  {
    name: 'an opt-in webhook: only namespaces that ask for it',
    after: webhook(pods, '    namespaceSelector: {matchLabels: {inject: enabled}}\n') + backend(1),
    expect: [],
  },
  {
    name: 'the backend is excluded by its pod labels',
    after:
      webhook(pods, '    objectSelector: {matchExpressions: [{key: app, operator: NotIn, values: [policy]}]}\n') +
      backend(1),
    expect: [],
  },
  {
    name: 'the pod label that the objectSelector relied on is dropped',
    before:
      webhook(pods, '    objectSelector: {matchExpressions: [{key: webhook, operator: NotIn, values: [ignore]}]}\n') +
      backend(2, '{app: policy, webhook: ignore}'),
    after:
      webhook(pods, '    objectSelector: {matchExpressions: [{key: webhook, operator: NotIn, values: [ignore]}]}\n') +
      backend(2),
    expect: [{ resource, severity: 'critical', novelty: 'introduced' }],
  },
  {
    name: 'kube-system is not excluded and the backend is a single pod',
    after: webhook(pods, excluding('policy')) + backend(1),
    expect: [{ resource, severity: 'high', confidence: 'determined', message: 'fails closed for pods in kube-system' }],
  },
  {
    name: 'a chart bump of a webhook that was like this before',
    before: webhook(everything) + backend(1),
    after: (webhook(everything) + backend(1))
      .replace('policy:2.4.1', 'policy:2.4.2')
      .replace('metadata: {name: policy}', 'metadata: {name: policy, labels: {chart: policy-2.4.2}}'),
    expect: [],
  },
  {
    name: 'failurePolicy Ignore',
    after: webhook(everything, '    failurePolicy: Ignore\n') + backend(1),
    expect: [],
  },
];
