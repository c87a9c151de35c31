import type { RuleExample } from '../../../core/rule.ts';

const deployment = (container: string, image = '1.0.0') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example.net/shop/api:${image}
${container.replaceAll(/^/gm, '          ')}
`;
const twice = `resources: {limits: {memory: 1Gi}}
env: [{name: MODE, value: fast}]
resources: {requests: {cpu: 100m}}`;
const once = `resources: {limits: {memory: 1Gi}, requests: {cpu: 100m}}
env: [{name: MODE, value: fast}]`;
const config = (mode: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {mode: ${mode}}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'resources is set twice, so the memory limit is lost',
    before: deployment(once),
    after: deployment(twice),
    expect: [
      {
        resource: 'Deployment/shop/api',
        path: '/spec/template/spec/containers/api/resources',
        severity: 'high',
        confidence: 'determined',
        message: 'sets resources twice',
      },
    ],
  },
  {
    name: 'a values file sets a block twice',
    files: {
      before: { 'envs/prod/values.yaml': 'api:\n  replicas: 3\n  resources:\n    cpu: 1\n' },
      after: { 'envs/prod/values.yaml': 'api:\n  replicas: 3\n  resources:\n    cpu: 1\napi:\n  image: 1.1.0\n' },
    },
    expect: [{ resource: 'File/envs/prod/values.yaml', path: '/api', message: 'sets api twice (lines 1 and 5)' }],
  },
  {
    name: 'an environment variable is set twice',
    before: deployment('env: [{name: MODE, value: fast}]'),
    after: deployment('env: [{name: MODE, value: fast}, {name: MODE, value: safe}]'),
    expect: [
      {
        path: '/spec/template/spec/containers/api/env/MODE',
        willNotApply: false,
        message: 'the container sees only the last one',
      },
    ],
  },
  {
    name: 'server-side apply refuses that',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: deployment('env: [{name: MODE, value: fast}]'),
    after: deployment('env: [{name: MODE, value: fast}, {name: MODE, value: safe}]'),
    expect: [{ willNotApply: true, message: 'duplicate entries for key' }],
  },
  {
    name: 'two ports of one name',
    before: deployment('ports: [{name: http, containerPort: 80}]'),
    after: deployment('ports: [{name: http, containerPort: 80}, {name: http, containerPort: 81}]'),
    expect: [{ path: '/spec/template/spec/containers/api/ports/http', willNotApply: true }],
  },
  {
    name: 'the same ConfigMap is rendered twice with different content',
    before: config('fast'),
    after: `${config('fast')}---${config('safe')}`,
    expect: [
      {
        resource: 'ConfigMap/shop/settings',
        confidence: 'determined',
        message: 'renders ConfigMap shop/settings twice',
      },
    ],
  },
  {
    name: 'a Helm release cannot hold an object twice, even with the same content',
    target: { engine: 'helm', apply: { mode: 'helm', prune: true, automated: 'unknown' } },
    before: config('fast'),
    after: `${config('fast')}---${config('fast')}`,
    expect: [{ resource: 'ConfigMap/shop/settings', message: 'the release fails' }],
  },
  {
    name: 'two Applications own one ConfigMap',
    before: config('fast'),
    after: config('fast'),
    other: { target: { cluster: 'eu-1' }, after: config('safe') },
    expect: [{ resource: 'ConfigMap/shop/settings', confidence: 'likely', message: 'each sync overwrites the other' }],
  },
  {
    name: 'touched, and it was like this before',
    before: deployment(twice),
    after: deployment(twice, '1.1.0'),
    expect: [{ novelty: 'touched-preexisting' }],
  },
  {
    name: 'quiet: untouched',
    before: deployment(twice),
    after: deployment(twice),
    expect: [],
  },
  {
    name: 'quiet: a merge key that is overridden on purpose',
    files: {
      before: { 'values.yaml': 'base: &base {cpu: 1, memory: 1Gi}\napi: {<<: *base}\n' },
      after: { 'values.yaml': 'base: &base {cpu: 1, memory: 1Gi}\napi: {<<: *base, cpu: 2}\n' },
    },
    expect: [],
  },
  {
    name: 'quiet: a template is not YAML',
    files: {
      before: { 'chart/templates/a.yaml': '{{- if .Values.on }}\nkind: A\n{{- end }}\n' },
      after: { 'chart/templates/a.yaml': '{{- if .Values.on }}\nkind: A\n{{- else }}\nkind: B\n{{- end }}\n' },
    },
    expect: [],
  },
  {
    name: 'quiet: the same object from two places with the same content',
    before: config('fast'),
    after: `${config('fast')}---${config('fast')}`,
    expect: [],
  },
];
