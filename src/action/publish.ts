import type { Degradation, Forge, Publication, Written } from '../core/forge.ts';
import { hasComment, openForge, publish } from '../wire/forge.ts';
import { describe } from './incomplete.ts';
import type { Inputs } from './inputs.ts';
import { log, say, setOutput } from './runner.ts';

export interface PublishOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** ms since 1970. */
  readonly deadline: number;
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
  { environment, deadline, quiet }: PublishOptions,
): Promise<{ readonly check: boolean }> {
  let forge: Forge;
  try {
    forge = await openForge({
      token: inputs.token,
      apiUrl: environment['GITHUB_API_URL'] ?? 'https://api.github.com',
      repository: environment['GITHUB_REPOSITORY'] ?? '',
      deadline,
      ...(inputs.author === undefined ? {} : { author: inputs.author }),
      note: log,
    });
  } catch (error) {
    const { message, next } = describe(error);
    say('warning', `Neither comment nor check was written: ${message}. ${next} The result is in the job summary.`);
    return { check: false };
  }
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
    if (comment.outcome !== 'refused' && comment.url !== undefined) setOutput(environment, 'comment-url', comment.url);
  }
  log(`${forge.requests} requests to GitHub.`);
  return { check: checked };
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
  const next = problem.next === undefined ? '' : ` ${problem.next}`;
  const result = instead === 'nothing' ? '' : ` The result of the ${wanted} is in the ${places[instead]}.`;
  return `${problem.message.replace(/\.$/, '')}.${next}${result}`;
}
