import { describe, expect, test } from 'vitest';
import type { Target } from '../../src/core/model.ts';
import { discoverFlux } from '../../src/sources/flux.ts';
import { discoverFiles, fluxContext, gitRepository, kustomization, only, sourceOf } from '../kit/flux.ts';
import { sourced, testConfig, treeOf } from '../kit/sources.ts';

const apps = { 'apps/kustomization.yaml': 'resources: [a.yaml]', 'apps/a.yaml': 'a: 1' };

/** The target of one Kustomization with this spec; `more` are further documents of the same file. */
function target(spec: string, more = gitRepository(), overrides: Parameters<typeof discoverFiles>[1] = {}): Target {
  return only(discoverFiles({ ...apps, 'flux/ks.yaml': `${kustomization(spec)}---\n${more}` }, overrides));
}

describe('the source', () => {
  test('paths are read as the controller joins them: from the root of the source, never out of it', () => {
    for (const path of ['apps', './apps/', '/apps', '../../apps', 'x/../apps']) {
      expect(sourceOf(target(`  path: "${path}"`), 'kustomize').path).toBe('apps');
    }
    expect(sourceOf(target('  path: ./'), 'kustomize').path).toBe('.');
  });

  test.each<[string, string, string | undefined]>([
    ['the branch of the change', '{branch: main}', undefined],
    ['a branch by name', '{name: refs/heads/main}', undefined],
    [
      'another branch',
      '{branch: release}',
      'GitRepository flux-system/fleet follows branch release, and this change goes to main: it reaches it only when it gets there',
    ],
    [
      'no ref is master',
      '{}',
      'GitRepository flux-system/fleet follows branch master, and this change goes to main: it reaches it only when it gets there',
    ],
    [
      'a tag',
      '{branch: main, tag: v1.2.0}',
      'GitRepository flux-system/fleet is pinned to tag v1.2.0: this change reaches it only when the pin moves',
    ],
    [
      'a tag by name',
      '{tag: v1, name: refs/tags/v2}',
      'GitRepository flux-system/fleet is pinned to tag v2: this change reaches it only when the pin moves',
    ],
    [
      'a range before a tag',
      '{tag: v1, semver: ">=1.0.0"}',
      'GitRepository flux-system/fleet follows tags in the range >=1.0.0: this change reaches it only with a new tag',
    ],
    [
      'a commit before everything',
      '{commit: 0123456789abcdef0123456789abcdef01234567, name: refs/heads/main}',
      'GitRepository flux-system/fleet is pinned to commit 0123456789: this change reaches it only when the pin moves',
    ],
  ])('%s', (_name, ref, because) => {
    expect(target('  path: apps', gitRepository(ref)).unaffectedBecause).toBe(because);
  });

  test('a branch that cannot be compared is taken as reached', () => {
    expect(
      target('  path: apps', gitRepository('{branch: release}'), { branches: [] }).unaffectedBecause,
    ).toBeUndefined();
  });

  test('another repository is not rendered, and not called unaffected when its declaration changes', () => {
    const other = target('  path: apps', gitRepository('{tag: v1}', 'fleet', 'https://github.com/acme/other'));
    expect(other.sources).toMatchObject([
      { type: 'unsupported', reason: expect.stringContaining('https://github.com/acme/other at v1') },
    ]);
    expect(other.unaffectedBecause).toBeUndefined();
    expect(other.rendersTargets).toBe(false);
  });

  test('every spelling of a remote, and the URLs of gate.yaml, are this repository', () => {
    for (const url of [
      'git@github.com:acme/fleet.git',
      'https://GitHub.com/Acme/fleet',
      'ssh://git@ssh.github.com:443/acme/fleet.git',
    ]) {
      expect(target('  path: apps', gitRepository('{branch: main}', 'fleet', url)).sources[0]!.type).toBe('kustomize');
    }
  });

  test('a source that is not in the tree is assumed to be this repository when the path exists, and noted', () => {
    const found = discoverFiles({ ...apps, 'flux/ks.yaml': kustomization('  path: apps') });
    expect(only(found).sources[0]!.type).toBe('kustomize');
    expect(found.notEvaluated).toMatchObject([{ what: 'GitRepository flux-system/fleet', weight: 'note' }]);
    const missing = only(discoverFiles({ 'flux/ks.yaml': kustomization('  path: nowhere') }));
    expect(missing.sources[0]).toMatchObject({
      type: 'unsupported',
      reason: 'GitRepository flux-system/fleet is not declared in this repository',
    });
  });

  test('the repository that bootstraps itself is this one, also as a fork, and so is every source with its URL', () => {
    const url = 'ssh://git@git.example/infra/fleet';
    const found = discoverFiles({
      ...apps,
      'clusters/a/flux-system/gotk-sync.yaml': `${gitRepository('{branch: main}', 'flux-system', url)}---\n${kustomization('  path: clusters/a', 'flux-system').replace('name: fleet', 'name: flux-system')}`,
      'other/ks.yaml': `${gitRepository('{branch: main}', 'fleet', url)}---\n${kustomization('  path: apps')}`,
    });
    expect(found.targets.map((item) => item.sources[0]!.type)).toEqual(['kustomize', 'kustomize']);
  });

  test('an artifact of unknown content is assumed to be built from here only when its path exists', () => {
    const oci = (path: string): Target =>
      only(
        discoverFiles({
          ...apps,
          'flux/ks.yaml': `${kustomization(`  path: ${path}`).replace('GitRepository', 'OCIRepository')}---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: fleet, namespace: flux-system}
spec: {url: "oci://registry.example/manifests"}`,
        }),
      );
    expect(oci('apps').sources[0]).toMatchObject({ type: 'kustomize', path: 'apps' });
    expect(oci('./').sources[0]!.type).toBe('unsupported');
  });
});

describe('the edits', () => {
  test('are passed on, the older patch fields as patches in the order in which kustomize runs them', () => {
    const source = sourceOf(
      target(
        `  path: apps
  targetNamespace: shop
  namePrefix: a-
  nameSuffix: -z
  components: [../parts/ha]
  ignoreMissingComponents: true
  patches: [{patch: "x", target: {kind: Deployment, labelSelector: "a=b"}, options: {allowNameChange: true}}]
  patchesStrategicMerge: [{kind: Deployment, metadata: {name: api}}]
  patchesJson6902: [{patch: [{op: remove, path: /a}], target: {kind: Service, name: api}}]
  images: [{name: api, newTag: "2", unknown: x}]`,
        gitRepository().replace('ref:', 'ignore: "/docs", ref:'),
      ),
      'kustomize',
    );
    expect(source).toEqual({
      type: 'kustomize',
      path: 'apps',
      loadRestrictions: 'none',
      enableHelm: false,
      generate: true,
      flux: {
        targetNamespace: 'shop',
        namePrefix: 'a-',
        nameSuffix: '-z',
        components: ['../parts/ha'],
        ignoreMissingComponents: true,
        patches: [
          { patch: '{"kind":"Deployment","metadata":{"name":"api"}}' },
          { patch: 'x', target: { kind: 'Deployment', labelSelector: 'a=b' } },
          { patch: '[{"op":"remove","path":"/a"}]', target: { kind: 'Service', name: 'api' } },
        ],
        images: [{ name: 'api', newTag: '2' }],
        ignore: '/docs',
      },
    });
  });

  test('inputs hold the closure, added components, ignore files and the declaration', () => {
    expect(target('  path: apps\n  components: [../parts/ha]').inputs).toEqual(
      [
        '.sourceignore',
        'apps/.sourceignore',
        'apps/Kustomization',
        'apps/a.yaml',
        'apps/kustomization.yaml',
        'apps/kustomization.yml',
        'flux/ks.yaml',
        'parts/ha',
        'parts/ha/',
      ].sort(),
    );
  });
});

describe('what the engine does', () => {
  test.each<[string, object]>([
    ['prune: true', { prune: true, automated: true, onRemoval: 'deletes-objects' }],
    ['prune: false', { prune: false, onRemoval: 'keeps-objects' }],
    ['prune: true\n  suspend: true', { prune: true, automated: false, suspended: true, onRemoval: 'keeps-objects' }],
    ['prune: true\n  deletionPolicy: Orphan', { prune: true, onRemoval: 'keeps-objects' }],
    ['prune: false\n  deletionPolicy: Delete', { prune: false, onRemoval: 'deletes-objects' }],
    ['prune: true\n  force: true', { force: true, mode: 'server-side' }],
    ['ignore: [{paths: [/spec/replicas]}]', { ignoreDifferences: [{ paths: ['/spec/replicas'] }] }],
    [
      'dependsOn: [{name: a}, {name: b, namespace: other}]',
      { dependsOn: ['flux:Kustomization/flux-system/a', 'flux:Kustomization/other/b'] },
    ],
  ])('%s', (spec, expected) => {
    expect(target(`  path: apps\n  ${spec}`).apply).toMatchObject(expected);
  });

  test('commonMetadata and decryption', () => {
    const found = discoverFiles({
      ...apps,
      'flux/ks.yaml': `${gitRepository()}---\n${kustomization('  path: apps\n  commonMetadata: {labels: {team: a}}\n  decryption: {provider: sops}')}`,
    });
    expect(only(found).afterRender.commonMetadata).toEqual({ labels: { team: 'a' } });
    expect(found.notEvaluated).toMatchObject([{ what: 'encrypted values (SOPS)', weight: 'note' }]);
  });
});

describe('postBuild', () => {
  const postBuild = (spec: string, documents = '', overrides = {}): NonNullable<Target['afterRender']['substitute']> =>
    target(`  path: apps\n  postBuild: ${spec}`, `${gitRepository()}---\n${documents}`, overrides).afterRender
      .substitute!;
  const map = (name: string, data: string, kind = 'ConfigMap'): string =>
    `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: flux-system}\n${data}\n---\n`;

  test('without it nothing is substituted', () => {
    expect(target('  path: apps').afterRender.substitute).toBeUndefined();
    expect(postBuild('{}')).toMatchObject({ vars: {}, always: false });
    expect(postBuild('{substituteStrategy: Always}').always).toBe(true);
  });

  test('later sources win, inline values last, line breaks go', () => {
    const documents =
      map('one', 'data: {a: "1", b: "1", c: "1"}') +
      map('two', 'stringData: {b: "2", c: "2"}\ndata: {d: NA==}', 'Secret');
    expect(
      postBuild(
        '{substituteFrom: [{kind: ConfigMap, name: one}, {kind: Secret, name: two}], substitute: {c: "3\\n3"}}',
        documents,
      ).vars,
    ).toEqual({
      a: '1',
      b: '2',
      c: '33',
      d: '4',
    });
  });

  test('what cannot be read is missing, with the reason', () => {
    const documents = map('enc', 'stringData: {a: "ENC[AES256_GCM,data:x]"}\nsops: {version: "3"}', 'Secret');
    const spec = '{substituteFrom: [{kind: Secret, name: enc, optional: true}, {kind: ConfigMap, name: gone}]}';
    expect(postBuild(spec, documents).missing).toEqual([
      { label: 'Secret flux-system/enc (is encrypted)', optional: true },
      { label: 'ConfigMap flux-system/gone (is not in this repository)', optional: false },
    ]);
  });

  test('a ConfigMap of the cluster evidence counts when the tree has none', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'live', namespace: 'flux-system' },
      data: { zone: 'eu' },
    };
    const cluster = { name: 'a', objects: [object], metrics: [], kinds: new Set<string>() };
    expect(postBuild('{substituteFrom: [{kind: ConfigMap, name: live}]}', '', { cluster }).vars).toEqual({
      zone: 'eu',
    });
  });

  test('undefined variables are errors from Flux 2.9, unless the configuration says otherwise', () => {
    const strict = (version: string, strictSubstitutions: boolean | 'by-version' = 'by-version'): boolean =>
      postBuild('{}', '', { config: testConfig({ flux: { version, strictSubstitutions } }) }).strict;
    expect([
      strict('2.8.8'),
      strict('v2.9.0'),
      strict('2.10'),
      strict('latest'),
      strict('2.8', true),
      strict('2.9', false),
    ]).toEqual([false, true, true, true, true, false]);
  });
});

test('odd input gives targets or nothing, never an exception', () => {
  const odd = [
    'spec: 1',
    'spec: {path: 7, sourceRef: x, patches: {a: 1}, postBuild: [1], dependsOn: {}, prune: "yes"}',
    'spec: {__proto__: {path: apps}}',
    '',
  ];
  for (const spec of odd) {
    const yaml = `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\n${spec}`;
    const found = discoverFlux(sourced(yaml), fluxContext(treeOf({ 'apps/apps.yaml': '' })));
    expect(found.targets).toHaveLength(1);
  }
  const unnamed = 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {}';
  expect(discoverFlux(sourced(unnamed), fluxContext(treeOf({ 'a.yaml': '' }))).targets).toEqual([]);
});
