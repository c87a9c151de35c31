import type { RuleExample } from '../../../core/rule.ts';

const namespace = (name: string, metadata = '') => `
apiVersion: v1
kind: Namespace
metadata: {name: ${name}${metadata}}
`;
const api = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'registry.example.net/shop/api:1.0.0'}]}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'the Namespace leaves an Application with prune, another Application still lives in it',
    before: namespace('shop') + api,
    after: api,
    other: {
      target: { id: 'argocd:argocd/search', name: 'search' },
      before: api.replaceAll('name: api', 'name: search'),
      after: api.replaceAll('name: api', 'name: search'),
    },
    expect: [
      {
        resource: 'Namespace/shop',
        severity: 'critical',
        confidence: 'determined',
        message: 'Kubernetes deletes every object in it, also of another unit',
      },
    ],
  },
  {
    name: 'a Namespace is renamed',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: namespace('shop'),
    after: namespace('shop-eu'),
    expect: [{ resource: 'Namespace/shop', confidence: 'determined' }],
  },
  {
    name: 'the cluster shows claims in it',
    before: namespace('shop') + api,
    after: api,
    live: `${namespace('shop')}---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: orders, namespace: shop}
status: {phase: Bound}
`,
    expect: [{ confidence: 'proven', message: '1 volume claim among them' }],
  },
  {
    name: 'nothing says whether the deploying tool prunes',
    target: { engine: 'kustomize', apply: { mode: 'client-side', prune: 'unknown', automated: 'unknown' } },
    before: namespace('shop') + api,
    after: api,
    expect: [{ confidence: 'likely' }],
  },
  {
    name: 'the Namespace gets the options that delete and create it',
    before: namespace('shop') + api,
    after: namespace('shop', ", annotations: {argocd.argoproj.io/sync-options: 'Replace=true,Force=true'}") + api,
    expect: [
      { resource: 'Namespace/shop', path: '/metadata', confidence: 'likely', message: 'deletes and creates it' },
    ],
  },
  {
    name: 'quiet: guarded with Prune=confirm',
    before: namespace('shop', ", annotations: {argocd.argoproj.io/sync-options: 'Prune=confirm'}") + api,
    after: api,
    expect: [],
  },
  {
    name: 'quiet: the namespace of a preview',
    before: namespace('pr-512', ', labels: {environment: preview}'),
    after: api,
    expect: [],
  },
  {
    name: 'quiet: the Namespace moves to the unit that owns namespaces',
    before: namespace('shop') + api,
    after: api,
    other: {
      target: { id: 'argocd:argocd/namespaces', name: 'namespaces' },
      before: namespace('search'),
      after: `${namespace('search')}---${namespace('shop')}`,
    },
    expect: [],
  },
];
