import { execFile } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import type { ArgoKustomizeEdits, FluxKustomizeEdits, KustomizeSource, Manifest } from '../../src/core/model.ts';
import { parseManifests } from '../../src/render/parse.ts';
import { goMissing, runGo } from '../kit/go-oracle.ts';
import { tempDir } from '../kit/tmp.ts';
import { hasTool, toolPath } from '../kit/tools.ts';
import { fixtures, fixtureTree, manifestsOf, names, problemOf, target, testRenderer, treeOf, treeWith } from './kit.ts';
import { yamlOracle } from './oracle.ts';

const run = promisify(execFile);
const hasKustomize = await hasTool('kustomize');
const hasHelm = await hasTool('helm');
const noGo = await goMissing();
const renderer = testRenderer();
afterAll(() => renderer.close());

const folder = join(fixtures, 'kustomize/shop');
const prod = 'overlays/prod';

function source(path: string, parts: Partial<KustomizeSource> = {}): KustomizeSource {
  return { type: 'kustomize', path, loadRestrictions: 'root-only', enableHelm: false, generate: false, ...parts };
}

async function build(path: string, parts: Partial<KustomizeSource> = {}): Promise<readonly Manifest[]> {
  return manifestsOf(
    await renderer.render(target(source(path, parts), { engine: 'argocd' }), fixtureTree('kustomize/shop')),
  );
}

describe.skipIf(!hasKustomize)('kustomize build', () => {
  test.skipIf(noGo !== undefined)(
    'gives what kustomize prints, read by the Go library',
    { timeout: 120_000 },
    async () => {
      const { stdout } = await run(await toolPath('kustomize'), ['build', join(folder, prod)]);
      const oracle = await runGo(yamlOracle, [['sigs.k8s.io/yaml', 'v1.6.0']], stdout);
      expect((await build(prod)).map(({ object }) => object)).toEqual(oracle);
    },
  );

  test('names the file that declares an object', async () => {
    const manifests = await build(prod, { argocd: { namePrefix: 'eu-' } });
    const deployment = manifests.find(({ ref }) => ref.kind === 'Deployment');
    expect(deployment?.ref.name).toBe('eu-web');
    expect(deployment?.provenance).toMatchObject({ file: 'base/deployment.yaml', line: 1 });
  });

  test('refuses what is elsewhere, and says where', async () => {
    const render = async (
      kustomization: string,
      more: Record<string, string> = {},
      parts: Partial<KustomizeSource> = {},
    ) =>
      problemOf(
        await renderer.render(
          target(source('app', parts)),
          treeWith({ 'app/kustomization.yaml': kustomization, ...more }),
        ),
      );
    for (const url of [
      'https://github.com/org/repo//base?ref=v1',
      'github.com/org/repo/base',
      'git@example.org:org/repo',
      'https://example.org/crds.yaml',
    ]) {
      expect(await render(`resources: ["${url}"]`)).toMatchObject({
        kind: 'missing-input',
        unreachable: true,
        message: expect.stringContaining(url),
        location: { file: 'app/kustomization.yaml' },
      });
    }
    expect(await render('resources: [../../../../etc]')).toMatchObject({
      kind: 'render',
      message: expect.stringContaining('leads out'),
    });
    expect(await render('resources: [/etc/passwd]', {}, { loadRestrictions: 'none' })).toMatchObject({
      kind: 'render',
    });
    expect(
      await render('configMapGenerator: [{name: x, files: [../../../etc/passwd]}]', {}, { loadRestrictions: 'none' }),
    ).toMatchObject({ message: expect.stringContaining('leads out') });
    expect(
      await render(
        'generators: [gen.yaml]',
        {
          'app/gen.yaml':
            'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: [../../../../../etc/passwd]\n',
        },
        { loadRestrictions: 'none' },
      ),
    ).toMatchObject({ message: expect.stringContaining('leads out') });
    expect(await render('helmCharts: [{name: x, repo: https://example.org}]')).toMatchObject({
      kind: 'unsupported',
      next: expect.stringContaining('kustomizeBuildOptions'),
    });
    expect(await render('resources: [gone.yaml]')).toMatchObject({
      kind: 'render',
      location: { file: 'app/kustomization.yaml' },
    });
    expect(await render('resources: [a: b')).toMatchObject({
      kind: 'render',
      location: { file: 'app/kustomization.yaml' },
    });
    expect(problemOf(await renderer.render(target(source('none')), treeWith({ a: '' }))).message).toContain(
      'does not exist',
    );
    expect(problemOf(await renderer.render(target(source('app')), treeWith({ 'app/a.yaml': '' }))).message).toContain(
      'no kustomization',
    );
  });

  test('programs never run', async () => {
    const marker = join(tempDir(), 'ran');
    const tree = treeWith({
      'app/kustomization.yaml': 'resources: [cm.yaml]\ntransformers: [t.yaml]\n',
      'app/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n',
      'app/t.yaml': `apiVersion: example.org/v1\nkind: Touch\nmetadata:\n  name: t\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./touch.sh}\n`,
      'app/touch.sh': `#!/bin/sh\ntouch ${marker}\n`,
    });
    expect(problemOf(await renderer.render(target(source('app')), tree)).kind).toBe('unsupported');
    expect(existsSync(marker)).toBe(false);
  });

  describe('KSOPS', () => {
    const generator = (...files: readonly string[]): string =>
      `apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata:\n  name: secrets\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ksops}\nfiles: ${JSON.stringify(files)}\n`;
    const encrypted = (name: string, more = ''): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: '${name}'}\nstringData:\n  password: ENC[AES256_GCM,data:aGVsbG8=,iv:eA==,tag:eQ==,type:str]\n${more}sops:\n  version: 3.9.0\n`;

    test('its objects are found, with values as they stand', async () => {
      const result = await renderer.render(
        target(source('app/overlay')),
        treeWith({
          'app/overlay/kustomization.yaml': 'namespace: shop\nresources: [../base]\n',
          'app/base/kustomization.yaml': 'namePrefix: web-\ngenerators: [secrets.yaml]\n',
          'app/base/secrets.yaml': generator('db.enc.yaml', '../../secrets/mail.enc.yaml'),
          'app/base/db.enc.yaml': `${encrypted('db')}---\n${encrypted('cache')}`,
          'secrets/mail.enc.yaml': encrypted('mail'),
        }),
      );
      expect(
        manifestsOf(result)
          .map(({ ref }) => `${ref.kind}/${ref.namespace}/${ref.name}`)
          .sort(),
      ).toEqual(['Secret/shop/web-cache', 'Secret/shop/web-db', 'Secret/shop/web-mail']);
      expect(manifestsOf(result).every(({ object }) => object['sops'] === undefined)).toBe(true);
      expect(result.ok && result.warnings).toEqual([expect.stringMatching(/^encrypted: /)]);
    });

    test('an object that merges into another, or replaces its data', async () => {
      const sealed = (name: string, behavior: string): string =>
        `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  annotations: {kustomize.config.k8s.io/behavior: ${behavior}}\ndata: {secret: "ENC[x]"}\nsops: {}\n`;
      const plain = (name: string): string =>
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {open: "1"}\n`;
      const result = await renderer.render(
        target(source('app')),
        treeWith({
          'app/kustomization.yaml': 'namePrefix: web-\nresources: [a.yaml, b.yaml]\ngenerators: [secrets.yaml]\n',
          'app/a.yaml': plain('a'),
          'app/b.yaml': plain('b'),
          'app/secrets.yaml': generator('a.enc.yaml', 'b.enc.yaml'),
          'app/a.enc.yaml': sealed('a', 'merge'),
          'app/b.enc.yaml': sealed('b', 'replace'),
        }),
      );
      expect(manifestsOf(result).map(({ object }) => [object.metadata.name, object['data']])).toEqual([
        ['web-a', { open: '1', secret: expect.stringMatching(/^sealed:/) }],
        ['web-b', { secret: expect.stringMatching(/^sealed:/) }],
      ]);
      expect(manifestsOf(result).some(({ object }) => object.metadata.annotations !== undefined)).toBe(false);
    });

    test.each([
      ['names are encrypted too', generator('db.enc.yaml'), encrypted('ENC[AES256_GCM]')],
      ['a file is missing', generator('other.enc.yaml'), encrypted('db')],
      ['it is spread over files', `${generator('db.enc.yaml')}secretFrom: [{metadata: {name: x}}]\n`, encrypted('db')],
    ])('%s: cannot be followed', async (_name, text, secret) => {
      const tree = treeWith({
        'app/kustomization.yaml': 'generators: [secrets.yaml]\n',
        'app/secrets.yaml': text,
        'app/db.enc.yaml': secret,
      });
      expect(problemOf(await renderer.render(target(source('app')), tree))).toMatchObject({
        kind: 'unsupported',
        message: expect.stringContaining('external plugin'),
      });
    });

    test('a file out of the tree is refused', async () => {
      const tree = treeWith({
        'app/kustomization.yaml': 'generators: [secrets.yaml]\n',
        'app/secrets.yaml': generator('../../../etc/passwd'),
      });
      expect(problemOf(await renderer.render(target(source('app')), tree))).toMatchObject({ kind: 'render' });
    });
  });

  test('a generator that kustomize does not run by default is no fault of the change', async () => {
    const problem = async (generator: string) =>
      problemOf(
        await renderer.render(
          target(source('app')),
          treeWith({ 'app/kustomization.yaml': 'generators: [generator.yaml]\n', 'app/generator.yaml': generator }),
        ),
      );
    const named = (apiVersion: string, kind: string) =>
      `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: made}\nname: shop\n`;
    expect(await problem(named('builtin', 'HelmChartInflationGenerator'))).toMatchObject({
      kind: 'unsupported',
      next: expect.stringContaining('kustomizeBuildOptions'),
    });
    expect(await problem(named('example.org/v1', 'Sealer'))).toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('external plugin'),
    });
  });

  test('a base of another repository comes from its configured checkout', async () => {
    const own = testRenderer({ gitRepositories: { 'https://github.com/example/shop.git': folder } });
    const tree = treeWith({
      'kustomization.yaml': 'resources: ["https://github.com/example/shop//overlays/prod?ref=v1.2"]\nnameSuffix: -x\n',
    });
    expect(names(manifestsOf(await own.render(target(source('.')), tree)))).toContain('Deployment/web-x');
    await own.close();
  });

  test.skipIf(!hasHelm)('inflates charts of the tree when that is enabled', async () => {
    const root = tempDir();
    cpSync(join(fixtures, 'charts/shop'), join(root, 'app/charts/shop'), { recursive: true });
    writeFileSync(
      join(root, 'app/kustomization.yaml'),
      'helmCharts:\n- name: shop\n  releaseName: r\n  valuesInline: {replicas: 7}\n',
    );
    const manifests = manifestsOf(await renderer.render(target(source('app', { enableHelm: true })), treeOf(root)));
    expect(manifests.find(({ ref }) => ref.kind === 'Deployment')?.object).toMatchObject({
      metadata: { name: 'r-web' },
      spec: { replicas: 7 },
    });
  });
});

describe.skipIf(!hasKustomize)("Argo CD's edits", () => {
  const cases: Record<
    string,
    { readonly edits: ArgoKustomizeEdits; readonly commands: readonly (readonly string[])[]; readonly path?: string }
  > = {
    'prefix, suffix, namespace': {
      edits: { namePrefix: 'a-', nameSuffix: '-z', namespace: 'shop' },
      commands: [
        ['set', 'nameprefix', '--', 'a-'],
        ['set', 'namesuffix', '--', '-z'],
        ['set', 'namespace', '--', 'shop'],
      ],
    },
    images: {
      edits: {
        images: [
          'registry.example.org/shop/web:3.1',
          'registry.example.org/proxy=mirror.example.org/proxy:7',
          'other@sha256:abc',
        ],
      },
      commands: [
        [
          'set',
          'image',
          'registry.example.org/shop/web:3.1',
          'registry.example.org/proxy=mirror.example.org/proxy:7',
          'other@sha256:abc',
        ],
      ],
    },
    'images over existing entries': {
      path: 'base',
      edits: { images: ['registry.example.org/shop/web=mirror.example.org/web:*'] },
      commands: [['set', 'image', 'registry.example.org/shop/web=mirror.example.org/web:*']],
    },
    'image with tag and digest': {
      path: 'base',
      edits: {
        images: [
          'registry.example.org/shop/web:9@sha256:4dce0a3d8b51a4d2c5dbb8a6e1a9d09ff2e0b37e7a5fa24e6a2b5b5d5a1f0c11',
        ],
      },
      commands: [
        [
          'set',
          'image',
          'registry.example.org/shop/web:9@sha256:4dce0a3d8b51a4d2c5dbb8a6e1a9d09ff2e0b37e7a5fa24e6a2b5b5d5a1f0c11',
        ],
      ],
    },
    replicas: { edits: { replicas: [{ name: 'web', count: '6' }] }, commands: [['set', 'replicas', 'web=6']] },
    'labels with selectors': {
      edits: { commonLabels: { tier: 'front', zone: 'eu' } },
      commands: [['add', 'label', 'tier:front', 'zone:eu']],
    },
    'labels without selectors': {
      path: 'base',
      edits: { commonLabels: { tier: 'front', zone: 'eu' }, labelWithoutSelector: true },
      commands: [['add', 'label', '--without-selector', 'tier:front', 'zone:eu']],
    },
    'labels in templates': {
      path: 'base',
      edits: { commonLabels: { tier: 'front' }, labelWithoutSelector: true, labelIncludeTemplates: true },
      commands: [['add', 'label', '--without-selector', '--include-templates', 'tier:front']],
    },
    'forced labels and annotations': {
      edits: {
        commonLabels: { team: 'new' },
        forceCommonLabels: true,
        commonAnnotations: { owner: 'ops', more: 'x' },
        forceCommonAnnotations: true,
      },
      commands: [
        ['add', 'label', '--force', 'team:new'],
        ['add', 'annotation', '--force', 'owner:ops', 'more:x'],
      ],
    },
    components: {
      edits: { components: ['../../components/debug'] },
      commands: [['add', 'component', '../../components/debug']],
    },
  };

  for (const [name, { edits, commands, path = prod }] of Object.entries(cases)) {
    test(`${name}: as kustomize edit does`, async () => {
      const copy = join(tempDir(), 'shop');
      cpSync(folder, copy, { recursive: true });
      const kustomize = await toolPath('kustomize');
      for (const command of commands) await run(kustomize, ['edit', ...command], { cwd: join(copy, path) });
      const { stdout } = await run(kustomize, ['build', join(copy, path)]);
      const theirs = parseManifests(stdout).manifests.map(({ object }) => object);
      expect((await build(path, { argocd: edits })).map(({ object }) => object)).toEqual(theirs);
    });
  }

  test('an existing label or annotation is refused without force, as kustomize edit does', async () => {
    const result = await renderer.render(
      target(source(prod, { argocd: { commonAnnotations: { owner: 'x' } } })),
      fixtureTree('kustomize/shop'),
    );
    expect(problemOf(result)).toMatchObject({
      kind: 'render',
      message: 'annotation owner already in kustomization file',
    });
    const copy = join(tempDir(), 'shop');
    cpSync(folder, copy, { recursive: true });
    await expect(
      run(await toolPath('kustomize'), ['edit', 'add', 'annotation', 'owner:x'], { cwd: join(copy, prod) }),
    ).rejects.toThrow('already in kustomization file');
  });

  test('a missing component is refused unless it may be missing', async () => {
    const render = (edits: ArgoKustomizeEdits) =>
      renderer.render(target(source(prod, { argocd: edits })), fixtureTree('kustomize/shop'));
    expect(problemOf(await render({ components: ['../../components/none'] })).message).toContain('has no match');
    const manifests = manifestsOf(
      await render({ components: ['../../components/none', '../../components/debug'], ignoreMissingComponents: true }),
    );
    expect(JSON.stringify(manifests)).toContain('"debug":"on"');
  });

  test('patches come last and the tree stays as it is', async () => {
    const tree = fixtureTree('kustomize/shop');
    const edits = {
      patches: [{ target: { kind: 'Deployment' }, patch: '- {op: replace, path: /spec/replicas, value: 8}' }],
    };
    const manifests = manifestsOf(await renderer.render(target(source(prod, { argocd: edits })), tree));
    expect(manifests.find(({ ref }) => ref.kind === 'Deployment')?.object['spec']).toMatchObject({ replicas: 8 });
    expect(fixtureTree('kustomize/shop').hashOf('')).toBe(tree.hashOf(''));
  });
});

describe.skipIf(!hasKustomize)("Flux's Kustomization", () => {
  const flux = (path: string, edits: FluxKustomizeEdits = {}, after = {}, files?: Record<string, string>) =>
    renderer.render(
      target(source(path, { flux: edits, loadRestrictions: 'none', generate: true }), {
        engine: 'flux',
        afterRender: after,
      }),
      files === undefined ? fixtureTree('kustomize/shop') : treeWith(files),
    );
  const substitute = (vars: Record<string, string>, strict = true) => ({
    substitute: { vars, strict, missing: [], always: false },
  });

  test('generates the kustomization of a folder without one', async () => {
    const manifests = manifestsOf(await flux('plain'));
    expect(names(manifests).toSorted()).toEqual([
      'ConfigMap/region',
      'ConfigMap/untouched',
      'Deployment/job-${region}',
      'Service/pre-web',
    ]);
  });

  test('applies its edits in place of the file', async () => {
    const manifests = manifestsOf(
      await flux(prod, {
        targetNamespace: 'eu',
        namePrefix: 'p-',
        nameSuffix: '-s',
        components: ['../../components/debug'],
        patches: [{ patch: '- {op: remove, path: /spec/ports}', target: { kind: 'Service' } }],
        images: [{ name: 'registry.example.org/shop/web', newTag: '5' }],
      }),
    );
    expect(
      manifests.map(({ ref }) => [ref.kind, ref.namespace, ref.name.replace(/-[a-z0-9]{10}-s$|-[a-z0-9]{10}$/, '')]),
    ).toContainEqual(['Deployment', 'eu', 'p-web-s']);
    expect(manifests.find(({ ref }) => ref.kind === 'Service')?.object['spec']).not.toHaveProperty('ports');
    const deployment = JSON.stringify(manifests.find(({ ref }) => ref.kind === 'Deployment')?.object);
    expect(deployment).toContain('"debug":"on"');
    expect(deployment).toContain('"registry.example.org/shop/web:5"');
  });

  test('substitutes after the build: types follow from the text', async () => {
    const manifests = manifestsOf(await flux('plain', {}, substitute({ region: 'eu', count: '3' })));
    const find = (name: string) => manifests.find(({ ref }) => ref.name === name)?.object;
    expect(find('job-eu')?.['spec']).toEqual({ replicas: 3 });
    expect(find('region')?.['data']).toEqual({ REGION: 'eu', QUOTED: 3, LITERAL: '${keep}', ZONES: 'a,b' });
    expect(find('untouched')?.['data']).toEqual({ SCRIPT: 'echo ${HOME}' });
  });

  test('an undefined variable is an error from kustomize-controller 1.9 on, and empty before', async () => {
    expect(problemOf(await flux('plain', {}, substitute({ region: 'eu' })))).toMatchObject({
      kind: 'render',
      message: expect.stringContaining('variable not set (strict mode): "count"'),
    });
    const manifests = manifestsOf(await flux('plain', {}, substitute({ region: 'eu' }, false)));
    expect(manifests.find(({ ref }) => ref.kind === 'Deployment')?.object['spec']).toEqual({ replicas: null });
  });

  test('variables that cannot be read are missing input', async () => {
    const after = {
      substitute: {
        vars: {},
        strict: true,
        always: false,
        missing: [{ label: 'Secret flux-system/vars', optional: false }],
      },
    };
    expect(problemOf(await flux('plain', {}, after))).toMatchObject({
      kind: 'missing-input',
      message: expect.stringContaining('Secret flux-system/vars'),
    });
  });

  test('Secrets are redacted after substitution', async () => {
    const files = {
      'app/s.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  token: ${token}\n',
    };
    const value = async (token: string) =>
      manifestsOf(await flux('app', {}, substitute({ token }), files))[0]?.object['stringData'];
    const [one, two] = [await value('first'), await value('second')];
    expect(one).toEqual({ token: expect.stringMatching(/^redacted:/) });
    expect(one).not.toEqual(two);
  });

  test('ignores what source-controller leaves out', async () => {
    const object = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
    const files = {
      'app/a.yaml': object('a'),
      'app/drafts/b.yaml': 'no: object\n',
      'app/.sops.yaml': 'creation_rules: []\n',
      'app/.github/x.yaml': 'on: push\n',
      '.sourceignore': 'app/drafts/\n',
    };
    expect(names(manifestsOf(await flux('app', {}, {}, files)))).toEqual(['ConfigMap/a']);
    const unhidden = problemOf(
      await flux('app', {}, {}, { 'app/a.yaml': object('a'), 'app/values.yaml': 'replicas: 2\n' }),
    );
    expect(unhidden).toMatchObject({
      kind: 'render',
      location: { file: 'app/values.yaml' },
      next: expect.stringContaining('.sourceignore'),
    });
  });

  test('an empty folder is no failure', async () => {
    expect(manifestsOf(await flux('app', {}, {}, { 'app/README.md': 'nothing here' }))).toEqual([]);
  });
});
