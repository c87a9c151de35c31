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
  readonly annotations: number;
}

export interface CheckOutput {
  readonly title: string;
  readonly summary: string;
  readonly text?: string;
  readonly annotations: readonly {
    readonly path: string;
    readonly start_line: number;
    readonly end_line: number;
    readonly annotation_level: CheckAnnotation['level'];
    readonly title: string;
    readonly message: string;
  }[];
}

export interface CheckApi {
  /** The newest runs of that name at that commit. */
  find(headSha: string, name: string): Promise<readonly StoredCheck[]>;
  create(check: CheckRun, output: CheckOutput): Promise<{ readonly id: number; readonly url?: string }>;
  update(id: number, check: CheckRun, output: CheckOutput): Promise<{ readonly url?: string }>;
}

/** More than this nobody reads, and every 50 are a request. */
const mostAnnotations = 500;

/**
 * Writes the check run of a commit: the conclusion goes with the first request, so that a broken connection later costs
 * annotations only. A run of the same gate at the same commit is updated. Annotations cannot be taken back (an update
 * appends), so a run that has some is followed by a new one of the same name: GitHub takes the newest.
 */
export async function writeCheckRun(api: CheckApi, check: CheckRun): Promise<Written> {
  const [first, ...more] = batches(check.annotations.slice(0, mostAnnotations));
  const output = (annotations: readonly CheckAnnotation[]): CheckOutput => ({
    ...texts(check),
    annotations: annotations.map(toAnnotation),
  });
  const existing = (await api.find(check.headSha, check.name)).find(
    (run) => run.externalId === check.externalId && run.annotations === 0,
  );
  const updated = existing && (await updateOwn(api, existing.id, check, output(first)));
  const written = updated ?? (await api.create(check, output(first)));
  for (const batch of more) await api.update(written.id, check, output(batch));
  const left = check.annotations.length - mostAnnotations;
  return {
    outcome: updated === undefined ? 'created' : 'updated',
    ...(written.url === undefined ? {} : { url: written.url }),
    ...(left > 0 ? { notes: [`${left} annotations are left out of the check; the report has them.`] } : {}),
  };
}

/** Undefined: it belongs to another app, or is gone. */
async function updateOwn(
  api: CheckApi,
  id: number,
  check: CheckRun,
  output: CheckOutput,
): Promise<{ id: number; url?: string } | undefined> {
  try {
    return { id, ...(await api.update(id, check, output)) };
  } catch (error) {
    if (statusOf(error) === 403 || statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** At least one batch, perhaps empty. */
function batches(
  annotations: readonly CheckAnnotation[],
): [readonly CheckAnnotation[], ...(readonly CheckAnnotation[])[]] {
  const rest: (readonly CheckAnnotation[])[] = [];
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

function toAnnotation({
  path,
  startLine,
  endLine,
  level,
  title,
  message,
}: CheckAnnotation): CheckOutput['annotations'][number] {
  return {
    path,
    start_line: Math.max(1, startLine),
    end_line: Math.max(1, startLine, endLine),
    annotation_level: level,
    title: cutToLength(sendable(title), maxTitle),
    message: cutToBytes(sendable(message), maxAnnotationBytes),
  };
}
