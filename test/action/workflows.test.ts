import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readInputs } from '../../src/action/inputs.ts';
import { hasTool, toolPath } from '../kit/tools.ts';

const root = new URL('../..', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
  readonly runs: { readonly using: string; readonly main: string };
}
const action = parse(read('action.yml')) as Action;

/** Workflow files in the guide, by the path that their first line names. */
const workflows = readdirSync(join(root, 'docs/guide')).flatMap((page) =>
  [...read(`docs/guide/${page}`).matchAll(/^```yaml\n(# (\.github\/workflows\/\S+)\n[\s\S]*?)^```/gm)].map(
    ([, text = '', path = '']) => ({ page, path, text }),
  ),
);

/** Starts a run again, and does not use gate. */
const approvals = '.github/workflows/gate-approvals.yml';
const ofThisPage = workflows.filter(({ page }) => page === 'github.md');

const actionlint = await hasTool('actionlint');

describe('workflow files of the guide', () => {
  it('are found', () => {
    expect(ofThisPage.map(({ path }) => path)).toEqual([
      '.github/workflows/gate.yml',
      '.github/workflows/gate-approvals.yml',
      '.github/workflows/gate-tools.yml',
      '.github/workflows/gate-clusters.yml',
    ]);
  });

  it.skipIf(!actionlint).each(workflows)('$page $path: actionlint has nothing to say', async ({ text, path }) => {
    const tool = await toolPath('actionlint');
    const args = ['-no-color', '-shellcheck=', '-pyflakes=', `-stdin-filename=${path}`, '-'];
    const { stdout, stderr, status } = spawnSync(tool, args, { input: text, encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });

  it('the one for approvals runs nothing of a pull request, and puts nothing of an event into a script', () => {
    const { text = '' } = ofThisPage.find(({ path }) => path === approvals) ?? {};
    const workflow = parse(text) as {
      permissions: object;
      jobs: Record<string, { steps: { uses?: string; run?: string }[] }>;
    };
    expect(workflow.permissions).toEqual({ actions: 'write', 'pull-requests': 'read' });
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
    expect(steps.map(({ uses }) => uses)).toEqual([undefined]);
    expect(steps[0]?.run).not.toContain('${{');
    const { status, stderr } = spawnSync('bash', ['-n'], { input: steps[0]?.run ?? 'false (', encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it.each(ofThisPage.filter(({ path }) => path !== approvals))(
    '$page $path: gate gets inputs that it has, the whole history, and no more rights than it needs',
    ({ text }) => {
      const workflow = parse(text) as {
        permissions: object;
        jobs: Record<string, { steps: { uses?: string; with?: Record<string, unknown> }[] }>;
      };
      expect(workflow.permissions).toEqual({ contents: 'read', 'pull-requests': 'write', checks: 'write' });
      const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
      const gates = steps.filter(({ uses }) => uses?.startsWith('acme/gitops-gate@'));
      expect(gates).toHaveLength(1);
      for (const name of Object.keys(gates[0]?.with ?? {})) expect(Object.keys(action.inputs)).toContain(name);
      expect(steps.find(({ uses }) => uses?.startsWith('actions/checkout@'))?.with?.['fetch-depth']).toBe(0);
      expect(text).not.toContain('pull_request_target');
    },
  );
});

describe('action.yml', () => {
  it('runs the bundle on Node 24', () => {
    expect(action.runs).toEqual({ using: 'node24', main: 'dist/action.js' });
  });

  it('has no default but the token: another one would overwrite gate.yaml', () => {
    const defaults = Object.entries(action.inputs).filter(([, input]) => input.default !== undefined);
    expect(defaults.map(([name]) => name)).toEqual(['github-token']);
  });

  it('names every input that is read, and no other one', () => {
    const asked = new Set<string>();
    const environment = new Proxy({} as Record<string, string>, {
      get: (_, name) => void asked.add(String(name).replace('INPUT_', '').toLowerCase()),
    });
    readInputs(environment);
    expect([...asked].toSorted()).toEqual(Object.keys(action.inputs).toSorted());
  });

  it('names every output that is set', () => {
    const source = ['main.ts', 'publish.ts', 'runner.ts'].map((file) => read(`src/action/${file}`)).join('\n');
    for (const name of Object.keys(action.outputs)) expect(source).toMatch(new RegExp(`'?\\b${name}\\b'?[:,\\s]`));
  });
});
