import type { RuleExample } from '../../../core/rule.ts';

const apiService = (service: string) => `---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  service: {namespace: monitoring, name: ${service}}
  insecureSkipTLSVerify: true
  groupPriorityMinimum: 100
  versionPriority: 100
`;

const backend = (name: string, namespace = 'monitoring', replicas = 2) => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {app: ${name}}, ports: [{port: 443, targetPort: https}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: server, image: 'registry.example.net/${name}:0.8.0', ports: [{name: https, containerPort: 10250}]}]
`;

const crd = (conversion: string) => `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
    - {name: v1alpha1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
  conversion: ${conversion}
`;
const webhookConversion =
  '{strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {namespace: widgets, name: widget-operator, path: /convert}}}}';

export const examples: readonly RuleExample[] = [
  {
    name: 'metrics-server is removed, its APIService stays',
    before: apiService('metrics-server') + backend('metrics-server'),
    after: apiService('metrics-server'),
    expect: [
      {
        resource: 'APIService/v1beta1.metrics.k8s.io',
        path: '/spec/service',
        severity: 'critical',
        confidence: 'determined',
        message: 'HorizontalPodAutoscalers',
      },
    ],
  },
  {
    name: 'another provider takes the same APIService over',
    before: apiService('metrics-server') + backend('metrics-server'),
    after: apiService('prometheus-adapter') + backend('prometheus-adapter'),
    expect: [],
  },
  {
    name: 'APIService and backend are removed together',
    before: apiService('metrics-server') + backend('metrics-server'),
    after: backend('prometheus-adapter'),
    expect: [],
  },
  {
    name: 'the conversion webhook of a CRD is scaled to zero',
    before: crd(webhookConversion) + backend('widget-operator', 'widgets'),
    after: crd(webhookConversion) + backend('widget-operator', 'widgets', 0),
    expect: [
      {
        resource: 'CustomResourceDefinition/widgets.shop.example',
        confidence: 'determined',
        message: 'objects of widgets',
      },
    ],
  },
  {
    name: 'conversion goes from None to a webhook that nobody ships',
    before: crd('{strategy: None}'),
    after: crd(webhookConversion),
    expect: [
      {
        resource: 'CustomResourceDefinition/widgets.shop.example',
        confidence: 'likely',
        message: 'Service widgets/widget-operator does not exist',
      },
    ],
  },
  {
    name: 'a new CRD from a bundle that does not hold its operator',
    after: crd(webhookConversion),
    expect: [],
  },
  {
    name: 'strategy Webhook while the operator runs in the cluster',
    before: crd('{strategy: None}'),
    after: crd(webhookConversion),
    live: backend('widget-operator', 'widgets'),
    expect: [],
  },
  {
    name: 'strategy Webhook, and the cluster has no such Service',
    before: crd('{strategy: None}'),
    after: crd(webhookConversion),
    live: `${backend('metrics-server')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n`,
    expect: [{ resource: 'CustomResourceDefinition/widgets.shop.example', confidence: 'proven' }],
  },
  {
    name: 'the APIService was unavailable before',
    before: apiService('metrics-server') + backend('metrics-server'),
    after: apiService('metrics-server'),
    live: `${apiService('metrics-server')}status: {conditions: [{type: Available, status: "False", reason: MissingEndpoints}]}\n${backend('metrics-server')}`,
    expect: [{ resource: 'APIService/v1beta1.metrics.k8s.io', novelty: 'touched-preexisting' }],
  },
];
