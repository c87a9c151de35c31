import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { ClusterState } from '../../src/core/cluster.ts';
import type { Discovery, HelmSource, KubeObject } from '../../src/core/model.ts';
import { discoverArgoCd } from '../../src/sources/argocd.ts';
import type { ArgoContext } from '../../src/sources/argocd.ts';
import { argoContext, simpleGoTemplate, sourced, testConfig, treeOf } from '../kit/sources.ts';

const ours = 'https://github.com/acme/deploy.git';
const tree = treeOf({
  'apps/api/kustomization.yaml': '',
  'apps/api/base/x.yaml': '',
  'apps/web/kustomization.yaml': '',
  'apps/.hidden/x.yaml': '',
  'apps/old/kustomization.yaml': '',
  'config/dev/config.json':
    '{"name": "dev", "replicas": 2, "big": 1000000, "nested": {"list": ["a", {"b": true}], "none": null}}',
  'config/prod/config.json': '[{"name": "prod-1"}, {"name": "prod-2"}]',
  'config/broken/settings.yaml': 'a: [\n',
  'config/ok/settings.yaml': 'name: ok\n',
  'config/empty/empty.yaml': '# nothing\n',
});

interface Parts {
  readonly generators: string;
  readonly template?: string;
  readonly more?: string;
  readonly metadata?: string;
}

function applicationSet({ generators, template, more = '', metadata = 'name: set' }: Parts): string {
  const body =
    template ??
    `{metadata: {name: 'app-{{name}}'}, spec: {project: default, destination: {name: eu-1, namespace: a}, source: {repoURL: '${ours}', path: apps/api}}}`;
  return `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {${metadata}}\nspec:\n  generators: ${generators}\n  template: ${body}\n${more}`;
}

async function expand(parts: Parts, overrides: Partial<ArgoContext> = {}): Promise<Discovery> {
  return discoverArgoCd(sourced(applicationSet(parts), 'sets/set.yaml'), argoContext(tree, overrides));
}

async function namesOf(parts: Parts, overrides: Partial<ArgoContext> = {}): Promise<readonly string[]> {
  const found = await expand(parts, overrides);
  return found.targets.map((target) => target.name);
}

/** Shows parameters through the only field that carries any text: Helm values. */
function showing(text: string): string {
  return `{metadata: {name: 'a-{{name}}'}, spec: {destination: {name: eu-1}, source: {repoURL: 'https://charts.example.org', chart: x, helm: {values: '${text}'}}}}`;
}

async function shown(parts: Parts, overrides: Partial<ArgoContext> = {}): Promise<readonly string[]> {
  const found = await expand(parts, overrides);
  return found.targets.map((target) => {
    const layer = (target.sources[0] as HelmSource).values[0];
    return layer?.kind === 'text' ? layer.yaml : JSON.stringify(layer);
  });
}

const goTemplate = '  goTemplate: true\n';

describe('list generator', () => {
  it('yields one Application per element, declared by the set', async () => {
    const found = await expand({ generators: '[{list: {elements: [{name: a}, {name: b}]}}]' });
    expect(found.targets.map((target) => target.id)).toEqual(['argocd:argocd/app-a', 'argocd:argocd/app-b']);
    expect(found.targets[0]).toMatchObject({
      declaredBy: { kind: 'ApplicationSet', namespace: 'argocd', name: 'set' },
      origin: { file: 'sets/set.yaml', line: 1 },
      sources: [{ type: 'kustomize', path: 'apps/api' }],
    });
    expect(found.expansions).toEqual([
      {
        declaredBy: {
          group: 'argoproj.io',
          version: 'v1alpha1',
          kind: 'ApplicationSet',
          namespace: 'argocd',
          name: 'set',
        },
        location: { file: 'sets/set.yaml', line: 1 },
        targets: ['argocd:argocd/app-a', 'argocd:argocd/app-b'],
        complete: true,
      },
    ]);
    expect(found.notEvaluated).toEqual([]);
  });

  it('zero elements are legal and listed', async () => {
    const found = await expand({ generators: '[{list: {elements: []}}]' });
    expect(found).toMatchObject({ targets: [], notEvaluated: [], expansions: [{ targets: [], complete: true }] });
  });

  it('values are flat names; unknown tags and spaces stay as written', async () => {
    const generators = '[{list: {elements: [{name: a, url: u, values: {size: big}}]}}]';
    expect(
      await shown({ generators, template: showing('{{ url }} {{values.size}} {{unknown}} {{ also unknown }} {{}}') }),
    ).toEqual(['u big {{unknown}} {{ also unknown }} {{}}']);
  });

  it('an element that is not a map of strings is listed, the others stay', async () => {
    const found = await expand({
      generators: '[{list: {elements: [{name: a}, {name: b, count: 3}, nonsense, {name: c}]}}]',
    });
    expect(found.targets.map((target) => target.name)).toEqual(['app-a', 'app-c']);
    expect(found.notEvaluated.map((note) => note.reason)).toEqual([
      expect.stringContaining('element 2'),
      expect.stringContaining('element 3'),
    ]);
    expect(found.expansions?.[0]?.complete).toBe(false);
  });

  it('elementsYaml is appended', async () => {
    expect(
      await namesOf({ generators: '[{list: {elements: [{name: a}], elementsYaml: "- name: b\\n- name: c\\n"}}]' }),
    ).toEqual(['app-a', 'app-b', 'app-c']);
    const broken = await expand({ generators: '[{list: {elements: [], elementsYaml: "a: [1"}}]' });
    expect(broken.notEvaluated[0]?.reason).toMatch(/elementsYaml cannot be read as YAML/);
  });

  it('with goTemplate takes any structure, in one call of the engine', async () => {
    const port = simpleGoTemplate();
    const found = await expand(
      {
        generators: '[{list: {elements: [{name: a, m: {size: 3}}, {name: b, m: {size: 4}}]}}]',
        template: showing('{{ .m.size }}').replace('a-{{name}}', 'x-{{.name}}'),
        more: goTemplate,
      },
      { goTemplate: port },
    );
    expect(found.targets.map((target) => [target.name, (target.sources[0] as HelmSource).values])).toEqual([
      ['x-a', [{ kind: 'text', yaml: '3', label: 'spec.source.helm.values' }]],
      ['x-b', [{ kind: 'text', yaml: '4', label: 'spec.source.helm.values' }]],
    ]);
    expect(port).toMatchObject({ calls: 1, jobs: 4 });
  });

  it('a missing key under missingkey=error loses that element only', async () => {
    const found = await expand({
      generators: '[{list: {elements: [{name: a, x: y}, {name: b}]}}]',
      template: showing('{{ .x }}').replace('{{name}}', '{{.name}}'),
      more: '  goTemplate: true\n  goTemplateOptions: [missingkey=error]\n',
    });
    expect(found.targets.map((target) => target.name)).toEqual(['a-a']);
    expect(found.notEvaluated).toEqual([
      expect.objectContaining({
        what: 'ApplicationSet set',
        reason: expect.stringMatching(/^element \{name: b\}: template .*no entry for key/),
        location: { file: 'sets/set.yaml', line: 1 },
        weight: 'note',
      }),
    ]);
  });

  it('an engine that fails is told and ends nothing else', async () => {
    const found = await expand(
      {
        generators: '[{list: {elements: [{name: a}]}}]',
        template: showing('x').replace('{{name}}', '{{.name}}'),
        more: goTemplate,
      },
      { goTemplate: { execute: () => Promise.reject(new Error('no engine')) } },
    );
    expect(found.notEvaluated[0]?.reason).toContain('no engine');
  });
});

describe('git directories', () => {
  const git = (more: string): string => `[{git: {repoURL: '${ours}', revision: HEAD, ${more}}}]`;
  const template = (name: string): string =>
    `{metadata: {name: '${name}'}, spec: {destination: {name: eu-1}, source: {repoURL: '${ours}', path: '{{path}}'}}}`;

  it('hidden directories and what is below are skipped, exclude wins, one level only', async () => {
    const found = await expand({
      generators: git('directories: [{path: apps/old, exclude: true}, {path: apps/*}]'),
      template: template('{{path.basename}}'),
    });
    expect(found.targets.map((target) => [target.name, target.sources[0]])).toMatchObject([
      ['api', { path: 'apps/api' }],
      ['web', { path: 'apps/web' }],
    ]);
  });

  it('parameters', async () => {
    expect(
      await shown({
        generators: git('directories: [{path: apps/api}], values: {dir: "{{path}}!"}'),
        template: showing(
          '{{path}} {{path.basename}} {{path.basenameNormalized}} {{path[0]}} {{path[1]}} {{values.dir}}',
        ).replace('a-{{name}}', 'a'),
      }),
    ).toEqual(['apps/api api api apps api apps/api!']);
    expect(
      await shown({
        generators: git('directories: [{path: apps/api}], pathParamPrefix: my'),
        template: showing('{{my.path}} {{my.path.basename}} {{my.path[1]}} {{path}}').replace('a-{{name}}', 'a'),
      }),
    ).toEqual(['apps/api api api {{path}}']);
    expect(
      await shown({
        generators: git('directories: [{path: apps/api}], values: {dir: "{{.path.path}}!"}'),
        template: showing('{{.path.path}} {{.path.basename}} {{.path.segments}} {{.values.dir}}').replace(
          'a-{{name}}',
          'a',
        ),
        more: goTemplate,
      }),
    ).toEqual(['apps/api api ["apps","api"] apps/api!']);
  });

  it('another repository or revision cannot be read', async () => {
    const other = await expand({
      generators: '[{git: {repoURL: "https://github.com/acme/else", directories: [{path: "*"}]}}]',
    });
    expect(other.notEvaluated[0]?.reason).toContain(
      'reads repository https://github.com/acme/else, which is not this one',
    );
    const pinned = await expand({
      generators: `[{git: {repoURL: '${ours}', revision: v1.0.0, directories: [{path: "*"}]}}]`,
    });
    expect(pinned.notEvaluated[0]?.reason).toContain('pinned to tag v1.0.0');
    expect(pinned.expansions).toMatchObject([{ targets: [], complete: false }]);
  });
});

describe('git files', () => {
  const git = (path: string, more = ''): string => `[{git: {repoURL: '${ours}', files: [{path: '${path}'}]${more}}}]`;

  it('objects and lists, sorted by file, flattened to text without goTemplate', async () => {
    expect(
      await shown({
        generators: git('config/*/config.json'),
        template: showing(
          '{{path}} {{replicas}} {{big}} {{nested.list.0}} {{nested.list.1.b}} {{nested.none}} {{path.filename}}',
        ),
      }),
    ).toEqual([
      'config/dev 2 1e+06 a true <nil> config.json',
      'config/prod {{replicas}} {{big}} {{nested.list.0}} {{nested.list.1.b}} {{nested.none}} config.json',
      'config/prod {{replicas}} {{big}} {{nested.list.0}} {{nested.list.1.b}} {{nested.none}} config.json',
    ]);
  });

  it('keep their structure with goTemplate', async () => {
    expect(
      await shown({
        generators: git('config/dev/config.json', ', values: {n: "{{.nested.none}}"}'),
        template: showing('{{.replicas}} {{.path.path}} {{.path.filename}} {{.path.filenameNormalized}}').replace(
          '{{name}}',
          '{{.name}}',
        ),
        more: goTemplate,
      }),
    ).toEqual(['2 config/dev config.json config.json']);
  });

  it('the file is an input of what it generates', async () => {
    const found = await expand({ generators: git('config/*/config.json') });
    expect(found.targets.map((target) => target.inputs)).toEqual([
      expect.arrayContaining(['config/dev/config.json', 'apps/api/kustomization.yaml']),
      expect.arrayContaining(['config/prod/config.json']),
      expect.arrayContaining(['config/prod/config.json']),
    ]);
  });

  it('`*` crosses directories unless the new globbing is on', async () => {
    const deep = treeOf({ 'a/b/c/x.json': '{"name": "deep"}', 'a/x.json': '{"name": "flat"}' });
    expect(await namesOf({ generators: git('a/*.json') }, { tree: deep })).toEqual(['app-deep', 'app-flat']);
    const config = testConfig({
      argocd: { version: '3.5.1', namespace: 'argocd', kustomizeBuildOptions: '', newGitFileGlobbing: true },
    });
    expect(await namesOf({ generators: git('a/*.json') }, { tree: deep, config })).toEqual(['app-flat']);
  });

  it('a broken file is told with its line, and does not lose the others', async () => {
    const found = await expand({ generators: git('config/*/settings.yaml') });
    expect(found.targets.map((target) => target.name)).toEqual(['app-ok']);
    expect(found.notEvaluated).toEqual([
      expect.objectContaining({
        reason: expect.stringContaining('config/broken/settings.yaml cannot be read'),
        location: expect.objectContaining({ file: 'config/broken/settings.yaml', line: expect.any(Number) }),
      }),
    ]);
  });

  it('exclude patterns (3.1) and empty files', async () => {
    expect(
      await namesOf({
        generators: `[{git: {repoURL: '${ours}', files: [{path: config/*/config.json}, {path: config/prod/*, exclude: true}]}}]`,
      }),
    ).toEqual(['app-dev']);
    expect(
      await namesOf({
        generators: git('config/empty/empty.yaml'),
        template: showing('x').replace('{{name}}', '{{path.basename}}'),
      }),
    ).toEqual(['a-empty']);
  });
});

describe('clusters generator', () => {
  const cluster = (
    name: string,
    labels: Record<string, string> = {},
    server = `https://${name}.example.org`,
  ): Config['clusters'][number] => ({ name, server, labels, annotations: { team: `t-${name}` }, project: 'p' });
  const config = testConfig({ clusters: [cluster('us_1', { env: 'prod' }), cluster('eu-1', { env: 'dev' })] });

  it('all known ones by name, and the local one last', async () => {
    expect(
      await shown(
        {
          generators: '[{clusters: {values: {v: "{{name}}"}}}]',
          template: showing(
            '{{nameNormalized}} {{server}} {{project}} {{metadata.labels.env}} {{metadata.annotations.team}} {{values.v}}',
          ),
        },
        { config },
      ),
    ).toEqual([
      'eu-1 https://eu-1.example.org p dev t-eu-1 eu-1',
      'us-1 https://us_1.example.org p prod t-us_1 us_1',
      'in-cluster https://kubernetes.default.svc  {{metadata.labels.env}} {{metadata.annotations.team}} in-cluster',
    ]);
  });

  it('the selector leaves the local one out', async () => {
    expect(await namesOf({ generators: '[{clusters: {selector: {matchLabels: {env: prod}}}}]' }, { config })).toEqual([
      'app-us_1',
    ]);
    expect(
      await namesOf(
        { generators: '[{clusters: {selector: {matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}}}]' },
        { config },
      ),
    ).toEqual(['app-eu-1']);
    expect(
      await namesOf(
        { generators: '[{clusters: {selector: {matchLabels: {"argocd.argoproj.io/secret-type": cluster}}}}]' },
        { config },
      ),
    ).toEqual(['app-eu-1', 'app-us_1']);
  });

  it('a known cluster with the local server takes its place', async () => {
    const hub = testConfig({ clusters: [cluster('hub', {}, 'https://kubernetes.default.svc')] });
    expect(await namesOf({ generators: '[{clusters: {}}]' }, { config: hub })).toEqual(['app-hub']);
  });

  it('goTemplate sees metadata; flatList gives one element', async () => {
    expect(
      await shown(
        {
          generators: '[{clusters: {selector: {matchLabels: {env: dev}}}}]',
          template: showing('{{.metadata.labels.env}} {{.metadata.annotations.team}}').replace('{{name}}', '{{.name}}'),
          more: goTemplate,
        },
        { config },
      ),
    ).toEqual(['dev t-eu-1']);
    const flat = await expand(
      {
        generators: '[{clusters: {flatList: true}}]',
        template: showing('{{.clusters}}').replace('a-{{name}}', 'all'),
        more: goTemplate,
      },
      { config },
    );
    expect(flat.targets.map((target) => target.name)).toEqual(['all']);
  });

  const secret = (name: string, data: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': 'cluster', env: 'x' } },
    ...data,
  });
  const state = (objects: readonly KubeObject[]): ClusterState => ({
    name: 'hub',
    objects,
    metrics: [],
    pods: [],
    helmReleases: [],
    services: [],
    unread: [],
    kinds: new Set(['/Secret']),
  });

  it('reads cluster Secrets of the snapshot and of the tree; redacted ones are told', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const snapshot = state([
      secret('cluster-a', { data: { name: base64('a'), server: base64('https://a.example.org') } }),
      secret('cluster-b', { data: { name: 'sha256:12ab', server: 'sha256:34cd' } }),
    ]);
    const objects = [
      ...sourced(applicationSet({ generators: '[{clusters: {selector: {matchLabels: {env: x}}}}]' }), 'set.yaml'),
      ...sourced(
        'apiVersion: v1\nkind: Secret\nmetadata: {name: cluster-c, labels: {argocd.argoproj.io/secret-type: cluster, env: x}}\nstringData: {name: c, server: "https://c.example.org"}\n',
        'clusters/c.yaml',
      ),
    ];
    const found = await discoverArgoCd(objects, argoContext(tree, { cluster: snapshot }));
    expect(found.targets.map((target) => target.name)).toEqual(['app-a', 'app-c']);
    expect(found.notEvaluated).toEqual([
      expect.objectContaining({ what: 'Argo CD cluster Secret cluster-b', weight: 'note' }),
    ]);
  });

  it('without any known cluster says so', async () => {
    const found = await expand({ generators: '[{clusters: {}}]' });
    expect(found.targets.map((target) => target.name)).toEqual(['app-in-cluster']);
    expect(found.notEvaluated[0]).toMatchObject({
      reason: expect.stringContaining('clusters that Argo CD manages are not known'),
      next: expect.stringContaining('gate.yaml'),
    });
    expect(found.expansions?.[0]?.complete).toBe(false);
    expect((await expand({ generators: '[{clusters: {selector: {matchLabels: {a: b}}}}]' })).targets).toEqual([]);
  });
});

describe('matrix', () => {
  const list = (...names: readonly string[]): string => `{list: {elements: [${names.join(', ')}]}}`;

  it('combines, and the second child sees the first', async () => {
    const generators = `[{matrix: {generators: [${list('{dir: api, name: x}', '{dir: web, name: z}')}, {git: {repoURL: '${ours}', directories: [{path: 'apps/{{dir}}'}]}}]}}]`;
    expect(await shown({ generators, template: showing('{{dir}} {{path}}') })).toEqual([
      'api apps/api',
      'web apps/web',
    ]);
  });

  it('equal values may meet, different ones end that generator only', async () => {
    const same = `{matrix: {generators: [${list('{name: a, k: "1"}')}, ${list('{k: "1", z: q}')}]}}`;
    const different = `{matrix: {generators: [${list('{name: b, k: "1"}')}, ${list('{k: "2"}')}]}}`;
    const found = await expand({ generators: `[${same}, ${different}]` });
    expect(found.targets.map((target) => target.name)).toEqual(['app-a']);
    expect(found.notEvaluated[0]?.reason).toContain(
      'both generators of the matrix give k, with different values (1, 2)',
    );
  });

  it('with goTemplate the first child wins, maps merge', async () => {
    const generators = `[{matrix: {generators: [${list('{name: a, m: {x: first}}')}, ${list('{name: b, m: {x: second, z: also}}')}]}}]`;
    expect(
      await shown({
        generators,
        template: showing('{{.name}} {{.m.x}} {{.m.z}}').replace('{{name}}', '{{.name}}'),
        more: goTemplate,
      }),
    ).toEqual(['a first also']);
  });

  it('the values of the second child may use both', async () => {
    const generators = `[{matrix: {generators: [${list('{name: a, region: eu}')}, {git: {repoURL: '${ours}', directories: [{path: apps/web}], values: {id: "{{.region}}-{{.path.basename}}", both: "{{.region}}"}}}]}}]`;
    // Its own path is not known when the first child is filled in: then the string waits (3.5).
    expect(
      await shown(
        {
          generators,
          template: showing('{{.values.both}} {{.values.id}}').replace('{{name}}', '{{.name}}'),
          more: goTemplate,
        },
        {},
      ),
    ).toEqual(['eu <no value>-web']);
  });

  it('nests once, not deeper, and takes exactly two children', async () => {
    const inner = `{matrix: {generators: [${list('{name: a}')}, ${list('{b: "1"}', '{b: "2"}')}]}}`;
    expect(
      await shown({
        generators: `[{matrix: {generators: [${inner}, ${list('{c: "3"}')}]}}]`,
        template: showing('{{b}}{{c}}').replace('a-{{name}}', '{{name}}-{{b}}'),
      }),
    ).toEqual(['13', '23']);
    const deep = `{matrix: {generators: [{matrix: {generators: [${inner}, ${list('{c: "3"}')}]}}, ${list('{d: "4"}')}]}}`;
    expect((await expand({ generators: `[${deep}]` })).notEvaluated[0]?.reason).toContain('nested deeper');
    expect(
      (await expand({ generators: `[{matrix: {generators: [${list('{name: a}')}]}}]` })).notEvaluated[0]?.reason,
    ).toContain('matrix has 1 generators');
    expect(
      (
        await expand({
          generators: `[{matrix: {generators: [${list('{name: a}')}, {list: {elements: []}, git: {}}]}}]`,
        })
      ).notEvaluated[0]?.reason,
    ).toMatch(/more than one generator|neither directories nor files/);
  });

  it('stops at an explosion', async () => {
    const many = (key: string): string =>
      `{list: {elements: [${Array.from({ length: 100 }, (_, index) => `{${key}: "${index}"}`).join(', ')}]}}`;
    const found = await expand({ generators: `[{matrix: {generators: [${many('a')}, ${many('b')}]}}]` });
    expect(found.notEvaluated[0]?.reason).toContain('more than 5000 elements');
  });
});

describe('merge', () => {
  const base = '{list: {elements: [{name: a, size: small}, {name: b, size: small}]}}';
  it('later generators override equal keys, unknown keys are dropped', async () => {
    const generators = `[{merge: {mergeKeys: [name], generators: [${base}, {list: {elements: [{name: b, size: big}, {name: z, size: lost}]}}]}}]`;
    expect(await shown({ generators, template: showing('{{size}}') })).toEqual(['small', 'big']);
  });

  it('with goTemplate maps merge and an empty value overrides', async () => {
    const generators = `[{merge: {mergeKeys: [name], generators: [{list: {elements: [{name: a, m: {x: one, z: two}}]}}, {list: {elements: [{name: a, m: {z: ""}}]}}]}}]`;
    expect(
      await shown({
        generators,
        template: showing('{{.m.x}}|{{.m.z}}').replace('{{name}}', '{{.name}}'),
        more: goTemplate,
      }),
    ).toEqual(['one|']);
  });

  it.each([
    [`{merge: {mergeKeys: [size], generators: [${base}, ${base}]}}`, 'the same merge keys'],
    [`{merge: {mergeKeys: [], generators: [${base}, ${base}]}}`, 'no mergeKeys'],
    [`{merge: {mergeKeys: [name], generators: [${base}]}}`, 'fewer than two'],
  ])('%s: %s', async (generator, reason) => {
    expect((await expand({ generators: `[${generator}]` })).notEvaluated[0]?.reason).toContain(reason);
  });
});

describe('selector, generator template, unsupported generators', () => {
  it('the post-selector sees flattened parameters, also with goTemplate and nested', async () => {
    const elements = '{elements: [{name: a, env: prod}, {name: b, env: dev}]}';
    expect(await namesOf({ generators: `[{list: ${elements}, selector: {matchLabels: {env: prod}}}]` })).toEqual([
      'app-a',
    ]);
    const nested = '{elements: [{name: a, m: {env: "https://x"}}, {name: b}]}';
    const template = showing('x').replace('{{name}}', '{{.name}}');
    expect(
      await namesOf({
        generators: `[{list: ${nested}, selector: {matchExpressions: [{key: m.env, operator: In, values: ["https://x"]}]}}]`,
        template,
        more: goTemplate,
      }),
    ).toEqual(['a-a']);
    expect(
      await namesOf({
        generators: `[{matrix: {generators: [{list: ${elements}, selector: {matchLabels: {env: dev}}}, {list: {elements: [{q: r}]}}]}}]`,
      }),
    ).toEqual(['app-b']);
    expect(
      (await expand({ generators: `[{list: ${elements}, selector: {matchExpressions: [{key: a, operator: Like}]}}]` }))
        .notEvaluated[0]?.reason,
    ).toContain('"Like" is not an operator');
  });

  it('a generator template wins field by field', async () => {
    const found = await expand({
      generators:
        '[{list: {elements: [{name: a}], template: {metadata: {}, spec: {project: "", destination: {namespace: own}, source: {path: apps/web}}}}}, {list: {elements: [{name: b}]}}]',
    });
    expect(
      found.targets.map((target) => [target.afterRender.defaultNamespace, target.cluster, target.sources[0]]),
    ).toMatchObject([
      ['own', 'eu-1', { path: 'apps/web' }],
      ['a', 'eu-1', { path: 'apps/api' }],
    ]);
  });

  it.each(['scmProvider', 'pullRequest', 'plugin', 'clusterDecisionResource'])(
    '%s is listed with reason and next step',
    async (kind) => {
      const found = await expand({ generators: `[{${kind}: {}}, {list: {elements: [{name: a}]}}]` });
      expect(found.targets.map((target) => target.name)).toEqual(['app-a']);
      expect(found.notEvaluated).toEqual([
        expect.objectContaining({
          reason: expect.stringContaining(`the ${kind} generator`),
          next: expect.any(String),
          weight: 'note',
          location: { file: 'sets/set.yaml', line: 1 },
        }),
      ]);
    },
  );

  it.each([
    [{ generators: '[{unknown: {}}]' }, 'unknown generator unknown'],
    [{ generators: 'nonsense' }, 'no generators'],
    [{ generators: '[{list: {elements: [{name: a}]}}]', template: 'nonsense' }, 'no spec.template'],
    [
      { generators: '[{list: {elements: [{name: "{{"}]}}]', template: showing('{{name}} {{broken') },
      '"{{" without "}}"',
    ],
    [{ generators: '[{list: {elements: [{name: a}, {name: a}]}}]' }, 'two Applications named app-a'],
  ])('%j: %s', async (parts, reason) => {
    const found = await expand(parts);
    expect(found.notEvaluated.map((note) => note.reason).join('; ')).toContain(reason);
    expect(found.expansions?.[0]?.complete).toBe(false);
  });
});

describe('template details', () => {
  const generators = '[{list: {elements: [{name: a, flag: "true"}]}}]';

  it('finalizer unless the set preserves resources', async () => {
    const removal = async (more: string, metadata = ''): Promise<unknown> => {
      const template = `{metadata: {name: 'app-{{name}}'${metadata}}, spec: {destination: {name: eu-1}, source: {repoURL: '${ours}', path: apps/api}}}`;
      return (await expand({ generators, more, template })).targets[0]?.apply.onRemoval;
    };
    expect(await removal('')).toBe('deletes-objects');
    expect(await removal('  syncPolicy: {preserveResourcesOnDeletion: true}\n')).toBe('keeps-objects');
    expect(await removal('', ', finalizers: [other/finalizer]')).toBe('keeps-objects');
    expect(await removal('  syncPolicy: {applicationsSync: create-update}\n')).toBe('keeps-target');
  });

  it('create-only is told', async () => {
    const found = await expand({ generators, more: '  syncPolicy: {applicationsSync: create-only}\n' });
    expect(found.notEvaluated[0]?.reason).toContain('create-only');
    expect(found.expansions?.[0]?.complete).toBe(true);
  });

  it('map keys are filled, other types stay', async () => {
    const template = `{metadata: {name: 'x', labels: {'{{name}}': '{{flag}}', env: 'e-{{name}}'}}, spec: {destination: {name: eu-1}, syncPolicy: {automated: {prune: true}}, source: {repoURL: 'https://charts.example.org', chart: x, helm: {valuesObject: {'k-{{name}}': ['{{name}}', 3, true, null]}}}}}`;
    const target = (await expand({ generators, template })).targets[0];
    expect(target?.environment).toBe('e-a');
    expect(target?.apply.prune).toBe(true);
    expect((target?.sources[0] as HelmSource | undefined)?.values).toEqual([
      { kind: 'inline', values: { 'k-a': ['a', 3, true, null] }, label: 'spec.source.helm.valuesObject' },
    ]);
  });

  it('an element without parameters leaves the template as it is', async () => {
    expect(
      await namesOf({
        generators: '[{list: {elements: [{}]}}]',
        template: showing('x').replace('a-{{name}}', 'fixed'),
      }),
    ).toEqual(['fixed']);
  });

  it('the Application lives in the namespace of the set', async () => {
    const found = await expand({
      generators,
      metadata: 'name: set, namespace: team',
      template: showing('x').replace("name: 'a-{{name}}'", "name: 'a', namespace: elsewhere"),
    });
    expect(found.targets[0]?.id).toBe('argocd:team/a');
  });

  it('templatePatch: maps merge, lists are replaced, null deletes, the project stays', async () => {
    const template = `{metadata: {name: 'app-{{name}}', labels: {env: dev}}, spec: {project: default, destination: {name: eu-1, namespace: a}, syncPolicy: {syncOptions: [Replace=true], automated: {}}, source: {repoURL: 'https://charts.example.org', chart: x, helm: {releaseName: r}}}}`;
    const more = `  templatePatch: |
    metadata:
      labels: {env: prod-{{name}}}
      finalizers: [other/one]
    spec:
      project: stolen
      destination: {namespace: null}
      syncPolicy:
        automated: {prune: {{flag}}}
        syncOptions: [ServerSideApply=true]
      source:
        helm:
          $patch: replace
          parameters: [{name: k, value: v}]
`;
    const target = (await expand({ generators, template, more })).targets[0];
    expect(target).toMatchObject({
      environment: 'prod-a',
      apply: { prune: true, mode: 'server-side', syncOptions: ['ServerSideApply=true'], onRemoval: 'deletes-objects' },
      afterRender: {},
    });
    expect(target?.sources[0]).toMatchObject({ release: 'app-a', set: [{ name: 'k', value: 'v', type: 'set' }] });
  });

  it('a templatePatch that is not YAML loses that element only', async () => {
    const found = await expand({ generators, more: '  templatePatch: "a: [{{name}}"\n' });
    expect(found.targets).toEqual([]);
    expect(found.notEvaluated[0]?.reason).toMatch(
      /^element \{name: a, flag: true\}: templatePatch cannot be read as YAML/,
    );
  });
});

describe('hostile input', () => {
  it('a set that fails for every element is listed in bounded length', async () => {
    const elements = Array.from({ length: 2000 }, (_, index) => `{name: e${index}, q: 3}`).join(', ');
    const found = await expand({ generators: `[{list: {elements: [${elements}]}}]` });
    expect(found.notEvaluated).toHaveLength(51);
    expect(found.notEvaluated.at(-1)?.reason).toContain('more of its elements fail');
  });

  it('long slashes and patterns take no quadratic time', async () => {
    const long = '/'.repeat(300_000);
    const started = performance.now();
    const template = `{metadata: {name: a}, spec: {destination: {server: "h${long}x"}, source: {repoURL: "r${long}x", chart: "c${long}x", targetRevision: "v1${'.1'.repeat(100_000)}"}}}`;
    await expand({
      generators: `[{list: {elements: [{name: a}]}}, {git: {repoURL: "${ours}", directories: [{path: "${'*'.repeat(100_000)}"}]}}]`,
      template,
    });
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('__proto__ in parameters and templates stays a key', async () => {
    await expand({
      generators: '[{list: {elements: [{name: a, __proto__: {polluted: x}}]}}]',
      template: showing('{{__proto__}} {{constructor}} {{toString}}'),
      more: goTemplate,
    });
    expect(
      await shown({
        generators: '[{list: {elements: [{name: a}]}}]',
        template: showing('{{__proto__}} {{constructor}} {{toString}}'),
      }),
    ).toEqual(['{{__proto__}} {{constructor}} {{toString}}']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('many sets', () => {
  it('share one call of the engine per step', async () => {
    const port = simpleGoTemplate();
    const template = showing('{{.name}}').replace('{{name}}', '{{.name}}');
    const yaml = Array.from({ length: 20 }, (_, index) =>
      applicationSet({
        generators: `[{list: {elements: [{name: n${index}}, {name: m${index}}]}}]`,
        template,
        more: goTemplate,
        metadata: `name: set-${index}`,
      }),
    ).join('---\n');
    const found = await discoverArgoCd(sourced(yaml), argoContext(tree, { goTemplate: port }));
    expect(found.targets).toHaveLength(40);
    expect(port).toMatchObject({ calls: 1, jobs: 80 });
  });
});
