import { describe, expect, test } from 'vitest';
import type { Target } from '../../src/core/model.ts';
import { unclaimedChanges } from '../../src/pipeline/unclaimed.ts';
import { openDirectories } from '../../src/git/directories.ts';
import { tempTree } from '../kit/tmp.ts';

const chart = {
  'hub/Chart.yaml':
    'apiVersion: v2\nname: hub\nversion: 1.0.0\ndependencies: [{name: notebooks, version: 1.x, repository: "https://charts.example.org"}]\n',
  'hub/values.yaml': 'ingress: {enabled: false}\nnotebooks: {replicas: 2}\n',
};

function unclaimed(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  targets: readonly Target[] = [],
) {
  const trees = openDirectories(tempTree({ ...chart, ...before }, 'before'), tempTree({ ...chart, ...after }, 'after'));
  return unclaimedChanges(
    trees,
    targets,
    { complete: new Set(), open: new Set(['sets/all.yaml']) },
    { detect: true, exclude: [] },
  ).map((entry) => [entry.what, entry.weight, entry.reason]);
}

const reader = (inputs: readonly string[]): Target => ({
  id: 'helm:hub',
  name: 'hub',
  engine: 'helm',
  scope: 'helm:hub',
  origin: { file: 'hub/Chart.yaml' },
  parents: [],
  sources: [],
  afterRender: {},
  apply: { mode: 'helm', prune: true, automated: 'unknown' },
  inputs,
  rendersTargets: false,
});

describe('values that a script passes to Helm', () => {
  test('have the keys of a chart of the tree', () => {
    const path = 'config/prod.yaml';
    expect(unclaimed({ [path]: 'notebooks: {replicas: 3}\n' }, { [path]: 'notebooks: {replicas: 4}\n' })).toEqual([
      [path, 'incomplete', expect.stringContaining('values of the chart hub')],
    ]);
    expect(unclaimed({ [path]: '' }, { [path]: 'ingress: {enabled: true}\nglobal: {host: example.org}\n' })).toEqual([
      [path, 'incomplete', expect.stringContaining('values of the chart hub')],
    ]);
  });

  test.each([
    ['other keys', 'notebooks: {replicas: 4}\nlanguage: python\n'],
    ['one key that many files have', 'ingress: {enabled: true}\n'],
    ['a list', '- notebooks\n'],
    ['nothing', '# notebooks\n'],
    ['broken YAML', 'notebooks: [\n'],
  ])('%s: another file', (_name, text) => {
    expect(unclaimed({ 'config/prod.yaml': '' }, { 'config/prod.yaml': text })).toEqual([]);
  });

  test('are claimed by the target that reads them', () => {
    const path = 'config/prod.yaml';
    const after = { [path]: 'notebooks: {replicas: 4}\n' };
    expect(unclaimed({ [path]: '' }, after, [reader(['hub/', path])])).toEqual([]);
  });
});

test('a manifest that some other tool fills in is called a template', () => {
  const manifest = (image: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nspec: {image: "${image}"}\n{{ if .Prod }}\n{{ end }}\n`;
  expect(
    unclaimed({ 'manifests/app/deploy.yaml': manifest('a') }, { 'manifests/app/deploy.yaml': manifest('b') }),
  ).toEqual([
    ['manifests/app/deploy.yaml', 'incomplete', expect.stringContaining('template that some other tool fills in')],
  ]);
});

test.each(['samples/app.yaml', 'starters/web/Chart.yaml', 'e2e/app.yaml', '.ci/app.yaml', 'compose.yaml'])(
  '%s is deployed by nobody',
  (path) => {
    const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n';
    expect(unclaimed({}, { [path]: manifest })).toEqual([]);
  },
);

test('configuration of a tool that no API server sees is deployed by nobody', () => {
  const entity = 'apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: shop}\n';
  expect(unclaimed({}, { 'catalog/shop.yaml': entity })).toEqual([]);
});

describe('an ApplicationSet that cannot be expanded completely', () => {
  const set = (revision: string): Readonly<Record<string, string>> => ({
    'sets/all.yaml': `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: {revision: ${revision}}\n`,
  });

  test('and changes leaves the verdict open', () => {
    expect(unclaimed(set('a'), set('b'))).toEqual([
      ['sets/all.yaml', 'incomplete', expect.stringContaining('which Applications it generates is not fully known')],
    ]);
  });

  test('in a file that a target renders is told by the difference of that target', () => {
    expect(unclaimed(set('a'), set('b'), [reader(['sets/'])])).toEqual([]);
  });
});

describe('a file that git-crypt encrypted', () => {
  const sealed = (text: string): Readonly<Record<string, string>> => ({ 'secrets/prod.yaml': `\0GITCRYPT\0${text}` });

  test('is a note', () => {
    expect(unclaimed(sealed('a'), sealed('b'))).toEqual([
      ['secrets/prod.yaml', 'note', expect.stringContaining('encrypted by git-crypt')],
    ]);
  });

  test('that a target reads cannot be judged', () => {
    expect(unclaimed(sealed('a'), sealed('b'), [reader(['secrets/'])])).toEqual([
      ['secrets/prod.yaml', 'incomplete', expect.stringContaining('encrypted by git-crypt')],
    ]);
  });
});

describe('what looks like a manifest', () => {
  const changes = (text: string, path = 'nodes/a.yaml.j2') => unclaimed({}, { [path]: text });

  test.each([
    ['a core object', 'apiVersion: v1\nkind: Namespace\n'],
    ['of a group', 'apiVersion: "apps/v1"\nkind: Deployment\n'],
    ['with a version that is filled in', 'apiVersion: {{ version }}\nkind: Deployment\n'],
  ])('%s', (_name, text) => {
    expect(changes(text)).toEqual([['nodes/a.yaml.j2', 'incomplete', expect.any(String)]]);
  });

  test('not a version that the core group does not have: the configuration of nodes', () => {
    const machine = 'version: v1alpha1\nmachine: {token: {{ token }}}\n---\napiVersion: v1alpha1\nkind: BondConfig\n';
    expect(changes(machine)).toEqual([]);
    expect(changes('apiVersion: v1beta4\nkind: Something\n', 'nodes/b.yaml')).toEqual([]);
  });
});
