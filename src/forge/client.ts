import type { Octokit } from '@octokit/rest';
import { GateError } from '../core/errors.ts';

export interface ClientOptions {
  readonly token: string;
  /** GITHUB_API_URL: `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise Server. */
  readonly apiUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  /** When everything has to be over, ms since 1970. Waiting for a limit or a retry stays inside. */
  readonly deadline: number;
  /** For the user agent. */
  readonly version: string;
  /** Something that the reader should know while waiting. */
  readonly note?: (text: string) => void;
}

export interface Client {
  readonly octokit: Octokit;
  readonly owner: string;
  readonly repo: string;
  readonly requests: () => number;
}

/** The longest that one request may take. */
const requestTimeoutMs = 30_000;
/** GitHub asks for a second between writes "if you are making a large number of" them: the first few go at once. */
const unspacedWrites = 6;

/** Connects to GitHub's REST API; nothing is sent yet. @throws GateError forge.repository, forge.token, forge.api-url */
export async function createClient(options: ClientOptions): Promise<Client> {
  const [owner = '', repo = '', ...more] = options.repository.split('/');
  if (!/^[\w.-]+$/.test(owner) || !/^[\w.-]+$/.test(repo) || more.length > 0)
    throw usage(
      'repository',
      `"${options.repository}" is not a repository`,
      'GITHUB_REPOSITORY has the form owner/name.',
    );
  if (options.token === '')
    throw usage('token', 'There is no GitHub token', 'Pass `github-token: ${{ github.token }}` or set GITHUB_TOKEN.');
  if (!URL.canParse(options.apiUrl) || !/^https?:$/.test(new URL(options.apiUrl).protocol))
    throw usage(
      'api-url',
      `"${options.apiUrl}" is not a URL`,
      'GITHUB_API_URL is https://api.github.com or https://HOST/api/v3.',
    );
  const [{ Octokit: Base }, { retry }, { throttling }] = await Promise.all([
    import('@octokit/rest'),
    import('@octokit/plugin-retry'),
    import('@octokit/plugin-throttling'),
  ]);
  let sent = 0;
  const left = () => options.deadline - Date.now();
  const wait = (kind: string) => (seconds: number, _: object, __: unknown, retries: number) => {
    // Two seconds stay for the request itself.
    const fits = retries < 2 && seconds * 1000 + 2_000 < left();
    if (fits) options.note?.(`GitHub's ${kind} is reached; waiting ${seconds} s.`);
    return fits;
  };
  const octokit = new (Base.plugin(retry, throttling))({
    auth: options.token,
    baseUrl: options.apiUrl.replace(/\/+$/, ''),
    userAgent: `gitops-gate/${options.version}`,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    request: {
      fetch: (url: string, init: RequestInit) => {
        const timeout = Math.min(requestTimeoutMs, left());
        if (timeout <= 0) return Promise.reject(outOfTime());
        sent += 1;
        return fetch(url, { ...init, signal: AbortSignal.timeout(timeout) });
      },
    },
    // After 1 s and 4 s, 5xx and 409 only: 429 belongs to the throttling plugin, which waits as long as GitHub says.
    retry: { retries: 2, doNotRetry: [400, 401, 403, 404, 410, 422, 429, 451] },
    throttle: {
      onRateLimit: wait('rate limit'),
      onSecondaryRateLimit: wait('secondary rate limit'),
      ...spacing(),
    },
  });
  // Registered last, so it is around the waiting of both plugins.
  octokit.hook.wrap('request', (request, sending) => within(left(), async () => request(sending)));
  return { octokit, owner, repo, requests: () => sent };
}

/** Ends a request that waits for a retry or a limit when the time is over. */
async function within<T>(ms: number, run: () => Promise<T>): Promise<T> {
  if (ms <= 0) throw outOfTime();
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(outOfTime()), Math.min(ms, 2 ** 31 - 1));
  });
  try {
    return await Promise.race([run(), over]);
  } finally {
    clearTimeout(timer);
  }
}

function outOfTime(): GateError {
  return new GateError({
    code: 'forge.deadline',
    message: 'The time of this run was over before GitHub answered',
    fault: 'tool',
    next: 'Run the job again, or give it more time.',
  });
}

function ignore(): void {
  // Octokit logs requests and deprecations; errors reach the caller as errors.
}

/**
 * The throttling plugin leaves 1 s between writes and 3 s between comments, as for a bot that writes all day. A run writes
 * a handful of things; only from the seventh write on they are a second apart.
 */
function spacing(): object {
  let writes = 0;
  let free = 0;
  const limiter = {
    schedule: async (_: object, run: () => Promise<unknown>) => {
      writes += 1;
      if (writes > unspacedWrites) {
        const start = Math.max(Date.now(), free);
        free = start + 1_000;
        await new Promise((done) => setTimeout(done, start - Date.now()));
      } else {
        free = Date.now() + 1_000;
      }
      return run();
    },
  };
  return { write: { key: () => limiter }, triggersNotification: () => false };
}

function usage(code: string, message: string, next: string): GateError {
  return new GateError({ code: `forge.${code}`, message, fault: 'user', next });
}
