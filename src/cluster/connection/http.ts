import type http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { createAgent } from './agent.ts';
import type { ApiAnswer, ApiRequestOptions, ApiServer } from '../api-server.ts';
import type { Budget } from './budget.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { badAnswer, codeOf, connectionError, deadlineError, overloaded, unauthorized, type Failure } from './errors.ts';
import { exchange, type RawAnswer } from './exchange.ts';
import { ExchangeStopped } from './exchange-stopped.ts';
import type { ConnectionConfig } from './kubeconfig-entry.ts';
import { proxyFor } from './proxy.ts';
import type { RateLimit } from './rate-limit.ts';

export interface HttpOptions {
  readonly config: ConnectionConfig;
  readonly credentials: CredentialSource;
  readonly budget: Budget;
  readonly limit: RateLimit;
  readonly concurrency: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userAgent: string;
  /** Longest silence of the server during one request. */
  readonly silenceMs: number;
  /** Largest answer, decompressed. */
  readonly maxAnswerBytes: number;
}

/** Requests with credentials, rate limit, retries and deadline. See {@link ApiServer.request} for what is tried again. */
export function createHttp(options: HttpOptions): Pick<ApiServer, 'request' | 'close'> {
  const { config, credentials, budget, limit } = options;
  const base = new URL(config.server);
  const prefix = base.pathname.replace(/\/$/, '');
  const proxy = proxyFor(base, config.proxyUrl, options.environment);
  // One per client certificate: a plugin may give a new one while requests with the last one are under way.
  const agents = new Map<string, http.Agent>();

  const agentFor = ({ certificate }: Credentials): http.Agent => {
    const key = certificate === undefined ? '' : certificate.cert.toString();
    const known = agents.get(key);
    if (known !== undefined) return known;
    const agent = createAgent(config, { certificate, proxy, sockets: options.concurrency, signal: budget.signal });
    agents.set(key, agent);
    return agent;
  };

  const send = async (
    method: string,
    path: string,
    used: Credentials,
    request: ApiRequestOptions,
  ): Promise<RawAnswer> => {
    const { body, timeoutMs } = request;
    return exchange({
      method,
      url: new URL(prefix + path, base),
      agent: agentFor(used),
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': options.userAgent,
        ...(config.disableCompression === true ? {} : { 'accept-encoding': 'gzip' }),
        ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...(request.ifNoneMatch === undefined ? {} : { 'if-none-match': request.ifNoneMatch }),
        ...(used.headers as Record<string, string>),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: budget.signal,
      timeoutMs: timeoutMs ?? options.silenceMs,
      total: timeoutMs !== undefined,
      maxBytes: options.maxAnswerBytes,
    });
  };

  const attempt = async (
    method: string,
    path: string,
    failure: Failure,
    request: ApiRequestOptions,
  ): Promise<RawAnswer> => {
    const used = await credentials.get();
    const answer = await send(method, path, used, request);
    if (answer.status !== 401) return answer;
    if (!(await credentials.renew(used))) throw unauthorized(failure, credentials.explain(used));
    const renewed = await credentials.get();
    const second = await send(method, path, renewed, request);
    if (second.status === 401) throw unauthorized(failure, credentials.explain(renewed));
    return second;
  };

  const request: ApiServer['request'] = (method, path, request = {}) => {
    const failure: Failure = {
      server: config.server,
      context: config.context,
      what: `${method} ${path.replace(/\?.*$/, '')}`,
      timeoutMs: request.timeoutMs ?? options.silenceMs,
      budgetMs: budget.totalMs,
    };
    const once = (): Promise<RawAnswer> => limit.run(() => attempt(method, path, failure, request));
    return budget.spend(() =>
      withRetries(once, failure, budget, request.retry !== false).then((answer) => readAnswer(answer, failure)),
    );
  };

  return {
    request,
    close: async () => {
      budget.end();
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/**
 * Attempts per kind of failure. 500 and connection trouble may be the request's own fault (a conversion webhook that is
 * down), so they end soon; 429 is the server's way to say "later" (API priority and fairness).
 */
function attemptsFor(status: number): number {
  return status === 429 ? 10 : status === 500 ? 3 : 4;
}

async function withRetries(
  once: () => Promise<RawAnswer>,
  failure: Failure,
  budget: Budget,
  retry: boolean,
): Promise<RawAnswer> {
  for (let attempt = 1; ; attempt++) {
    let answer: RawAnswer;
    try {
      answer = await once();
    } catch (error) {
      if (budget.signal.aborted) throw deadlineError(failure, error);
      if (!isSocketError(error)) throw error;
      if (!retry || attempt >= connectionAttempts(error)) throw connectionError(failure, error);
      await pause(backoff(attempt), budget, failure);
      continue;
    }
    const { status } = answer;
    if (status !== 429 && status < 500) return answer;
    const asked = retryAfter(answer);
    // A 429 with Retry-After was turned away at the door: nothing has seen the request yet.
    if (!retry && !(status === 429 && asked !== undefined)) return answer;
    const wait = asked === undefined ? backoff(attempt) : asked * (1 + Math.random() * 0.1);
    const detail = `${status}${reasonOf(answer)}`;
    if (attempt >= attemptsFor(status)) throw overloaded(failure, detail, attempt);
    if (wait > budget.remainingMs()) {
      throw overloaded(
        failure,
        `${detail}, to be tried again in ${Math.round(wait / 1000)} s, which is longer than gate waits`,
        attempt,
      );
    }
    await pause(wait, budget, failure);
  }
}

function isSocketError(error: unknown): boolean {
  return (
    error instanceof ExchangeStopped ||
    (error instanceof Error && error.name !== 'AbortError' && codeOf(error) !== '' && !('fault' in error)) ||
    isProxyError(error)
  );
}

/** Errors of the tunnel have a sentence but no code. */
function isProxyError(error: unknown): boolean {
  return error instanceof Error && error.message.includes('proxy') && !('fault' in error);
}

function connectionAttempts(error: unknown): number {
  if (error instanceof ExchangeStopped) return error.reason === 'silence' ? 2 : 1;
  switch (codeOf(error)) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'EAI_AGAIN':
      return 4;
    case 'ECONNREFUSED':
      return 3;
    default:
      return 1;
  }
}

/** 0.2 s, 0.4 s, 0.8 s ... up to 5 s, half of it by chance, so that many clients do not come back at once. */
function backoff(attempt: number): number {
  const longest = Math.min(5_000, 200 * 2 ** (attempt - 1));
  return longest * (0.5 + Math.random() / 2);
}

async function pause(milliseconds: number, budget: Budget, failure: Failure): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal: budget.signal });
  } catch (error) {
    throw deadlineError(failure, error);
  }
}

/** Milliseconds; the header is in seconds or a date (RFC 9110). */
function retryAfter({ headers }: RawAnswer): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function reasonOf(answer: RawAnswer): string {
  const body = parse(answer);
  const message = isObject(body) && typeof body['message'] === 'string' ? body['message'] : '';
  return message === '' ? '' : ` (${oneLine(message)})`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300);
}

function parse(answer: RawAnswer): Json | undefined {
  try {
    return JSON.parse(answer.body.toString('utf8')) as Json;
  } catch {
    return undefined;
  }
}

function readAnswer(answer: RawAnswer, failure: Failure): ApiAnswer {
  const { status, headers, warnings } = answer;
  const body = status === 304 ? {} : parse(answer);
  const done = (value: JsonObject): ApiAnswer => ({
    status,
    body: value,
    warnings: warnings.flatMap(warningText),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
  });
  if (status >= 300 && status < 400 && status !== 304) {
    throw badAnswer(failure, `it redirects ${failure.what} to ${hostOf(headers.location)}, and gate does not follow`);
  }
  if (isObject(body)) return done(body);
  const text = answer.body.subarray(0, 200).toString('utf8');
  if (/^\s*</.test(text)) throw badAnswer(failure, `it answered ${failure.what} with an HTML page (status ${status})`);
  // Paths that no API group owns get plain text from the API server: "404 page not found".
  if (status >= 400) {
    return done({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, message: oneLine(text) });
  }
  const size = answer.body.length;
  throw badAnswer(
    failure,
    size === 0 ? `its answer to ${failure.what} is empty` : `its answer to ${failure.what} is no complete JSON object`,
  );
}

function hostOf(location: string | undefined): string {
  return location !== undefined && URL.canParse(location) ? new URL(location).host : 'another address';
}

/** `299 - "text"` (RFC 7234 5.5), several of them joined by commas. */
function warningText(header: string): string[] {
  return [...header.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? '').replace(/\\(.)/g, '$1'),
  );
}
