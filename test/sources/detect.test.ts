import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { Discovery, Target } from '../../src/core/model.ts';
import { openDirectories } from '../../src/git/directories.ts';
import { detectConventional } from '../../src/sources/detect.ts';
import { testConfig, treeOf } from '../kit/sources.ts';

const mixed = fileURLToPath(new URL('../../fixtures/conventional/mixed', import.meta.url));

function detect(
  files: Readonly<Record<string, string>> | string,
  config: Partial<Config> = {},
  claimed: readonly Target[] = [],
): Discovery {
  const tree = typeof files === 'string' ? openDirectories(files, files).after : treeOf(files);
  return detectConventional(tree, testConfig(config), claimed);
}

const ids = (discovery: Discovery): readonly string[] => discovery.targets.map((target) => target.id).sort();
const notes = (discovery: Discovery): readonly string[] =>
  discovery.notEvaluated.map((note) => `${note.what}: ${note.reason}`);
const chart = (name: string, more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`;
const object = (name = 'a', kind = 'ConfigMap'): string => `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

describe('a repository of everything', () => {
  const found = detect(mixed);

  test('each thing is one target, under the nearest thing that deploys it', () => {
    expect(ids(found)).toEqual([
      'helm:charts/api@production',
      'helm:charts/api@staging',
      'helm:infra/helmfile.yaml/cert-manager',
      'helm:infra/helmfile.yaml/web@dev',
      'helm:infra/helmfile.yaml/web@prod',
      'kustomize:overlays/dev',
      'kustomize:overlays/prod',
      'plain:deploy/crds',
      'plain:deploy/policies',
    ]);
  });

  test('environments and scopes follow the layout', () => {
    const of = (id: string): unknown[] => {
      const target = found.targets.find((item) => item.id === id)!;
      return [target.environment, target.scope];
    };
    expect(of('helm:charts/api@production')).toEqual(['production', 'production']);
    expect(of('kustomize:overlays/prod')).toEqual(['prod', 'prod']);
    expect(of('plain:deploy/crds')).toEqual([undefined, 'plain:deploy/crds']);
  });

  test('what is left out is listed', () => {
    expect(notes(found)).toEqual([
      'release templated of infra/helmfile.yaml: its values file config.yaml.gotmpl is a template',
      'release lookup of infra/helmfile.yaml: uses templates of Helmfile',
      'manifests in .github, examples: folders of this kind (examples, tests, docs, CI) are not taken for deployed',
    ]);
  });

  test('what other targets read is not found again; exclude globs leave targets out and say so', () => {
    const claimed = {
      ...found.targets.find((item) => item.id === 'plain:deploy/crds')!,
      id: 'argocd:argocd/all',
      inputs: ['charts/api/', 'charts/common/', 'overlays/', 'base/', 'deploy/'],
    };
    expect(ids(detect(mixed, { exclude: ['helm:infra/**'] }, [claimed]))).toEqual([]);
    expect(notes(detect(mixed, { exclude: ['overlays/*'] }))).toContain(
      'kustomize:overlays/dev: left out by `exclude` of the configuration',
    );
  });
});

describe('charts', () => {
  test.each([
    'values-prod.yaml',
    'values.prod.yml',
    'values_prod.yaml',
    'prod-values.yaml',
    'values/prod.yaml',
    'values/values-prod.yaml',
    'values/prod/values.yaml',
    'envs/prod/values.yaml',
    'env/prod.yaml',
    'environments/prod/values.yaml',
  ])('%s is the environment prod', (file) => {
    const found = detect({ 'Chart.yaml': chart('app'), 'values.yaml': '', [file]: '' });
    expect(found.targets).toMatchObject([
      {
        id: 'helm:.@prod',
        name: 'app',
        environment: 'prod',
        sources: [{ release: 'app', values: [{ kind: 'file', path: file }] }],
      },
    ]);
  });

  test.each([
    'values.schema.yaml',
    'values-example.yaml',
    'ci/minimal-values.yaml',
    'values.yaml',
    'templates/values-prod.yaml',
    'values-secrets.yaml',
  ])('%s is no environment', (file) => {
    expect(ids(detect({ 'app/Chart.yaml': chart('app'), [`app/${file}`]: '' }))).toEqual(['helm:app']);
  });

  test('an environment is called as gate.yaml calls it', () => {
    const production = {
      name: 'production',
      production: true,
      match: ['**/values-live.yaml'],
      onIncomplete: 'fail',
    } as const;
    const [target] = detect(
      { 'app/Chart.yaml': chart('app'), 'app/values-live.yaml': '' },
      { environments: [production] },
    ).targets;
    expect(target).toMatchObject({ id: 'helm:app@live', environment: 'production' });
  });

  test('libraries, sub-charts and dependencies of others are no targets; a dependency without user is', () => {
    expect(
      ids(
        detect({
          'charts/app/Chart.yaml': chart('app', 'dependencies: [{name: common, repository: "file://../common"}]'),
          'charts/app/charts/cache/Chart.yaml': chart('cache'),
          'charts/common/Chart.yaml': chart('common'),
          'charts/lib/Chart.yaml': chart('lib', 'type: library'),
          'charts/alone/Chart.yaml': chart('alone'),
        }),
      ),
    ).toEqual(['helm:charts/alone', 'helm:charts/app']);
  });

  test('a scaffold and a broken chart are notes', () => {
    expect(
      notes(
        detect({
          'a/Chart.yaml': 'name: {{ cookiecutter.name }}\nx: {{ y }}: z',
          'b/Chart.yaml': 'description: nothing else',
          'c/Chart.yaml': 'name: [',
        }),
      ),
    ).toEqual([
      'a/Chart.yaml: is a template of a chart, not a chart',
      'b/Chart.yaml: has no name or no apiVersion, so it is no chart that Helm can use',
      expect.stringMatching(/^c\/Chart.yaml: cannot be read as YAML/),
    ]);
  });
});

describe('manifests', () => {
  test('the top-most directory is the target, what is no object in it is excluded', () => {
    const found = detect({
      'k8s/a.yaml': object(),
      'k8s/sub/b.json': '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}',
      'k8s/values{1}.yaml': 'a: 1',
      'k8s/sub/c.yaml': 'x: y',
    });
    expect(found.targets).toMatchObject([
      {
        id: 'plain:k8s',
        inputs: ['k8s/a.yaml', 'k8s/sub/b.json'],
        sources: [
          { type: 'manifests', path: 'k8s', recurse: true, exclude: String.raw`{sub/c.yaml,values\{1\}.yaml}` },
        ],
      },
    ]);
  });

  test('beside charts and overlays each directory is for itself', () => {
    const found = detect({
      'a.yaml': object(),
      'k8s/a.yaml': object(),
      'k8s/app/kustomization.yaml': 'resources: [b.yaml]',
      'k8s/app/b.yaml': object(),
      'k8s/app/unused.yaml': object(),
      'k8s/more/c.yaml': object(),
    });
    expect(ids(found)).toEqual(['kustomize:k8s/app', 'plain:.', 'plain:k8s', 'plain:k8s/more']);
    expect(found.targets.find((target) => target.id === 'plain:k8s')).toMatchObject({
      sources: [{ recurse: false }],
      inputs: ['k8s/a.yaml'],
    });
  });

  test('templates, patches and the configuration of tools are no manifests', () => {
    expect(
      ids(
        detect({
          'a/templated.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ name }}"}',
          'b/kind.yaml': 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nmetadata: {name: x}',
          'c/catalog.yaml': 'apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: x}',
          'd/compose.yaml': 'services: {}',
          'talos/node.yaml': 'apiVersion: v1alpha1\nkind: LinkConfig\nmetadata: {name: eth0}',
          'e/unnamed.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}',
          'docs/x.yaml': object(),
          'app/tests/y.yaml': object(),
        }),
      ),
    ).toEqual([]);
  });

  test('a manifest that became unreadable stays in its target: left out it would look deleted', () => {
    const found = detect({ 'k8s/a.yaml': object(), 'k8s/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: [' });
    expect(found.targets[0]!.inputs).toEqual(['k8s/a.yaml', 'k8s/b.yaml']);
  });
});

describe('Helmfile', () => {
  const helmfile = (releases: string, more = ''): Discovery =>
    detect({
      'deploy/helmfile.yaml': `${more}\nreleases: ${releases}`,
      'charts/app/Chart.yaml': chart('app'),
      'deploy/prod.yaml': '',
    });

  test('a local chart with files, inline values and set', () => {
    const found = helmfile(
      '[{name: app, namespace: shop, chart: ../charts/app, values: [prod.yaml, {a: 1}], set: [{name: b, value: 2}]}]',
    );
    expect(found.targets).toMatchObject([
      {
        id: 'helm:deploy/helmfile.yaml/app',
        inputs: ['charts/app/', 'deploy/helmfile.yaml', 'deploy/prod.yaml'],
        sources: [
          {
            chart: { from: 'tree', path: 'charts/app' },
            namespace: 'shop',
            values: [
              { kind: 'file', path: 'deploy/prod.yaml' },
              { kind: 'inline', values: { a: 1 } },
            ],
            set: [{ name: 'b', value: '2', type: 'set' }],
          },
        ],
      },
    ]);
  });

  test.each<[string, string]>([
    ['[{name: app, chart: ../gone}]', 'its chart ../gone does not exist in the tree'],
    [
      '[{name: app, chart: unknown/app}]',
      'its chart unknown/app is neither in the tree nor in a repository that the Helmfile lists',
    ],
    ['[{name: app, chart: ../charts/app, values: [x.gotmpl]}]', 'its values file x.gotmpl is a template'],
    [
      '[{name: app, chart: ../charts/app, values: [../../x.yaml]}]',
      'its values file ../../x.yaml is not a single file of the tree',
    ],
    ['[{name: app, chart: ../charts/app, values: ["{{ .Values.x }}"]}]', 'uses templates of Helmfile'],
    ['[{chart: ../charts/app}]', 'has no name or no chart'],
  ])('%s is listed', (releases, reason) => {
    const found = helmfile(releases);
    expect(found.notEvaluated).toMatchObject([{ reason, weight: 'note', location: { file: 'deploy/helmfile.yaml' } }]);
  });

  test('a templated Helmfile is listed whole', () => {
    expect(notes(helmfile('\n{{ range .x }}\n- name: {{ .name }}\n{{ end }}'))).toEqual([
      'deploy/helmfile.yaml: is a template of Helmfile',
    ]);
  });

  test('encrypted values are unavailable', () => {
    const found = helmfile('[{name: app, chart: ../charts/app, secrets: [secrets.yaml]}]');
    expect(found.targets[0]!.sources).toMatchObject([{ values: [{ kind: 'unavailable', optional: false }] }]);
  });
});

test('whether a chart of Applications is pruned is not known: Argo CD may well sync it', () => {
  const application = 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: {{ .Values.name }}}\n';
  const found = detect({
    'apps/Chart.yaml': chart('apps'),
    'apps/templates/app.yaml': application,
    'shop/Chart.yaml': chart('shop'),
    'shop/templates/cm.yaml': object(),
  });
  expect(found.targets.map((target) => [target.id, target.apply.prune])).toEqual([
    ['helm:apps', 'unknown'],
    ['helm:shop', true],
  ]);
});

test('starter charts are patterns for others', () => {
  expect(ids(detect({ 'starters/web/Chart.yaml': chart('web'), 'starters/web/templates/cm.yaml': object() }))).toEqual(
    [],
  );
});

test('an empty repository has no targets', () => {
  expect(detect({ 'README.md': '' })).toEqual({ targets: [], notEvaluated: [] });
});
