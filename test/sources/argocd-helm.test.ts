import { describe, expect, it } from 'vitest';
import type { HelmSource, Target } from '../../src/core/model.ts';
import { discoverArgoCd } from '../../src/sources/argocd.ts';
import { substitute } from '../../src/sources/argocd/env.ts';
import { argoContext, sourced, testConfig, treeOf } from '../kit/sources.ts';

const tree = treeOf({
  'charts/shop/Chart.yaml':
    "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies: [{name: common, version: 1.0.0, repository: 'file://../common'}]\n",
  'charts/shop/values-prod.yaml': '',
  'charts/common/Chart.yaml': 'apiVersion: v2\nname: common\nversion: 1.0.0\n',
  'envs/prod/a.yaml': '',
  'envs/prod/b.yaml': '',
  'envs/prod/c.yaml': '',
  'envs/prod/deep/d.yaml': '',
  'envs/dev/a.yaml': '',
});

async function target(spec: string, config = testConfig()): Promise<Target> {
  const yaml = `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec: {project: team, destination: {name: eu-1, namespace: shop}, ${spec}}\n`;
  const found = await discoverArgoCd(sourced(yaml), argoContext(tree, { config }));
  expect(found.targets, JSON.stringify(found.notEvaluated)).toHaveLength(1);
  return found.targets[0]!;
}

const ours = 'https://github.com/acme/deploy';
const chart = (helm: string): string =>
  `source: {repoURL: '${ours}', path: charts/shop, targetRevision: main, helm: ${helm}}`;

async function helm(spec: string, config = testConfig()): Promise<HelmSource> {
  const source = (await target(spec, config)).sources[0];
  if (source?.type !== 'helm') throw new Error(JSON.stringify(source));
  return source;
}

async function refusal(spec: string): Promise<string> {
  const source = (await target(spec)).sources[0];
  return source?.type === 'unsupported' ? source.reason : `rendered: ${JSON.stringify(source)}`;
}

describe('helm options', () => {
  it('defaults: release and namespace of the Application, CRDs included', async () => {
    expect(await helm(chart('{}'))).toEqual({
      type: 'helm',
      chart: { from: 'tree', path: 'charts/shop' },
      release: 'shop',
      namespace: 'shop',
      values: [],
      set: [],
      includeCrds: true,
      skipTests: false,
      skipSchemaValidation: false,
    } satisfies HelmSource);
  });

  it('everything set', async () => {
    expect(
      await helm(
        chart(
          '{releaseName: r, namespace: other, skipCrds: true, skipTests: true, skipSchemaValidation: true, kubeVersion: v1.30.1, apiVersions: [a/v1]}',
        ),
      ),
    ).toMatchObject({
      release: 'r',
      namespace: 'other',
      includeCrds: false,
      skipTests: true,
      skipSchemaValidation: true,
      kubeVersion: '1.30.1',
      apiVersions: ['a/v1'],
    });
  });

  it('valuesObject wins over values and comes after the files', async () => {
    const source = await helm(chart('{valueFiles: [values-prod.yaml], values: "a: 1", valuesObject: {a: 2}}'));
    expect(source.values).toEqual([
      { kind: 'file', path: 'charts/shop/values-prod.yaml' },
      { kind: 'inline', values: { a: 2 }, label: 'spec.source.helm.valuesObject' },
    ]);
    expect((await helm(chart('{values: "a: 1\\nb: ${X}", valuesObject: null}'))).values).toEqual([
      { kind: 'text', yaml: 'a: 1\nb: ${X}', label: 'spec.source.helm.values' },
    ]);
  });

  it('parameters: the last of a name counts, forceString apart, variables replaced', async () => {
    const source = await helm(
      chart(
        '{parameters: [{name: a, value: "1"}, {name: b, value: "$ARGOCD_APP_PROJECT_NAME-${ARGOCD_APP_SOURCE_PATH}", forceString: true}, {name: a, value: "2,3"}, {name: c, value: "$$HOME $NOPE"}, {value: x}]}',
      ),
    );
    expect(source.set).toEqual([
      { name: 'a', value: '2,3', type: 'set' },
      { name: 'b', value: 'team-charts/shop', type: 'set-string' },
      { name: 'c', value: '$HOME ', type: 'set' },
    ]);
  });

  it('fileParameters are files of the tree and inputs', async () => {
    const found = await target(chart('{fileParameters: [{name: cfg, path: /envs/prod/a.yaml}]}'));
    expect((found.sources[0] as HelmSource).set).toEqual([
      { name: 'cfg', value: 'envs/prod/a.yaml', type: 'set-file' },
    ]);
    expect(found.inputs).toContain('envs/prod/a.yaml');
  });

  it('the revision of the merge is the same text on both sides', async () => {
    expect((await helm(chart('{parameters: [{name: r, value: $ARGOCD_APP_REVISION_SHORT_8}]}'))).set[0]?.value).toBe(
      '00000000',
    );
  });

  it('inputs: chart, its local dependencies, value files also when missing, override files', async () => {
    const found = await target(chart('{valueFiles: [values-prod.yaml, /envs/new.yaml]}'));
    expect(found.inputs).toEqual(expect.arrayContaining(['charts/shop/', 'charts/common/', 'envs/new.yaml']));
  });
});

describe('value files', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['[values-prod.yaml]', ['charts/shop/values-prod.yaml']],
    ['[../../envs/prod/a.yaml]', ['envs/prod/a.yaml']],
    ['[/envs/prod/a.yaml]', ['envs/prod/a.yaml']],
    ['["/envs/$ARGOCD_APP_NAME.yaml"]', ['envs/shop.yaml']],
    ['[/envs/prod/*.yaml]', ['envs/prod/a.yaml', 'envs/prod/b.yaml', 'envs/prod/c.yaml']],
    ['[/envs/prod/*.yaml, /envs/prod/b.yaml]', ['envs/prod/a.yaml', 'envs/prod/c.yaml', 'envs/prod/b.yaml']],
    ['[/envs/prod/c.yaml, /envs/prod/*.yaml]', ['envs/prod/c.yaml', 'envs/prod/a.yaml', 'envs/prod/b.yaml']],
    ['[/envs/**/a.yaml]', ['envs/dev/a.yaml', 'envs/prod/a.yaml']],
    ['[/envs/prod/a.yaml, /envs/prod/a.yaml]', ['envs/prod/a.yaml']],
  ];
  it.each(cases)('%s', async (files, expected) => {
    const source = await helm(chart(`{valueFiles: ${files}}`));
    expect(source.values).toEqual(expected.map((path) => ({ kind: 'file', path })));
  });

  it('globs are literal before Argo CD 3.4', async () => {
    const old = testConfig({
      argocd: { version: '3.3.2', namespace: 'argocd', kustomizeBuildOptions: '', newGitFileGlobbing: false },
    });
    expect((await helm(chart('{valueFiles: ["/envs/prod/*.yaml"]}'), old)).values).toEqual([
      { kind: 'file', path: 'envs/prod/*.yaml' },
    ]);
  });

  it('ignoreMissingValueFiles makes them optional, also globs without a match', async () => {
    const source = await helm(chart('{ignoreMissingValueFiles: true, valueFiles: [gone.yaml, "/none/*.yaml"]}'));
    expect(source.values).toEqual([{ kind: 'file', path: 'charts/shop/gone.yaml', optional: true }]);
    expect(await refusal(chart('{valueFiles: ["/none/*.yaml"]}'))).toContain('matches no file');
  });

  it('a glob is an input as a directory', async () => {
    expect((await target(chart('{valueFiles: ["/envs/prod/*.yaml"]}'))).inputs).toContain('envs/prod/');
  });

  it('URLs cannot be read, paths must stay inside', async () => {
    expect((await helm(chart("{valueFiles: ['https://example.org/v.yaml']}"))).values).toEqual([
      { kind: 'unavailable', label: 'https://example.org/v.yaml', optional: false },
    ]);
    expect(await refusal(chart('{valueFiles: [../../../etc/passwd]}'))).toContain('leads out of the repository');
  });

  it('odd types are left out', async () => {
    expect((await helm(chart('{valueFiles: [1, null, {a: b}], parameters: nonsense, apiVersions: 3}'))).values).toEqual(
      [],
    );
  });
});

describe('charts from repositories', () => {
  it.each([
    [
      'https://charts.example.org',
      'redis',
      '1.2.x',
      { from: 'repository', url: 'https://charts.example.org', name: 'redis', version: '1.2.x' },
    ],
    [
      'registry.example.org/charts',
      'redis',
      '1.2.3',
      { from: 'oci', url: 'oci://registry.example.org/charts/redis', version: '1.2.3' },
    ],
    [
      'oci://registry.example.org/charts/',
      'team/redis',
      '1.2.3',
      { from: 'oci', url: 'oci://registry.example.org/charts/team/redis', version: '1.2.3' },
    ],
    [
      'registry.example.org/charts',
      'redis',
      'sha256:abc',
      { from: 'oci', url: 'oci://registry.example.org/charts/redis', version: '', digest: 'sha256:abc' },
    ],
  ])('%s %s %s', async (url, name, version, expected) => {
    const found = await target(
      `source: {repoURL: '${url}', chart: ${name}, targetRevision: ${version}, helm: {valuesObject: {a: 1}}}`,
    );
    expect(found.sources[0]).toMatchObject({ type: 'helm', chart: expected });
    expect(found.inputs).toEqual([]);
    expect(found.unaffectedBecause).toBeUndefined();
  });

  it('an OCI artifact without chart is taken for a chart at its root only', async () => {
    expect(
      (await helm("source: {repoURL: 'oci://registry.example.org/redis', path: ., targetRevision: 1.0.0}")).chart,
    ).toEqual({ from: 'oci', url: 'oci://registry.example.org/redis', version: '1.0.0' });
    expect(
      await refusal("source: {repoURL: 'oci://registry.example.org/bundle', path: prod, targetRevision: 1.0.0}"),
    ).toContain('OCI artifact');
  });

  it('value files of the fetched chart come on top of its values.yaml', async () => {
    const source = await helm(
      "source: {repoURL: 'https://charts.example.org', chart: redis, helm: {valueFiles: [values-production.yaml], ignoreMissingValueFiles: true}}",
    );
    expect(source.chartValuesFiles).toEqual({ files: ['values.yaml', 'values-production.yaml'], ignoreMissing: true });
    expect(source.values).toEqual([]);
  });
});

describe('several sources', () => {
  const remote = (files: string): string =>
    `{repoURL: 'https://charts.example.org', chart: redis, targetRevision: 1.2.3, helm: {valueFiles: ${files}}}`;
  const values = (revision = 'main', url = ours): string =>
    `{repoURL: '${url}', targetRevision: ${revision}, ref: values}`;

  it('$ref files are of the root of that repository', async () => {
    const found = await target(`sources: [${remote('[$values/envs/prod/a.yaml]')}, ${values()}]`);
    expect(found.sources).toHaveLength(1);
    expect(found.sources[0]).toMatchObject({
      chart: { name: 'redis' },
      values: [{ kind: 'file', path: 'envs/prod/a.yaml' }],
    });
    expect(found.inputs).toEqual(['envs/prod/a.yaml']);
    expect(found.unaffectedBecause).toBeUndefined();
  });

  it('$ref with substitution and globs', async () => {
    const found = await target(
      `sources: [${remote('["$values/envs/prod/*.yaml", "$values/$ARGOCD_APP_PROJECT_NAME.yaml"]')}, ${values()}]`,
    );
    expect(
      (found.sources[0] as HelmSource).values.map((layer) => (layer.kind === 'file' ? layer.path : layer.kind)),
    ).toEqual(['envs/prod/a.yaml', 'envs/prod/b.yaml', 'envs/prod/c.yaml', 'team.yaml']);
  });

  it('a ref source with a path renders it too', async () => {
    const found = await target(
      `sources: [${remote('[$values/envs/prod/a.yaml]')}, {repoURL: '${ours}', ref: values, path: envs/dev}]`,
    );
    expect(found.sources.map((source) => source.type)).toEqual(['helm', 'manifests']);
  });

  it('a ref in another repository cannot be read', async () => {
    const found = await target(
      `sources: [${remote('[$values/a.yaml]')}, ${values('main', 'https://github.com/acme/other')}]`,
    );
    expect((found.sources[0] as HelmSource).values).toEqual([
      {
        kind: 'unavailable',
        label: '$values/a.yaml (repository https://github.com/acme/other is not this one)',
        optional: false,
      },
    ]);
  });

  it('a pinned ref keeps the change away', async () => {
    const found = await target(`sources: [${remote('[$values/envs/prod/a.yaml]')}, ${values('v1.0.0')}]`);
    expect(found.unaffectedBecause).toMatch(/^pinned to tag v1\.0\.0/);
  });

  it('one pinned source among others is noted', async () => {
    const yaml = `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec: {sources: [{repoURL: '${ours}', path: charts/shop, targetRevision: v1.0.0, helm: {valueFiles: [$values/envs/prod/a.yaml]}}, ${values()}]}\n`;
    const found = await discoverArgoCd(sourced(yaml), argoContext(tree));
    expect(found.targets[0]?.unaffectedBecause).toBeUndefined();
    expect(found.notEvaluated).toEqual([
      expect.objectContaining({
        target: 'argocd:argocd/shop',
        weight: 'note',
        reason: expect.stringContaining('pinned to tag v1.0.0'),
      }),
    ]);
  });

  it.each([
    [`[${remote('[$other/a.yaml]')}, ${values()}]`, /the sources with a `ref` are \$values/],
    [`[${remote('[$values/a.yaml]')}]`, /no source has a `ref`/],
    [`[${remote('[$values/a.yaml]')}, ${values()}, ${values()}]`, /two sources have the ref/],
    [`[${remote('[$a.b/a.yaml]')}, {repoURL: '${ours}', ref: a.b}]`, /characters other than/],
    [`[${remote('[$values/a.yaml]')}, {repoURL: 'https://charts.example.org', chart: x, ref: values}]`, /is a chart/],
  ])('%s is refused', async (sources, reason) => {
    expect(await refusal(`sources: ${sources}`)).toMatch(reason);
  });

  it('in a single source `$` is a variable', async () => {
    expect((await helm(chart('{valueFiles: ["$values/a.yaml"]}'))).values).toEqual([{ kind: 'file', path: 'a.yaml' }]);
  });

  it('`sources` win over `source`, the hydrator over both', async () => {
    const both = await target(
      `source: {repoURL: '${ours}', path: envs/dev}, sources: [{repoURL: '${ours}', path: envs/prod}]`,
    );
    expect(both.sources).toMatchObject([{ path: 'envs/prod' }]);
    const hydrated = await target(
      `source: {repoURL: '${ours}', path: envs/dev}, sourceHydrator: {drySource: {repoURL: '${ours}', path: envs/prod, targetRevision: main}, syncSource: {targetBranch: env/prod, path: x}}`,
    );
    expect(hydrated.sources).toMatchObject([{ path: 'envs/prod' }]);
  });
});

describe('substitute is os.Expand', () => {
  const environment = new Map([['ARGOCD_APP_NAME', 'shop']]);
  // Right column: printed by Go's os.Expand with Argo CD's mapping.
  it.each([
    ['a-$ARGOCD_APP_NAME', 'a-shop'],
    ['${ARGOCD_APP_NAME}x', 'shopx'],
    ['$ARGOCD_APP_NAMEx', ''],
    ['$$ARGOCD_APP_NAME', '$ARGOCD_APP_NAME'],
    ['$', '$'],
    ['a$', 'a$'],
    ['a$ b', 'a$ b'],
    ['${}', ''],
    ['${a', 'a'],
    ['$1x', 'x'],
    ['${1}x', 'x'],
    ['${*}', ''],
    ['$-x', 'x'],
    ['$.', '$.'],
    ['${$}', '$'],
  ])('%s -> %s', (text, expected) => {
    expect(substitute(text, environment)).toBe(expected);
  });
});
