import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compareOrder } from '../../src/forge/sticky.ts';
import { readCommentMarker, withCommentMarker } from '../../src/forge/marker.ts';
import { addPull, headSha, push } from '../kit/github/state.ts';
import type { GitHub } from '../kit/github/server.ts';
import { forgeOf, github, operations, refusal, sticky } from './kit.ts';

const other = 'cccc3333cccc3333cccc3333cccc3333cccc3333';

function say(server: GitHub, user: string, body: string): void {
  server.state.sequence += 1;
  const id = server.state.sequence;
  server.state.comments.push({
    id,
    pull: 7,
    user,
    body,
    createdAt: '2026-11-20T10:00:00Z',
    updatedAt: '2026-11-20T10:00:00Z',
  });
}

describe('the sticky comment', () => {
  it('is created, left alone when it says the same, and updated when it does not', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    expect(await forge.writeComment(7, sticky())).toMatchObject({ outcome: 'created' });
    const before = server.state.comments[0]!.updatedAt;
    expect(await forge.writeComment(7, sticky({ revision: { headSha, order: [8, 1] } }))).toMatchObject({
      outcome: 'unchanged',
    });
    expect(server.state.comments[0]!.updatedAt).toBe(before);
    expect(await forge.writeComment(7, sticky({ bodies: ['## block'] }))).toMatchObject({ outcome: 'updated' });
    expect(server.state.comments).toHaveLength(1);
    expect(server.state.comments[0]!.body).toMatch(/^<!-- gitops-gate:comment .*-->\n## block$/);
  });

  it('is unchanged when only what differs every time differs', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky({ bodies: ['pass, 1.2 s'], digest: 'verdict-pass' }));
    const again = await forge.writeComment(7, sticky({ bodies: ['pass, 3.4 s'], digest: 'verdict-pass' }));
    expect(again.outcome).toBe('unchanged');
    expect(server.state.comments[0]!.body).toContain('1.2 s');
  });

  it('is written again when somebody edited it', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky({ bodies: ['block'], digest: 'verdict-block' }));
    server.state.comments[0]!.body = server.state.comments[0]!.body.replace(/block$/, 'pass');
    expect((await forge.writeComment(7, sticky({ bodies: ['block'], digest: 'verdict-block' }))).outcome).toBe(
      'updated',
    );
    expect(server.state.comments[0]!.body).toMatch(/block$/);
  });

  it('survives line ends that a browser changed', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky());
    server.state.comments[0]!.body = server.state.comments[0]!.body.replaceAll('\n', '\r\n');
    expect((await forge.writeComment(7, sticky())).outcome).toBe('unchanged');
  });

  it('keeps the comments of several instances apart', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky());
    await forge.writeComment(7, sticky({ instance: 'stage --> <b>' }));
    await forge.writeComment(7, sticky({ instance: 'stage --> <b>', bodies: ['two'] }));
    expect(server.state.comments.map((comment) => readCommentMarker(comment.body)?.instance)).toEqual([
      'production',
      'stage --> <b>',
    ]);
  });

  it('does not take the comment of somebody else for its own, whatever it says', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forged = withCommentMarker('production', { headSha, order: [999] }, 'pass', undefined);
    say(server, 'mallory', forged);
    say(server, 'github-actions[bot]', `Another tool quotes:\n\n${forged}`);
    const forge = await forgeOf(server);
    expect((await forge.writeComment(7, sticky())).outcome).toBe('created');
    expect(server.state.comments).toHaveLength(3);
    expect(server.state.comments[0]!.body).toBe(forged);
  });

  it('is found behind a hundred other comments, and no page is read behind it', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    for (let index = 0; index < 130; index += 1) say(server, 'mia', `comment ${index}`);
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky());
    for (let index = 0; index < 130; index += 1) say(server, 'mia', `more ${index}`);
    server.log.length = 0;
    expect((await forge.writeComment(7, sticky({ bodies: ['new'] }))).outcome).toBe('updated');
    expect(operations(server)).toEqual([
      'issues/list-comments',
      'issues/list-comments',
      'pulls/get',
      'issues/update-comment',
    ]);
  });

  it('removes its own duplicates and keeps the oldest', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const body = withCommentMarker('production', { headSha, order: [1] }, 'old', undefined);
    say(server, 'github-actions[bot]', body);
    say(server, 'github-actions[bot]', body);
    const [first] = server.state.comments;
    const forge = await forgeOf(server);
    expect((await forge.writeComment(7, sticky())).outcome).toBe('updated');
    expect(server.state.comments.map(({ id }) => id)).toEqual([first!.id]);
  });

  it('is created anew when it is deleted between finding and writing', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky());
    server.before = (operation, when) => {
      if (operation === 'issues/update-comment' && when === 'request') server.state.comments = [];
    };
    expect((await forge.writeComment(7, sticky({ bodies: ['new'] }))).outcome).toBe('created');
    expect(server.state.comments).toHaveLength(1);
  });

  it('stays one when the answer to its creation is lost', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    server.fail({ operation: 'issues/create-comment', status: 502, afterwards: true });
    expect((await forge.writeComment(7, sticky())).outcome).not.toBe('refused');
    expect(server.state.comments).toHaveLength(1);
  });

  it('tells of an account of an own app, and still leaves one comment', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const bot = await forgeOf(server, { token: 'ghs_app', login: 'our-gate[bot]' });
    expect(await bot.writeComment(7, sticky())).toMatchObject({
      outcome: 'created',
      notes: [expect.stringContaining('our-gate[bot]')],
    });
    expect((await bot.writeComment(7, sticky({ bodies: ['new'] }))).outcome).toBe('updated');
    expect(server.state.comments).toHaveLength(1);
    expect(server.state.comments[0]!.body).toMatch(/new$/);
    const named = await forgeOf(server, { token: 'ghs_app', login: 'our-gate[bot]' }, { author: 'our-gate[bot]' });
    expect(await named.writeComment(7, sticky({ bodies: ['newer'] }))).toEqual({
      outcome: 'updated',
      url: expect.any(String),
    });
  });

  it('is found by the account of a personal token', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server, { token: 'ghp_1', login: 'mia', kind: 'user' });
    await forge.writeComment(7, sticky());
    expect((await forge.writeComment(7, sticky())).outcome).toBe('unchanged');
    expect(operations(server).filter((name) => name === 'users/get-authenticated')).toHaveLength(1);
  });
});

describe('an older run', () => {
  it('writes nothing once the pull request has another head', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.pullRequest(7);
    push(pull, other);
    expect((await forge.writeComment(7, sticky())).outcome).toBe('outdated');
    expect(server.state.comments).toEqual([]);
  });

  it('writes nothing when the push comes while it looks for its comment', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky());
    server.before = (operation, when) => {
      if (operation !== 'issues/list-comments' || when !== 'answer') return;
      push(pull, other);
    };
    expect((await forge.writeComment(7, sticky({ bodies: ['late'] }))).outcome).toBe('outdated');
    expect(server.state.comments[0]!.body).not.toContain('late');
  });

  it('does not replace what a newer run of the same head wrote', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    await forge.writeComment(7, sticky({ revision: { headSha, order: [7, 2] }, bodies: ['second attempt'] }));
    expect((await forge.writeComment(7, sticky({ bodies: ['first attempt'] }))).outcome).toBe('outdated');
    expect(server.state.comments[0]!.body).toMatch(/second attempt$/);
  });

  it('gives way to the head that a force-push brought back', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    push(pull, other);
    await forge.writeComment(7, sticky({ revision: { headSha: other, order: [9, 1] }, bodies: ['other'] }));
    push(pull, headSha);
    expect(
      (await forge.writeComment(7, sticky({ revision: { headSha, order: [8, 2] }, bodies: ['re-run'] }))).outcome,
    ).toBe('updated');
  });

  it.each([
    [[7, 1], [7, 1], 0],
    [[7, 1], [7, 2], -1],
    [[10], [9, 5], 1],
    [[], [0], 0],
    [[], [1], -1],
  ])('%j and %j', (a, b, expected) => {
    expect(Math.sign(compareOrder(a, b))).toBe(expected);
  });
});

/** Runs the adapter in a process of its own. */
function writeInProcess(server: GitHub, token: string, order: number, body: string): Promise<string> {
  const script = fileURLToPath(new URL('../kit/github/write-comment.ts', import.meta.url));
  const child = spawn(process.execPath, [script, server.url, token, '7', headSha, String(order), body]);
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

describe('two processes at once', () => {
  it('leave one comment with the newest content', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const { token } = server.token();
    // Both have looked, and found nothing, before either creates.
    let waiting = 0;
    let release: () => void = () => undefined;
    const both = new Promise<void>((done) => (release = done));
    server.before = async (operation, when) => {
      if (operation !== 'issues/create-comment' || when !== 'request' || waiting >= 2) return;
      waiting += 1;
      if (waiting === 2) release();
      await both;
    };
    const outcomes = await Promise.all([
      writeInProcess(server, token, 2, 'newer'),
      writeInProcess(server, token, 1, 'older'),
    ]);
    expect(waiting).toBe(2);
    expect(outcomes.every((outcome) => ['created', 'updated', 'outdated'].includes(outcome))).toBe(true);
    expect(server.state.comments).toHaveLength(1);
    expect(server.state.comments[0]!.body).toMatch(/newer$/);
  });

  it('leave one comment whatever the timing', async () => {
    const server = await github({ delay: 30 });
    addPull(server.state, { number: 7 });
    const forges = await Promise.all(
      Array.from({ length: 6 }, (_, index) => forgeOf(server, { token: `ghs_${index}` })),
    );
    for (let round = 0; round < 3; round += 1) {
      server.state.comments = [];
      const written = await Promise.all(
        forges.map((forge, index) =>
          forge.writeComment(7, sticky({ revision: { headSha, order: [index] }, bodies: [`run ${index}`] })),
        ),
      );
      expect(written.filter((one) => one.outcome === 'refused')).toEqual([]);
      expect(server.state.comments).toHaveLength(1);
    }
  });
});

describe('too long', () => {
  const emoji = '🌈';

  it('takes the fullest form that fits, counted as GitHub counts', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    // 65,000 code points are 130,000 UTF-16 units and 260,000 bytes, and GitHub takes them.
    const fitting = emoji.repeat(65_000);
    await forge.writeComment(7, sticky({ bodies: [emoji.repeat(65_536), fitting, 'short'] }));
    expect(server.state.comments[0]!.body.endsWith(fitting)).toBe(true);
    expect(operations(server).filter((name) => name === 'issues/create-comment')).toHaveLength(1);
  });

  it('takes the next form should GitHub count otherwise', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    server.fail({
      operation: 'issues/create-comment',
      status: 422,
      message: 'Body is too long (maximum is 65536 characters)',
    });
    expect((await forge.writeComment(7, sticky({ bodies: ['long', 'short'] }))).outcome).toBe('created');
    expect(server.state.comments[0]!.body).toMatch(/short$/);
  });

  it('is refused without a request when no form fits', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server);
    expect(refusal(await forge.writeComment(7, sticky({ bodies: ['x'.repeat(65_536)] }))).code).toBe('forge.too-long');
    expect(operations(server)).not.toContain('issues/create-comment');
  });

  it('the server refuses one character more than GitHub takes', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const { token } = server.token();
    const post = (body: string) =>
      fetch(`${server.url}/repos/acme/shop-gitops/issues/7/comments`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ body }),
      });
    expect((await post(emoji.repeat(65_536))).status).toBe(201);
    const refused = await post(emoji.repeat(65_536) + '.');
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain('maximum is 65536 characters');
  });
});
