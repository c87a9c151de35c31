import { GateError } from '../core/errors.ts';
import type { CheckAnnotation, CheckRun, Written } from '../core/forge.ts';
import {
  byteLength,
  cutToBytes,
  cutToLength,
  firstFitting,
  maxAnnotationBytes,
  maxAnnotations,
  maxCheckOutputBytes,
  maxTitle,
  sendable,
} from './limits.ts';
import { statusOf } from './problems.ts';

/** A check run as GitHub lists it. */
export interface StoredCheck {
  readonly id: number;
  readonly externalId: string;
  readonly conclusion: string | undefined;
  readonly annotations: number;
}

/** An annotation in the words of REST. */
export interface OutputAnnotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: CheckAnnotation['level'];
  readonly title: string;
  readonly message: string;
}

export interface CheckOutput {
  readonly title: string;
  readonly summary: string;
  readonly text?: string;
  readonly annotations: readonly OutputAnnotation[];
}

export interface CheckApi {
  /** All runs of that name at that commit, also older ones. */
  find(headSha: string, name: string): Promise<readonly StoredCheck[]>;
  annotations(id: number): Promise<
    readonly {
      readonly path: string;
      readonly start_line: number;
      readonly title: string | null;
      readonly message: string | null;
    }[]
  >;
  create(check: CheckRun, output: CheckOutput): Promise<{ readonly id: number; readonly url?: string }>;
  update(id: number, check: CheckRun, output: CheckOutput): Promise<{ readonly url?: string }>;
}

/** More than this nobody reads, and every 50 are a request. */
const mostAnnotations = 500;

/**
 * Writes the check run of a commit: the conclusion goes with the first request, so that a broken connection later costs
 * annotations only.
 *
 * What the same gate said before at the same commit is updated, all of it. A new run beside an old failure would not do:
 * only within one check suite GitHub takes the newest of a name, and it alone decides to which suite of the commit a run
 * goes (reviewdog#403). Annotations cannot be taken back, an update appends: only those that are not there are sent.
 */
export async function writeCheckRun(api: CheckApi, check: CheckRun): Promise<Written> {
  const wanted = check.annotations.slice(0, mostAnnotations).map(toAnnotation);
  const left = check.annotations.length - wanted.length;
  const notes = left > 0 ? { notes: [`${left} annotations are left out of the check; the report has them.`] } : {};
  const earlier = (await api.find(check.headSha, check.name)).filter((run) => run.externalId === check.externalId);
  let updated: WrittenCheck | undefined;
  for (const run of earlier.toSorted((a, b) => b.id - a.id)) {
    if (updated === undefined) updated = await writeInto(api, run, check, wanted);
    else if (run.conclusion !== check.conclusion)
      await updateOwn(api, run.id, check, { ...texts(check), annotations: [] });
  }
  if (updated !== undefined) return { outcome: 'updated', ...link(updated), ...notes };
  const [first, ...more] = batches(wanted);
  const created = await api.create(check, { ...texts(check), annotations: first });
  await append(api, created.id, check, more);
  return { outcome: 'created', ...link(created), ...notes };
}

interface WrittenCheck {
  readonly id: number;
  readonly url?: string;
}

function link({ url }: WrittenCheck): { url?: string } {
  return url === undefined ? {} : { url };
}

/** Undefined: it belongs to another app, or is gone. */
async function writeInto(
  api: CheckApi,
  run: StoredCheck,
  check: CheckRun,
  wanted: readonly OutputAnnotation[],
): Promise<WrittenCheck | undefined> {
  const said = new Set(run.annotations === 0 ? [] : (await api.annotations(run.id)).map(identity));
  const [first, ...more] = batches(wanted.filter((annotation) => !said.has(identity(annotation))));
  const updated = await updateOwn(api, run.id, check, { ...texts(check), annotations: first });
  if (updated !== undefined) await append(api, run.id, check, more);
  return updated;
}

function identity({
  path,
  start_line,
  title,
  message,
}: {
  path: string;
  start_line: number;
  title: string | null;
  message: string | null;
}): string {
  return JSON.stringify([path, start_line, title, message]);
}

async function append(
  api: CheckApi,
  id: number,
  check: CheckRun,
  more: readonly (readonly OutputAnnotation[])[],
): Promise<void> {
  for (const annotations of more) await api.update(id, check, { ...texts(check), annotations });
}

/** Undefined: it belongs to another app, or is gone. */
async function updateOwn(
  api: CheckApi,
  id: number,
  check: CheckRun,
  output: CheckOutput,
): Promise<WrittenCheck | undefined> {
  try {
    return { id, ...(await api.update(id, check, output)) };
  } catch (error) {
    if (statusOf(error) === 403 || statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** At least one batch, perhaps empty. */
function batches(
  annotations: readonly OutputAnnotation[],
): [readonly OutputAnnotation[], ...(readonly OutputAnnotation[])[]] {
  const rest: (readonly OutputAnnotation[])[] = [];
  for (let start = maxAnnotations; start < annotations.length; start += maxAnnotations)
    rest.push(annotations.slice(start, start + maxAnnotations));
  return [annotations.slice(0, maxAnnotations), ...rest];
}

function texts(check: CheckRun): Pick<CheckOutput, 'title' | 'summary' | 'text'> {
  const fits = (text: string) => byteLength(text) <= maxCheckOutputBytes;
  const summary = firstFitting(check.summaries.map(sendable), fits);
  if (summary === undefined)
    throw new GateError({
      code: 'forge.too-long',
      message: `No form of the check summary is below ${maxCheckOutputBytes.toLocaleString('en-US')} bytes`,
      fault: 'gate',
      next: 'Read the result in the job summary.',
    });
  const text = firstFitting((check.texts ?? []).map(sendable), fits);
  return { title: cutToLength(sendable(check.title), maxTitle), summary, ...(text === undefined ? {} : { text }) };
}

function toAnnotation({ path, startLine, endLine, level, title, message }: CheckAnnotation): OutputAnnotation {
  return {
    path,
    start_line: Math.max(1, startLine),
    end_line: Math.max(1, startLine, endLine),
    annotation_level: level,
    title: cutToLength(sendable(title), maxTitle),
    message: cutToBytes(sendable(message), maxAnnotationBytes),
  };
}
