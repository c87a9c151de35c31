import { afterEach, describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import type { GateReport } from '../../src/core/model.ts';
import { checkout, commit, runAction, type ActionOptions, type Checkout } from '../kit/action.ts';
import { startGitHub, type GitHub } from '../kit/github/server.ts';
import { addPull, nextId, push } from '../kit/github/state.ts';

const open: GitHub[] = [];
afterEach(async () => {
  // Throws when a request was one that GitHub's description does not allow.
  for (const github of open.splice(0)) await github.close();
});

const risky = { 'envs/production.yaml': 'replicas: 3\nminAvailable: 3\n' };

async function pull(base: Readonly<Record<string, string>> = {}, change: Readonly<Record<string, string>> = risky) {
  const github = await startGitHub({});
  open.push(github);
  const clone = checkout(change, base);
  const state = addPull(github.state, { number: 7, headSha: clone.head, baseSha: clone.base });
  for (const login of ['mia', 'tom', 'dev']) github.state.collaborators.set(login, 'write');
  github.state.collaborators.set('eve', 'read');
  return { github, clone, state };
}

function run(github: GitHub, { folder, base, head }: Checkout, more: Partial<ActionOptions> = {}) {
  const payload = { number: 7, pull_request: { number: 7, head: { sha: head }, base: { sha: base, ref: 'main' } } };
  return runAction({
    folder,
    event: 'pull_request',
    payload,
    github,
    environment: { GITHUB_BASE_REF: 'main' },
    ...more,
  });
}

const time = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, '');

function say(github: GitHub, user: string, body: string, edited = false): void {
  const createdAt = time(Date.now() - 60_000);
  const updatedAt = edited ? time(Date.now() - 30_000) : createdAt;
  github.state.comments.push({ id: nextId(github.state), pull: 7, user, body, createdAt, updatedAt });
}

const ofGate = (github: GitHub) => github.state.comments.find(({ user }) => user === 'github-actions[bot]')?.body ?? '';
const reportOf = (ended: { readonly outputs: Readonly<Record<string, string>> }) =>
  JSON.parse(readFileSync(ended.outputs['report-json']!, 'utf8')) as GateReport;
const production = (github: GitHub) =>
  github.state.checkRuns.findLast(({ name, status }) => name === 'gate / production' && status === 'completed');

/** Every line that the comment of gate offers, with a reason. */
function offered(github: GitHub): string {
  const ids = ofGate(github).matchAll(/\/gate approve ([0-9a-f]+) REASON/g);
  const lines = [...new Set(Array.from(ids, ([, id]) => id))].map((id) => `/gate approve ${id} the load was measured`);
  expect(lines).not.toEqual([]);
  return lines.join('\n');
}

describe('approvals in the comments of a pull request', () => {
  it('turn the next run green, are shown in comment and check, and end with the state of the object', async () => {
    const { github, clone, state } = await pull();
    expect((await run(github, clone)).code).toBe(1);
    say(github, 'mia', offered(github));

    const approved = await run(github, clone, { runNumber: 8 });
    expect(approved.code).toBe(0);
    expect(production(github)?.conclusion).toBe('success');
    const shown = /Approvals: \d in force.*the load was measured/s;
    expect(ofGate(github)).toMatch(shown);
    expect(`${production(github)?.summary}`).toMatch(shown);
    expect(reportOf(approved).approvals?.every(({ by, inForce }) => by === 'mia' && inForce)).toBe(true);

    const head = commit(clone.folder, { 'envs/production.yaml': 'replicas: 3\nminAvailable: 4\n' });
    push(state, head);
    const pushed = await run(github, { ...clone, head }, { runNumber: 9 });
    expect(pushed.code).toBe(1);
    expect(production(github)?.conclusion).toBe('failure');
    expect(ofGate(github)).toContain('another state of the object');
  });

  it('also count in the merge queue, where the group adds that pull request', async () => {
    const { github, clone } = await pull();
    await run(github, clone);
    say(github, 'mia', offered(github));
    const group = (number: number) =>
      run(github, clone, {
        event: 'merge_group',
        payload: {
          merge_group: {
            head_sha: clone.head,
            head_ref: `refs/heads/gh-readonly-queue/main/pr-${number}-${clone.base}`,
            base_sha: clone.base,
            base_ref: 'refs/heads/main',
          },
        },
      });
    expect((await group(7)).code).toBe(0);
    addPull(github.state, { number: 8, headSha: clone.head, baseSha: clone.base });
    expect((await group(8)).code).toBe(1);
  });

  it.each([
    ['the author of the pull request', 'dev', false, 'the author of the pull request cannot decide'],
    ['somebody who may only read', 'eve', false, 'eve has no write permission'],
    ['a stranger', 'mallory', false, 'mallory has no write permission'],
    ['an edited comment', 'mia', true, 'edited after it was written'],
  ])('%s approves nothing, and the comment says why', async (_, user, edited, why) => {
    const { github, clone } = await pull();
    await run(github, clone);
    say(github, user, offered(github), edited);
    const ended = await run(github, clone, { runNumber: 8 });
    expect(ended.code).toBe(1);
    expect(production(github)?.conclusion).toBe('failure');
    expect(ofGate(github)).toContain(why);
  });

  it('need an owner by CODEOWNERS of the base branch', async () => {
    const { github, clone } = await pull();
    github.state.files.set('main:CODEOWNERS', 'envs/ @tom\n');
    await run(github, clone);
    const lines = offered(github);
    say(github, 'mia', lines);
    expect((await run(github, clone, { runNumber: 8 })).code).toBe(1);
    expect(ofGate(github)).toContain('mia does not own envs/production.yaml');
    say(github, 'tom', lines);
    expect((await run(github, clone, { runNumber: 9 })).code).toBe(0);
  });

  it('need an owner by catalog-info.yaml of the base side, whatever the change makes of it', async () => {
    const catalog = (owner: string) => ({
      'envs/catalog-info.yaml': `apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: shop}\nspec: {owner: 'user:${owner}'}\n`,
    });
    const { github, clone } = await pull(catalog('tom'), { ...risky, ...catalog('mia') });
    await run(github, clone);
    const lines = offered(github);
    say(github, 'mia', lines);
    expect((await run(github, clone, { runNumber: 8 })).code).toBe(1);
    expect(ofGate(github)).toContain('mia does not own envs/production.yaml');
    say(github, 'tom', lines);
    expect((await run(github, clone, { runNumber: 9 })).code).toBe(0);
  });

  it('are not in force when GitHub does not tell the comments', async () => {
    const { github, clone } = await pull();
    await run(github, clone);
    say(github, 'mia', offered(github));
    const token = github.token({ permissions: { contents: 'read', checks: 'write' } });
    const ended = await run(github, clone, { runNumber: 8, inputs: { 'github-token': token.token } });
    expect(ended.code).toBe(1);
    expect(production(github)?.conclusion).toBe('failure');
    expect(reportOf(ended).coverage.notEvaluated.map(({ what }) => what)).toContain('approvals');
    expect(ended.log).toContain('none is in force');
  });

  it('of nothing are not asked for: a good change does not depend on the comments', async () => {
    const { github, clone } = await pull({}, { 'envs/staging.yaml': 'replicas: 3\n' });
    say(github, 'mia', `/gate approve ${'a'.repeat(56)} all is well`);
    const ended = await run(github, clone);
    expect(ended.code).toBe(0);
    expect(github.log.map(({ operation }) => operation)).not.toContain('repos/get-collaborator-permission-level');
  });
});
