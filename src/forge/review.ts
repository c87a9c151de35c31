import type { ChangedFile, Review, ReviewComment, Written } from '../core/forge.ts';
import { githubLength, maxComment, maxReviewComments, sendable } from './limits.ts';
import { readFindingMarker, withFindingMarker } from './marker.ts';
import { mayHaveHappened } from './problems.ts';
import { diffLines } from './patch.ts';

/** A review comment that is on the pull request. */
export interface StoredReviewComment {
  readonly author: string;
  readonly body: string;
}

export interface ReviewApi {
  author(): Promise<string>;
  list(): Promise<readonly StoredReviewComment[]>;
  files(): Promise<readonly ChangedFile[]>;
  head(): Promise<string>;
  create(
    headSha: string,
    comments: readonly { readonly path: string; readonly line: number; readonly body: string }[],
  ): Promise<string>;
}

/**
 * Writes what was not said before, in one review (one notification). A finding that has a thread already is left alone,
 * be the thread open, outdated or resolved: nothing of it is changed or said again.
 */
export async function writeReviewComments(
  api: ReviewApi,
  review: Review,
): Promise<Written & { readonly posted: number }> {
  if (review.comments.length === 0) return { outcome: 'unchanged', posted: 0 };
  // GitHub refuses a review of a commit that a force-push removed.
  if ((await api.head()) !== review.headSha) return { outcome: 'outdated', posted: 0 };
  const chosen = await unsaid(api, review, await api.author());
  if (chosen.length === 0) return { outcome: 'unchanged', posted: 0 };
  const files = await api.files();
  const onDiff = chosen.filter((comment) => isOnDiff(files, comment));
  const notes = onDiff.length === chosen.length ? {} : { notes: [offDiff(chosen.length - onDiff.length)] };
  const posted = onDiff.slice(0, maxReviewComments);
  if (posted.length === 0) return { outcome: 'unchanged', posted: 0, ...notes };
  const url = await post(api, review, posted);
  return { outcome: 'created', posted: posted.length, ...(url === undefined ? {} : { url }), ...notes };
}

function offDiff(number: number): string {
  return `${number === 1 ? '1 remark names a line' : `${number} remarks name lines`} that the diff of the pull request does not show.`;
}

async function unsaid(api: ReviewApi, review: Review, author: string): Promise<ReviewComment[]> {
  const said = new Set<string>();
  for (const comment of await api.list()) {
    const marker = comment.author === author ? readFindingMarker(comment.body) : undefined;
    if (marker?.instance === review.instance) said.add(marker.fingerprint);
  }
  return review.comments.filter(({ fingerprint }) => {
    if (said.has(fingerprint)) return false;
    said.add(fingerprint);
    return true;
  });
}

function isOnDiff(files: readonly ChangedFile[], { path, line }: ReviewComment): boolean {
  const { added, context } = diffLines(files.find((file) => file.path === path)?.patch);
  return added.has(line) || context.has(line);
}

async function post(api: ReviewApi, review: Review, comments: readonly ReviewComment[]): Promise<string | undefined> {
  const send = (list: readonly ReviewComment[]) =>
    api.create(
      review.headSha,
      list.map(({ fingerprint, path, line, body }) => {
        const text = withFindingMarker(review.instance, fingerprint, sendable(body));
        return {
          path,
          line,
          body:
            githubLength(text) <= maxComment
              ? text
              : withFindingMarker(review.instance, fingerprint, 'See the comment of gate on this pull request.'),
        };
      }),
    );
  try {
    return await send(comments);
  } catch (error) {
    // Sent once only: the answer may be lost although the comments are there, and ten repeated ones help nobody.
    if (!mayHaveHappened(error)) throw error;
    const missing = await unsaid(api, { ...review, comments }, await api.author());
    return missing.length === 0 ? undefined : send(missing);
  }
}
