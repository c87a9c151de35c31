import { describe, expect, test } from 'vitest';
import type { Target } from '../../src/core/model.ts';
import { selectTargets, type TargetChoice } from '../../src/sources/affected.ts';
import { treeOf } from '../kit/sources.ts';

const target = (overrides: Partial<Target> = {}): Target => ({
  id: 'flux:Kustomization/flux-system/apps',
  name: 'apps',
  engine: 'flux',
  scope: 'default',
  origin: { file: 'flux/apps.yaml', line: 1 },
  parents: [],
  sources: [{ type: 'kustomize', path: 'apps', loadRestrictions: 'none', enableHelm: false, generate: true }],
  afterRender: {},
  apply: { mode: 'server-side', prune: true, automated: true },
  inputs: ['apps/a.yaml', 'apps/base/'],
  rendersTargets: false,
  ...overrides,
});

function choose(before: Target | undefined, after: Target | undefined, changed: readonly string[] = []): TargetChoice {
  const tree = treeOf({ 'charts/app/Chart.yaml': '' });
  const [choice] = selectTargets(before === undefined ? [] : [before], after === undefined ? [] : [after], changed, {
    before: tree,
    after: tree,
  });
  return choice!;
}
const verdict = (choice: TargetChoice): [boolean, string] => [choice.affected, choice.reason];

describe('a target of both sides', () => {
  test.each<[string, string[], [boolean, string]]>([
    ['nothing changed', [], [false, 'no file that it reads changed']],
    [
      'another file',
      ['apps/b.yaml', 'apps/baseline/c.yaml', 'apps/a.yaml.orig'],
      [false, 'no file that it reads changed'],
    ],
    ['the file', ['apps/a.yaml'], [true, 'apps/a.yaml changed']],
    ['a file in the directory', ['z.yaml', 'apps/base/deep/x.yaml'], [true, 'apps/base/deep/x.yaml changed']],
    ['the first of several', ['apps/base/x.yaml', 'apps/a.yaml'], [true, 'apps/a.yaml changed']],
    ['the directory itself became a link', ['apps/base'], [true, 'apps/base changed']],
    ['a directory above became a link', ['apps'], [true, 'apps changed']],
  ])('%s', (_name, changed, expected) => {
    expect(verdict(choose(target(), target(), changed))).toEqual(expected);
  });

  test('the inputs of both sides count', () => {
    expect(verdict(choose(target({ inputs: ['old.yaml'] }), target({ inputs: [] }), ['old.yaml']))).toEqual([
      true,
      'old.yaml changed',
    ]);
    expect(verdict(choose(target({ inputs: [] }), target({ inputs: ['new/'] }), ['new/x']))).toEqual([
      true,
      'new/x changed',
    ]);
    expect(verdict(choose(target({ inputs: ['./'] }), target({ inputs: ['./'] }), ['b', 'a']))).toEqual([
      true,
      'a changed',
    ]);
    expect(verdict(choose(target({ inputs: [] }), target({ inputs: [] }), ['a']))).toEqual([
      false,
      'it reads no file of this repository',
    ]);
  });

  test('unknown inputs mean render', () => {
    expect(verdict(choose(target({ inputs: 'unknown' }), target({ inputs: 'unknown' })))).toEqual([
      true,
      'which files it reads cannot be told',
    ]);
  });

  test('a declaration that differs, key order and line aside', () => {
    const moved = target({
      origin: { file: 'flux/apps.yaml', line: 40, column: 2 },
      apply: { automated: true, prune: true, mode: 'server-side' },
    });
    expect(choose(target(), moved).affected).toBe(false);
    expect(
      verdict(choose(target(), target({ apply: { mode: 'server-side', prune: false, automated: true } }))),
    ).toEqual([true, 'its declaration changed (apply/prune)']);
    expect(verdict(choose(target(), target({ environment: 'prod' })))).toEqual([
      true,
      'its declaration changed (environment)',
    ]);
  });
});

test('where values come from is no difference, what they are is', () => {
  const release = (yaml: string, label: string): Target =>
    target({
      inputs: [],
      sources: [
        {
          type: 'helm',
          chart: { from: 'oci', url: 'oci://x/y', version: '1' },
          release: 'a',
          values: [{ kind: 'text', yaml, label }],
          set: [],
          includeCrds: false,
        },
      ],
    });
  expect(choose(release('a: 1', 'ConfigMap shop/vars-abc'), release('a: 1', 'ConfigMap shop/vars-def')).affected).toBe(
    false,
  );
  expect(verdict(choose(release('a: 1', 'x'), release('a: 2', 'x')))).toEqual([
    true,
    'its declaration changed (sources/0/values/0/yaml)',
  ]);
});

describe('a pinned target', () => {
  const pinned = (because: string, more: Partial<Target> = {}): Target =>
    target({ unaffectedBecause: because, ...more });

  test('is reached by its declaration only', () => {
    expect(verdict(choose(pinned('is pinned to v1'), pinned('is pinned to v1'), ['apps/a.yaml']))).toEqual([
      false,
      'is pinned to v1',
    ]);
    const edited = pinned('is pinned to v1', { afterRender: { defaultNamespace: 'shop' } });
    expect(verdict(choose(pinned('is pinned to v1'), edited))).toEqual([
      true,
      'its declaration changed (afterRender/defaultNamespace)',
    ]);
  });

  test('is withheld when the pin moves: neither tree holds what it deploys', () => {
    expect(choose(pinned('is pinned to v1'), pinned('is pinned to v2')).withhold).toContain(
      'is pinned to v1 -> is pinned to v2',
    );
    expect(choose(pinned('is pinned to v1'), target()).withhold).toContain('is pinned to v1 -> this branch');
  });
});

describe('what a pinned target renders', () => {
  const parent = (because: string, more: Partial<Target> = {}): Target =>
    target({ id: 'root', unaffectedBecause: because, ...more });
  const child = (more: Partial<Target> = {}): Target => target({ id: 'child', parents: ['root'], ...more });
  const tree = treeOf({ 'a.yaml': '' });
  const reasons = (before: readonly Target[], after: readonly Target[]): unknown[] =>
    selectTargets(before, after, ['apps/a.yaml'], { before: tree, after: tree }).map((choice) => [
      choice.id,
      choice.affected,
      choice.withhold !== undefined,
    ]);

  test('is not reached either, whatever the trees hold of it', () => {
    expect(reasons([parent('v1'), child()], [parent('v1'), child({ environment: 'x' })])).toEqual([
      ['child', false, false],
      ['root', false, false],
    ]);
    expect(reasons([parent('v1')], [parent('v1'), child()])).toEqual([
      ['child', false, false],
      ['root', false, false],
    ]);
  });

  test('is withheld with it, and judged by itself when the declaration of the parent changes', () => {
    expect(reasons([parent('v1'), child()], [parent('v2'), child()])).toEqual([
      ['child', true, true],
      ['root', true, true],
    ]);
    expect(reasons([parent('v1'), child()], [parent('v1', { environment: 'x' }), child()])).toEqual([
      ['child', true, false],
      ['root', true, false],
    ]);
  });
});

describe('a target of one side', () => {
  test('is added or removed', () => {
    expect(verdict(choose(undefined, target()))).toEqual([true, 'the change adds it']);
    expect(verdict(choose(target(), undefined))).toEqual([true, 'the change removes it']);
  });

  const chart = target({
    id: 'helm:charts/app',
    engine: 'helm',
    origin: { file: 'charts/app/Chart.yaml' },
    inputs: ['charts/app/'],
  });
  const release = target({
    id: 'flux:HelmRelease/shop/app',
    inputs: ['charts/app/'],
    declaredBy: { group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease', name: 'app' },
  });
  const trees = { before: treeOf({ 'charts/app/Chart.yaml': '' }), after: treeOf({ 'charts/app/Chart.yaml': '' }) };

  test('by convention only: what takes over its files is neither an addition nor a removal of it', () => {
    expect(
      selectTargets([chart], [release], [], trees).map((choice) => [choice.id, choice.affected, choice.reason]),
    ).toEqual([
      ['flux:HelmRelease/shop/app', true, 'the change adds it'],
      ['helm:charts/app', false, 'its files are read by flux:HelmRelease/shop/app now'],
    ]);
    expect(selectTargets([release], [chart], [], trees).map((choice) => choice.affected)).toEqual([true, false]);
  });

  test('a chart whose files are gone is removed', () => {
    const gone = { ...trees, after: treeOf({ 'other.yaml': '' }) };
    expect(selectTargets([chart], [], [], gone)[0]!.affected).toBe(true);
  });
});

describe('files beside a chart', () => {
  const files = (template: string) => ({
    'charts/app/Chart.yaml': '',
    'charts/app/values.yaml': '',
    'charts/app/values-prod.yaml': '',
    'charts/app/README.md': '',
    'charts/app/charts/lib/values.yaml': '',
    'charts/app/templates/x.yaml': template,
  });
  const chart = (environment: string): Target =>
    target({
      id: `helm:charts/app@${environment}`,
      engine: 'helm',
      origin: { file: 'charts/app/Chart.yaml' },
      inputs: ['charts/app/'],
      sources: [
        {
          type: 'helm',
          chart: { from: 'tree', path: 'charts/app' },
          release: 'app',
          values: [{ kind: 'file', path: `charts/app/values-${environment}.yaml` }],
          set: [],
          includeCrds: false,
        },
      ],
    });
  const affected = (changed: readonly string[], template = 'kind: X') => {
    const tree = treeOf(files(template));
    const targets = [chart('dev'), chart('prod')];
    return selectTargets(targets, targets, changed, { before: tree, after: tree })
      .filter((choice) => choice.affected)
      .map((choice) => choice.id);
  };
  const both = ['helm:charts/app@dev', 'helm:charts/app@prod'];

  test.each([
    ['values of one environment reach that one', 'charts/app/values-prod.yaml', ['helm:charts/app@prod']],
    ['the README reaches none', 'charts/app/README.md', []],
    ['a template reaches all', 'charts/app/templates/x.yaml', both],
    ['the default values reach all', 'charts/app/values.yaml', both],
    ['a subchart reaches all', 'charts/app/charts/lib/values.yaml', both],
  ])('%s', (_name, path, expected) => {
    expect(affected([path])).toEqual(expected);
  });

  test('a template that reads files makes every file count', () => {
    expect(affected(['charts/app/README.md'], '{{ .Files.Get "README.md" }}')).toEqual(both);
  });
});
