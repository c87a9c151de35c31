import type { RuleExample } from '../../../core/rule.ts';

const configs = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index)
    .map(
      (index) =>
        `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings-${'abcdefghijklmnop'[index]}, namespace: shop}\ndata: {number: "${index}"}\n`,
    )
    .join('');
const account = (name: string) => `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}, namespace: shop}
`;
const accounts = ['api', 'web', 'worker', 'cron', 'admin', 'report'].map(account).join('');
const declared = {
  declaredBy: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', namespace: 'argocd', name: 'example' },
} as const;

const application = (name: string, finalizers = '') => `---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd${finalizers}}
spec: {project: default}
`;
const platform = { mode: 'helm', prune: 'unknown', automated: 'unknown' } as const;
const cascade = ", finalizers: ['resources-finalizer.argocd.argoproj.io']";

export const examples: readonly RuleExample[] = [
  {
    name: 'a condition in the values takes most objects away',
    target: declared,
    before: accounts + configs(0, 10),
    after: accounts + configs(0, 2),
    expect: [
      {
        resource: 'Application/argocd/example',
        severity: 'critical',
        confidence: 'determined',
        message: 'loses 8 of 16 objects: 8 objects are deleted by the sync (8 ConfigMap)',
      },
    ],
  },
  {
    name: 'a unit renders nothing any more',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: accounts + configs(0, 10),
    after: '',
    expect: [{ severity: 'critical', message: 'renders nothing any more' }],
  },
  {
    name: 'a small unit is removed; whether its objects go depends on the finalizer of the Application',
    target: declared,
    targetOnly: 'before',
    before: account('api') + configs(0, 2),
    expect: [{ severity: 'high', confidence: 'likely', message: 'Application example is removed as a whole' }],
  },
  {
    name: 'an Application is renamed, and its finalizer deletes what the new one has not taken over',
    target: { ...declared, parents: ['argocd:argocd/root'] },
    targetOnly: 'before',
    before: application('example', cascade) + configs(0, 2),
    other: {
      target: { id: 'argocd:argocd/renamed', name: 'renamed' },
      after: application('example', cascade) + configs(0, 2),
    },
    moreTargets: {
      before: [{ id: 'argocd:argocd/root', name: 'root' }],
      after: [{ id: 'argocd:argocd/root', name: 'root' }],
    },
    expect: [
      {
        resource: 'Application/argocd/example',
        severity: 'high',
        confidence: 'likely',
        message: 'the removal cascades',
      },
    ],
  },
  {
    name: 'an Application moves to another namespace; whether its parent prunes is not known',
    target: { ...declared, parents: ['helm:charts/platform'] },
    targetOnly: 'before',
    before: application('example', cascade) + configs(0, 2),
    other: {
      target: {
        id: 'argocd:shop/example',
        name: 'shop/example',
        declaredBy: { ...declared.declaredBy, namespace: 'shop' },
      },
      after: application('example', cascade).replace('namespace: argocd', 'namespace: shop') + configs(0, 2),
    },
    moreTargets: {
      before: [{ id: 'helm:charts/platform', name: 'platform', apply: platform }],
      after: [{ id: 'helm:charts/platform', name: 'platform', apply: platform }],
    },
    expect: [
      { resource: 'Application/argocd/example', confidence: 'hint', message: 'the removal cascades' },
      { severity: 'high', message: 'removed as a whole' },
    ],
  },
  {
    name: 'quiet: renamed without the finalizer',
    target: { ...declared, parents: ['argocd:argocd/root'] },
    targetOnly: 'before',
    before: application('example') + configs(0, 2),
    other: { target: { id: 'argocd:argocd/renamed', name: 'renamed' }, after: application('example') + configs(0, 2) },
    moreTargets: {
      before: [{ id: 'argocd:argocd/root', name: 'root' }],
      after: [{ id: 'argocd:argocd/root', name: 'root' }],
    },
    expect: [],
  },
  {
    name: 'every object of a kind disappears',
    before: accounts + configs(0, 3),
    after: accounts,
    expect: [{ severity: 'high', message: 'loses every ConfigMap' }],
  },
  {
    name: 'a list instead of a map: every object gets another name, and two come for three',
    before: accounts + configs(0, 3),
    after: `${accounts}---
apiVersion: v1
kind: ConfigMap
metadata: {name: "0", namespace: shop}
data: {address: http://shop.example.org, mode: batch}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "1", namespace: shop}
data: {address: http://till.example.org, retries: "3"}
`,
    expect: [{ severity: 'high', message: 'loses every ConfigMap' }],
  },
  {
    name: 'quiet: the generator gives every ConfigMap a new hash',
    before: `${accounts}${configs(0, 3).replaceAll(/settings-(.)/g, 'settings-$1-5h2k9m4t7b')}`,
    after: `${accounts}${configs(0, 3).replaceAll(/settings-(.)/g, 'settings-$1-7bd4f92c6k')}`,
    expect: [],
  },
  {
    name: 'the announced number is another one',
    options: { allow: 3 },
    before: accounts + configs(0, 10),
    after: accounts + configs(0, 2),
    expect: [{ severity: 'critical' }],
  },
  {
    name: 'quiet: the exact number was announced',
    options: { allow: 8 },
    before: accounts + configs(0, 10),
    after: accounts + configs(0, 2),
    expect: [],
  },
  {
    name: 'quiet: two objects of many',
    before: accounts + configs(0, 10),
    after: accounts + configs(0, 8),
    expect: [],
  },
  {
    name: 'quiet: prune is off',
    target: { apply: { mode: 'client-side', prune: false, automated: true } },
    before: accounts + configs(0, 10),
    after: accounts,
    expect: [],
  },
  {
    name: 'quiet: a refactoring moves everything to another Application',
    targetOnly: 'before',
    before: accounts + configs(0, 10),
    other: { target: { id: 'argocd:argocd/shop', name: 'shop' }, after: accounts + configs(0, 10) },
    expect: [],
  },
];
