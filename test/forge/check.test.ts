import { describe, expect, it } from 'vitest';
import type { CheckAnnotation } from '../../src/core/forge.ts';
import { addPull, headSha } from '../kit/github/state.ts';
import { check, forgeOf, github, operations, refusal } from './kit.ts';

function annotations(number: number): CheckAnnotation[] {
  return Array.from({ length: number }, (_, index) => ({
    path: 'envs/prod/values.yaml',
    startLine: index + 1,
    endLine: index + 1,
    level: 'warning',
    title: 'Memory limit below what is used',
    message: `finding ${index}`,
  }));
}

describe('the check run', () => {
  it('ends in success or failure, with a stable external id', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    expect(await forge.writeCheck(check({ conclusion: 'failure', texts: ['details'] }))).toMatchObject({
      outcome: 'created',
    });
    expect(server.state.checkRuns).toMatchObject([
      {
        name: 'gate / production',
        externalId: 'gitops-gate:production',
        status: 'completed',
        conclusion: 'failure',
        text: 'details',
      },
    ]);
  });

  it('is updated by another run at the same commit', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    await forge.writeCheck(check({ conclusion: 'failure' }));
    expect((await forge.writeCheck(check())).outcome).toBe('updated');
    expect(server.state.checkRuns).toMatchObject([{ conclusion: 'success' }]);
  });

  it('sends 50 annotations a request, all of them once, and the conclusion with the first', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    await forge.writeCheck(check({ conclusion: 'failure', annotations: annotations(120) }));
    expect(operations(server)).toEqual(['checks/list-for-ref', 'checks/create', 'checks/update', 'checks/update']);
    expect(server.state.checkRuns[0]!.annotations.map((entry) => entry['message'])).toEqual(
      annotations(120).map((entry) => entry.message),
    );
  });

  it('is updated by a later run, which adds only the annotations that are not there', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    await forge.writeCheck(check({ conclusion: 'failure', annotations: annotations(130) }));
    server.log.length = 0;
    expect((await forge.writeCheck(check({ annotations: annotations(131) }))).outcome).toBe('updated');
    expect(operations(server)).toEqual([
      'checks/list-for-ref',
      'checks/list-annotations',
      'checks/list-annotations',
      'checks/update',
    ]);
    expect(server.state.checkRuns).toMatchObject([{ conclusion: 'success' }]);
    expect(server.state.checkRuns[0]!.annotations).toHaveLength(131);
  });

  it('leaves no older failure of the same gate behind: in another check suite it would still count', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    await forge.writeCheck(check({ conclusion: 'failure' }));
    const [first] = server.state.checkRuns;
    server.state.checkRuns.push(
      { ...first!, id: first!.id + 1 },
      { ...first!, id: first!.id + 2, externalId: 'gitops-gate:stage' },
    );
    await forge.writeCheck(check());
    expect(server.state.checkRuns.map((run) => run.conclusion)).toEqual(['success', 'success', 'failure']);
  });

  it('leaves out what nobody reads, and says so', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    const written = await forge.writeCheck(check({ annotations: annotations(520) }));
    expect(written).toMatchObject({ notes: [expect.stringContaining('20 annotations')] });
    expect(server.state.checkRuns[0]!.annotations).toHaveLength(500);
  });

  it('does not touch the check of another app', async () => {
    const server = await github();
    const stranger = await forgeOf(server, { token: 'ghs_other', login: 'other[bot]' });
    await stranger.writeCheck(check({ title: 'theirs' }));
    const forge = await forgeOf(server);
    expect((await forge.writeCheck(check({ title: 'ours' }))).outcome).toBe('created');
    expect(server.state.checkRuns.map((run) => run.title)).toEqual(['theirs', 'ours']);
  });

  it('takes the fullest summary below 65,535 bytes: GitHub counts bytes here', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    const tooMany = '🌈'.repeat(16_384);
    const fitting = '🌈'.repeat(16_383);
    await forge.writeCheck(check({ summaries: [tooMany, fitting, 'short'], texts: [tooMany] }));
    expect(server.state.checkRuns[0]).toMatchObject({ summary: fitting, text: null });
    const none = await forge.writeCheck(check({ summaries: [tooMany] }));
    expect(refusal(none).code).toBe('forge.too-long');
  });

  it('the server refuses a summary by its bytes', async () => {
    const server = await github();
    const { token } = server.token();
    const refused = await fetch(`${server.url}/repos/acme/shop-gitops/check-runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: 'x', head_sha: headSha, output: { title: 'x', summary: '🌈'.repeat(16_384) } }),
    });
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain('summary exceeds a maximum bytesize of 65535');
  });

  it('cuts plain text that is too long, never inside a character, and sends no half ones', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    const [annotation] = annotations(1);
    const hostile = {
      ...annotation!,
      title: 'é'.repeat(400),
      message: `\uD800\0${'🌈'.repeat(40_000)}`,
      startLine: 0,
      endLine: -3,
    };
    await forge.writeCheck(check({ title: 't'.repeat(300), annotations: [hostile] }));
    const [run] = server.state.checkRuns;
    expect(run!.title).toHaveLength(255);
    const [sent] = run!.annotations;
    expect(sent).toMatchObject({ start_line: 1, end_line: 1, title: `${'é'.repeat(252)}...` });
    const message = String(sent!['message']);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(65_535);
    expect(message).toMatch(/^\uFFFD(?:🌈)+\.\.\.$/u);
  });
});

describe('the commit status', () => {
  it('has the name of the check and a description of at most 140 characters', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    const status = {
      sha: headSha,
      context: 'gate / production',
      state: 'failure',
      description: 'd'.repeat(200),
    } as const;
    expect((await forge.writeStatus(status)).outcome).toBe('created');
    expect(server.state.statuses).toMatchObject([{ context: 'gate / production', state: 'failure' }]);
    expect(server.state.statuses[0]!.description).toHaveLength(140);
  });
});
