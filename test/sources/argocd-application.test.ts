import { describe, expect, it } from 'vitest';
import type { HelmSource, KustomizeSource, ManifestsSource, Target } from '../../src/core/model.ts';
import { discoverArgoCd } from '../../src/sources/argocd.ts';
import type { ArgoContext } from '../../src/sources/argocd.ts';
import { argoContext, sourced, testConfig, treeOf } from '../kit/sources.ts';

const chart = 'apiVersion: v2\nname: shop\nversion: 0.1.0\n';
const files = {
  'charts/shop/Chart.yaml': chart,
  'charts/shop/values.yaml': 'replicas: 1\n',
  'charts/shop/templates/deployment.yaml': 'kind: Deployment\n',
  'envs/prod/shop.yaml': 'replicas: 3\n',
  'envs/dev/shop.yaml': 'replicas: 1\n',
  'overlays/prod/kustomization.yaml': 'resources: [../../base]\n',
  'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
  'base/deployment.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n',
  'manifests/ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n',
};
const tree = treeOf(files);

function application(spec: string, metadata = 'name: shop'): string {
  return `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {${metadata}}\nspec: ${spec}\n`;
}

async function discover(
  yaml: string,
  overrides: Partial<ArgoContext> = {},
  in_ = tree,
): ReturnType<typeof discoverArgoCd> {
  return discoverArgoCd(sourced(yaml, 'apps/shop.yaml'), argoContext(in_, overrides));
}

async function one(yaml: string, overrides: Partial<ArgoContext> = {}, in_ = tree): Promise<Target> {
  const found = await discover(yaml, overrides, in_);
  expect(found.targets, JSON.stringify(found.notEvaluated)).toHaveLength(1);
  return found.targets[0]!;
}

function source(path: string, more = ''): string {
  return `{project: default, destination: {name: eu-1, namespace: shop}, source: {repoURL: 'https://github.com/acme/deploy', targetRevision: HEAD, path: ${path}${more === '' ? '' : `, ${more}`}}}`;
}

describe('an Application', () => {
  it('has identity, destination, scope and origin', async () => {
    const target = await one(application(source('manifests')));
    expect(target).toMatchObject({
      id: 'argocd:argocd/shop',
      name: 'shop',
      engine: 'argocd',
      cluster: 'eu-1',
      scope: 'eu-1',
      origin: { file: 'apps/shop.yaml', line: 1 },
      declaredBy: { group: 'argoproj.io', kind: 'Application', namespace: 'argocd', name: 'shop' },
      parents: [],
      afterRender: { defaultNamespace: 'shop' },
    });
    expect(target.unaffectedBecause).toBeUndefined();
  });

  it('in another namespace carries it in id, name and instance name', async () => {
    const target = await one(
      application(
        source('charts/shop', 'helm: {parameters: [{name: app, value: $ARGOCD_APP_NAME}]}'),
        'name: shop, namespace: team-a',
      ),
    );
    expect(target.id).toBe('argocd:team-a/shop');
    const helm = target.sources[0] as HelmSource;
    expect(helm.release).toBe('shop');
    expect(helm.set).toEqual([{ name: 'app', value: 'team-a_shop', type: 'set' }]);
  });

  it('rendered by a parent names its parents and inherits environment and local cluster', async () => {
    const parent = { ...(await one(application(source('manifests'), 'name: root'))), environment: 'production' };
    const child = application(
      `{destination: {server: 'https://kubernetes.default.svc', namespace: a}, source: {repoURL: 'https://github.com/acme/deploy', path: base}}`,
      'name: child',
    );
    const found = await discoverArgoCd(sourced(child, 'charts/x.yaml', parent), argoContext(tree));
    expect(found.targets[0]).toMatchObject({
      id: 'argocd:argocd/child',
      parents: ['argocd:argocd/root'],
      origin: { file: 'apps/shop.yaml' },
      environment: 'production',
      cluster: 'eu-1',
      scope: 'eu-1',
    });
  });

  const malformed: readonly (readonly [string, string, RegExp])[] = [
    ['no name', application(source('base'), 'namespace: argocd'), /name is missing/],
    ['no spec', 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\n', /no spec/],
    ['spec is a string', application('nonsense'), /no spec/],
    ['no source', application('{destination: {name: eu-1}}'), /names no source/],
    ['source is a list', application('{source: []}'), /names no source/],
    ['placeholder name', application(source('base'), "name: '{{ .Values.name }}'"), /placeholder/],
  ];
  it.each(malformed)('with %s is listed with file and line', async (_name, yaml, reason) => {
    const found = await discover(yaml);
    expect(found.targets).toEqual([]);
    expect(found.notEvaluated).toHaveLength(1);
    expect(found.notEvaluated[0]).toMatchObject({
      reason: expect.stringMatching(reason),
      location: { file: 'apps/shop.yaml', line: 1 },
      weight: 'note',
    });
  });

  it('that is malformed does not lose the others', async () => {
    const found = await discover(`${application('{}', 'name: broken')}---\n${application(source('base'))}`);
    expect(found.targets.map((target) => target.id)).toEqual(['argocd:argocd/shop']);
    expect(found.notEvaluated).toHaveLength(1);
  });

  it('with __proto__ in its maps does not touch the prototype', async () => {
    await one(
      application(
        source('overlays/prod', 'kustomize: {commonLabels: {__proto__: x, team: a}}'),
        'name: shop, labels: {__proto__: {polluted: yes}}',
      ),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('source types', () => {
  it.each([
    ['charts/shop', '', 'helm'],
    ['overlays/prod', '', 'kustomize'],
    ['manifests', '', 'manifests'],
    ['charts/shop', 'directory: {recurse: true}', 'manifests'],
    ['manifests', 'helm: {}', 'helm'],
    ['manifests', 'kustomize: {}', 'kustomize'],
    ['charts/shop', 'helm: null', 'helm'],
    ['charts/shop', 'plugin: {name: cdk8s}', 'unsupported'],
    ['charts/shop', 'helm: {}, kustomize: {}', 'unsupported'],
    ['missing', '', 'unsupported'],
    ['../other', '', 'unsupported'],
    ['/etc', '', 'unsupported'],
  ])('%s with { %s } is %s', async (path, more, type) => {
    expect((await one(application(source(path, more)))).sources.map((item) => item.type)).toEqual([type]);
  });

  it('kustomization.yaml beats Chart.yaml, a later *Chart.yaml beats it', async () => {
    const both = treeOf({
      'a/Chart.yaml': chart,
      'a/kustomization.yaml': '',
      'b/myChart.yaml': chart,
      'b/kustomization.yaml': '',
      'c/sub/Chart.yaml': chart,
    });
    expect((await one(application(source('a')), {}, both)).sources[0]?.type).toBe('kustomize');
    expect((await one(application(source('b')), {}, both)).sources[0]?.type).toBe('helm');
    expect((await one(application(source('c')), {}, both)).sources[0]?.type).toBe('manifests');
  });

  it('.argocd-source files are merged, the one of the Application last; path and revision cannot be overridden', async () => {
    const overridden = treeOf({
      ...files,
      'charts/shop/.argocd-source.yaml':
        'path: elsewhere\ntargetRevision: v1.0.0\nhelm:\n  releaseName: general\n  valueFiles: [general.yaml]\n',
      'charts/shop/.argocd-source-shop.yaml': 'helm:\n  releaseName: special\n',
    });
    const target = await one(application(source('charts/shop', 'helm: {valueFiles: [written.yaml]}')), {}, overridden);
    expect(target.sources[0]).toMatchObject({
      release: 'special',
      chart: { from: 'tree', path: 'charts/shop' },
      values: [{ kind: 'file', path: 'charts/shop/general.yaml' }],
    });
    expect(target.unaffectedBecause).toBeUndefined();
    const other = await one(application(source('charts/shop'), 'name: other'), {}, overridden);
    expect((other.sources[0] as HelmSource).release).toBe('general');
  });

  it('a broken .argocd-source.yaml is told with its line', async () => {
    const broken = treeOf({ ...files, 'charts/shop/.argocd-source.yaml': 'helm:\n  a: [\n' });
    expect((await one(application(source('charts/shop')), {}, broken)).sources[0]).toMatchObject({
      type: 'unsupported',
      reason: expect.stringMatching(/\.argocd-source\.yaml:\d+ cannot be read/),
    });
  });

  it('Jsonnet files are listed beside the manifests', async () => {
    const jsonnet = treeOf({ 'm/a.jsonnet': '{}', 'm/b.yaml': '' });
    expect((await one(application(source('m')), {}, jsonnet)).sources.map((item) => item.type)).toEqual([
      'manifests',
      'unsupported',
    ]);
  });

  it('a directory carries its globs', async () => {
    const target = await one(
      application(source('manifests', "directory: {recurse: true, include: '*.yaml', exclude: 'test/*'}")),
    );
    expect(target.sources[0]).toEqual({
      type: 'manifests',
      path: 'manifests',
      recurse: true,
      include: '*.yaml',
      exclude: 'test/*',
      rules: 'argocd',
    } satisfies ManifestsSource);
    expect(target.inputs).toContain('manifests/');
  });
});

describe('kustomize', () => {
  it('takes every edit, with substitution where Argo CD substitutes', async () => {
    const target = await one(
      application(
        source(
          'overlays/prod',
          `kustomize: {namePrefix: p-, nameSuffix: -s, namespace: ns, images: ['app=registry/app:$ARGOCD_APP_SOURCE_TARGET_REVISION'],
           replicas: [{name: app, count: 2}], commonLabels: {rev: 'x-$ARGOCD_APP_NAME'}, commonAnnotations: {a: $ARGOCD_APP_NAME},
           forceCommonLabels: true, labelWithoutSelector: true, components: [../../base], ignoreMissingComponents: true,
           patches: [{target: {kind: Deployment}, patch: '[]'}], version: v5.4.3, kubeVersion: v1.31.2}`,
        ),
      ),
    );
    expect(target.sources[0]).toEqual({
      type: 'kustomize',
      path: 'overlays/prod',
      loadRestrictions: 'root-only',
      enableHelm: false,
      generate: false,
      argocd: {
        namePrefix: 'p-',
        nameSuffix: '-s',
        namespace: 'ns',
        images: ['app=registry/app:HEAD'],
        replicas: [{ name: 'app', count: 2 }],
        commonLabels: { rev: 'x-shop' },
        commonAnnotations: { a: '$ARGOCD_APP_NAME' },
        forceCommonLabels: true,
        labelWithoutSelector: true,
        components: ['../../base'],
        ignoreMissingComponents: true,
        patches: [{ target: { kind: 'Deployment' }, patch: '[]' }],
      },
    } satisfies KustomizeSource);
    expect(target).toMatchObject({ tools: { kustomize: '5.4.3' }, kubeVersion: '1.31.2' });
    expect(target.inputs).toEqual(
      expect.arrayContaining(['base/deployment.yaml', 'overlays/prod/.argocd-source-shop.yaml']),
    );
  });

  it('commonAnnotationsEnvsubst substitutes annotations; build options of argocd-cm apply', async () => {
    const config = testConfig({
      argocd: {
        version: '3.5.1',
        namespace: 'argocd',
        kustomizeBuildOptions: '--enable-helm --load-restrictor LoadRestrictionsNone',
        newGitFileGlobbing: false,
      },
    });
    const target = await one(
      application(
        source(
          'overlays/prod',
          'kustomize: {commonAnnotationsEnvsubst: true, commonAnnotations: {a: $ARGOCD_APP_NAME}}',
        ),
      ),
      { config },
    );
    expect(target.sources[0]).toMatchObject({
      enableHelm: true,
      loadRestrictions: 'none',
      argocd: { commonAnnotations: { a: 'shop' } },
    });
  });
});

describe('sync policy', () => {
  const policies: readonly (readonly [string, object])[] = [
    ['', { mode: 'client-side', prune: 'unknown', automated: false, onRemoval: 'keeps-objects' }],
    ['automated: {}', { prune: false, automated: true, selfHeal: false, allowEmpty: false }],
    [
      'automated: {prune: true, selfHeal: true, allowEmpty: true}',
      { prune: true, automated: true, selfHeal: true, allowEmpty: true },
    ],
    ['automated: {enabled: false, prune: true}', { prune: 'unknown', automated: false }],
    [
      'syncOptions: [ServerSideApply=true, Replace=true, Force=true]',
      {
        mode: 'server-side',
        replace: true,
        force: true,
        syncOptions: ['ServerSideApply=true', 'Replace=true', 'Force=true'],
      },
    ],
  ];
  it.each(policies)('{ %s }', async (policy, expected) => {
    const spec = `{destination: {name: eu-1, namespace: shop}, syncPolicy: {${policy}}, source: {repoURL: 'https://github.com/acme/deploy', path: base}}`;
    expect((await one(application(spec))).apply).toMatchObject(expected);
  });

  it('the resources finalizer deletes the objects with the Application', async () => {
    const yaml = application(
      source('base'),
      'name: shop, finalizers: [resources-finalizer.argocd.argoproj.io/background]',
    );
    expect((await one(yaml)).apply.onRemoval).toBe('deletes-objects');
  });

  it('ignoreDifferences and the managed namespace', async () => {
    const spec = `{destination: {name: eu-1, namespace: shop}, ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}],
      syncPolicy: {syncOptions: [CreateNamespace=true], managedNamespaceMetadata: {labels: {team: a}}}, source: {repoURL: 'https://github.com/acme/deploy', path: base}}`;
    const target = await one(application(spec));
    expect(target.apply.ignoreDifferences).toEqual([
      { group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] },
    ]);
    expect(target.afterRender).toEqual({
      defaultNamespace: 'shop',
      createNamespace: { name: 'shop', labels: { team: 'a' }, annotations: {} },
    });
    const without = await one(application(spec.replace('managedNamespaceMetadata: {labels: {team: a}}', '')));
    expect(without.afterRender).toEqual({ defaultNamespace: 'shop' });
  });
});

describe('repository and revision', () => {
  it('another repository is not rendered', async () => {
    const yaml = application(source('base').replace('acme/deploy', 'acme/other'));
    const target = await one(yaml);
    expect(target.sources).toEqual([
      expect.objectContaining({
        type: 'unsupported',
        reason: 'repository https://github.com/acme/other is not this one',
      }),
    ]);
    expect(target.inputs).toEqual([]);
  });

  it('without known remotes an existing path is assumed to be ours, with one note', async () => {
    const found = await discover(`${application(source('base'))}---\n${application(source('manifests'), 'name: b')}`, {
      remotes: ['/srv/clone'],
    });
    expect(found.targets.map((target) => target.sources[0]?.type)).toEqual(['kustomize', 'manifests']);
    expect(found.notEvaluated).toEqual([
      expect.objectContaining({
        what: 'repository https://github.com/acme/deploy',
        weight: 'note',
        reason: expect.stringContaining('no git remote is known'),
      }),
    ]);
    expect((await one(application(source('nowhere')), { remotes: [] })).sources[0]).toMatchObject({
      type: 'unsupported',
      reason: expect.stringContaining('is not this one'),
    });
  });

  it('a fork has the name of the repository', async () => {
    const found = await discover(application(source('base')), { remotes: ['git@github.com:someone/deploy.git'] });
    expect(found.targets[0]?.sources[0]?.type).toBe('kustomize');
    expect(found.notEvaluated[0]?.reason).toContain('name of the remote git@github.com:someone/deploy.git');
  });

  it('a chart of a mirrored repository can be fetched', async () => {
    const config = testConfig({ gitRepositories: { 'git@github.com:acme/other.git': '/srv/other' } });
    const target = await one(
      application(source('charts/x', 'helm: {releaseName: r}').replace('acme/deploy', 'acme/other')),
      { config },
    );
    expect(target.sources[0]).toMatchObject({
      type: 'helm',
      release: 'r',
      chart: { from: 'git', url: 'https://github.com/acme/other', revision: 'HEAD', path: 'charts/x' },
    });
  });

  const revisions: readonly (readonly [string, readonly string[], RegExp | undefined])[] = [
    ['HEAD', ['main'], undefined],
    ["''", ['main'], undefined],
    ['main', ['main'], undefined],
    ['refs/heads/main', ['main'], undefined],
    ['production', ['main'], /^follows production, and this change goes to main/],
    ['v1.2.3', ['main'], /^pinned to tag v1\.2\.3: this change reaches it only when the pin moves$/],
    ['refs/tags/stable', [], /^pinned to tag stable/],
    ['0123456789abcdef0123456789abcdef01234567', [], /^pinned to commit 0123456789/],
    ["'>=1.2'", [], /range/],
    ["'1.*'", [], /range/],
    ['master', [], undefined],
    ['develop', [], undefined],
    ['release/1.2', [], undefined],
    ['release/1.2', ['main'], /^follows release\/1\.2/],
    ['shop-1.4.0', [], /^pinned to tag/],
    ['a1b2c3d', [], /^pinned to commit/],
    ['feed', [], undefined],
  ];
  it.each(revisions)('targetRevision %s when the change goes to %j', async (revision, branches, because) => {
    const target = await one(
      application(source('base').replace('targetRevision: HEAD', `targetRevision: ${revision}`)),
      { branches },
    );
    if (because === undefined) expect(target.unaffectedBecause).toBeUndefined();
    else expect(target.unaffectedBecause).toMatch(because);
  });
});

describe('environment and cluster', () => {
  it('the server is looked up in gate.yaml', async () => {
    const config = testConfig({
      clusters: [
        { name: 'eu-2', server: 'https://eu2.example.org/', environment: 'live', labels: {}, annotations: {} },
      ],
    });
    const spec = `{destination: {server: 'https://eu2.example.org', namespace: a}, source: {repoURL: 'https://github.com/acme/deploy', path: base}}`;
    expect(await one(application(spec), { config })).toMatchObject({
      cluster: 'eu-2',
      environment: 'live',
      scope: 'eu-2',
    });
    expect(await one(application(spec))).toMatchObject({ cluster: 'https://eu2.example.org' });
    expect(
      await one(application(spec.replace('https://eu2.example.org', 'https://kubernetes.default.svc'))),
    ).toMatchObject({ cluster: 'in-cluster' });
  });

  it('comes from value files when nothing better tells', async () => {
    expect(
      (await one(application(source('charts/shop', 'helm: {valueFiles: [../../envs/prod/shop.yaml]}')))).environment,
    ).toBe('prod');
  });
});

describe('one name in two Argo CD instances', () => {
  const local = source('base').replace('name: eu-1', "server: 'https://kubernetes.default.svc'");
  it('keeps both, apart by folder and scope, and recognises them when a parent renders the file', async () => {
    const objects = [
      ...sourced(application(local), 'clusters/dev/shop.yaml'),
      ...sourced(application(local), 'clusters/prod/shop.yaml'),
    ];
    const plain = (await discoverArgoCd(objects, argoContext(tree))).targets;
    expect(plain.map((target) => [target.id, target.environment, target.scope])).toEqual([
      ['argocd:argocd/shop', 'dev', 'in-cluster/dev'],
      ['argocd:argocd/shop@clusters/prod', 'prod', 'in-cluster/prod'],
    ]);
    const parent = { ...plain[0]!, id: 'argocd:argocd/root-prod', name: 'root-prod' };
    const rendered = await discoverArgoCd(
      sourced(application(local), 'clusters/prod/shop.yaml', parent),
      argoContext(tree, { known: plain }),
    );
    expect(rendered.targets.map((target) => target.id)).toEqual(['argocd:argocd/shop@clusters/prod']);
  });

  it('a rendered Application replaces the plain one', async () => {
    const plain = (await discoverArgoCd(sourced(application(local), 'apps/shop.yaml'), argoContext(tree))).targets;
    const parent = { ...plain[0]!, id: 'argocd:argocd/root', name: 'root' };
    const rendered = await discoverArgoCd(
      sourced(application(local), 'apps/root.yaml', parent),
      argoContext(tree, { known: plain }),
    );
    expect(rendered.targets.map((target) => target.id)).toEqual(['argocd:argocd/shop']);
  });

  it('two parents that render the same name give two targets', async () => {
    const root = await one(application(source('manifests'), 'name: root-a'));
    const objects = [
      ...sourced(application(local), 'x.yaml', root),
      ...sourced(application(local), 'x.yaml', { ...root, id: 'argocd:argocd/root-b', name: 'root-b' }),
    ];
    expect((await discoverArgoCd(objects, argoContext(tree))).targets.map((target) => target.id)).toEqual([
      'argocd:argocd/shop',
      'argocd:argocd/shop@root-b',
    ]);
  });
});

describe('rendersTargets', () => {
  const inner = 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n';
  const apps = treeOf({
    ...files,
    'root/a.yaml': inner,
    'appchart/Chart.yaml': chart,
    'appchart/templates/a.yaml': 'apiVersion: argoproj.io/v1alpha1\nkind: {{ .Values.kind }}\n',
    'flux/ks.yaml': 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n',
    'ann/deploy.yaml': 'kind: Deployment\nmetadata: {annotations: {argocd.argoproj.io/sync-wave: "1"}}\n',
    'kust/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
  });
  it.each([
    ['root', '', true],
    ['appchart', '', true],
    ['flux', '', true],
    ['ann', '', false],
    ['kust', '', false],
    ['charts/shop', '', false],
    ['charts/shop', `helm: {values: "extra:\\n- apiVersion: argoproj.io/v1alpha1\\n  kind: Application"}`, true],
  ])('%s { %s }: %s', async (path, more, expected) => {
    expect((await one(application(source(path, more)), {}, apps)).rendersTargets).toBe(expected);
  });

  it('a remote chart by its name', async () => {
    const spec = (name: string): string =>
      `{destination: {name: eu-1}, source: {repoURL: 'https://argoproj.github.io/argo-helm', chart: ${name}, targetRevision: 2.0.0}}`;
    expect((await one(application(spec('argocd-apps')))).rendersTargets).toBe(true);
    expect((await one(application(spec('redis')))).rendersTargets).toBe(false);
  });
});
