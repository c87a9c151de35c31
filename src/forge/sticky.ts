import { GateError } from '../core/errors.ts';
import type { StickyComment, Written } from '../core/forge.ts';
import { githubLength, maxComment, sendable } from './limits.ts';
import { isUntouched, readCommentMarker, withCommentMarker, type CommentMarker } from './marker.ts';
import { isTooLong, mayHaveHappened, statusOf } from './problems.ts';

/** A comment as it is on the pull request. */
export interface StoredComment {
  readonly id: number;
  readonly author: string;
  readonly body: string;
  readonly url: string;
}

/** The few requests that a sticky comment takes. All throw what the client throws. */
export interface CommentApi {
  /** Account that the token writes as, as far as it can be told before anything was written. */
  author(): Promise<string>;
  /** Pages of comments, oldest first. */
  pages(): AsyncIterable<readonly StoredComment[]>;
  /** Head of the pull request now. */
  head(): Promise<string>;
  create(body: string): Promise<StoredComment>;
  update(id: number, body: string): Promise<StoredComment>;
  remove(id: number): Promise<void>;
}

/** A comment of ours, with its marker. */
interface Own extends StoredComment {
  readonly marker: CommentMarker;
}

/** Part by part; a missing part counts as 0. Negative: `a` is older. */
export function compareOrder(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Leaves one comment with the newest content. GitHub has no conditional write, so the head is asked last before writing:
 * what remains is the time of one request.
 */
export async function writeSticky(api: CommentApi, wanted: StickyComment): Promise<Written> {
  const author = await api.author();
  const [existing, ...duplicates] = await findOwn(api, author, wanted.instance, false);
  // What GitHub says is the head decides; the order of the runs decides among runs of the same head.
  if ((await api.head()) !== wanted.revision.headSha) return { outcome: 'outdated' };
  if (existing !== undefined) {
    const written = await replace(api, existing, wanted);
    for (const duplicate of duplicates) await removeOwn(api, duplicate.id);
    // Deleted by somebody between finding and writing.
    if (written !== undefined) return written;
  }
  const created = await create(api, wanted, author);
  // Another process may have created one at the same time, and the account may have another name than assumed.
  const all = await findOwn(api, created.author, wanted.instance, true);
  const oldest = all[0];
  const notes = created.author === author ? {} : { notes: [otherAccount(created.author)] };
  if (oldest === undefined || oldest.id >= created.id) return { outcome: 'created', url: created.url, ...notes };
  const written = await replace(api, oldest, wanted);
  if (written === undefined) return { outcome: 'created', url: created.url, ...notes };
  await removeOwn(api, created.id);
  return { ...written, ...notes };
}

function otherAccount(login: string): string {
  return `The token writes as ${login}: name this account as the author of gate's comments, so that each run finds its comment at once.`;
}

/** Comments of this account and instance, oldest first. `whole`: all pages, otherwise until the first one is found. */
async function findOwn(api: CommentApi, author: string, instance: string, whole: boolean): Promise<Own[]> {
  const own: Own[] = [];
  for await (const page of api.pages()) {
    for (const comment of page) {
      const marker = comment.author === author ? readCommentMarker(comment.body) : undefined;
      if (marker?.instance === instance) own.push({ ...comment, marker });
    }
    if (own.length > 0 && !whole) break;
  }
  return own.sort((a, b) => a.id - b.id);
}

/** Updates an own comment unless it says the same or comes from a newer run of the same head. Undefined: it is gone. */
async function replace(api: CommentApi, existing: Own, wanted: StickyComment): Promise<Written | undefined> {
  const { marker } = existing;
  const sameHead = marker.revision.headSha === wanted.revision.headSha;
  if (sameHead && compareOrder(marker.revision.order, wanted.revision.order) > 0)
    return { outcome: 'outdated', url: existing.url };
  const [first] = candidates(wanted);
  if (
    sameHead &&
    first !== undefined &&
    readCommentMarker(first)?.digest === marker.digest &&
    isUntouched(existing.body, marker)
  )
    return { outcome: 'unchanged', url: existing.url };
  try {
    const updated = await largest(wanted, (body) => api.update(existing.id, body));
    return { outcome: 'updated', url: updated.url };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function create(api: CommentApi, wanted: StickyComment, author: string): Promise<StoredComment> {
  try {
    return await largest(wanted, (body) => api.create(body));
  } catch (error) {
    if (!mayHaveHappened(error)) throw error;
    // The answer was lost. Only looking tells whether the comment is there.
    const [existing] = await findOwn(api, author, wanted.instance, true);
    return existing ?? largest(wanted, (body) => api.create(body));
  }
}

/** Texts that fit, fullest first, with marker. */
function candidates(wanted: StickyComment): string[] {
  return wanted.bodies
    .map((body) => withCommentMarker(wanted.instance, wanted.revision, sendable(body), wanted.digest))
    .filter((body) => githubLength(body) <= maxComment);
}

/** Sends the fullest text that GitHub takes: should it count in another way than we do, the next one is tried. */
async function largest(wanted: StickyComment, send: (body: string) => Promise<StoredComment>): Promise<StoredComment> {
  const bodies = candidates(wanted);
  for (const [index, body] of bodies.entries()) {
    try {
      return await send(body);
    } catch (error) {
      if (!isTooLong(error) || index === bodies.length - 1) throw error;
    }
  }
  throw new GateError({
    code: 'forge.too-long',
    message: `No form of the comment is below ${maxComment.toLocaleString('en-US')} characters`,
    fault: 'gate',
    next: 'Read the result in the check and the job summary.',
  });
}

async function removeOwn(api: CommentApi, id: number): Promise<void> {
  try {
    await api.remove(id);
  } catch (error) {
    // The other process was faster.
    if (statusOf(error) !== 404) throw error;
  }
}
