import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Target } from '../../src/core/model.ts';
import { discoverFiles, gitRepository, helmRelease, only, sourceOf } from '../kit/flux.ts';

const chartFiles = { 'charts/checkout/Chart.yaml': 'apiVersion: v2\nname: checkout\nversion: 1.0.0' };
const local =
  '  chart: {spec: {chart: ./charts/checkout, sourceRef: {kind: GitRepository, name: fleet, namespace: flux-system}}}\n';

/** The target of one HelmRelease with this spec; `more` are further documents of the same file. */
function target(spec: string, more = '', name = 'checkout'): Target {
  return only(
    discoverFiles({
      ...chartFiles,
      'apps/release.yaml': `${helmRelease(spec, name)}---\n${gitRepository()}---\n${more}`,
    }),
  );
}

const source = (kind: string, spec: string, name = 'charts'): string =>
  `apiVersion: source.toolkit.fluxcd.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;

describe('the chart', () => {
  const fromRepository = (version = '', extra = ''): string =>
    `  chart: {spec: {chart: podinfo, ${version === '' ? '' : `version: "${version}", `}sourceRef: {kind: HelmRepository, name: charts}${extra}}}`;

  test.each<[string, string, string, object]>([
    [
      'of a repository, with a range',
      fromRepository('6.x'),
      source('HelmRepository', '{url: "https://charts.example/a/"}'),
      { from: 'repository', url: 'https://charts.example/a', name: 'podinfo', version: '6.x' },
    ],
    [
      'of a repository, the newest',
      fromRepository('*'),
      source('HelmRepository', '{url: "https://charts.example"}'),
      { from: 'repository', url: 'https://charts.example', name: 'podinfo', version: '' },
    ],
    [
      'of an OCI repository of charts',
      fromRepository('1.2.3'),
      source('HelmRepository', '{url: "oci://registry.example/charts", type: oci}'),
      { from: 'oci', url: 'oci://registry.example/charts/podinfo', version: '1.2.3' },
    ],
    [
      'of an OCIRepository',
      '  chartRef: {kind: OCIRepository, name: charts}',
      source('OCIRepository', '{url: "oci://registry.example/podinfo", ref: {tag: "6.1.0"}}'),
      { from: 'oci', url: 'oci://registry.example/podinfo', version: '6.1.0' },
    ],
    [
      'of an OCIRepository, a range before a tag',
      '  chartRef: {kind: OCIRepository, name: charts}',
      source('OCIRepository', '{url: "oci://registry.example/podinfo", ref: {tag: "6.1.0", semver: ">=6"}}'),
      { from: 'oci', url: 'oci://registry.example/podinfo', version: '>=6' },
    ],
    [
      'of an OCIRepository by digest',
      '  chartRef: {kind: OCIRepository, name: charts}',
      source('OCIRepository', '{url: "oci://registry.example/podinfo", ref: {digest: "sha256:ab"}}'),
      { from: 'oci', url: 'oci://registry.example/podinfo', version: '', digest: 'sha256:ab' },
    ],
    [
      'of an OCIRepository without ref',
      '  chartRef: {kind: OCIRepository, name: charts}',
      source('OCIRepository', '{url: "oci://registry.example/podinfo"}'),
      { from: 'oci', url: 'oci://registry.example/podinfo', version: 'latest' },
    ],
    [
      'through a HelmChart',
      '  chartRef: {kind: HelmChart, name: podinfo}',
      `${source('HelmChart', '{chart: podinfo, version: "5", sourceRef: {kind: HelmRepository, name: charts}}', 'podinfo')}---\n${source('HelmRepository', '{url: "https://charts.example"}')}`,
      { from: 'repository', url: 'https://charts.example', name: 'podinfo', version: '5' },
    ],
    ['of this repository', local, '', { from: 'tree', path: 'charts/checkout' }],
    [
      'of another Git repository',
      '  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: charts}}}',
      source('GitRepository', '{url: "https://github.com/acme/other", ref: {tag: v3}}'),
      { from: 'git', url: 'https://github.com/acme/other', revision: 'v3', path: 'chart' },
    ],
  ])('%s', (_name, spec, more, chart) => {
    expect(sourceOf(target(spec, more), 'helm').chart).toEqual(chart);
  });

  test.each<[string, string, string]>([
    ['nothing named', '  interval: 1m', 'it names no chart (spec.chart.spec or spec.chartRef)'],
    [
      'a repository that is not here',
      fromRepository(),
      'HelmRepository shop/charts is not declared in this repository',
    ],
    [
      'a bucket',
      '  chart: {spec: {chart: x, sourceRef: {kind: Bucket, name: b}}}',
      'Bucket shop/b is not declared in this repository',
    ],
  ])('%s is not evaluated', (_name, spec, reason) => {
    expect(target(spec).sources).toMatchObject([{ type: 'unsupported', reason }]);
  });

  test('valuesFiles replace values.yaml, relative to the source, and are inputs', () => {
    const withFiles = local.replace(
      'spec: {chart',
      'spec: {valuesFiles: [./charts/checkout/values.yaml, envs/prod.yaml], ignoreMissingValuesFiles: true, chart',
    );
    const result = target(withFiles);
    expect(sourceOf(result, 'helm').chartValuesFiles).toEqual({
      files: ['charts/checkout/values.yaml', 'envs/prod.yaml'],
      ignoreMissing: true,
    });
    expect(result.inputs).toEqual(['apps/release.yaml', 'charts/checkout/', 'envs/prod.yaml']);
    expect(
      sourceOf(target(local.replace('spec: {chart', 'spec: {valuesFiles: [values.yaml], chart')), 'helm')
        .chartValuesFiles,
    ).toBeUndefined();
  });

  test('a pinned source is not reached by the change', () => {
    const found = discoverFiles({
      ...chartFiles,
      'apps/release.yaml': `${helmRelease(local)}---\n${gitRepository('{tag: v1}')}`,
    });
    expect(only(found).unaffectedBecause).toBe(
      'GitRepository flux-system/fleet is pinned to tag v1: this change reaches it only when the pin moves',
    );
  });
});

describe('names', () => {
  const long = 'a-release-name-that-is-much-longer-than-helm-allows-it-to-be';
  test.each<[string, string, string, string]>([
    ['', 'checkout', 'checkout', 'shop'],
    ['  targetNamespace: pay\n', 'checkout', 'pay-checkout', 'pay'],
    ['  targetNamespace: pay\n  releaseName: till\n', 'checkout', 'till', 'pay'],
    ['  storageNamespace: flux-system\n', 'checkout', 'checkout', 'shop'],
    ['', long, `${long.slice(0, 40)}-${createHash('sha256').update(long).digest('hex').slice(0, 12)}`, 'shop'],
    ['', long.slice(0, 53), long.slice(0, 53), 'shop'],
  ])('%j of %s is %s in %s', (spec, name, release, namespace) => {
    const result = target(spec + local, '', name);
    expect(sourceOf(result, 'helm')).toMatchObject({ release, namespace });
    expect(result.afterRender.defaultNamespace).toBe(namespace);
    expect(result.id).toBe(`flux:HelmRelease/shop/${name}`);
  });
});

describe('values', () => {
  const map = (name: string, data: string, kind = 'ConfigMap', namespace = 'shop'): string =>
    `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\n${data}\n---\n`;

  test('valuesFrom in order, then inline values, then target paths', () => {
    const result = sourceOf(
      target(
        `${local}  values: {replicas: 3}
  valuesFrom:
    - {kind: ConfigMap, name: base}
    - {kind: Secret, name: token, valuesKey: token, targetPath: auth.token}
    - {kind: ConfigMap, name: base, valuesKey: quoted, targetPath: version}
    - {kind: ConfigMap, name: base, valuesKey: file, targetPath: config, literal: true}
    - {kind: Secret, name: more, valuesKey: prod.yaml}`,
        map('base', 'data: {values.yaml: "replicas: 1", quoted: "\'1.20\'", file: "a,b={c}"}') +
          map('token', 'data: {token: czNjcjN0}', 'Secret') +
          map('more', 'stringData: {prod.yaml: "replicas: 2"}', 'Secret'),
      ),
      'helm',
    );
    expect(result.values).toEqual([
      { kind: 'text', yaml: 'replicas: 1', label: 'ConfigMap shop/base key values.yaml' },
      { kind: 'text', yaml: 'replicas: 2', label: 'Secret shop/more key prod.yaml' },
      { kind: 'inline', values: { replicas: 3 }, label: 'spec.values' },
    ]);
    expect(result.set).toEqual([
      { name: 'auth.token', value: 's3cr3t', type: 'set' },
      { name: 'version', value: '1.20', type: 'set-string' },
      { name: 'config', value: String.raw`a\,b=\{c\}`, type: 'set-string' },
    ]);
  });

  test('what cannot be read is unavailable; an optional key that is missing is nothing', () => {
    const result = sourceOf(
      target(
        `${local}  valuesFrom:
    - {kind: Secret, name: enc}
    - {kind: ConfigMap, name: gone, optional: true}
    - {kind: ConfigMap, name: here, valuesKey: none, optional: true}
    - {kind: ConfigMap, name: here, valuesKey: none}
    - {kind: ConfigMap, name: elsewhere}`,
        map('enc', 'stringData: {values.yaml: "ENC[x]"}\nsops: {}', 'Secret') +
          map('here', 'data: {a: b}') +
          map('elsewhere', 'data: {values.yaml: ""}', 'ConfigMap', 'other'),
      ),
      'helm',
    );
    expect(result.values).toEqual([
      { kind: 'unavailable', label: 'Secret shop/enc (is encrypted)', optional: false },
      { kind: 'unavailable', label: 'ConfigMap shop/gone (is not in this repository)', optional: true },
      { kind: 'unavailable', label: 'ConfigMap shop/here (has no key none)', optional: false },
      { kind: 'unavailable', label: 'ConfigMap shop/elsewhere (is not in this repository)', optional: false },
    ]);
  });

  test('two files with different values for one name: the nearer one, else neither', () => {
    const files = (where: string): Record<string, string> => ({
      ...chartFiles,
      'flux/sources.yaml': gitRepository(),
      [`${where}/release.yaml`]: helmRelease(`${local}  valuesFrom: [{kind: ConfigMap, name: vars}]`),
      'eu/vars.yaml': map('vars', 'data: {values.yaml: "region: eu"}'),
      'us/vars.yaml': map('vars', 'data: {values.yaml: "region: us"}'),
    });
    expect(sourceOf(only(discoverFiles(files('us/shop'))), 'helm').values).toMatchObject([{ yaml: 'region: us' }]);
    expect(sourceOf(only(discoverFiles(files('asia'))), 'helm').values).toMatchObject([
      { kind: 'unavailable', label: expect.stringContaining('several files') },
    ]);
  });
});

describe('the release', () => {
  test.each<[string, object]>([
    ['', { includeCrds: false, isUpgrade: true, skipTests: true }],
    ['install: {crds: Create}', { includeCrds: false }],
    ['upgrade: {crds: Create}', { includeCrds: true }],
    ['upgrade: {crds: CreateReplace}', { includeCrds: true }],
    ['test: {enable: true}', { skipTests: false }],
    ['upgrade: {disableSchemaValidation: true}', { skipSchemaValidation: true }],
    [
      'postRenderers: [{kustomize: {patches: [{patch: p, target: {kind: Deployment}}], images: [{name: a, newTag: "1"}]}}, {kustomize: {patchesStrategicMerge: [{kind: X}]}}]',
      {
        postRenderers: [
          { patches: [{ patch: 'p', target: { kind: 'Deployment' } }], images: [{ name: 'a', newTag: '1' }] },
          { patches: [{ patch: '{"kind":"X"}' }], images: [] },
        ],
      },
    ],
  ])('%s', (spec, expected) => {
    expect(sourceOf(target(`${local}  ${spec}`), 'helm')).toMatchObject(expected);
  });

  test.each<[string, object]>([
    ['', { mode: 'helm', prune: true, automated: true, selfHeal: false, onRemoval: 'deletes-objects' }],
    ['suspend: true', { suspended: true, automated: false, onRemoval: 'keeps-objects' }],
    ['upgrade: {force: true}', { force: true }],
    [
      'driftDetection: {mode: enabled, ignore: [{paths: [/spec/replicas]}]}',
      { selfHeal: true, ignoreDifferences: [{ paths: ['/spec/replicas'] }] },
    ],
    ['dependsOn: [{name: db, namespace: data}]', { dependsOn: ['flux:HelmRelease/data/db'] }],
  ])('%s is applied so', (spec, expected) => {
    expect(target(`${local}  ${spec}`).apply).toMatchObject(expected);
  });

  test('a chart that may bring Flux objects renders targets', () => {
    expect(target(local).rendersTargets).toBe(false);
    const found = discoverFiles({
      ...chartFiles,
      'charts/checkout/templates/ks.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: {{ .Release.Name }}}',
      'apps/release.yaml': `${helmRelease(local)}---\n${gitRepository()}`,
    });
    expect(only(found).rendersTargets).toBe(true);
  });
});
