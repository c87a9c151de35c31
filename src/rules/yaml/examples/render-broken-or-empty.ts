import type { RuleExample } from '../../../core/rule.ts';

const config = (name: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: shop}
data: {mode: fast}
`;
const embedded = (line: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
  app.yaml: |
    name: shop
    ${line}
`;
const failure = (message: string, kind: 'render' | 'missing-input' | 'unsupported' = 'render') => ({
  kind,
  message,
  location: { file: 'charts/shop/templates/deployment.yaml', line: 24 },
});
const nil =
  'executing "shop/templates/deployment.yaml" at <.Values.image.tag>: nil pointer evaluating interface {}.tag';

export const examples: readonly RuleExample[] = [
  {
    name: 'a template fails after the change',
    before: config('a'),
    renderProblem: { after: failure(nil) },
    expect: [
      {
        severity: 'critical',
        confidence: 'determined',
        novelty: 'introduced',
        message: 'no longer renders: executing',
      },
    ],
  },
  {
    name: 'a new unit does not render',
    targetOnly: 'after',
    renderProblem: { after: failure(nil) },
    expect: [{ severity: 'high', message: 'does not render' }],
  },
  {
    name: 'a chart version that cannot be fetched',
    before: config('a'),
    renderProblem: { after: failure('chart "shop" version "9.9.9" not found', 'missing-input') },
    expect: [{ severity: 'high', confidence: 'likely' }],
  },
  {
    name: 'it failed in the same way before',
    renderProblem: { before: failure(nil), after: failure(nil) },
    expect: [{ novelty: 'touched-preexisting' }],
  },
  {
    name: 'a condition makes the render of a Flux Kustomization empty',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: `${config('a')}---${config('b')}`,
    after: '',
    expect: [{ severity: 'critical', message: 'renders nothing any more (2 objects before)' }],
  },
  {
    name: 'Argo CD refuses an empty Application',
    before: `${config('a')}---${config('b')}`,
    after: '',
    expect: [{ severity: 'high', message: 'unless allowEmpty is set' }],
  },
  {
    name: 'the line between two documents is lost',
    before: `${config('a')}---${config('b')}`,
    after: `${config('a')}${config('b')}`,
    expect: [
      { resource: 'ConfigMap/shop/b', path: '/kind', severity: 'high', message: 'Two documents run into each other' },
    ],
  },
  {
    name: 'a misspelt key in the values has no effect',
    target: {
      sources: [
        {
          type: 'helm',
          chart: { from: 'tree', path: 'charts/shop' },
          release: 'shop',
          values: [{ kind: 'file', path: 'envs/prod.yaml' }],
          set: [],
          includeCrds: true,
        },
      ],
    },
    before: config('a'),
    after: config('a'),
    files: { before: { 'envs/prod.yaml': 'replicas: 2\n' }, after: { 'envs/prod.yaml': 'replicas: 2\nreplicaz: 3\n' } },
    expect: [{ resource: 'File/envs/prod.yaml', severity: 'low', confidence: 'likely' }],
  },
  {
    name: 'quiet: the unit is repaired',
    after: config('a'),
    renderProblem: { before: failure(nil) },
    expect: [],
  },
  {
    name: 'quiet: gate cannot render it, which is no property of the change',
    before: config('a'),
    renderProblem: { after: failure('config management plugins are not supported', 'unsupported') },
    expect: [],
  },
  {
    name: 'quiet: gate does not reach the chart repository, which says nothing about the change',
    before: config('a'),
    renderProblem: {
      after: {
        ...failure(
          'The chart redis of https://charts.example.org 1.2.0 could not be fetched: no such host',
          'missing-input',
        ),
        unreachable: true,
      },
    },
    expect: [],
  },
  {
    name: 'quiet: the source files were deleted; mass-deletion judges that',
    before: `${config('a')}---${config('b')}`,
    after: '',
    files: { before: { 'manifests/a.yaml': config('a') } },
    expect: [],
  },
  {
    name: 'a configuration file inside of a ConfigMap cannot be read any more',
    before: embedded("mode: 'fast'"),
    after: embedded("mode: 'fast',"),
    expect: [{ resource: 'ConfigMap/shop/settings', path: '/data/app.yaml', severity: 'high', message: 'line 2' }],
  },
  {
    name: 'quiet: it could not be read before, or its application fills in a template',
    before: embedded("mode: 'fast',"),
    after: embedded("mode: 'slow',"),
    other: {
      target: { id: 'argocd:argocd/till', name: 'till' },
      before: embedded('mode: fast').replace('shop', 'till'),
      after: embedded('mode: {{ .Mode }}').replace('shop', 'till'),
    },
    expect: [],
  },
];
