import { describe, expect, it } from 'vitest';
import type { ReviewComment } from '../../src/core/forge.ts';
import { addPull, headSha, push } from '../kit/github/state.ts';
import { forgeOf, github, operations } from './kit.ts';

const patch = ['@@ -0,0 +1,40 @@', ...Array.from({ length: 40 }, (_, index) => `+line ${index + 1}`)].join('\n');
const files = [{ filename: 'envs/prod/values.yaml', status: 'added', patch } as const];

function remarks(number: number): ReviewComment[] {
  return Array.from({ length: number }, (_, index) => ({
    fingerprint: `f${index}`,
    path: 'envs/prod/values.yaml',
    line: index + 1,
    body: `remark ${index}`,
  }));
}

const review = (comments: ReviewComment[]) => ({ instance: 'production', headSha, comments });

describe('review comments', () => {
  it('are at most ten, in one review', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    expect(await forge.writeReview(7, review(remarks(14)))).toMatchObject({ outcome: 'created', posted: 10 });
    expect(operations(server).filter((name) => name === 'pulls/create-review')).toHaveLength(1);
    expect(server.state.reviewComments.map((comment) => comment.line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('are not repeated on the next push, also when their thread is resolved', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    await forge.writeReview(7, review(remarks(3)));
    server.state.reviewComments[0]!.resolved = true;
    const next = 'dddd4444dddd4444dddd4444dddd4444dddd4444';
    push(pull, next);
    const before = structuredClone(server.state.reviewComments);
    const again = await forge.writeReview(7, { ...review(remarks(4)), headSha: next });
    expect(again).toMatchObject({ outcome: 'created', posted: 1 });
    expect(server.state.reviewComments.slice(0, 3)).toEqual(before);
    expect(await forge.writeReview(7, { ...review(remarks(4)), headSha: next })).toMatchObject({
      outcome: 'unchanged',
      posted: 0,
    });
  });

  it('say each finding once, even when it is given twice', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    const [one] = remarks(1);
    expect(await forge.writeReview(7, review([one!, one!]))).toMatchObject({ posted: 1 });
  });

  it('take no notice of a marker that somebody else wrote', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    await forge.writeReview(7, review(remarks(1)));
    server.state.reviewComments = server.state.reviewComments.map((comment) => ({ ...comment, user: 'mallory' }));
    expect(await forge.writeReview(7, review(remarks(1)))).toMatchObject({ posted: 1 });
  });

  it('leave out lines that the diff does not show, instead of losing all of them', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    const [one] = remarks(1);
    const written = await forge.writeReview(7, review([{ ...one!, fingerprint: 'off', line: 900 }, one!]));
    expect(written).toMatchObject({
      outcome: 'created',
      posted: 1,
      notes: [expect.stringContaining('1 remark names a line')],
    });
  });

  it('are not written for a commit that was pushed over', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7, files: [...files] });
    pull.headSha = 'dddd4444dddd4444dddd4444dddd4444dddd4444';
    pull.commits = [pull.headSha];
    const forge = await forgeOf(server);
    expect(await forge.writeReview(7, review(remarks(1)))).toMatchObject({ outcome: 'outdated', posted: 0 });
  });

  it('cost no request when there is nothing to say', async () => {
    const server = await github();
    const forge = await forgeOf(server);
    expect(await forge.writeReview(7, review([]))).toMatchObject({ outcome: 'unchanged', posted: 0 });
    expect(forge.requests).toBe(0);
  });

  it('are there once when the answer is lost', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    server.fail({ operation: 'pulls/create-review', status: 502, afterwards: true });
    expect(await forge.writeReview(7, review(remarks(3)))).toMatchObject({ outcome: 'created' });
    expect(server.state.reviewComments).toHaveLength(3);
  });

  it('are sent again when GitHub failed before it took them', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    server.fail({ operation: 'pulls/create-review', status: 502 });
    await forge.writeReview(7, review(remarks(3)));
    expect(server.state.reviewComments).toHaveLength(3);
  });

  it('point to the comment when they are too long', async () => {
    const server = await github();
    addPull(server.state, { number: 7, files: [...files] });
    const forge = await forgeOf(server);
    const [one] = remarks(1);
    await forge.writeReview(7, review([{ ...one!, fingerprint: 'a -->\n<b>', body: 'x'.repeat(70_000) }]));
    expect(server.state.reviewComments[0]!.body).toMatch(
      /^<!-- gitops-gate:finding [^<>\n]* -->\nSee the comment of gate/,
    );
  });
});
