import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { git, writeFiles } from '../kit/gate.ts';
import { groovyCalls } from '../kit/groovy.ts';
import { guideBlock } from '../kit/guide.ts';
import { toolPath } from '../kit/tools.ts';

const root = new URL('../../', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'gate-ci-'));
const clone = join(work, 'clone');
afterAll(() => rmSync(work, { recursive: true, force: true }));

const config = `detect: false
kubernetesVersion: '1.34'
targets:
  - {name: shop, manifests: {path: deploy}, environment: production}
`;
const app = (selector: string, replicas: number) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${selector}}}
  template:
    metadata: {labels: {app: ${selector}}}
    spec: {containers: [{name: api, image: 'registry.example.org/shop/api:1.0.0'}]}
`;

/** Branches by what gate has to say, with the exit code that the guide names. */
const branches = {
  fine: { files: { 'deploy/api.yaml': app('api', 3) }, code: 0 },
  refused: { files: { 'deploy/api.yaml': app('till', 2) }, code: 1 },
  unreadable: { files: { 'deploy/api.yaml': 'kind: [\n' }, code: 3 },
} as const;
type Branch = keyof typeof branches;

let env: NodeJS.ProcessEnv = {};

/** A repository with a remote whose main has moved on, and `gate` on PATH as the built bundle. */
beforeAll(async () => {
  const origin = join(work, 'origin.git');
  const bin = join(work, 'bin');
  writeFiles(bin, { gate: `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist', 'cli.js')}" "$@"\n` });
  chmodSync(join(bin, 'gate'), 0o755);
  const { GITHUB_BASE_REF: _base, CI: _ci, ...rest } = process.env;
  env = {
    ...rest,
    PATH: [bin, process.env['PATH']].join(delimiter),
    GATE_TOOL_CACHE: dirname(dirname(await toolPath('helm'))),
    NO_COLOR: '1',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.org',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.org',
  };
  writeFiles(clone, { 'gate.yaml': config, 'deploy/api.yaml': app('api', 2) });
  git(work, 'init', '--quiet', '--bare', origin);
  git(clone, 'init', '--quiet');
  git(clone, 'remote', 'add', 'origin', origin);
  commit('start');
  for (const [name, { files }] of Object.entries(branches)) {
    git(clone, 'checkout', '--quiet', '-b', name, 'main');
    writeFiles(clone, files);
    commit(name);
  }
  // A newer commit there. Compared with it, every branch would seem to delete this Service.
  git(clone, 'checkout', '--quiet', 'main');
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\nspec: {ports: [{port: 80}]}\n';
  writeFiles(clone, { 'deploy/service.yaml': service });
  commit('newer');
  git(clone, 'push', '--quiet', 'origin', 'main');
  git(clone, 'update-ref', '-d', 'refs/remotes/origin/main');
});

function commit(message: string): void {
  git(clone, 'add', '--all');
  git(clone, 'commit', '--quiet', '-m', message);
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
}

/** Runs a script of the guide on a branch. */
function run(branch: Branch, shell: readonly string[], more: NodeJS.ProcessEnv = {}, input = ''): Ran {
  git(clone, 'checkout', '--quiet', branch);
  rmSync(join(clone, 'gate-report'), { recursive: true, force: true });
  const [program = 'sh', ...args] = shell;
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: clone,
    env: { ...env, ...more },
    input,
    encoding: 'utf8',
  });
  return { code: status, out: stdout + stderr };
}

const report = (name: string) => join(clone, 'gate-report', name);
const each = Object.entries(branches).map(([branch, { code }]) => [branch as Branch, code] as const);

describe('any CI', () => {
  const script = guideBlock('ci.md', '# any CI');

  it.each(each)('%s ends with %i', (branch, code) => {
    const ran = run(branch, ['sh', '-euc', script]);
    expect(ran.code, ran.out).toBe(code);
    // Judged against the merge-base: what main got since is no removal.
    expect(readFileSync(report('gate.json'), 'utf8')).not.toContain('"kind": "Service"');
  });

  it('ends with 2 for a configuration that cannot be read, and writes no report', () => {
    const broken = join(work, 'broken.yaml');
    writeFileSync(broken, 'targetz: []\n');
    const ran = run('fine', ['sh', '-euc', script.replace('gate check', `gate check --config ${broken}`)]);
    expect(ran.code, ran.out).toBe(2);
    expect(existsSync(report('gate.json'))).toBe(false);
  });
});

describe('the Jenkinsfile', async () => {
  const source = guideBlock('ci.md', '// Jenkinsfile');
  const calls = await groovyCalls(source);
  const call = (name: string) => {
    const found = calls.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`no call of ${name}`);
    return found;
  };

  it('is Groovy, and a declarative pipeline', async () => {
    expect(calls[0]?.name).toBe('pipeline');
    for (const name of ['agent', 'stages', 'stage', 'steps', 'sh', 'post', 'always']) call(name);
    await expect(groovyCalls(source.replace("'gate-report/*'", "'gate-report/*"))).rejects.toThrow('no Groovy');
    await expect(groovyCalls(source.slice(0, -4))).rejects.toThrow('no Groovy');
  });

  it.each(each)('its script on %s ends with %i and writes what the steps afterwards publish', (branch, code) => {
    const [script = ''] = call('sh').strings;
    // As the step `sh` does without a #! line.
    const ran = run(branch, ['sh', '-xec', script], { CHANGE_TARGET: 'main' });
    expect(ran.code, ran.out).toBe(code);
    for (const [step, pattern] of [
      ['junit', 'gate-report/gate.xml'],
      ['sarif', 'gate-report/gate.sarif'],
      ['stash', 'gate-report/gate.html'],
    ] as const) {
      expect(call(step).strings).toContain(pattern);
      expect(existsSync(join(clone, pattern)), pattern).toBe(true);
    }
  });
});

describe('the GitLab job', () => {
  const source = guideBlock('ci.md', '# .gitlab-ci.yml');
  const job = (parse(source) as { gate: Record<string, never> }).gate as unknown as {
    script: string[];
    artifacts: { reports: { junit: string }; paths: string[] };
    variables: { TARGET: string };
  };

  /** What GitLab's own JSON Schema says, through gitlab-ci-local. */
  function lint(text: string): Ran {
    const folder = mkdtempSync(join(work, 'gitlab-'));
    writeFiles(folder, { '.gitlab-ci.yml': text });
    git(folder, 'init', '--quiet');
    git(folder, 'remote', 'add', 'origin', 'https://git.example.org/platform/deployments.git');
    git(folder, 'add', '.');
    git(folder, 'commit', '--quiet', '-m', 'job');
    const main = createRequire(import.meta.url).resolve('gitlab-ci-local/package.json');
    const { bin } = JSON.parse(readFileSync(main, 'utf8')) as { bin: Record<string, string> };
    const program = join(dirname(main), bin['gitlab-ci-local'] ?? '');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--list-json'], {
      cwd: folder,
      env: { ...env, HOME: folder },
      encoding: 'utf8',
    });
    return { code: status, out: stdout + stderr };
  }

  it('is valid by the schema of GitLab', () => {
    const good = lint(source);
    expect(good.code, good.out).toBe(0);
    expect(good.out).toContain('"name": "gate"');
    expect(lint(source.replace('when: always', 'when: sometimes')).code).not.toBe(0);
  });

  it.each(each)('its script on %s ends with %i and writes its reports', (branch, code) => {
    expect(job.variables.TARGET).toBe('$CI_MERGE_REQUEST_TARGET_BRANCH_NAME');
    // The runner joins the lines and stops at the first that fails.
    const ran = run(branch, ['bash', '-eo', 'pipefail', '-c', job.script.join('\n')], { TARGET: 'main' });
    expect(ran.code, ran.out).toBe(code);
    expect(existsSync(join(clone, job.artifacts.reports.junit))).toBe(true);
    expect(job.artifacts.paths).toContain('gate-report/');
  });
});

describe('pre-commit', () => {
  interface Hook {
    id: string;
    name: string;
    entry: string;
    language: string;
    pass_filenames: boolean;
    stages: string[];
  }
  const hooks = parse(readFileSync(join(root, '.pre-commit-hooks.yaml'), 'utf8')) as Hook[];

  it('has hooks in the form of its manifest', () => {
    // https://pre-commit.com/#creating-new-hooks
    for (const hook of hooks) {
      for (const key of ['id', 'name', 'entry', 'language'] as const) expect(typeof hook[key]).toBe('string');
      expect(hook.language).toBe('node');
      // Names of files would be taken for arguments.
      expect(hook.pass_filenames).toBe(false);
      for (const stage of hook.stages) expect(['pre-commit', 'pre-push', 'manual']).toContain(stage);
    }
  });

  it('finds the hook that the guide names', () => {
    const usage = parse(guideBlock('ci.md', '# .pre-commit-config.yaml')) as {
      repos: { repo: string; rev: string; hooks: { id: string; stages: string[] }[] }[];
    };
    const [repo] = usage.repos;
    expect(repo?.rev).toMatch(/^v\d/);
    for (const { id, stages } of repo?.hooks ?? []) {
      const hook = hooks.find((candidate) => candidate.id === id);
      for (const stage of stages) expect(hook?.stages).toContain(stage);
    }
  });

  it.each(each)('its entry on %s ends with %i', (branch, code) => {
    for (const { entry } of hooks) {
      const ran = run(branch, entry.split(' '));
      expect(ran.code, ran.out).toBe(code);
    }
  });

  it('is installed by npm as the program that the hook calls', () => {
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: Record<string, string> };
    for (const { entry } of hooks) expect(Object.keys(bin)).toContain(entry.split(' ')[0]);
  });
});

describe('the pre-push hook', () => {
  const script = guideBlock('ci.md', '# .git/hooks/pre-push');
  const zeros = '0'.repeat(40);
  const push = (branch: Branch) =>
    `refs/heads/${branch} ${git(clone, 'rev-parse', branch)} refs/heads/${branch} ${zeros}\n`;

  it('has a syntax that sh knows', () => {
    expect(() => execFileSync('sh', ['-n'], { input: script })).not.toThrow();
  });

  it.each(each)('on %s ends with %i', (branch, code) => {
    // Other than the commit that is pushed, so that it is seen which of them is judged.
    const ran = run('fine', ['sh', '-c', script], {}, push(branch));
    expect(ran.code, ran.out).toBe(code);
  });

  it('judges every branch of a push, and none that is deleted', () => {
    expect(run('fine', ['sh', '-c', script], {}, push('refused') + push('fine')).code).toBe(1);
    expect(run('fine', ['sh', '-c', script], {}, `(delete) ${zeros} refs/heads/old ${zeros}\n`).out).toBe('');
  });

  it('stops a real push', () => {
    writeFiles(clone, { '.git/hooks/pre-push': script });
    chmodSync(join(clone, '.git/hooks/pre-push'), 0o755);
    const refused = run('refused', ['git', 'push', 'origin', 'refused']);
    expect(refused.code, refused.out).not.toBe(0);
    expect(refused.out).toContain('BLOCK');
    expect(git(clone, 'ls-remote', 'origin', 'refused')).toBe('');
    const fine = run('fine', ['git', 'push', 'origin', 'fine']);
    expect(fine.code, fine.out).toBe(0);
    expect(git(clone, 'ls-remote', 'origin', 'fine')).not.toBe('');
  });
});
