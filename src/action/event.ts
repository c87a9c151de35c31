import { readFileSync } from 'node:fs';
import { GateError, messageOf } from '../core/errors.ts';

/** What is to be judged, as the event says it. */
export interface Occasion {
  /** Full commit id. */
  readonly headSha: string;
  /** Commit to compare with; absent: the merge-base with `baseBranch`. */
  readonly base?: string;
  /** Branch that the change goes to; absent: the default branch. */
  readonly baseBranch?: string;
  /** Where comment and labels go. */
  readonly pullRequest?: number;
  /** The pull request in whose comments people decide about findings. */
  readonly decidedIn?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const noCommit = /^0+$/;

/** Branches that the merge queue makes and nobody else can push to: they end with the pull request that the group adds. */
const queuedPull = /^refs\/heads\/gh-readonly-queue\/.+\/pr-(\d{1,9})-[0-9a-f]{40,64}$/;

/**
 * Reads the event that started the job. Undefined: there is nothing to judge (a branch was deleted).
 * @param base the action's input `base`, which wins
 * @throws GateError action.event, action.payload, action.base
 */
export function readEvent(environment: Environment, base: string | undefined): Occasion | undefined {
  const event = environment['GITHUB_EVENT_NAME'] ?? '';
  const given = base === undefined ? {} : { base };
  switch (event) {
    case 'pull_request':
      return { ...pullRequest(payloadOf(environment)), ...given };
    case 'merge_group':
      return { ...mergeGroup(payloadOf(environment)), ...given };
    case 'push':
      return push(payloadOf(environment), given);
    case 'workflow_dispatch':
      return dispatch(payloadOf(environment), environment, given);
    case 'pull_request_target':
      throw unsuited(
        'pull_request_target gives secrets to a run that renders what somebody else wrote',
        'Use `on: pull_request`; docs/guide/github.md shows the two jobs for pull requests of forks.',
      );
    case 'issue_comment':
      throw unsuited(
        'issue_comment gives a token that may write to a run that would render what somebody else wrote',
        'Run the job of `on: pull_request` again instead; docs/guide/github.md shows a workflow that does it.',
      );
    default:
      throw unsuited(
        `the event ${JSON.stringify(event)} names no change to judge`,
        'Use `on: pull_request`, `merge_group`, `push` (branches) or `workflow_dispatch`.',
      );
  }
}

function pullRequest(payload: unknown): Occasion {
  const number = at(payload, 'pull_request', 'number');
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw notOf('pull_request');
  return {
    pullRequest: number,
    decidedIn: number,
    headSha: sha(at(payload, 'pull_request', 'head', 'sha'), 'pull_request'),
    baseBranch: text(at(payload, 'pull_request', 'base', 'ref'), 'pull_request'),
  };
}

/** `base_sha` is what the group is merged onto: with several pull requests in the queue, the group before. */
function mergeGroup(payload: unknown): Occasion {
  const queued = queuedPull.exec(text(at(payload, 'merge_group', 'head_ref'), 'merge_group'));
  return {
    ...(queued === null ? {} : { decidedIn: Number(queued[1]) }),
    headSha: sha(at(payload, 'merge_group', 'head_sha'), 'merge_group'),
    base: sha(at(payload, 'merge_group', 'base_sha'), 'merge_group'),
    baseBranch: branch(text(at(payload, 'merge_group', 'base_ref'), 'merge_group')),
  };
}

function push(payload: unknown, given: { base?: string }): Occasion | undefined {
  const ref = text(at(payload, 'ref'), 'push');
  const before = text(at(payload, 'before'), 'push');
  const after = text(at(payload, 'after'), 'push');
  if (noCommit.test(after)) return undefined;
  if (!ref.startsWith('refs/heads/') && given.base === undefined)
    throw unsuited(`${ref} is no branch, so there is no commit before it`, 'Name `branches:` under `on: push`.');
  const headSha = sha(after, 'push');
  const isDefault = branch(ref) === at(payload, 'repository', 'default_branch');
  if (!noCommit.test(before)) return { headSha, base: sha(before, 'push'), baseBranch: branch(ref), ...given };
  // A new branch: what it adds to the default branch.
  if (isDefault && given.base === undefined) throw nothingBefore('the first push of the default branch');
  return { headSha, ...given };
}

function dispatch(payload: unknown, environment: Environment, given: { base?: string }): Occasion {
  const headSha = sha(environment['GITHUB_SHA'], 'workflow_dispatch');
  const isDefault = environment['GITHUB_REF_NAME'] === at(payload, 'repository', 'default_branch');
  if (isDefault && given.base === undefined) throw nothingBefore('a run on the default branch');
  return { headSha, ...given };
}

function payloadOf(environment: Environment): unknown {
  const file = environment['GITHUB_EVENT_PATH'] ?? '';
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw new GateError({
      code: 'action.payload',
      message: `the event payload ${JSON.stringify(file)} cannot be read: ${messageOf(error)}`,
      fault: 'tool',
      next: 'GITHUB_EVENT_PATH is set by the runner: run gate as a step of a GitHub Actions workflow.',
      cause: error,
    });
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

function text(value: unknown, event: string): string {
  if (typeof value !== 'string' || value === '') throw notOf(event);
  return value;
}

function sha(value: unknown, event: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(value)) throw notOf(event);
  return value;
}

function branch(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

function notOf(event: string): GateError {
  return new GateError({
    code: 'action.payload',
    message: `the event payload is not one of ${event}`,
    fault: 'tool',
    next: 'GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are set by the runner: do not change them.',
  });
}

function nothingBefore(what: string): GateError {
  return new GateError({
    code: 'action.base',
    message: `${what} has nothing to be compared with`,
    fault: 'user',
    next: 'Set the input `base` to a commit or branch.',
  });
}

function unsuited(message: string, next: string): GateError {
  return new GateError({ code: 'action.event', message, fault: 'user', next });
}
