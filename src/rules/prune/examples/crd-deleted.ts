import type { RuleExample } from '../../../core/rule.ts';

const crd = (annotations = '') => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: queues.broker.example.net${annotations}}
spec:
  group: broker.example.net
  names: {kind: Queue, plural: queues}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`;
const operator = `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: broker-operator, namespace: broker}
`;
const queue = (name: string) => `---
apiVersion: broker.example.net/v1
kind: Queue
metadata: {name: ${name}, namespace: shop}
`;
const helm = { engine: 'helm', apply: { mode: 'helm', prune: true, automated: 'unknown' } } as const;

export const examples: readonly RuleExample[] = [
  {
    name: 'a chart value switches the CRDs off',
    target: helm,
    before: crd() + operator,
    after: operator,
    expect: [
      {
        resource: 'CustomResourceDefinition/queues.broker.example.net',
        severity: 'critical',
        confidence: 'determined',
        message: 'and with it every Queue object of the cluster',
      },
    ],
  },
  {
    name: 'the cluster holds objects of the kind',
    target: helm,
    before: crd() + operator,
    after: operator,
    live: `${crd()}${queue('orders')}${queue('refunds')}`,
    expect: [{ confidence: 'proven', message: 'all 2 Queue objects of the cluster' }],
  },
  {
    name: 'an Application with prune loses a CRD whose objects are in Git',
    before: crd() + operator + queue('orders'),
    after: operator + queue('orders'),
    expect: [{ severity: 'critical', message: 'all 1 Queue objects in Git' }],
  },
  {
    name: 'a chart moves its CRDs from templates/ to crds/',
    target: helm,
    before: `# Source: broker/templates/crd.yaml${crd()}${operator}`,
    after: `# Source: broker/crds/crd.yaml${crd()}${operator}`,
    expect: [{ severity: 'critical', confidence: 'determined' }],
  },
  {
    name: 'quiet: the same move under Argo CD, which renders both folders',
    before: `# Source: broker/templates/crd.yaml${crd()}${operator}`,
    after: `# Source: broker/crds/crd.yaml${crd()}${operator}`,
    expect: [],
  },
  {
    name: 'quiet: the live CRD is kept by Helm',
    target: helm,
    before: crd() + operator,
    after: operator,
    live: crd(', annotations: {helm.sh/resource-policy: keep}'),
    expect: [],
  },
  {
    name: 'quiet: it moves to an Application of its own',
    before: crd() + operator,
    after: operator,
    other: { target: { id: 'argocd:argocd/crds', name: 'crds' }, after: crd() },
    expect: [],
  },
  {
    name: 'quiet: Argo CD does not delete CRDs together with an Application',
    targetOnly: 'before',
    before: crd() + operator,
    expect: [],
  },
  {
    name: 'quiet: prune is off',
    target: { apply: { mode: 'client-side', prune: false, automated: true } },
    before: crd() + operator,
    after: operator,
    expect: [],
  },
];
