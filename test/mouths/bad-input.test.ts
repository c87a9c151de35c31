import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gate, git, writeFiles, type Ended } from '../kit/gate.ts';
import { tempDir } from '../kit/tmp.ts';

const chart = {
  'charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'charts/shop/values.yaml': 'replicas: 2\n',
  'charts/shop/templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers: [{name: shop, image: "registry.example.org/shop:1.0.0"}]
`,
};

const manifest = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: b}\n`;

/** Two folders that differ by `change`. */
function sides(
  before: Record<string, string | Buffer>,
  change: Record<string, string | Buffer>,
): { before: string; after: string } {
  const root = tempDir('bad-input');
  writeFiles(join(root, 'before'), before);
  writeFiles(join(root, 'after'), { ...before, ...change });
  return { before: join(root, 'before'), after: join(root, 'after') };
}

function check({ before, after }: { before: string; after: string }, ...more: string[]): Promise<Ended> {
  return gate(['check', '--before', before, '--after', after, ...more]);
}

/** No stack trace, whatever happens. */
function expectReadable(ended: Ended): void {
  expect(ended.stderr).not.toMatch(/\n\s+at .*(\.js|node:)/);
  expect(ended.stderr).not.toContain('unexpected failure');
}

/** Not judged: exit 3, never a pass. */
function expectIncomplete(ended: Ended, ...texts: (string | RegExp)[]): void {
  expectReadable(ended);
  expect(ended.stdout).toContain('INCOMPLETE');
  // The report wraps lines at the terminal's width.
  const flat = ended.stdout.replace(/\s+/g, ' ');
  for (const text of texts) expect(flat).toMatch(text);
  expect(ended.code).toBe(3);
}

function expectUsageError(ended: Ended, ...texts: (string | RegExp)[]): void {
  expectReadable(ended);
  for (const text of texts) expect(ended.stderr).toMatch(text);
  expect(ended.code).toBe(2);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('git', () => {
  test('not a repository', async () => {
    const ended = await gate(['check', '-C', tempDir('plain')]);
    expectUsageError(ended, /git repository/i);
  });

  test('a folder that does not exist', async () => {
    expectUsageError(await gate(['check', '-C', join(tempDir('gone'), 'nothing')]), /nothing/);
  });

  test('an unknown ref, with a close name', async () => {
    const folder = tempDir('refs');
    git(folder, 'init', '-q', '-b', 'main');
    writeFiles(folder, chart);
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'One');
    expectUsageError(await gate(['check', '-C', folder, '--base', 'mian', '--head', 'HEAD']), /mian/, /main/);
  });

  test('a shallow clone without the merge-base', async () => {
    const origin = tempDir('origin');
    git(origin, 'init', '-q', '-b', 'main');
    writeFiles(origin, chart);
    git(origin, 'add', '-A');
    git(origin, 'commit', '-q', '-m', 'One');
    git(origin, 'checkout', '-q', '-b', 'change');
    writeFiles(origin, { 'charts/shop/values.yaml': 'replicas: 3\n' });
    git(origin, 'commit', '-q', '-a', '-m', 'Two');
    git(origin, 'checkout', '-q', 'main');
    writeFiles(origin, { 'README.md': 'x' });
    git(origin, 'add', '-A');
    git(origin, 'commit', '-q', '-m', 'Three');
    const clone = join(tempDir('clone'), 'shallow');
    git(origin, 'clone', '-q', '--depth', '1', '--no-single-branch', `file://${origin}`, clone);
    git(clone, 'checkout', '-q', 'change');
    expectUsageError(await gate(['check', '-C', clone]), /shallow/, /unshallow|fetch-depth/);
  });
});

describe('files', () => {
  const broken: readonly [string, string | Buffer, RegExp][] = [
    ['a tab as indentation', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: x\n', /manifests\/x\.yaml:4/],
    [
      'an unclosed bracket',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\ndata: {}\n',
      /manifests\/x\.yaml:\d+/,
    ],
    ['NUL bytes', Buffer.from('apiVersion: v1\nkind: ConfigMap\0\nmetadata: {name: x}\n'), /manifests\/x\.yaml/],
    [
      'UTF-16',
      Buffer.from('\ufeffapiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n', 'utf16le'),
      /manifests\/x\.yaml/,
    ],
    [
      'an alias bomb',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\na: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((key, index) => `${key}: &${key} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index]}`).join(',')}]`)
        .join('\n')}\n`,
      /alias/i,
    ],
  ];
  test('nested without end', async () => {
    const nested = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`;
    const folders = sides({ 'manifests/x.yaml': manifest('x') }, { 'manifests/x.yaml': nested });
    expectIncomplete(await check(folders), /manifests\/x\.yaml:\d+/, /nested too deeply/);
  });

  test.each(broken)('%s in a manifest', async (_name, content, text) => {
    const folders = sides(
      { 'manifests/a.yaml': manifest('a'), 'manifests/x.yaml': manifest('x') },
      { 'manifests/x.yaml': content },
    );
    expectIncomplete(await check(folders), text);
  });

  test('a 60 MB file', async () => {
    const folders = sides(
      { 'manifests/a.yaml': manifest('a'), 'manifests/x.yaml': manifest('x') },
      { 'manifests/x.yaml': `${manifest('x')}# ${'x'.repeat(60 * 1024 * 1024)}\n` },
    );
    expectIncomplete(await check(folders), /x\.yaml/, /50 MB|MiB|too large/i);
  });

  test('a symlink that leaves the tree is not followed', async () => {
    const secret = join(tempDir('outside'), 'secret.yaml');
    writeFileSync(secret, manifest('stolen'));
    const folders = sides({ 'manifests/a.yaml': manifest('a') }, { 'manifests/a.yaml': manifest('b') });
    symlinkSync(secret, join(folders.after, 'manifests', 'x.yaml'));
    const ended = await check(folders);
    expectReadable(ended);
    expect(ended.stdout).not.toContain('stolen');
    expect(ended.stdout.replace(/\s+/g, ' ')).toMatch(/manifests\/x\.yaml.*(outside|leaves)/);
  });
});

describe('charts', () => {
  const template = 'charts/shop/templates/deployment.yaml';

  test('fails to render on one side: nothing is reported as deleted', async () => {
    const folders = sides(chart, { [template]: `${chart[template]}{{ fail "no" }}\n` });
    const ended = await check(folders);
    expectIncomplete(ended, /deployment\.yaml:11/);
    expect(ended.stdout).not.toMatch(/[1-9]\d* removed|Deleted:/);
  });

  test('a values file that is missing', async () => {
    const application = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  source: {repoURL: "https://git.example.org/x.git", path: charts/shop, targetRevision: main, helm: {valueFiles: [gone.yaml]}}
  destination: {namespace: shop, server: "https://kubernetes.default.svc"}
`;
    const folders = sides({ ...chart, 'apps/shop.yaml': application }, { 'charts/shop/values.yaml': 'replicas: 3\n' });
    expectIncomplete(await check(folders), /gone\.yaml/);
  });

  test('a local dependency that is missing', async () => {
    const folders = sides(chart, {
      'charts/shop/Chart.yaml': `${chart['charts/shop/Chart.yaml']}dependencies: [{name: common, version: 1.0.0, repository: "file://../common"}]\n`,
    });
    expectIncomplete(await check(folders), /common/);
  });
});

describe('helm that misbehaves', () => {
  function fakeHelm(script: string): Record<string, string> {
    const cache = tempDir('tools');
    const folder = join(cache, 'helm-3.19.5');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'helm'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'helm'), 0o755);
    return { GATE_TOOL_CACHE: cache };
  }
  const folders = () => sides(chart, { 'charts/shop/values.yaml': `replicas: 3 # ${Math.random()}\n` });

  test('prints without end', async () => {
    const { before, after } = folders();
    const ended = await gate(['check', '--no-cache', '--before', before, '--after', after], {
      env: fakeHelm('while :; do echo "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; done'),
    });
    expectIncomplete(ended, /output|printed/i);
  }, 120_000);

  test('hangs, and Ctrl-C ends it: 130, no child and no folder left', async () => {
    const { before, after } = folders();
    const mark = `gate-hang-${process.pid}`;
    const scratch = tempDir('scratch');
    const started = join(tempDir('started'), mark);
    const ended = await gate(['check', '--no-cache', '--before', before, '--after', after], {
      env: { ...fakeHelm(`echo $$ > ${started}\nexec sleep 300`), TMPDIR: scratch },
      interruptAfterMs: 3_000,
    });
    expect(ended.code).toBe(130);
    expectReadable(ended);
    const pid = Number(readFileSync(started, 'utf8'));
    await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
    expect(readdirSync(scratch).filter((name) => name.startsWith('gitops-gate'))).toEqual([]);
  }, 60_000);
});

describe('configuration and snapshot', () => {
  const folders = () => sides(chart, { 'charts/shop/values.yaml': 'replicas: 3\n' });
  const file = (text: string | Buffer, name = 'snapshot.yaml') => {
    const path = join(tempDir('file'), name);
    writeFileSync(path, text);
    return path;
  };

  test('an unknown key in gate.yaml, with the line and a suggestion', async () => {
    const config = file('detect: true\nwaiver: []\n', 'gate.yaml');
    expectUsageError(await check(folders(), '--config', config), /gate\.yaml:2/, /waivers/);
  });

  test('a configuration that does not exist', async () => {
    expectUsageError(await check(folders(), '--config', '/nonexistent/gate.yaml'), /nonexistent/);
  });

  test.each([
    ['a snapshot that is no Kubernetes object', 'hello: world\n', /snapshot\.yaml:1/],
    [
      'two headers',
      'apiVersion: gate/v1\nkind: ClusterSnapshot\nmetadata: {name: a}\n---\napiVersion: gate/v1\nkind: ClusterSnapshot\nmetadata: {name: b}\n',
      /snapshot\.yaml:\d+/,
    ],
    ['broken YAML', 'apiVersion: v1\nkind: List\nitems: [\n', /snapshot\.yaml:\d+/],
    ['NUL bytes', Buffer.from('apiVersion: v1\0\n'), /snapshot\.yaml/],
  ])('%s', async (_name, text, expected) => {
    expectUsageError(await check(folders(), '--snapshot', file(text)), expected);
  });

  test('a snapshot that does not exist', async () => {
    expectUsageError(await check(folders(), '--snapshot', '/nonexistent/snapshot.yaml'), /nonexistent/);
  });

  test('a stale snapshot is used and its age is printed', async () => {
    const old = file(
      'apiVersion: gate/v1\nkind: ClusterSnapshot\nmetadata: {name: old}\ntakenAt: 2020-01-01T00:00:00Z\n',
    );
    const ended = await check(folders(), '--snapshot', old);
    expectReadable(ended);
    expect(ended.stdout.replace(/\s+/g, ' ')).toMatch(/taken \d+ hours ago/);
  });

  test.each([
    ['an unknown flag', ['check', '--snapshoot', 'x'], /snapshot/],
    ['an unknown command', ['chek'], /check/],
    ['an unknown output format', ['check', '-o', 'pdf'], /terminal, json/],
    ['two reports on stdout', ['check', '-o', 'json', '-o', 'markdown'], /stdout/],
    ['only one folder', ['check', '--before', '.'], /--after/],
    ['an unknown rule', ['explain', 'pdb-blocks-all-eviction'], /pdb-blocks-all-evictions/],
  ])('%s', async (_name, args, text) => {
    expectUsageError(await gate(args), text);
  });

  test('a report file in a folder that cannot be made', async () => {
    const blocked = file('x', 'blocked');
    expectUsageError(await check(folders(), '-o', `json=${blocked}/report.json`), /blocked/);
  });
});

test('a cache that cannot be written is no reason to fail', async () => {
  const blocked = join(tempDir('cache'), 'file');
  writeFileSync(blocked, 'not a folder');
  const folders = sides(chart, { 'charts/shop/values.yaml': 'replicas: 3\n' });
  const ended = await gate(['check', '--before', folders.before, '--after', folders.after], {
    env: { XDG_CACHE_HOME: blocked },
  });
  expectReadable(ended);
  expect(ended.stdout).toContain('1 target');
  expect(ended.code).toBe(0);
});

test('nothing is left in the temporary folder after a run', async () => {
  const scratch = tempDir('scratch');
  const folders = sides(chart, { 'charts/shop/values.yaml': 'replicas: 3\n' });
  await gate(['check', '--before', folders.before, '--after', folders.after], { env: { TMPDIR: scratch } });
  expect(readdirSync(scratch).filter((name) => name.startsWith('gitops-gate'))).toEqual([]);
  expect(existsSync(tmpdir())).toBe(true);
});

test('an environment with onIncomplete: warn lets a target that does not render pass, and says so', async () => {
  const values = { 'charts/shop/values-dev.yaml': 'replicas: 1\n' };
  const folders = sides({ ...chart, ...values }, { 'charts/shop/templates/deployment.yaml': '{{ fail "no" }}\n' });
  const config = join(tempDir('file'), 'gate.yaml');
  writeFileSync(
    config,
    'environments:\n  - {name: dev, production: false, match: ["charts/**"], onIncomplete: warn}\nrules: {render-broken-or-empty: off}\n',
  );
  const ended = await check(folders, '--config', config);
  expect(ended.stdout.replace(/\s+/g, ' ')).toContain('onIncomplete: warn');
  expect(ended.stdout).not.toContain('INCOMPLETE');
  expect(ended.code).toBe(0);
});
