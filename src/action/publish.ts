import type { Degradation, Forge, Publication, Written } from '../core/forge.ts';
import type { GateReport } from '../core/model.ts';
import { hasComment, publish } from '../wire/forge.ts';
import type { Connection } from './connect.ts';
import { describe } from './incomplete.ts';
import type { Inputs } from './inputs.ts';
import { instanceOf } from './publication.ts';
import { remarkable, remarks } from './remarks.ts';
import { log, say, setOutput } from './runner.ts';

export interface PublishOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the remarks on lines come from; absent: none are wanted. */
  readonly remarksOf?: GateReport;
  /** There is nothing to say but that. */
  readonly quiet: boolean;
}

/**
 * Writes all that a run has to say, as far as the token may, and tells the log what became of it. Never throws: what could
 * not be written degrades, and the exit code of the job decides.
 * @returns whether every check (or the commit status in its place) was written
 */
export async function publishAll(
  [main, ...more]: readonly [Publication, ...Publication[]],
  inputs: Inputs,
  connection: Connection,
  { environment, quiet, remarksOf }: PublishOptions,
): Promise<{ readonly check: boolean }> {
  if ('error' in connection) {
    const { message, next } = describe(connection.error);
    say('warning', `Neither comment nor check was written: ${message}. ${next} The result is in the job summary.`);
    return { check: false };
  }
  const { forge } = connection;
  const wanted = inputs.checks ? forge : withoutChecks(forge);
  let checked = inputs.checks;
  // What can hold a merge comes first.
  const last = quiet && inputs.comment === 'changes' ? await withoutNews(forge, main) : main;
  for (const publication of [...more, last]) {
    const { check, status, comment, degradations } = await publish(wanted, publication);
    for (const degradation of degradations) say('warning', sentence(degradation));
    if (inputs.checks) tell(publication.check.name, check);
    if (check?.outcome === 'refused' && (status === undefined || status.outcome === 'refused')) checked = false;
    if (comment === undefined) continue;
    tell('comment', comment);
    if (comment.outcome === 'refused' || comment.outcome === 'outdated') continue;
    if (comment.url !== undefined) setOutput(environment, 'comment-url', comment.url);
    // Last, so that a run that nears its end has said the verdict.
    if (remarksOf !== undefined && publication.pullRequest !== undefined)
      await writeRemarks(
        forge,
        remarksOf,
        { ...publication, pullRequest: publication.pullRequest },
        instanceOf(inputs),
      );
  }
  log(`${forge.requests} requests to GitHub.`);
  return { check: checked };
}

async function writeRemarks(
  forge: Forge,
  report: GateReport,
  { pullRequest, check }: Publication & { readonly pullRequest: number },
  instance: string,
): Promise<void> {
  if (remarkable(report).length === 0) return;
  try {
    const { files } = await forge.changedFiles(pullRequest);
    const comments = remarks(report, files);
    const written = await forge.writeReview(pullRequest, { instance, headSha: check.headSha, comments });
    tell(`remarks on lines (${written.posted} new)`, written);
    if (written.outcome === 'refused') say('warning', withNext(written.problem.message, written.problem.next));
  } catch (error) {
    const { message, next } = describe(error);
    say('warning', withNext(`No remarks on lines: ${message}`, next));
  }
}

/** A comment that says nothing is not created; one that is there is brought up to date. */
async function withoutNews(forge: Forge, { comment, ...rest }: Publication): Promise<Publication> {
  if (comment === undefined || rest.pullRequest === undefined) return rest;
  try {
    if (!(await hasComment(forge, rest.pullRequest, comment.instance))) return rest;
  } catch {
    // Writing it says what is wrong.
  }
  return { ...rest, comment };
}

function withoutChecks(forge: Forge): Forge {
  return Object.create(forge, {
    writeCheck: { value: (): Promise<Written> => Promise.resolve({ outcome: 'unchanged' }) },
  }) as Forge;
}

function tell(what: string, written: Written | undefined): void {
  if (written === undefined || written.outcome === 'refused') return;
  const url = written.url === undefined ? '' : ` ${written.url}`;
  const said = written.outcome === 'outdated' ? 'not written: a newer commit or run was judged' : written.outcome;
  log(`${what}: ${said}${url}`);
  for (const note of written.notes ?? []) say('notice', note);
}

const places = { check: 'check', status: 'commit status', 'job summary': 'job summary', nothing: 'nothing' } as const;

function sentence({ wanted, instead, problem }: Degradation): string {
  const result = instead === 'nothing' ? '' : ` The result of the ${wanted} is in the ${places[instead]}.`;
  return `${withNext(problem.message, problem.next)}${result}`;
}

function withNext(message: string, next: string | undefined): string {
  return `${message.replace(/\.$/, '')}.${next === undefined ? '' : ` ${next}`}`;
}
