import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gate, writeFiles, type Ended } from '../kit/gate.ts';
import { tempDir } from '../kit/tmp.ts';

type Files = Record<string, string | undefined>;

const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: "${value}"}\n`;

const application = (name: string, source: string): string => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd}
spec:
  project: default
  destination: {namespace: ${name}, server: "https://kubernetes.default.svc"}
  source: {repoURL: "https://git.example.org/x.git", targetRevision: HEAD, ${source}}
`;

const chart = {
  'charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'charts/shop/values.yaml': 'a: "1"\n',
  'charts/shop/templates/all.yaml': configMap('shop', '{{ .Values.a }}'),
};

/** Two folders; in `after`, undefined takes a file away. The parent folder is the world outside of the tree. */
function sides(before: Files, change: Files): { root: string; args: string[] } {
  const root = tempDir('hostile');
  const only = (files: Files): Record<string, string> =>
    Object.fromEntries(Object.entries(files).flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])));
  writeFiles(join(root, 'before'), { 'README.md': 'x', ...only(before) });
  writeFiles(join(root, 'after'), { 'README.md': 'x', ...only({ ...before, ...change }) });
  return { root, args: ['--before', join(root, 'before'), '--after', join(root, 'after')] };
}

const flat = (ended: Ended): string => ended.stdout.replace(/\s+/g, ' ');

function expectIncomplete(ended: Ended, text: RegExp): void {
  expect(ended.stdout).toContain('INCOMPLETE');
  expect(flat(ended)).toMatch(text);
  expect(ended.code).toBe(3);
}

describe('a filter that matches nothing is no pass', () => {
  const { args } = sides(chart, { 'charts/shop/values.yaml': 'a: "2"\n' });
  test.each([
    ['--target', 'shpo', /--target shpo matches no target/, /Did you mean shop\?/],
    ['--environment', 'production', /--environment production matches no target/, /environment/],
  ])('%s %s', async (option, value, what, next) => {
    const ended = await gate(['check', ...args, option, value]);
    expect(ended.stderr).toMatch(what);
    expect(ended.stderr).toMatch(next);
    expect(ended.stdout).toBe('');
    expect(ended.code).toBe(2);
  });

  test('one of two targets is enough to be a mistake', async () => {
    expect((await gate(['check', ...args, '--target', 'shop', '--target', 'x*'])).code).toBe(2);
    expect((await gate(['check', ...args, '--target', 'sh*'])).code).toBe(0);
  });
});

describe('nothing that is deployed changes unseen', () => {
  const pointer = (digit: string): string =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${digit.repeat(64)}\nsize 123\n`;

  test('a manifest becomes a Git LFS pointer: not a deletion', async () => {
    const { args } = sides({ 'm/a.yaml': configMap('a', '1') }, { 'm/a.yaml': pointer('1') });
    const ended = await gate(['check', ...args]);
    expectIncomplete(ended, /m\/a\.yaml is a Git LFS pointer/);
    expect(ended.stdout).not.toContain('Deleted');
  });

  test('one Git LFS pointer becomes another', async () => {
    const { args } = sides({ 'm/a.yaml': pointer('1') }, { 'm/a.yaml': pointer('2') });
    expectIncomplete(await gate(['check', ...args]), /m\/a\.yaml is a Git LFS pointer/);
  });

  test('an Application of the root folder does not stand for what lies below', async () => {
    const { args } = sides(
      { ...chart, 'apps/root.yaml': application('root', 'path: .'), 'deep/er/a.yaml': configMap('a', '1') },
      { 'charts/shop/values.yaml': 'a: "2"\n', 'deep/er/a.yaml': configMap('a', '2') },
    );
    const ended = await gate(['check', ...args]);
    expect(ended.stdout).toContain('2 targets rendered');
    expect(ended.stdout).toContain('0 objects added, 2 changed, 0 removed');
  });

  test('templates that another tool fills in', async () => {
    const files = (value: string): Files => ({
      'envs/prod.yaml.gotmpl': `a: ${value}\n`,
      'm/a.yaml.j2': configMap('{{ name }}', value),
    });
    const { args } = sides({ ...chart, ...files('1') }, files('2'));
    const ended = await gate(['check', ...args]);
    expectIncomplete(ended, /prod\.yaml\.gotmpl/);
    expect(flat(ended)).toMatch(/m\/a\.yaml\.j2.*template/);
  });
});

describe('nothing outside of the tree is read', () => {
  const stolen = 'stolen-from-outside';
  /** `escape` gets the path of the folder that holds the trees. */
  async function run(escape: (outside: string) => Files, link?: [string, string]): Promise<Ended> {
    const root = tempDir('escape');
    writeFiles(root, {
      'out/Chart.yaml': 'apiVersion: v2\nname: out\nversion: 1.0.0\n',
      'out/values.yaml': `a: ${stolen}\n`,
      'out/templates/a.yaml': configMap(stolen, stolen),
      'out/a.yaml': configMap(stolen, stolen),
      'out/kustomization.yaml': 'resources: [a.yaml]\n',
      'out/requirements.txt': `${stolen}==1\n`,
    });
    for (const side of ['before', 'after']) {
      const files = Object.entries({ ...chart, ...escape(root) }).flatMap(([path, text]) =>
        text === undefined ? [] : [[path, text.replaceAll('SIDE', side)]],
      );
      writeFiles(join(root, side), Object.fromEntries(files) as Record<string, string>);
      if (link !== undefined) symlinkSync(join(root, link[1]), join(root, side, link[0]));
    }
    return gate(['render', '--all', '--no-cache', '--before', join(root, 'before'), '--after', join(root, 'after')]);
  }
  const kustomize = (text: string): Files => ({ 'k/kustomization.yaml': `${text}\nnamePrefix: SIDE-\n` });
  const cases: readonly [string, (outside: string) => Files, [string, string]?][] = [
    ['kustomize resource', () => kustomize('resources: [../../out/a.yaml]')],
    ['kustomize base', () => kustomize('resources: [../../out]')],
    ['kustomize absolute base', (outside) => kustomize(`resources: [${outside}/out]`)],
    ['kustomize component', () => kustomize('components: [../../out]')],
    [
      'kustomize generator',
      (outside) => kustomize(`configMapGenerator: [{name: x, files: ["a=${outside}/out/a.yaml"]}]`),
    ],
    ['kustomize patch', () => kustomize('patches: [{path: ../../out/a.yaml}]')],
    [
      'kustomize chart home',
      () => kustomize('helmCharts: [{name: out, releaseName: o}]\nhelmGlobals: {chartHome: ../..}'),
    ],
    [
      'helm dependency',
      () => ({
        'charts/shop/Chart.yaml': `${chart['charts/shop/Chart.yaml']}dependencies: [{name: out, version: 1.0.0, repository: "file://../../../out"}]\n`,
      }),
    ],
    [
      'helm .Files',
      (outside) => ({
        'charts/shop/templates/b.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {a: {{ .Files.Get "../../../out/a.yaml" | quote }}, b: {{ .Files.Get "${outside}/out/a.yaml" | quote }}}\n`,
      }),
    ],
    [
      'helm .Files through a link',
      () => ({
        'charts/shop/templates/b.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {a: {{ .Files.Get "link.yaml" | quote }}}\n`,
      }),
      ['charts/shop/link.yaml', 'out/a.yaml'],
    ],
    ['linked template', () => ({}), ['charts/shop/templates/link.yaml', 'out/a.yaml']],
    ['linked values', () => ({ 'charts/shop/values.yaml': undefined }), ['charts/shop/values.yaml', 'out/values.yaml']],
    ['linked chart', () => ({}), ['charts/other', 'out']],
    ['Application path', () => ({ 'apps/a.yaml': application('a', 'path: ../out') })],
    [
      'Application values',
      (outside) => ({
        'apps/a.yaml': application(
          'a',
          `path: charts/shop, helm: {valueFiles: ["../../../out/values.yaml", "${outside}/out/values.yaml"]}`,
        ),
      }),
    ],
    [
      'Application file parameter',
      () => ({
        'apps/a.yaml': application(
          'a',
          'path: charts/shop, helm: {fileParameters: [{name: a, path: ../../../out/values.yaml}]}',
        ),
      }),
    ],
    [
      'Application chart of a folder',
      (outside) => ({
        'apps/a.yaml': application('a', 'chart: out')
          .replace('https://git.example.org/x.git', `file://${outside}`)
          .replace('HEAD', '1.0.0'),
      }),
    ],
    [
      '.argocd-source.yaml',
      () => ({
        'apps/a.yaml': application('a', 'path: k'),
        'k/kustomization.yaml': 'namePrefix: SIDE-\n',
        'k/.argocd-source.yaml': 'kustomize: {components: [../../out]}\n',
      }),
    ],
    [
      'HelmRelease of a folder',
      (outside) => ({
        'flux/a.yaml': `apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: r, namespace: f}\nspec: {url: "file://${outside}", interval: 1m}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: h, namespace: f}\nspec: {interval: 1m, chart: {spec: {chart: out, version: 1.0.0, sourceRef: {kind: HelmRepository, name: r}}}}\n`,
      }),
    ],
  ];
  test.each(cases)('%s', async (_name, escape, link) => {
    const ended = await run(escape, link);
    expect(ended.stdout + ended.stderr).not.toContain(stolen);
    expect(ended.stderr).not.toContain('unexpected failure');
    expect([0, 3]).toContain(ended.code);
  });
});

test('no escape sequence and no command to the runner of a job reaches the log', async () => {
  const { args } = sides(
    {
      ...chart,
      'charts/shop/templates/b.yaml': '{{ fail "\u001b[31mred\\n::add-mask::x\\n  ::stop-commands::y ##[group]z" }}\n',
    },
    { 'charts/shop/values.yaml': 'a: "2"\n' },
  );
  for (const command of ['check', 'render', 'diff']) {
    const ended = await gate([command, ...args]);
    const text = ended.stdout + ended.stderr;
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/^\s*::/m);
    expect(text).not.toContain('##[');
    if (command !== 'diff') expect(text).toContain('add-mask');
  }
});

test('keys of the prototype are plain keys', async () => {
  const keys = '__proto__: {polluted: "yes"}\nconstructor: {prototype: {polluted: "yes"}}\n';
  const { root, args } = sides(
    { ...chart, 'm/a.yaml': configMap('a', '1') },
    {
      'charts/shop/values.yaml': `a: "2"\n${keys}`,
      'm/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {__proto__: x}}\ndata: {__proto__: x, constructor: y, toString: z}\n',
    },
  );
  writeFiles(root, {
    'snapshot.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n${keys}`,
  });
  const ended = await gate(['check', ...args, '--snapshot', join(root, 'snapshot.yaml'), '-o', 'json']);
  const report = JSON.parse(ended.stdout) as { coverage: { targets: { status: string }[] } };
  expect(report.coverage.targets.map((target) => target.status)).toEqual(['rendered', 'rendered']);
  writeFiles(root, { 'gate.yaml': `${keys}` });
  const refused = await gate(['check', ...args, '--config', join(root, 'gate.yaml')]);
  expect(refused.stderr).toMatch(/gate\.yaml:1/);
  expect(refused.code).toBe(2);
});

describe('the cache', () => {
  const { args } = sides(chart, { 'charts/shop/values.yaml': 'a: "2"\n' });
  const check = (home: string): Promise<Ended> => gate(['check', ...args], { env: { XDG_CACHE_HOME: home } });
  const entries = (home: string): string[] =>
    readdirSync(home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
      .map((entry) => join(entry.parentPath, entry.name));

  test.each([
    ['empty', ''],
    ['cut off', '{"manifests": [{"ref"'],
    ['of another shape', '{"manifests": [null, 5, {"ref": 1}], "warnings": []}'],
    ['without manifests', '{"manifests": {}, "warnings": []}'],
  ])('an entry that is %s is rendered again', async (_name, text) => {
    const home = tempDir('cache');
    expect((await check(home)).stdout).toContain('1 changed');
    expect(entries(home).length).toBeGreaterThan(0);
    for (const entry of entries(home)) writeFileSync(entry, text);
    const ended = await check(home);
    expect(ended.stderr).not.toContain('unexpected failure');
    expect(ended.stdout).toContain('1 changed');
    expect(ended.code).toBe(0);
  });

  test('runs at the same time agree', async () => {
    const home = tempDir('cache');
    const runs = await Promise.all([check(home), check(home), check(home)]);
    for (const run of runs) {
      expect(run.stdout).toContain('1 changed');
      expect(run.code).toBe(0);
    }
    for (const entry of entries(home)) expect(() => JSON.parse(readFileSync(entry, 'utf8'))).not.toThrow();
  });

  test('of somebody else, to read only', async () => {
    const home = tempDir('cache');
    await check(home);
    chmodSync(home, 0o500);
    const ended = await check(home);
    chmodSync(home, 0o700);
    expect(ended.stdout).toContain('1 changed');
    expect(ended.code).toBe(0);
  });
});

test.skipIf(!existsSync('/dev/full'))('a report that cannot be written is no verdict, and no stack trace', () => {
  const { args } = sides({ 'm/a.yaml': configMap('a', '1') }, { 'm/a.yaml': configMap('a', '2') });
  const bundle = new URL('../../dist/cli.js', import.meta.url).pathname;
  const command = ['-c', '"$@" > /dev/full', 'bash', process.execPath, bundle, 'check', ...args];
  const ended = spawnSync('bash', command, { encoding: 'utf8' });
  expect(ended.stderr).toMatch(/cannot be written: ENOSPC/);
  expect(ended.stderr).not.toMatch(/\n\s+at /);
  expect(ended.status).toBe(3);
});

test('COLUMNS sets the width of a report that goes to no terminal', async () => {
  const { args } = sides({ 'm/a.yaml': configMap('a', '1') }, { 'm/a.yaml': configMap('a', '2') });
  const ended = await gate(['check', ...args], { env: { COLUMNS: '60' } });
  const lines = ended.stdout.split('\n').filter((line) => !line.startsWith('Compared:'));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
});

test('a reader that goes away does not turn a block into a success', () => {
  const { args } = sides(
    { 'm/a.yaml': configMap('a', '1') },
    { 'm/a.yaml': 'a: [\napiVersion: v1\nkind: ConfigMap\n' },
  );
  const bundle = new URL('../../dist/cli.js', import.meta.url).pathname;
  const script = '"$@" | true; exit ${PIPESTATUS[0]}';
  const ended = spawnSync('bash', ['-c', script, 'bash', process.execPath, bundle, 'check', ...args]);
  expect(ended.status).toBe(3);
});
