import { describe, expect, it } from 'vitest';
import { isGateError } from '../../src/core/errors.ts';
import { addPull, baseSha, headSha, push, type FileState } from '../kit/github/state.ts';
import { forgeOf, github, operations } from './kit.ts';

describe('the pull request', () => {
  it('is read as GitHub has it', async () => {
    const server = await github();
    addPull(server.state, { number: 7, draft: true, labels: ['risk: high'] });
    const forge = await forgeOf(server);
    expect(await forge.pullRequest(7)).toEqual({
      number: 7,
      title: 'Raise the memory of api',
      author: 'dev',
      url: 'https://github.example/acme/shop-gitops/pull/7',
      state: 'open',
      draft: true,
      locked: false,
      archived: false,
      head: { sha: headSha, branch: 'raise-memory', repository: 'acme/shop-gitops' },
      base: { sha: baseSha, branch: 'main' },
      fork: false,
      labels: ['risk: high'],
      changedFileCount: 1,
    });
  });

  it.each([
    [{ state: 'closed', merged: true }, { state: 'merged' }],
    [{ state: 'closed', merged: false }, { state: 'closed' }],
    [{ headRepository: 'mallory/shop-gitops' }, { fork: true }],
    // The fork was deleted.
    [{ headRepository: null }, { fork: true, head: { repository: undefined } }],
  ] as const)('%j', async (changes, expected) => {
    const server = await github();
    addPull(server.state, { number: 7, ...changes });
    const forge = await forgeOf(server);
    expect(await forge.pullRequest(7)).toMatchObject(expected);
  });

  it('costs nothing of the rate limit while it does not change', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.pullRequest(7);
    const { remaining } = server.rateLimit;
    expect((await forge.pullRequest(7)).head.sha).toBe(headSha);
    expect(server.log.map((entry) => entry.status)).toEqual([200, 304]);
    expect(server.rateLimit.remaining).toBe(remaining);
    push(pull, baseSha);
    expect((await forge.pullRequest(7)).head.sha).toBe(baseSha);
  });

  it('of an archived repository says so', async () => {
    const server = await github();
    server.state.archived = true;
    addPull(server.state, { number: 7 });
    expect((await (await forgeOf(server)).pullRequest(7)).archived).toBe(true);
  });
});

describe('changed files', () => {
  const some = (number: number): FileState[] =>
    Array.from({ length: number }, (_, index) => ({
      filename: `apps/${index}.yaml`,
      status: 'modified',
      patch: '@@ -1 +1 @@\n-a\n+b',
    }));

  it('are read page by page, with their hunks', async () => {
    const server = await github();
    const files = some(230);
    files[0] = { filename: 'new.yaml', previous_filename: 'old.yaml', status: 'renamed' };
    addPull(server.state, { number: 7, files });
    const forge = await forgeOf(server);
    const changed = await forge.changedFiles(7);
    expect(changed.truncated).toBe(false);
    expect(changed.files).toHaveLength(230);
    expect(changed.files.slice(0, 2)).toEqual([
      { path: 'new.yaml', previousPath: 'old.yaml', status: 'renamed' },
      { path: 'apps/1.yaml', status: 'modified', patch: '@@ -1 +1 @@\n-a\n+b' },
    ]);
    expect(operations(server).filter((name) => name === 'pulls/list-files')).toHaveLength(3);
  });

  it('beyond 3,000 are known to be missing', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: some(3_010) });
    const changed = await (await forgeOf(server)).changedFiles(7);
    expect(changed).toMatchObject({ truncated: true });
    expect(changed.files).toHaveLength(3_000);
  });
});

describe('comments', () => {
  it('tell who wrote them and whether they were edited', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const at = '2026-11-20T10:00:00Z';
    server.state.comments.push(
      { id: 1, pull: 7, user: 'mia', body: '/gate approve x', createdAt: at, updatedAt: at },
      { id: 2, pull: 7, user: 'tom', body: 'changed', createdAt: at, updatedAt: '2026-11-20T11:00:00Z' },
      { id: 3, pull: 8, user: 'tom', body: 'elsewhere', createdAt: at, updatedAt: at },
    );
    expect(await (await forgeOf(server)).comments(7)).toMatchObject([
      { author: 'mia', body: '/gate approve x', edited: false },
      { author: 'tom', edited: true },
    ]);
  });
});

describe('who may decide', () => {
  it.each(['read', 'triage', 'write', 'maintain', 'admin'])('%s', async (role) => {
    const server = await github();
    server.state.collaborators.set('mia', role);
    expect(await (await forgeOf(server)).permission('mia')).toBe(role);
  });

  it('a custom role counts as what it is based on, and a stranger as nothing', async () => {
    const server = await github();
    server.state.collaborators.set('mia', 'security-lead');
    const forge = await forgeOf(server);
    // The test server answers with the custom name in both fields: nothing that gate knows.
    expect(await forge.permission('mia')).toBe('none');
    expect(await forge.permission('nobody')).toBe('none');
  });

  it('a member of a team, a stranger, and a token that may not ask', async () => {
    const server = await github();
    server.state.teams.set('acme/platform', ['mia']);
    const team = { organization: 'acme', slug: 'platform' };
    const forge = await forgeOf(server, { permissions: { members: 'read' } });
    expect(await forge.isTeamMember(team, 'mia')).toBe(true);
    expect(await forge.isTeamMember(team, 'tom')).toBe(false);
    const blind = await forgeOf(server, { token: 'ghs_blind' });
    expect(await blind.isTeamMember(team, 'mia')).toBeUndefined();
  });

  it('CODEOWNERS is the first one of .github, the root and docs', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    expect(await forge.codeowners(baseSha)).toBeUndefined();
    server.state.files.set(`${baseSha}:docs/CODEOWNERS`, '* @acme/docs');
    server.state.files.set(`${baseSha}:CODEOWNERS`, '* @acme/platform\n');
    expect(await forge.codeowners(baseSha)).toEqual({ path: 'CODEOWNERS', text: '* @acme/platform\n' });
    server.state.files.set(`${baseSha}:.github/CODEOWNERS`, '* @mia');
    expect((await forge.codeowners(baseSha))?.path).toBe('.github/CODEOWNERS');
    // The head of the pull request is not asked.
    expect(await forge.codeowners(headSha)).toBeUndefined();
  });
});

describe('a workflow run of a fork', () => {
  const run = {
    id: 55,
    event: 'pull_request',
    headSha,
    headBranch: 'raise-memory',
    headRepository: 'mallory/shop-gitops',
    attempt: 2,
    number: 12,
    conclusion: 'success',
  };

  it('leads to its pull request by what GitHub knows of it', async () => {
    const server = await github();
    server.state.runs.set(55, run);
    addPull(server.state, { number: 6, headSha: baseSha });
    addPull(server.state, { number: 7, headRepository: 'mallory/shop-gitops' });
    const found = await (await forgeOf(server)).workflowRun(55);
    expect(found).toMatchObject({ attempt: 2, event: 'pull_request', headSha, pullRequest: { number: 7, fork: true } });
  });

  it('leads nowhere when the pull request has another head by now, or is of another fork', async () => {
    const server = await github();
    server.state.runs.set(55, run);
    const pull = addPull(server.state, { number: 7, headRepository: 'mallory/shop-gitops' });
    addPull(server.state, { number: 8, headRepository: 'mallory/other' });
    push(pull, baseSha);
    expect((await (await forgeOf(server)).workflowRun(55)).pullRequest).toBeUndefined();
  });

  it('is refused when two pull requests have the same head', async () => {
    const server = await github();
    server.state.runs.set(55, run);
    addPull(server.state, { number: 7, headRepository: 'mallory/shop-gitops' });
    addPull(server.state, { number: 8, headRepository: 'mallory/shop-gitops', baseRef: 'release' });
    const error: unknown = await (await forgeOf(server)).workflowRun(55).catch((caught: unknown) => caught);
    expect(isGateError(error) && error.code).toBe('forge.ambiguous-run');
  });
});
