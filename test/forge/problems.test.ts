import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isGateError, type GateError } from '../../src/core/errors.ts';
import { createGitHub } from '../../src/forge/github.ts';
import { addPull, headSha } from '../kit/github/state.ts';
import { check, forgeOf, github, operations, refusal, sticky } from './kit.ts';

async function failure(reading: Promise<unknown>): Promise<GateError> {
  const error: unknown = await reading.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!isGateError(error)) throw new Error(`expected a GateError, got ${String(error)}`);
  return error;
}

describe('a missing permission is named', () => {
  it.each([
    ['pull-requests', 'issues', 'writeComment', 'pull-requests: write', 'comment on pull request #7'],
    ['checks', 'checks', 'writeCheck', 'checks: write', 'write the check "gate / production"'],
    ['statuses', 'statuses', 'writeStatus', 'statuses: write', 'write the commit status "gate / production"'],
    ['pull-requests', 'issues', 'writeLabels', 'pull-requests: write', 'label pull request #7'],
    ['pull-requests', 'issues', 'writeReview', 'pull-requests: write', 'write review comments on pull request #7'],
  ] as const)('%s, %s: %s', async (area, second, method, permission, what) => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server, {
      permissions: {
        'pull-requests': 'read',
        issues: 'read',
        checks: 'read',
        statuses: 'read',
        [area]: 'read',
        [second]: 'read',
      },
    });
    const writing = {
      writeComment: () => forge.writeComment(7, sticky()),
      writeCheck: () => forge.writeCheck(check()),
      writeStatus: () =>
        forge.writeStatus({ sha: headSha, context: 'gate / production', state: 'success', description: 'pass' }),
      writeLabels: () => forge.writeLabels(7, { add: { name: 'risk: low', color: '00ff00' }, remove: [] }),
      writeReview: () =>
        forge.writeReview(7, {
          instance: 'production',
          headSha,
          comments: [{ fingerprint: 'f', path: 'envs/prod/values.yaml', line: 3, body: 'x' }],
        }),
    };
    const problem = refusal(await writing[method]());
    expect(problem.code).toBe('forge.permission');
    expect(problem.message).toContain(`Cannot ${what}: GitHub says 403 "Resource not accessible by integration"`);
    expect(problem.next).toContain(`\`${permission}\``);
  });

  it('also for reading, with the level that GitHub asks for', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server, { permissions: {} });
    expect((await failure(forge.pullRequest(7))).next).toContain('`pull-requests: read`');
    expect((await failure(forge.codeowners('main'))).next).toContain('`contents: read`');
    expect((await failure(forge.workflowRun(1))).next).toContain('`actions: read`');
  });

  it('and a personal token cannot write checks', async () => {
    const server = await github();
    const forge = await forgeOf(server, { token: 'ghp_1', kind: 'user', login: 'mia' });
    const problem = refusal(await forge.writeCheck(check()));
    expect(problem.next).toContain('GitHub Apps only');
  });
});

describe('other refusals', () => {
  it('an archived repository', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    server.state.archived = true;
    const problem = refusal(await (await forgeOf(server)).writeComment(7, sticky()));
    expect([problem.code, problem.next]).toEqual(['forge.archived', expect.stringContaining('unarchive it')]);
  });

  it('a locked conversation', async () => {
    const server = await github();
    addPull(server.state, { number: 7, locked: true });
    expect(refusal(await (await forgeOf(server)).writeComment(7, sticky())).code).toBe('forge.locked');
  });

  it('a pull request that is not there', async () => {
    const server = await github();
    const error = await failure((await forgeOf(server)).pullRequest(99));
    expect([error.code, error.message]).toEqual(['forge.not-found', expect.stringContaining('pull request #99')]);
  });

  it.each([
    [401, 'Bad credentials', 'forge.unauthorized'],
    [403, 'Resource protected by organization SAML enforcement.', 'forge.sso'],
    [409, 'Conflict', 'forge.conflict'],
    [410, 'Issues has been disabled', 'forge.gone'],
    [422, 'Validation Failed', 'forge.rejected'],
  ])('%d %s', async (status, message, code) => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    server.fail({ operation: 'issues/create-comment', status, message, times: 9 });
    const problem = refusal(await forge.writeComment(7, sticky()));
    expect(problem.code).toBe(code);
    expect(problem.message).toContain(message);
    expect(problem.next).not.toBe('');
  });

  it('says what GitHub says on one line, without control characters', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    server.fail({ operation: 'pulls/get', status: 404, message: `no\n::error::\u202E\u001B[31m ${'x'.repeat(900)}` });
    const { message } = await failure(forge.pullRequest(7));
    expect(message).not.toMatch(/[\n\u001B\u202E]/);
    expect(message.length).toBeLessThan(500);
  });

  it('never holds the token', async () => {
    const server = await github();
    const forge = await forgeOf(server, { token: 'ghs_c4n4ry' });
    server.fail({ operation: 'pulls/get', status: 404 });
    const error = await failure(forge.pullRequest(7));
    expect(JSON.stringify([error.message, error.next, error.cause])).not.toContain('c4n4ry');
  });
});

describe('trouble that passes', () => {
  it('502 is tried again', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    server.fail({ operation: 'pulls/get', status: 502 });
    expect((await forge.pullRequest(7)).number).toBe(7);
    expect(server.log.map((entry) => entry.status)).toEqual([502, 200]);
  });

  const secondary = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';

  it.each([403, 429])('a secondary limit (%d) is waited for as GitHub says', async (status) => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const notes: string[] = [];
    const forge = await forgeOf(server, {}, { note: (text) => notes.push(text) });
    server.fail({ operation: 'issues/create-comment', status, message: secondary, headers: { 'retry-after': '1' } });
    const start = Date.now();
    expect((await forge.writeComment(7, sticky())).outcome).toBe('created');
    expect(Date.now() - start).toBeGreaterThanOrEqual(1_000);
    expect(notes).toEqual([expect.stringContaining('waiting 1 s')]);
  });

  it.each([403, 429])('a limit (%d) that lasts longer than there is time is not waited for', async (status) => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    server.fail({ operation: 'pulls/get', status, message: secondary, headers: { 'retry-after': '60' } });
    const error = await failure(forge.pullRequest(7));
    expect([error.code, error.next]).toEqual(['forge.rate-limit', expect.stringContaining('60 seconds')]);
    expect(forge.requests).toBe(1);
  });

  it('the primary limit tells when it ends', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    server.rateLimit.remaining = 0;
    const error = await failure((await forgeOf(server)).pullRequest(7));
    expect([error.code, error.next]).toEqual([
      'forge.rate-limit',
      expect.stringContaining(new Date(server.rateLimit.reset * 1000).toISOString()),
    ]);
  });

  it('the primary limit is waited for when it ends soon', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    server.rateLimit.remaining = 0;
    server.rateLimit.reset = Math.floor(Date.now() / 1000) + 1;
    expect((await (await forgeOf(server)).pullRequest(7)).number).toBe(7);
  });

  it('a server that never answers ends with the deadline', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    server.before = () => new Promise(() => undefined);
    const forge = await forgeOf(server, {}, { deadline: Date.now() + 800 });
    const start = Date.now();
    expect((await failure(forge.pullRequest(7))).code).toMatch(/^forge\.(?:deadline|unreachable)$/);
    expect(Date.now() - start).toBeLessThan(3_000);
    expect((await failure(forge.pullRequest(7))).code).toBe('forge.deadline');
    expect(forge.requests).toBe(1);
  });

  it('no server at all', async () => {
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const forge = await createGitHub({
      token: 'ghs_1',
      apiUrl: `http://127.0.0.1:${port}`,
      repository: 'acme/shop-gitops',
      deadline: Date.now() + 3_000,
      version: 'test',
    });
    const error = await failure(forge.pullRequest(7));
    expect(error.code).toMatch(/^forge\.(?:unreachable|deadline)$/);
  });
});

describe('settings', () => {
  it.each([
    [{ repository: 'shop-gitops' }, 'forge.repository'],
    [{ repository: 'acme/shop/../x' }, 'forge.repository'],
    [{ apiUrl: 'api.github.com' }, 'forge.api-url'],
    [{ apiUrl: 'file:///etc' }, 'forge.api-url'],
  ])('%j', async (options, code) => {
    const server = await github();
    expect((await failure(forgeOf(server, {}, options))).code).toBe(code);
  });

  it('an Enterprise Server has its API below a path', async () => {
    const server = await github({ prefix: '/api/v3' });
    addPull(server.state, {
      number: 7,
      files: Array.from({ length: 150 }, (_, index) => ({ filename: `${index}`, status: 'added' })),
    });
    const forge = await forgeOf(server);
    expect((await forge.changedFiles(7)).files).toHaveLength(150);
    expect((await forge.writeComment(7, sticky())).outcome).toBe('created');
    expect(operations(server)).not.toContain('unknown');
  });
});
