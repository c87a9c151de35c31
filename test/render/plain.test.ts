import { afterAll, describe, expect, test } from 'vitest';
import type { ManifestsSource } from '../../src/core/model.ts';
import { matchGlob } from '../../src/render/glob.ts';
import { manifestsOf, names, problemOf, target, testRenderer, treeWith } from './kit.ts';

const renderer = testRenderer();
afterAll(() => renderer.close());

const pod = (name: string): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`;
const source = (parts: Partial<ManifestsSource> = {}): ManifestsSource => ({
  type: 'manifests',
  path: 'app',
  recurse: false,
  rules: 'argocd',
  ...parts,
});
const render = (files: Record<string, string>, parts: Partial<ManifestsSource> = {}) =>
  renderer.render(target(source(parts), { engine: 'argocd' }), treeWith(files));

describe("Argo CD's directory sources", () => {
  const files = {
    'app/a.yaml': pod('a'),
    'app/b.yml': pod('b'),
    'app/c.json': '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "c"}}',
    'app/d.txt': pod('d'),
    'app/deep/e.yaml': pod('e'),
    'app/skip.yaml': `# +argocd:skip-file-rendering\n${pod('skip')}`,
  };

  test('top level only, unless recurse', async () => {
    expect(names(manifestsOf(await render(files)))).toEqual(['Pod/a', 'Pod/b', 'Pod/c']);
    expect(names(manifestsOf(await render(files, { recurse: true })))).toEqual(['Pod/a', 'Pod/b', 'Pod/c', 'Pod/e']);
  });

  test('exclude before include, on the path below the source', async () => {
    expect(names(manifestsOf(await render(files, { recurse: true, include: '*.yaml' })))).toEqual(['Pod/a', 'Pod/e']);
    expect(
      names(manifestsOf(await render(files, { recurse: true, include: '{a,deep/*}.yaml', exclude: 'deep/*' }))),
    ).toEqual(['Pod/a']);
  });

  test('a folder that is applied as it stands: what only kustomize reads is no object', async () => {
    const mixed = {
      'app/a.yaml': pod('a'),
      'app/kustomization.yaml': 'resources: [a.yaml]\n',
      'app/deep/kustomization.yml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
      'app/part.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nmetadata: {name: part}\n---\n' + pod('b'),
      // Flux's Kustomization is an object.
      'app/flux.yaml': 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n',
    };
    expect(names(manifestsOf(await render(mixed, { rules: 'plain', recurse: true })))).toEqual([
      'Pod/a',
      'Kustomization/apps',
      'Pod/b',
    ]);
  });

  test('manifests know their file and line', async () => {
    const manifests = manifestsOf(await render({ 'app/a.yaml': `# head\n${pod('a')}---\n\n${pod('b')}` }));
    expect(manifests.map(({ provenance }) => provenance)).toEqual([
      { file: 'app/a.yaml', line: 2 },
      { file: 'app/a.yaml', line: 7 },
    ]);
  });

  test('YAML that does not look like a manifest is passed over, a broken manifest is not', async () => {
    expect(
      names(
        manifestsOf(
          await render({ 'app/a.yaml': pod('a'), 'app/values.yaml': 'replicas: 2\n', 'app/t.yaml': '{{ x }}: [\n' }),
        ),
      ),
    ).toEqual(['Pod/a']);
    expect(problemOf(await render({ 'app/a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: [}\n' }))).toMatchObject(
      { kind: 'render', location: { file: 'app/a.yaml', line: 3 } },
    );
    expect(problemOf(await render({ 'app/a.yaml': `${pod('a')}---\nreplicas: 2\n` }))).toMatchObject({
      kind: 'render',
      location: { file: 'app/a.yaml', line: 5 },
    });
  });

  test('plain folders are stricter', async () => {
    expect(problemOf(await render({ 'app/values.yaml': 'replicas: 2\n' }, { rules: 'plain' })).message).toContain(
      'apiVersion is missing',
    );
  });

  test('jsonnet is said to be unsupported, unless excluded', async () => {
    expect(problemOf(await render({ 'app/x.jsonnet': '{}' }))).toMatchObject({
      kind: 'unsupported',
      location: { file: 'app/x.jsonnet' },
    });
    expect(
      manifestsOf(await render({ 'app/x.jsonnet': '{}', 'app/a.yaml': pod('a') }, { exclude: '*.jsonnet' })),
    ).toHaveLength(1);
  });

  test('a single file, a missing path, a way out', async () => {
    expect(names(manifestsOf(await render(files, { path: 'app/deep/e.yaml' })))).toEqual(['Pod/e']);
    expect(problemOf(await render(files, { path: 'nowhere' })).message).toContain('does not exist');
    expect(problemOf(await render(files, { path: '../..' })).message).toContain('leads out');
  });

  test('several sources are put together, an unsupported one fails the target', async () => {
    const tree = treeWith(files);
    const both = await renderer.render(
      target([source({ include: 'a.yaml' }), source({ include: 'b.yml' })], { engine: 'argocd' }),
      tree,
    );
    expect(names(manifestsOf(both))).toEqual(['Pod/a', 'Pod/b']);
    const result = await renderer.render(
      target([source(), { type: 'unsupported', reason: 'a plugin', next: 'none' }]),
      tree,
    );
    expect(problemOf(result)).toEqual({
      kind: 'unsupported',
      message: 'a plugin',
      next: 'none',
      location: { file: 'gate.yaml', line: 1 },
    });
  });
});

test.each([
  ['*.yaml', 'a/b.yaml', true],
  ['*.yaml', 'a.yml', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['{a,b*}/c', 'bbb/c', true],
  ['{a,{b,c}d}', 'cd', true],
  ['\\*', '*', true],
  ['\\*', 'x', false],
  ['**/x', 'a/b/x', true],
  ['', '', true],
])('glob %s on %s', (pattern, text, expected) => {
  expect(matchGlob(pattern, text)).toBe(expected);
});

test('no glob is slow', () => {
  const started = performance.now();
  expect(matchGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(2000))).toBe(false);
  matchGlob('{'.repeat(5000), 'a');
  expect(performance.now() - started).toBeLessThan(30_000);
});
