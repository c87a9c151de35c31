import { execFile } from 'node:child_process';
import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { createExec } from '../../src/render/exec.ts';
import { escapeCommas } from '../../src/render/helm-values.ts';
import { mergeMaps, plainVersion } from '../../src/render/helm.ts';
import { goMissing, runGo } from '../kit/go-oracle.ts';
import { tempDir } from '../kit/tmp.ts';
import { hasTool, toolPath } from '../kit/tools.ts';
import { yamlOracle } from './oracle.ts';
import {
  fixtures,
  fixtureTree,
  helmSource,
  manifestsOf,
  names,
  problemOf,
  target,
  testRenderer,
  treeOf,
  treeWith,
} from './kit.ts';

const run = promisify(execFile);
const hasHelm = await hasTool('helm');
const hasHelm4 = await hasTool('helm', '4.2.4').catch(() => false);
const noGo = await goMissing();
const renderer = testRenderer();
afterAll(() => renderer.close());

describe.skipIf(!hasHelm)('rendering charts', () => {
  test.skipIf(noGo !== undefined)(
    'gives what helm template prints, read by the Go library',
    { timeout: 120_000 },
    async () => {
      const { stdout } = await run(await toolPath('helm'), [
        'template',
        'demo',
        join(fixtures, 'charts/shop'),
        '--namespace',
        'shop',
        '--include-crds',
        '--set',
        'replicas=5',
        '--kube-version',
        '1.33.4',
        '--api-versions',
        'monitoring.coreos.com/v1',
      ]);
      const oracle = (await runGo(yamlOracle, [['sigs.k8s.io/yaml', 'v1.6.0']], stdout)) as object[];
      const source = helmSource('shop', {
        set: [{ name: 'replicas', value: '5', type: 'set' }],
        kubeVersion: 'v1.33.4-eks-1',
        apiVersions: ['monitoring.coreos.com/v1'],
      });
      const manifests = manifestsOf(await renderer.render(target(source), fixtureTree('charts')));
      expect(manifests).toHaveLength(oracle.length);
      const isPlain = (object: { kind?: string }): boolean => object.kind !== 'Secret' && object.kind !== 'ConfigMap';
      expect(manifests.map(({ object }) => object).filter(isPlain)).toEqual(oracle.filter(isPlain));
      expect(manifests.map(({ object }) => object.kind)).toEqual(
        oracle.map((object) => (object as { kind: string }).kind),
      );
    },
  );

  test('names the template and the file of the tree, and marks hooks', async () => {
    const manifests = manifestsOf(await renderer.render(target(helmSource('shop')), fixtureTree('charts')));
    const find = (name: string) => manifests.find(({ ref }) => `${ref.kind}/${ref.name}` === name);
    expect(find('Deployment/demo-web')?.provenance).toEqual({
      template: 'shop/templates/deployment.yaml',
      file: 'shop/templates/deployment.yaml',
    });
    expect(find('StatefulSet/demo-cache')?.provenance.file).toBe('shop/charts/cache/templates/statefulset.yaml');
    expect(find('Job/demo-migrate')?.hook).toEqual(['pre-install', 'pre-upgrade']);
    expect(find('Pod/demo-test')?.hook).toEqual(['test']);
    expect(find('CustomResourceDefinition/discounts.shop.example.org')).toBeDefined();
  });

  test('masks what two renders do not agree on, and nothing else', async () => {
    const manifests = manifestsOf(await renderer.render(target(helmSource('shop')), fixtureTree('charts')));
    const secret = manifests.find(({ ref }) => ref.kind === 'Secret');
    expect(secret?.nondeterministic).toEqual(['/data/password']);
    expect(secret?.object['data']).toEqual({
      user: expect.stringMatching(/^redacted:[0-9a-f]{12}$/),
      password: '<random>',
    });
    expect(manifests.filter((manifest) => manifest.nondeterministic !== undefined)).toHaveLength(1);
  });

  test('keeps credentials out of every object', async () => {
    const text = JSON.stringify(manifestsOf(await renderer.render(target(helmSource('shop')), fixtureTree('charts'))));
    expect(text).not.toContain('s3cr3t-pass');
    expect(text).toContain('postgres://shop:redacted:');
    expect(text).not.toContain(Buffer.from('admin').toString('base64'));
  });

  test('capabilities decide, flags reach helm', async () => {
    const plain = names(
      manifestsOf(
        await renderer.render(
          target(helmSource('shop', { includeCrds: false, skipTests: true, isUpgrade: true })),
          fixtureTree('charts'),
        ),
      ),
    );
    expect(plain).toContain('Job/demo-migrate-upgrade');
    expect(plain).not.toContain('Pod/demo-test');
    expect(plain.join()).not.toContain('CustomResourceDefinition');
    expect(plain).not.toContain('ServiceMonitor/demo-web');
    const rich = manifestsOf(
      await renderer.render(
        target(helmSource('shop'), {
          kubeVersion: '1.31',
          apiVersions: ['policy/v1/PodDisruptionBudget', 'monitoring.coreos.com/v1'],
        }),
        fixtureTree('charts'),
      ),
    );
    expect(names(rich)).toContain('ServiceMonitor/demo-web');
    const pdb = rich.find(({ ref }) => ref.kind === 'PodDisruptionBudget');
    expect(pdb?.ref.version).toBe('v1');
    expect(pdb?.object.metadata.labels).toEqual({ kubernetes: 'v1.31' });
  });

  test('layers of values apply in order, --set last', async () => {
    const tree = treeWith({
      ...chart(
        '{{ join "+" .Values.list }}|{{ .Values.a }}|{{ .Values.b }}|{{ .Values.c }}|{{ .Values.d }}|{{ .Values.e }}|{{ .Values.f | trim }}',
      ),
      'chart/values.yaml': 'a: chart\nb: chart\nc: chart\nd: chart\ne: chart\nf: chart\nlist: []\n',
      'env/one, two.yaml': 'b: file\nc: file\nd: file\ne: file\n',
      'env/f.txt': 'from file\n',
    });
    const outside = join(tempDir(), 'stub.yaml');
    writeFileSync(outside, 'e: outside\n');
    const source = helmSource('chart', {
      values: [
        { kind: 'file', path: 'env/one, two.yaml' },
        { kind: 'file', path: 'env/missing.yaml', optional: true },
        { kind: 'inline', values: { c: 'inline', d: 'inline' }, label: 'valuesObject' },
        { kind: 'text', yaml: 'd: text\n', label: 'values' },
        { kind: 'unavailable', label: 'Secret x', optional: true },
        { kind: 'external', path: outside },
      ],
      set: [
        { name: 'list', value: '{x,y}', type: 'set' },
        { name: 'f', value: 'env/f.txt', type: 'set-file' },
      ],
    });
    const [manifest] = manifestsOf(await renderer.render(target(source, { engine: 'argocd' }), tree));
    expect(manifest?.object['data']).toEqual({ out: 'x+y|chart|file|inline|text|outside|from file' });
  });

  test("Argo CD's commas are literal, helm's own separate", async () => {
    const tree = treeWith(chart('{{ .Values.a }}/{{ .Values.b }}'));
    const source = helmSource('chart', { set: [{ name: 'a', value: 'x,b=y', type: 'set' }] });
    const argocd = manifestsOf(await renderer.render(target(source, { engine: 'argocd' }), tree))[0];
    expect(argocd?.object['data']).toEqual({ out: 'x,b=y/' });
    const helm = manifestsOf(await renderer.render(target(source), tree))[0];
    expect(helm?.object['data']).toEqual({ out: 'x/y' });
  });

  test('a dependency in a neighbouring folder is put in place on a copy', async () => {
    const tree = fixtureTree('charts');
    const manifests = manifestsOf(await renderer.render(target(helmSource('worker')), tree));
    expect(manifests[0]?.object.metadata.labels).toEqual({ team: 'mail', release: 'demo' });
    expect(treeOf(join(fixtures, 'charts')).hashOf('worker')).toBe(tree.hashOf('worker'));
  });

  test('a failing template is located in the tree', async () => {
    const source = helmSource('shop', { set: [{ name: 'ingress.enabled', value: 'true', type: 'set' }] });
    const problem = problemOf(await renderer.render(target(source), fixtureTree('charts')));
    expect(problem).toMatchObject({ kind: 'render', location: { file: 'shop/templates/ingress.yaml', line: 11 } });
    expect(problem.message).toContain('nil pointer evaluating');
    expect(problem.next).toContain('value is missing');
  });

  test('invalid YAML of a template is located', async () => {
    const tree = treeWith(chart('x', 'a: {{ .Values.missing }}: b\n'));
    expect(problemOf(await renderer.render(target(helmSource('chart')), tree))).toMatchObject({
      kind: 'render',
      location: { file: 'chart/templates/out.yaml' },
    });
  });

  test('what is missing says whose fault it is', async () => {
    const tree = treeWith({
      ...chart('x'),
      'dep/Chart.yaml':
        'apiVersion: v2\nname: dep\nversion: 1.0.0\ndependencies: [{name: gone, version: 1.0.0, repository: "file://../gone"}]\n',
    });
    const render = async (parts: Parameters<typeof helmSource>) =>
      problemOf(await renderer.render(target(helmSource(...parts)), tree));
    expect(await render(['nowhere'])).toMatchObject({
      kind: 'render',
      message: expect.stringContaining('Chart.yaml is missing'),
    });
    expect(await render(['dep'])).toMatchObject({ kind: 'render', location: { file: 'dep/Chart.yaml' } });
    expect(await render(['../outside'])).toMatchObject({
      kind: 'render',
      message: expect.stringContaining('out of the repository'),
    });
    expect(await render(['chart', { values: [{ kind: 'file', path: 'no.yaml' }] }])).toMatchObject({ kind: 'render' });
    expect(await render(['chart', { values: [{ kind: 'file', path: '../../etc/passwd' }] }])).toMatchObject({
      kind: 'render',
    });
    expect(
      await render(['chart', { values: [{ kind: 'unavailable', label: 'Secret shop/values', optional: false }] }]),
    ).toMatchObject({ kind: 'missing-input', message: expect.stringContaining('Secret shop/values') });
    expect(await render(['chart', { release: '--post-renderer=x' }])).toMatchObject({ kind: 'render' });
    expect(
      await render([
        'chart',
        { chart: { from: 'git', url: 'https://git.example.org/a/b.git', revision: 'main', path: 'c' } },
      ]),
    ).toMatchObject({ kind: 'missing-input' });
  });

  test('a chart of another repository comes from its configured checkout', async () => {
    const checkout = tempDir('checkout');
    cpSync(join(fixtures, 'charts/shop'), join(checkout, 'deploy/shop'), { recursive: true });
    const other = testRenderer({ gitRepositories: { 'git@git.example.org:team/charts.git': checkout } });
    const source = helmSource('', {
      chart: { from: 'git', url: 'https://git.example.org/team/charts', revision: 'v1', path: 'deploy/shop' },
    });
    expect(names(manifestsOf(await other.render(target(source), treeWith({ 'a.txt': '' }))))).toContain(
      'Service/demo-web',
    );
    await other.close();
  });

  test("Flux's valuesFiles take the place of values.yaml", async () => {
    const tree = treeWith({
      ...chart('{{ .Values.a }}/{{ .Values.b }}/{{ .Values.c }}'),
      'chart/values.yaml': 'a: own\nb: own\nc: own\n',
      'chart/values-prod.yaml': 'a: prod\n',
      'shared.yaml': 'b: shared\n',
    });
    const source = helmSource('chart', {
      chartValuesFiles: { files: ['chart/values-prod.yaml', 'shared.yaml', 'none.yaml'], ignoreMissing: true },
    });
    expect(manifestsOf(await renderer.render(target(source, { engine: 'flux' }), tree))[0]?.object['data']).toEqual({
      out: 'prod/shared/',
    });
  });

  test("Flux's post-renderers patch all but hooks and CRDs", async () => {
    const source = helmSource('shop', {
      postRenderers: [
        {
          patches: [{ target: { kind: 'Deployment' }, patch: '- {op: replace, path: /spec/replicas, value: 9}' }],
          images: [{ name: 'registry.example.org/shop/web', newTag: '3.0' }],
        },
      ],
    });
    const manifests = manifestsOf(await renderer.render(target(source, { engine: 'flux' }), fixtureTree('charts')));
    const deployment = manifests.find(({ ref }) => ref.kind === 'Deployment')?.object as {
      spec?: { replicas: number; template: { spec: { containers: { image: string }[] } } };
    };
    expect(deployment.spec?.replicas).toBe(9);
    expect(deployment.spec?.template.spec.containers[0]?.image).toBe('registry.example.org/shop/web:3.0');
    const job = JSON.stringify(manifests.find(({ ref }) => ref.kind === 'Job')?.object);
    expect(job).toContain('shop/web:2.11');
  });

  test.skipIf(!hasHelm4)('the Helm 4 line renders the same objects', async () => {
    const three = manifestsOf(
      await renderer.render(target(helmSource('shop', { skipTests: true })), fixtureTree('charts')),
    );
    const four = manifestsOf(
      await renderer.render(
        target(helmSource('shop', { skipTests: true }), { tools: { helm: '4.2.4' }, kubeVersion: '1.34' }),
        fixtureTree('charts'),
      ),
    );
    expect(new Set(names(four))).toEqual(new Set(names(three)));
    expect(renderer.toolsUsed).toContainEqual({ name: 'helm', version: '4.2.4' });
  });

  test('a random line in a text masks that line only', async () => {
    const tree = treeWith(
      chart(
        'x',
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  out: |\n    one\n    key={{ uuidv4 }}\n    two\n',
      ),
    );
    const [manifest] = manifestsOf(await renderer.render(target(helmSource('chart')), tree));
    expect(manifest?.object['data']).toEqual({ out: 'one\n<random>\ntwo\n' });
    expect(manifest?.nondeterministic).toEqual(['/data/out']);
  });
});

describe.skipIf(!hasHelm)('running each input once', () => {
  test('equal targets share a run, a second renderer the cache', async () => {
    const cacheFolder = tempDir('cache');
    const first = testRenderer({}, { cacheFolder });
    const tree = fixtureTree('charts');
    const one = target(helmSource('worker'));
    const results = await Promise.all([
      first.render(one, tree),
      first.render({ ...one, id: 'b' }, fixtureTree('charts')),
      first.render(one, tree),
    ]);
    expect(first.statistics.helmRuns).toBe(1);
    expect(new Set(results.map((result) => JSON.stringify(manifestsOf(result)))).size).toBe(1);
    await first.close();
    const second = testRenderer({}, { cacheFolder });
    const again = await second.render(one, tree);
    expect(second.statistics).toEqual({ helmRuns: 0, kustomizeRuns: 0, cacheHits: 1 });
    expect(manifestsOf(again)).toEqual(manifestsOf(results[0]));
    await second.close();
  });

  test('changed values, capabilities and chart content are new inputs', async () => {
    const own = testRenderer();
    const files = chart('{{ .Values.a }}');
    await own.render(target(helmSource('chart')), treeWith(files));
    await own.render(target(helmSource('chart', { set: [{ name: 'a', value: '1', type: 'set' }] })), treeWith(files));
    await own.render(target(helmSource('chart'), { kubeVersion: '1.30' }), treeWith(files));
    await own.render(target(helmSource('chart')), treeWith({ ...files, 'chart/values.yaml': 'a: 2\n' }));
    expect(own.statistics.helmRuns).toBe(4);
    await own.close();
  });
});

describe('limits', () => {
  const fake = (script: string) => {
    const folder = tempDir('tool');
    const path = resolve(folder, 'helm');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return { find: async () => ({ path, version: '3.19.5' }) };
  };

  test('a helm that hangs or floods is ended, with its children', async () => {
    const exec = createExec();
    const limited = {
      run: (request: Parameters<typeof exec.run>[0]) =>
        exec.run({ ...request, timeoutMs: 300, maxOutputBytes: 100_000 }),
    };
    const tree = treeWith(chart('x'));
    const hanging = testRenderer({}, { exec: limited, tools: fake('sleep 600 & wait') });
    const started = Date.now();
    expect(problemOf(await hanging.render(target(helmSource('chart')), tree)).kind).toBe('limit');
    expect(Date.now() - started).toBeLessThan(30_000);
    const flooding = testRenderer({}, { exec: limited, tools: fake('yes') });
    expect(problemOf(await flooding.render(target(helmSource('chart')), tree))).toMatchObject({
      kind: 'limit',
      message: expect.stringContaining('printed more than'),
    });
    await Promise.all([hanging.close(), flooding.close()]);
  });

  test('output that is no Kubernetes object is the fault of the chart', async () => {
    const odd = testRenderer(
      {},
      { tools: fake("printf -- '---\\n# Source: chart/templates/out.yaml\\njust text\\n'") },
    );
    expect(problemOf(await odd.render(target(helmSource('chart')), treeWith(chart('x'))))).toMatchObject({
      kind: 'render',
      location: { file: 'chart/templates/out.yaml' },
    });
    await odd.close();
  });

  test('a cache that cannot be written is a note', async () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    const own = testRenderer(
      {},
      { cacheFolder: file, tools: fake("printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: x}\\n'") },
    );
    expect(names(manifestsOf(await own.render(target(helmSource('chart')), treeWith(chart('x')))))).toEqual(['Pod/x']);
    expect(own.notes[0]).toContain('cannot be written');
    await own.close();
  });
});

test('versions and values as helm wants them', () => {
  expect(['v1.34.3-gke.100', '1.34', 'v1.31.0', 'latest', undefined].map(plainVersion)).toEqual([
    '1.34.3',
    '1.34',
    '1.31.0',
    undefined,
    undefined,
  ]);
  expect(['a,b', 'a\\,b', '{a,b}', ',,', 'a'].map(escapeCommas)).toEqual(['a\\,b', 'a\\,b', '{a,b}', '\\,\\,', 'a']);
  expect(mergeMaps({ a: { b: 1, c: [1] }, d: 1 }, { a: { c: [2] }, d: null })).toEqual({
    a: { b: 1, c: [2] },
    d: null,
  });
});

function chart(expression: string, template?: string): Record<string, string> {
  return {
    'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
    'chart/templates/out.yaml':
      template ?? `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: out\ndata:\n  out: "${expression}"\n`,
  };
}
