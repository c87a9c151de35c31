import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDirectories } from '../../src/git/directories.ts';
import { chartInputs, kustomizeInputs } from '../../src/sources/closure.ts';
import { kustomizationRoots } from '../../src/sources/kustomization-roots.ts';
import { treeOf } from '../kit/sources.ts';
import { tempTree } from '../kit/tmp.ts';

const names = (directory: string): string[] =>
  ['Kustomization', 'kustomization.yaml', 'kustomization.yml'].map((name) => `${directory}/${name}`);

describe('kustomizeInputs', () => {
  test('follows every field that names a file', () => {
    const tree = treeOf({
      'app/kustomization.yaml': `
resources: [deployment.yaml, ../base, https://github.com/acme/other//deploy?ref=v1, github.com/acme/third]
bases: [../old]
components: [../parts/tls]
patches: [{path: patch.yaml}, {patch: "- op: remove"}]
patchesStrategicMerge: [merge.yaml, "apiVersion: v1\\nkind: X"]
patchesJson6902: [{path: json.yaml}]
configMapGenerator:
  - {name: a, files: [plain.conf, key=renamed.conf], envs: [a.env], env: b.env}
secretGenerator: [{name: s, files: [tls.crt]}]
configurations: [refs.yaml]
crds: [crd.json]
openapi: {path: schema.json}
replacements: [{path: replace.yaml}, {source: {kind: X}}]
helmGlobals: {chartHome: ../helm}
helmCharts: [{name: db, valuesFile: db.yaml, additionalValuesFiles: [more.yaml]}]
`,
      'base/kustomization.yml': 'resources: [service.yaml]',
      'base/service.yaml': '',
      'old/Kustomization': '',
      'parts/tls/kustomization.yaml': 'kind: Component\nresources: [../../base]',
      'helm/db/Chart.yaml': 'dependencies: [{name: lib, repository: "file://../../lib"}]',
      'lib/Chart.yaml': 'name: lib',
    });
    expect(kustomizeInputs(tree, './app/')).toEqual(
      [
        ...names('app'),
        ...'a.env b.env crd.json db.yaml deployment.yaml json.yaml merge.yaml more.yaml patch.yaml plain.conf refs.yaml renamed.conf replace.yaml schema.json tls.crt'
          .split(' ')
          .map((name) => `app/${name}`),
        // Resources that are missing may turn up as a file or as a directory.
        'app/deployment.yaml/',
        ...names('base'),
        'base/service.yaml',
        'helm/',
        'lib/',
        ...names('old'),
        ...names('parts/tls'),
      ].sort(),
    );
  });

  test('ends in a circle and outside of the tree', () => {
    const tree = treeOf({
      'a/kustomization.yaml': 'resources: [../b, ../../../etc]',
      'b/kustomization.yaml': 'resources: [../a]',
    });
    expect(kustomizeInputs(tree, 'a')).toEqual([...names('a'), ...names('b')]);
  });

  test('a kustomization that cannot be read makes the closure unknown', () => {
    expect(kustomizeInputs(treeOf({ 'a/kustomization.yaml': 'resources: [b' }), 'a')).toBe('unknown');
    expect(
      kustomizeInputs(
        treeOf({ 'a/kustomization.yaml': 'resources: [../b]', 'b/kustomization.yaml': 'x: *nothing' }),
        'a',
      ),
    ).toBe('unknown');
  });

  test('a directory without kustomization counts whole, with the kustomizations below it', () => {
    const tree = treeOf({
      'clusters/one/app.yaml': '',
      'clusters/one/sub/kustomization.yaml': 'resources: [../../../shared]',
      'shared/kustomization.yaml': '',
    });
    expect(kustomizeInputs(tree, 'clusters/one')).toEqual([...names('shared').sort(), 'clusters/one/'].sort());
    expect(kustomizeInputs(treeOf({ 'app.yaml': '' }), '.')).toEqual(['./']);
  });

  test('a missing base is an input, so that its appearance counts', () => {
    expect(kustomizeInputs(treeOf({ 'a/kustomization.yaml': 'resources: [../gone]' }), 'a')).toEqual([
      ...names('a'),
      'gone',
      'gone/',
    ]);
  });

  test('a directory with plugins counts whole', () => {
    expect(
      kustomizeInputs(treeOf({ 'a/kustomization.yaml': 'transformers: [labels.yaml]', 'a/labels.yaml': '' }), 'a'),
    ).toEqual(['a/']);
  });

  test('a key called __proto__ is nothing special', () => {
    expect(
      kustomizeInputs(treeOf({ 'a/kustomization.yaml': '__proto__: {resources: [evil.yaml]}\nresources: []' }), 'a'),
    ).toEqual(names('a'));
  });
});

describe('chartInputs', () => {
  test('follows file:// dependencies of both chart versions, transitively and in circles', () => {
    const tree = treeOf({
      'charts/app/Chart.yaml':
        'dependencies: [{name: lib, repository: "file://../lib"}, {name: pg, repository: "https://charts.example"}]',
      'charts/lib/Chart.yaml': 'name: lib',
      'charts/lib/requirements.yaml':
        'dependencies: [{name: app, repository: "file://../app/"}, {name: gone, repository: "file://../gone"}]',
    });
    expect(chartInputs(tree, 'charts/app')).toEqual(['charts/app/', 'charts/gone', 'charts/gone/', 'charts/lib/']);
  });

  test('a packaged chart is one file, a chart in the root is everything, a broken one is unknown', () => {
    expect(chartInputs(treeOf({ 'charts/app-1.0.0.tgz': 'x' }), 'charts/app-1.0.0.tgz')).toEqual([
      'charts/app-1.0.0.tgz',
    ]);
    expect(chartInputs(treeOf({ 'Chart.yaml': 'name: app' }), '.')).toEqual(['./']);
    expect(chartInputs(treeOf({ 'a/Chart.yaml': 'name: [' }), 'a')).toBe('unknown');
  });

  test('follows symbolic links inside the tree only', () => {
    const folder = tempTree({
      'charts/app/Chart.yaml': 'name: app',
      'common/files/a.txt': '',
      'real/Chart.yaml': 'name: real',
    });
    symlinkSync('../../common/files', join(folder, 'charts/app/files'));
    symlinkSync('/etc', join(folder, 'charts/app/outside'));
    symlinkSync('../real', join(folder, 'charts/linked'));
    const tree = openDirectories(folder, folder).after;
    expect(chartInputs(tree, 'charts/app')).toEqual(['charts/app/', 'common/files/']);
    expect(chartInputs(tree, 'charts/linked')).toEqual(['charts/linked', 'real/']);
  });
});

test('roots are kustomizations that nobody uses, components and Flux files aside', () => {
  const tree = treeOf({
    'overlays/prod/kustomization.yaml': 'resources: [../../base]\ncomponents: [../../parts/ha]',
    'overlays/dev/kustomization.yaml': 'resources: [../../base]',
    'base/kustomization.yaml': '',
    'parts/ha/kustomization.yaml': 'kind: Component',
    'parts/unused/kustomization.yaml': 'kind: Component',
    'flux/kustomization.yaml': 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}',
    'one/kustomization.yaml': 'resources: [../two]',
    'two/kustomization.yaml': 'resources: [../one]',
  });
  expect(kustomizationRoots(tree)).toEqual(['overlays/dev', 'overlays/prod']);
});
