import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { fill } from './fill.ts';
import { handlers, notFound, type Answer, type Handler } from './handlers.ts';
import { findOperation, requestProblems, responseProblems, responseSchema, type Operation } from './openapi.ts';
import { newRepository, type Area, type Level, type RepositoryState, type Token } from './state.ts';

export interface LoggedRequest {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** An answer on demand instead of the real one. */
export interface Fault {
  /** Operation id, for example `issues/create-comment`; absent: any. */
  readonly operation?: string;
  readonly status: number;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request takes effect all the same, and only its answer is lost. */
  readonly afterwards?: boolean;
  /** How often; default 1. */
  times?: number;
}

export interface GitHub {
  /** Value for GITHUB_API_URL. */
  readonly url: string;
  readonly state: RepositoryState;
  readonly log: LoggedRequest[];
  /** Requests that GitHub's description does not allow. `close` throws when there are some. */
  readonly violations: string[];
  readonly rateLimit: { limit: number; remaining: number; /** Seconds since 1970. */ reset: number };
  token(changes?: Partial<Token>): Token;
  fail(fault: Fault): void;
  /** Called after the answer is known and before it is sent: to let things happen in between. */
  before: (operation: string, when: 'request' | 'answer') => Promise<void> | void;
  close(): Promise<void>;
}

export interface GitHubOptions {
  /** `/api/v3` for an Enterprise Server. */
  readonly prefix?: string;
  /** Longest random delay of an answer, ms. */
  readonly delay?: number;
}

const all: Partial<Record<Area, Level>> = {
  contents: 'read',
  'pull-requests': 'write',
  issues: 'write',
  checks: 'write',
  statuses: 'write',
  actions: 'read',
};
/** GitHub answers null for the repository of a fork that was deleted; its description does not say so. */
const undescribed = /^(?:\/\d+)?\/head\/repo must be object$/;
const order: readonly Level[] = ['none', 'read', 'write'];

/** Plays GitHub's REST API for one repository on a loopback port. Every request is held against GitHub's own description. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHub> {
  const tokens = new Map<string, Token>();
  const faults: Fault[] = [];
  const prefix = options.prefix ?? '';
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      github.violations.push(`The test server failed: ${error instanceof Error ? error.stack : String(error)}`);
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const github: GitHub = {
    url: `http://127.0.0.1:${port}${prefix}`,
    state: newRepository('acme', 'shop-gitops'),
    log: [],
    violations: [],
    rateLimit: { limit: 1000, remaining: 1000, reset: Math.floor(Date.now() / 1000) + 3600 },
    token: (changes = {}) => {
      const token: Token = {
        token: `ghs_test${tokens.size}`,
        login: 'github-actions[bot]',
        kind: 'app',
        permissions: { ...all },
        ...changes,
      };
      tokens.set(token.token, token);
      return token;
    },
    fail: (fault) => faults.push({ times: 1, ...fault }),
    before: () => undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      if (github.violations.length > 0)
        throw new Error(`GitHub would refuse or not know:\n${github.violations.join('\n')}`);
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://github.example');
    const method = request.method ?? 'GET';
    const path = url.pathname.slice(prefix.length);
    if (options.delay !== undefined) await sleep(Math.random() * options.delay);
    const operation = url.pathname.startsWith(prefix) ? findOperation(method, path) : undefined;
    const name = operation?.id ?? 'unknown';
    await github.before(name, 'request');
    const { answer, headers } = decide(request, operation, url, text);
    await github.before(name, 'answer');
    if (options.delay !== undefined) await sleep(Math.random() * options.delay);
    const status = send(request, response, operation, url, answer, headers);
    github.log.push({ operation: name, method, path: `${path}${url.search}`, status });
  }

  function decide(
    request: IncomingMessage,
    operation: Operation | undefined,
    url: URL,
    text: string,
  ): { answer: Answer; headers?: Readonly<Record<string, string>> } {
    if (operation === undefined) {
      github.violations.push(`${request.method} ${url.pathname}: no such operation`);
      return { answer: notFound };
    }
    const handler = handlers[operation.id];
    const body = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
    const wrong = requestProblems(operation, url.searchParams, body);
    if (handler === undefined) wrong.push('the test server does not play this operation');
    for (const problem of wrong) github.violations.push(`${operation.id}: ${problem}`);
    if (handler === undefined || wrong.length > 0) return { answer: message(400, 'Problems parsing JSON') };
    const token = tokens.get((request.headers.authorization ?? '').replace(/^(?:token|bearer) /i, ''));
    if (token === undefined) return { answer: message(401, 'Bad credentials') };
    return judge(request, operation, url, handler, token, body ?? {});
  }

  function judge(
    request: IncomingMessage,
    operation: Operation,
    url: URL,
    handler: Handler,
    token: Token,
    body: Record<string, unknown>,
  ): { answer: Answer; headers?: Readonly<Record<string, string>> } {
    const fault = faults.find((entry) => (entry.operation ?? operation.id) === operation.id && (entry.times ?? 0) > 0);
    if (fault !== undefined) fault.times = (fault.times ?? 1) - 1;
    const failure = fault && {
      answer: message(fault.status, fault.message ?? `Fault ${fault.status}`),
      headers: fault.headers ?? {},
    };
    if (failure !== undefined && fault?.afterwards !== true) return failure;
    if (github.rateLimit.remaining <= 0) {
      if (github.rateLimit.reset * 1000 > Date.now())
        return { answer: message(403, 'API rate limit exceeded for installation ID 1.') };
      github.rateLimit.remaining = github.rateLimit.limit;
    }
    const { owner, repo } = operation.parameters;
    if (owner !== undefined && (owner !== github.state.owner || repo !== github.state.repo))
      return { answer: notFound };
    const accepted = handler.needs.map(({ area, level }) => `${area.replaceAll('-', '_')}=${level}`).join('; ');
    const may = handler.needs.some(
      ({ area, level }) => order.indexOf(token.permissions[area] ?? 'none') >= order.indexOf(level),
    );
    if (handler.needs.length > 0 && !may) {
      const who = token.kind === 'app' ? 'integration' : 'personal access token';
      return {
        answer: message(403, `Resource not accessible by ${who}`),
        headers: { 'x-accepted-github-permissions': accepted },
      };
    }
    const raw = (request.headers.accept ?? '').includes('raw');
    const answer = handler.run({
      state: github.state,
      token,
      parameters: operation.parameters,
      query: url.searchParams,
      body,
      raw,
    });
    return failure ?? { answer };
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    operation: Operation | undefined,
    url: URL,
    answer: Answer,
    extra: Readonly<Record<string, string>> = {},
  ): number {
    const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' };
    let body = answer.body;
    if (answer.list !== undefined) {
      const size = Number(url.searchParams.get('per_page') ?? 30);
      const page = Number(url.searchParams.get('page') ?? 1);
      const paged = request.method === 'GET' ? answer.list.slice((page - 1) * size, page * size) : answer.list;
      body = answer.wrap?.(paged, answer.list.length) ?? paged;
      const link = request.method === 'GET' ? links(url, page, Math.ceil(answer.list.length / size)) : '';
      if (link !== '') headers['link'] = link;
    }
    const schema = operation === undefined ? undefined : responseSchema(operation, answer.status);
    if (operation !== undefined && schema !== undefined && body !== undefined && answer.status < 300) {
      body = fill(schema, body);
      for (const problem of responseProblems(operation, answer.status, body).filter((text) => !undescribed.test(text)))
        github.violations.push(`${operation.id}: the test server's own answer: ${problem}`);
    }
    const text = answer.text ?? (body === undefined ? '' : JSON.stringify(body));
    const etag = `"${createHash('sha256').update(text).digest('hex')}"`;
    const unchanged = request.method === 'GET' && answer.status === 200 && request.headers['if-none-match'] === etag;
    if (!unchanged) github.rateLimit.remaining -= 1;
    headers['x-ratelimit-limit'] = String(github.rateLimit.limit);
    headers['x-ratelimit-remaining'] = String(Math.max(0, github.rateLimit.remaining));
    headers['x-ratelimit-reset'] = String(github.rateLimit.reset);
    if (request.method === 'GET' && answer.status === 200) headers['etag'] = etag;
    const status = unchanged ? 304 : answer.status;
    response.writeHead(status, { ...headers, ...extra });
    response.end(unchanged || status === 204 ? undefined : text);
    return status;
  }

  function links(url: URL, page: number, last: number): string {
    const to = (number: number) => {
      const target = new URL(`http://127.0.0.1:${port}${url.pathname}${url.search}`);
      target.searchParams.set('page', String(number));
      return target.href;
    };
    const named: [string, number][] = [];
    if (page > 1) named.push(['prev', page - 1], ['first', 1]);
    if (page < last) named.push(['next', page + 1], ['last', last]);
    return named.map(([rel, number]) => `<${to(number)}>; rel="${rel}"`).join(', ');
  }

  return github;
}

function message(status: number, text: string): Answer {
  return {
    status,
    body: { message: text, documentation_url: 'https://docs.github.example/rest', status: String(status) },
  };
}
