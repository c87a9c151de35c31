import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Renderer } from '../../src/core/ports.ts';
import { openDirectories } from '../../src/git/directories.ts';
import { discoverSide } from '../../src/pipeline/targets.ts';
import { createRenderCache } from '../../src/render/cache.ts';
import { createExec } from '../../src/render/exec.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { discoverFiles, gitRepository, helmRelease, kustomization, sourceOf } from '../kit/flux.ts';
import { simpleGoTemplate, testConfig } from '../kit/sources.ts';
import { tempDir, tempTree } from '../kit/tmp.ts';
import { toolPath } from '../kit/tools.ts';

const fleet = fileURLToPath(new URL('../../fixtures/flux/fleet', import.meta.url));

async function discover(folder: string): Promise<Awaited<ReturnType<typeof discoverSide>>> {
  const config = testConfig();
  const renderer = createRenderer({
    exec: createExec(),
    tools: { find: async (tool, version) => ({ path: await toolPath(tool), version: version ?? 'pinned' }) },
    config,
    cache: createRenderCache({ folder: tempDir('cache') }),
    redactKey: new Uint8Array(32),
  });
  try {
    const quiet = { start() {}, advance() {}, done() {}, note() {} };
    const trees = {
      ...openDirectories(folder, folder),
      remotes: ['https://github.com/acme/fleet'],
      branches: ['main'],
    };
    return await discoverSide('after', {
      config,
      trees,
      cluster: undefined,
      renderer: renderer as Renderer,
      goTemplate: simpleGoTemplate(),
      progress: quiet,
    });
  } finally {
    await renderer.close();
  }
}

describe('a repository of two clusters', () => {
  test('every cluster has its own targets, found through what its Kustomizations render', async () => {
    const found = await discover(fleet);
    expect([...found.targets.keys()].sort()).toEqual(
      ['production', 'staging'].flatMap((cluster) => [
        `flux:${cluster}/HelmRelease/ingress/ingress-nginx`,
        `flux:${cluster}/HelmRelease/shop/checkout`,
        `flux:${cluster}/Kustomization/flux-system/apps`,
        `flux:${cluster}/Kustomization/flux-system/flux-system`,
        `flux:${cluster}/Kustomization/flux-system/infrastructure`,
      ]),
    );
    expect(found.notEvaluated).toEqual([]);
    const release = found.targets.get('flux:production/HelmRelease/shop/checkout')!;
    expect(release).toMatchObject({
      cluster: 'production',
      environment: 'production',
      scope: 'production',
      parents: [
        'flux:production/Kustomization/flux-system/flux-system',
        'flux:production/Kustomization/flux-system/apps',
      ],
      inputs: ['charts/checkout/'],
    });
    // The ConfigMap is generated with a hash, and the Kustomization substitutes variables of its cluster in it.
    const layers = sourceOf(release, 'helm').values;
    expect(layers[0]).toMatchObject({ kind: 'text', yaml: 'replicas: 6\nhost: checkout.production.shop.example\n' });
    const staging = sourceOf(found.targets.get('flux:staging/HelmRelease/shop/checkout')!, 'helm').values;
    expect(staging[0]).toMatchObject({ kind: 'text', yaml: 'replicas: 1\nhost: checkout.staging.shop.example\n' });
    const ingress = found.targets.get('flux:production/HelmRelease/ingress/ingress-nginx')!;
    expect(ingress.name).toBe('production/ingress-nginx');
    expect(sourceOf(ingress, 'helm')).toMatchObject({
      release: 'ingress-nginx',
      includeCrds: true,
      chart: {
        from: 'repository',
        url: 'https://kubernetes.github.io/ingress-nginx',
        name: 'ingress-nginx',
        version: '4.x',
      },
    });
    const apps = found.targets.get('flux:production/Kustomization/flux-system/apps')!;
    expect(apps.apply.dependsOn).toEqual(['flux:production/Kustomization/flux-system/infrastructure']);
    expect(apps.afterRender.substitute).toMatchObject({
      vars: { cluster: 'production', domain: 'production.shop.example' },
      missing: [{ label: 'Secret flux-system/cluster-secrets (is not in this repository)', optional: true }],
    });
  });

  test('a Kustomize root that nobody reads renders the Flux objects in it', async () => {
    const found = await discover(
      tempTree({
        'deploy/prod/kustomization.yaml': `resources: [../base]
patches: [{patch: '[{"op": "replace", "path": "/spec/values/replicas", "value": 9}]', target: {kind: HelmRelease}}]`,
        'deploy/base/kustomization.yaml': 'resources: [release.yaml]',
        'deploy/base/release.yaml':
          helmRelease(`  chart: {spec: {chart: charts/checkout, sourceRef: {kind: GitRepository, name: fleet}}}
  values: {replicas: 1}`),
        'charts/checkout/Chart.yaml': 'apiVersion: v2\nname: checkout\nversion: 1.0.0',
      }),
    );
    expect([...found.targets.keys()].sort()).toEqual(['flux:HelmRelease/shop/checkout', 'kustomize:deploy/prod']);
    const release = found.targets.get('flux:HelmRelease/shop/checkout')!;
    expect(sourceOf(release, 'helm').values).toEqual([
      { kind: 'inline', values: { replicas: 9 }, label: 'spec.values' },
    ]);
  });
});

describe('which objects of plain files are targets', () => {
  const ids = (files: Readonly<Record<string, string>>): string[] =>
    discoverFiles(files).targets.map((target) => target.id);

  test('not those that a Kustomization applies, also over several steps', () => {
    expect(
      ids({
        'flux/cluster/ks.yaml': gitRepository() + '---\n' + kustomization('  path: ./apps', 'cluster-apps'),
        'apps/shop/ks.yaml': kustomization('  path: ./apps/shop/app', 'shop'),
        'apps/shop/app/kustomization.yaml': 'resources: [../../../bases/release.yaml]',
        'bases/release.yaml': helmRelease('  chart: {}'),
      }),
    ).toEqual(['flux:Kustomization/flux-system/cluster-apps']);
  });

  test('folders that say what they are for name no cluster', () => {
    for (const folder of ['flux/cluster', 'setup/flux/cluster', 'kubernetes/bootstrap/flux']) {
      const files = { [`${folder}/ks.yaml`]: gitRepository() + '---\n' + kustomization('  path: ./apps', 'apps') };
      expect(ids({ ...files, 'apps/note.yaml': '' }), folder).toEqual(['flux:Kustomization/flux-system/apps']);
    }
  });

  test('a path with variables reaches whatever it may become', () => {
    expect(
      ids({
        'clusters/a/ks.yaml': gitRepository() + '---\n' + kustomization('  path: "./apps/${region}/web"'),
        'apps/eu/web/release.yaml': helmRelease('  chart: {}', 'web-eu'),
        'apps/eu/other/release.yaml': helmRelease('  chart: {}', 'other'),
      }),
    ).toEqual(['flux:a/HelmRelease/shop/other', 'flux:a/Kustomization/flux-system/apps']);
  });

  test('components of the spec are reached; a placeholder is no name', () => {
    const files = {
      'clusters/a/ks.yaml': gitRepository() + '---\n' + kustomization('  path: ./apps\n  components: [../parts/guard]'),
      'apps/a.yaml': '',
      'parts/guard/kustomization.yaml': 'kind: Component\nresources: [release.yaml]',
      'parts/guard/release.yaml': helmRelease('  chart: {}', 'guard'),
    };
    expect(ids(files)).toEqual(['flux:a/Kustomization/flux-system/apps']);
    const unused = discoverFiles({ 'parts/guard/release.yaml': helmRelease('  chart: {}', '"${APP}-guard"') });
    expect(unused).toMatchObject({ targets: [], notEvaluated: [{ what: 'HelmRelease ${APP}-guard', weight: 'note' }] });
  });

  test('the path of a source elsewhere reaches nothing here', () => {
    const elsewhere = kustomization('  path: ./', 'vendor').replace(
      'kind: GitRepository, name: fleet',
      'kind: OCIRepository, name: vendor',
    );
    expect(
      ids({
        'clusters/a/ks.yaml': gitRepository() + '---\n' + kustomization('  path: ./vendor'),
        'clusters/b/ks.yaml': kustomization('  path: ./other'),
        'vendor/ks.yaml': elsewhere,
      }),
    ).toEqual(['flux:a/Kustomization/flux-system/apps', 'flux:b/Kustomization/flux-system/apps']);
  });

  test('the root of another branch is another layout', () => {
    expect(
      ids({
        'clusters/a/ks.yaml': `${gitRepository('{branch: tenant}')}---\n${kustomization('  path: ./', 'tenant')}`,
        'clusters/b/ks.yaml': kustomization('  path: ./other'),
      }),
    ).toEqual(['flux:a/Kustomization/flux-system/tenant', 'flux:b/Kustomization/flux-system/apps']);
  });

  test('of a circle one is left', () => {
    expect(
      ids({
        'a/ks.yaml': gitRepository() + '---\n' + kustomization('  path: ./b', 'first'),
        'b/ks.yaml': kustomization('  path: ./a', 'second'),
      }),
    ).toEqual(['flux:Kustomization/flux-system/first']);
  });
});

describe('the cluster of a root', () => {
  const root = (path: string, name = 'apps'): string =>
    gitRepository() + '---\n' + kustomization(`  path: ${path}`, name);
  test.each<[string, Record<string, string>, string[]]>([
    [
      'one cluster of no name',
      { 'kubernetes/flux/cluster/ks.yaml': root('./kubernetes/apps') },
      ['flux:Kustomization/flux-system/apps'],
    ],
    [
      'cluster/ at the top',
      { 'cluster/flux/flux-system/gotk-sync.yaml': root('./cluster', 'flux-system') },
      ['flux:Kustomization/flux-system/flux-system'],
    ],
    [
      'the whole repository',
      { 'flux-system/gotk-sync.yaml': root('./', 'flux-system') },
      ['flux:Kustomization/flux-system/flux-system'],
    ],
    [
      'behind clusters/',
      { 'clusters/eu/prod/flux-system/gotk-sync.yaml': root('./clusters/eu/prod', 'flux-system') },
      ['flux:eu/prod/Kustomization/flux-system/flux-system'],
    ],
    [
      'behind clusters/ without bootstrap files',
      { 'clusters/prod/apps.yaml': root('./apps') },
      ['flux:prod/Kustomization/flux-system/apps'],
    ],
    [
      'before flux/',
      {
        'kubernetes/main/flux/ks.yaml': root('./kubernetes/main/apps'),
        'kubernetes/storage/flux/ks.yaml': root('./kubernetes/storage/apps'),
      },
      ['flux:main/Kustomization/flux-system/apps', 'flux:storage/Kustomization/flux-system/apps'],
    ],
    [
      'by the directories that differ',
      { 'prod/sync/apps.yaml': root('./x'), 'staging/sync/apps.yaml': root('./y') },
      ['flux:prod/Kustomization/flux-system/apps', 'flux:staging/Kustomization/flux-system/apps'],
    ],
    [
      'the bootstrap path of a folder per stage',
      { 'production/flux-system/gotk-sync.yaml': root('./production', 'flux-system') },
      ['flux:production/Kustomization/flux-system/flux-system'],
    ],
  ])('%s', (_name, files, expected) => {
    const targets = discoverFiles(files).targets;
    expect(targets.map((target) => target.id).sort()).toEqual(expected);
    for (const target of targets) expect(target.scope).toBe(target.cluster ?? target.environment ?? 'default');
  });

  test('kubeConfig sends the objects to another cluster than the one of the declaration', () => {
    const [target] = discoverFiles({
      'clusters/hub/ks.yaml':
        gitRepository() +
        '---\n' +
        kustomization('  path: ./apps\n  kubeConfig: {secretRef: {name: edge-7-kubeconfig}}'),
    }).targets;
    expect(target).toMatchObject({ id: 'flux:hub/Kustomization/flux-system/apps', cluster: 'edge-7', scope: 'edge-7' });
  });
});

test('FluxInstance: the sync of the operator is the root', () => {
  const found = discoverFiles({
    'clusters/prod/flux-system/instance.yaml': `apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: "https://github.com/acme/fleet.git", ref: refs/heads/main, path: clusters/prod}`,
    'clusters/prod/apps.yaml': kustomization('  path: ./apps'),
  });
  expect(found.targets.map((target) => target.id)).toEqual(['flux:prod/Kustomization/flux-system/flux-system']);
  expect(sourceOf(found.targets[0]!, 'kustomize').path).toBe('clusters/prod');
  expect(found.targets[0]!.unaffectedBecause).toBeUndefined();
});

test('ExternalArtifact: directories that an ArtifactGenerator cuts out keep their place in the tree', () => {
  const generator = (copy: string): string => `apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: split, namespace: flux-system}
spec:
  sources: [{alias: repo, kind: GitRepository, name: fleet}]
  artifacts: [{name: apps, copy: ${copy}}]
`;
  const using = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./prod, sourceRef: {kind: ExternalArtifact, name: apps}}
`;
  const find = (copy: string): unknown =>
    discoverFiles({ 'flux/all.yaml': [gitRepository(), generator(copy), using].join('---\n'), 'apps/prod/a.yaml': '' })
      .targets[0]!.sources[0];
  expect(
    find('[{from: "@repo/apps/base/**", to: "@artifact/base/"}, {from: "@repo/apps/prod/**", to: "@artifact/prod/"}]'),
  ).toMatchObject({
    type: 'kustomize',
    path: 'apps/prod',
  });
  expect(find('[{from: "@repo/apps/**", to: "@artifact/"}]')).toMatchObject({ type: 'kustomize', path: 'apps/prod' });
  expect(find('[{from: "@repo/apps/prod", to: "@artifact/"}]')).toMatchObject({ type: 'kustomize', path: 'apps/prod' });
  expect(
    find('[{from: "@repo/apps/**", to: "@artifact/"}, {from: "@repo/other/**", to: "@artifact/x/"}]'),
  ).toMatchObject({ type: 'unsupported' });
});
