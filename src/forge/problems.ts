import { GateError, isGateError, messageOf } from '../core/errors.ts';

/** What was tried, for the sentence that says why it failed. */
export interface Attempt {
  /** Completes "Cannot ...": `comment on pull request #7`. */
  readonly what: string;
  /** Permission of a workflow token that it takes: `pull-requests: write`. */
  readonly permission: string;
}

interface ResponseLike {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  readonly message: string;
  /** `errors[].message` of the body. */
  readonly details: string;
}

/** The parts of an Octokit RequestError, which is not imported here: it would be loaded at start. */
function responseOf(error: unknown): ResponseLike | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error) || typeof error.status !== 'number')
    return undefined;
  const response =
    'response' in error ? (error.response as { headers?: ResponseLike['headers']; data?: unknown }) : undefined;
  const data = response?.data as { message?: unknown; errors?: unknown } | undefined;
  const errors = Array.isArray(data?.errors) ? (data.errors as unknown[]) : [];
  const details = errors
    .map((entry) =>
      typeof entry === 'string' ? entry : String((entry as { message?: unknown } | null)?.message ?? ''),
    )
    .filter((text) => text !== '');
  return {
    status: error.status,
    headers: response?.headers ?? {},
    message: typeof data?.message === 'string' ? data.message : messageOf(error),
    details: details.slice(0, 3).join('; ').slice(0, 300),
  };
}

/** HTTP status of a failed request; undefined: there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const response = responseOf(error);
  // Octokit gives 500 to requests that never got an answer.
  return response === undefined || (response.status === 500 && Object.keys(response.headers).length === 0)
    ? undefined
    : response.status;
}

/** True when the server may have done what was asked although the answer did not arrive. */
export function mayHaveHappened(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined ? responseOf(error) !== undefined : status >= 500;
}

/** GitHub's words `body is too long`, or a check's `exceeds a maximum bytesize`. */
export function isTooLong(error: unknown): boolean {
  const response = responseOf(error);
  return (
    response?.status === 422 &&
    /too long|maximum bytesize|Only \d+ characters/i.test(`${response.message} ${response.details}`)
  );
}

/** One sentence that says what failed, and one that says which permission or setting to change. */
export function toProblem(error: unknown, { what, permission }: Attempt): GateError {
  if (isGateError(error)) return error;
  const problem = (code: string, because: string, fault: 'user' | 'tool', next: string) =>
    new GateError({ code: `forge.${code}`, message: `Cannot ${what}: ${because}`, fault, next, cause: error });
  const response = responseOf(error);
  const status = statusOf(error);
  if (response === undefined || status === undefined)
    return problem(
      'unreachable',
      `GitHub did not answer (${rootMessage(error)})`,
      'tool',
      'Check GITHUB_API_URL, the proxy and the network of the runner.',
    );
  const said = `GitHub says ${status} "${oneLine(response.message)}"${response.details === '' ? '' : ` (${oneLine(response.details)})`}`;
  const grant = `Add \`${grantOf(response, permission)}\` to \`permissions:\` of the job, or give the token that permission.`;
  if (status === 401)
    return problem(
      'unauthorized',
      said,
      'user',
      'The token is wrong, expired or revoked: pass `github-token: ${{ github.token }}` or a valid token.',
    );
  if (isRateLimit(response))
    return problem(
      'rate-limit',
      `${said}, and waiting would take longer than the time left`,
      'tool',
      rateLimitAdvice(response),
    );
  if (status === 403 && /archived/i.test(response.message))
    return problem(
      'archived',
      said,
      'user',
      'The repository is archived and so read-only: unarchive it, or do not run gate in it.',
    );
  if (status === 403 && /locked/i.test(response.message))
    return problem(
      'locked',
      said,
      'user',
      'The conversation is locked: unlock it, or read the result in the check and the job summary.',
    );
  if (status === 403 && /SAML|SSO/i.test(response.message))
    return problem(
      'sso',
      said,
      'user',
      'Authorize the token for the organization (Configure SSO), or use the token of the workflow.',
    );
  if (status === 403 && /authenticate via a GitHub App|only be modified by the GitHub App/i.test(response.message))
    return problem(
      'permission',
      said,
      'user',
      'Checks can be written by GitHub Apps only: use the token of the workflow instead of a personal one.',
    );
  if (status === 403)
    return problem(
      'permission',
      said,
      'user',
      `${grant} Runs of forks and of Dependabot have a read-only token: use the two-job workflow for forks.`,
    );
  if (status === 404)
    return problem('not-found', said, 'user', `It was deleted, or the token may not see it. ${grant}`);
  if (status === 410)
    return problem(
      'gone',
      said,
      'user',
      'It was deleted or its feature is switched off in the settings of the repository.',
    );
  if (status === 409)
    return problem('conflict', said, 'tool', 'Something else changed it at the same time: run the job again.');
  if (status === 422)
    return problem(
      'rejected',
      said,
      'user',
      'The branch was pushed to or deleted during the run, or a name or text is not allowed: run the job again on the newest commit.',
    );
  if (status >= 500)
    return problem(
      'server-error',
      said,
      'tool',
      'GitHub has a problem of its own: run the job again (see its status page).',
    );
  return problem('unexpected', said, 'tool', 'Run the job again.');
}

/**
 * GitHub names the permission that would do: `issues=write; pull_requests=write`. Ours stands when it is of one of these
 * areas: it may be for the write that follows a look.
 */
function grantOf(response: ResponseLike, permission: string): string {
  const accepted = String(response.headers['x-accepted-github-permissions'] ?? '');
  const named = accepted.split(';').flatMap((part) => {
    const [, area, level] = /^\s*([a-z_]{2,40})=(read|write)\b/.exec(part) ?? [];
    return area === undefined ? [] : [{ area: area.replaceAll('_', '-'), level }];
  });
  const [first] = named;
  if (first === undefined || named.some(({ area }) => permission.startsWith(`${area}:`))) return permission;
  return `${first.area}: ${first.level}`;
}

function isRateLimit(response: ResponseLike): boolean {
  if (response.status === 429) return true;
  if (response.status !== 403) return false;
  return (
    /rate limit/i.test(response.message) ||
    (response.headers['x-ratelimit-remaining'] === '0' && !/not accessible/i.test(response.message))
  );
}

function rateLimitAdvice(response: ResponseLike): string {
  const after = Number(response.headers['retry-after']);
  const reset = Number(response.headers['x-ratelimit-reset']) * 1000;
  if (Number.isFinite(after) && after > 0) return `Run the job again in ${after} seconds.`;
  if (response.headers['x-ratelimit-remaining'] === '0' && Number.isFinite(reset) && reset > 0 && reset < 8.64e15)
    return `Run the job again after ${new Date(reset).toISOString()}, or use a token with a limit of its own.`;
  return 'Run the job again in a minute.';
}

function rootMessage(error: unknown): string {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error && current.cause !== undefined; depth += 1)
    current = current.cause;
  const code = typeof current === 'object' && current !== null && 'code' in current ? `${String(current.code)}: ` : '';
  return oneLine(`${code}${messageOf(current)}`);
}

function oneLine(text: string): string {
  return text
    .replace(/[\s\u0000-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2066-\u2069]+/g, ' ')
    .trim()
    .slice(0, 300);
}
