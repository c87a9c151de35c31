import { setTimeout as sleep } from 'node:timers/promises';
import { connectionReason, oneLine, type Address } from './connection.ts';

/** One series of an instant vector. */
export interface Sample {
  readonly labels: ReadonlyMap<string, string>;
  /** Finite. */
  readonly value: number;
}

export interface Failure {
  /** Continues "Prometheus <address>": `refuses the connection`. */
  readonly reason: string;
  readonly next?: string;
  /** The server gave up because of the size of the question: a shorter window may work. */
  readonly heavy?: true;
}

export type Answer =
  | { readonly samples: readonly Sample[]; readonly warnings: readonly string[]; readonly failure?: undefined }
  | { readonly failure: Failure };

export interface AskOptions {
  readonly address: Address;
  readonly signal: AbortSignal;
  /** Unix milliseconds at which the signal aborts. */
  readonly deadline: number;
  readonly maxAnswerBytes: number;
  /** Evaluation time in Unix seconds; absent: the server's now. */
  readonly time?: number;
}

/** Some proxies allow only GET, and most take a request line of 8 KiB. */
const longestGet = 6_000;

/**
 * One instant query (`/api/v1/query`). Never throws. Tried again once after 429, 502, 503 and a closed connection.
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export async function ask(query: string, options: AskOptions): Promise<Answer> {
  const first = await askOnce(query, options);
  if (first.retryAfterMs === undefined) return first.answer;
  const left = options.deadline - Date.now();
  if (first.retryAfterMs > left / 2) return first.answer;
  await sleep(first.retryAfterMs, undefined, { signal: options.signal }).catch(() => {});
  return (await askOnce(query, options)).answer;
}

interface Attempt {
  readonly answer: Answer;
  readonly retryAfterMs?: number;
}

async function askOnce(query: string, options: AskOptions): Promise<Attempt> {
  const seconds = Math.max(1, Math.ceil((options.deadline - Date.now()) / 1000));
  // The server stops at the same time as we do.
  const form = new URLSearchParams({ query, timeout: `${seconds}s` });
  if (options.time !== undefined) form.set('time', String(options.time));
  const url = `${options.address.shown}/api/v1/query`;
  const text = form.toString();
  const request: RequestInit = {
    headers: options.address.headers,
    // A redirect would carry the credentials elsewhere, most often to a login page.
    redirect: 'manual',
    signal: options.signal,
  };
  const get = text.length <= longestGet;
  if (!get) {
    request.method = 'POST';
    request.headers = { ...options.address.headers, 'content-type': 'application/x-www-form-urlencoded' };
    request.body = text;
  }
  try {
    const response = await fetch(get ? `${url}?${text}` : url, request);
    const body = await readBody(response, options.maxAnswerBytes);
    if (body === undefined) return { answer: { failure: tooLarge(options.maxAnswerBytes) } };
    return understand(response, body);
  } catch (error) {
    if (options.signal.aborted) return { answer: { failure: { ...tooSlow, heavy: true } } };
    return { answer: { failure: { reason: connectionReason(error), next: checkAddress } }, retryAfterMs: 300 };
  }
}

const checkAddress = 'Check the address, and that it can be reached from here.';
const narrow =
  'Name a shorter window in gate.yaml (prometheus.window), or the labels of the cluster (prometheus.labels).';
const tooSlow: Failure = { reason: 'did not answer in time', next: narrow };

function tooLarge(bytes: number): Failure {
  return { reason: `answers with more than ${Math.round(bytes / 2 ** 20)} MiB`, next: narrow, heavy: true };
}

/** Undefined: more than allowed; the rest is not read. */
async function readBody(response: Response, maxBytes: number): Promise<string | undefined> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function understand(response: Response, text: string): Attempt {
  const { status } = response;
  if (status === 401 || status === 403)
    return fail({
      reason: `does not accept the credentials (HTTP ${status})`,
      next: 'Set GATE_PROMETHEUS_TOKEN, or GATE_PROMETHEUS_USER and GATE_PROMETHEUS_PASSWORD, and the tenant in GATE_PROMETHEUS_HEADERS.',
    });
  if (status >= 300 && status < 400)
    return fail({
      reason: `redirects elsewhere (HTTP ${status}), as a login page does`,
      next: 'Name the address of the API itself, and set GATE_PROMETHEUS_TOKEN if it needs one.',
    });
  const body = parse(text);
  if (body === undefined) {
    const retry = retryAfter(response);
    if (retry !== undefined) return { ...fail({ reason: `is overloaded (HTTP ${status})` }), retryAfterMs: retry };
    if (status === 504 || status === 408) return fail({ ...tooSlow, heavy: true });
    return fail({
      reason: `answers HTTP ${status} with something that is not JSON`,
      next: 'The address must be the one under which /api/v1/query is served; Mimir has it below /prometheus.',
    });
  }
  if (body['status'] === 'success' && status < 300) return { answer: readResult(body) };
  return refusal(response, body);
}

function refusal(response: Response, body: Record<string, unknown>): Attempt {
  const message = oneLine(
    typeof body['error'] === 'string' ? body['error'] : typeof body['message'] === 'string' ? body['message'] : '',
  );
  const said = message === '' ? `answers HTTP ${response.status}` : `answers HTTP ${response.status}: ${message}`;
  // What Prometheus, Thanos, Mimir and VictoriaMetrics say when a query is too large for their limits.
  const heavy =
    body['errorType'] === 'timeout' ||
    response.status === 413 ||
    /timeout|timed out|too many|limit|exceed|maxSamples|max(?:imum)? number|too long|deadline/i.test(message);
  if (heavy) return fail({ reason: said, next: narrow, heavy: true });
  const retry = retryAfter(response);
  return { ...fail({ reason: said }), ...(retry === undefined ? {} : { retryAfterMs: retry }) };
}

const fail = (failure: Failure): Attempt => ({ answer: { failure } });

function retryAfter(response: Response): number | undefined {
  if (![429, 502, 503].includes(response.status)) return undefined;
  const seconds = Number(response.headers.get('retry-after') ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 500;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function readResult(body: Record<string, unknown>): Answer {
  const data = body['data'] as { resultType?: unknown; result?: unknown } | null | undefined;
  if (data?.resultType !== 'vector' || !Array.isArray(data.result))
    return {
      failure: {
        reason: `answers with ${typeof data?.resultType === 'string' ? `a ${oneLine(data.resultType, 20)}` : 'no result'} instead of a vector`,
      },
    };
  const warnings = Array.isArray(body['warnings']) ? body['warnings'] : [];
  return {
    samples: data.result.flatMap(readSample),
    warnings: warnings.filter((text): text is string => typeof text === 'string').map((text) => oneLine(text)),
  };
}

/** `{"metric": {...}, "value": [1700000000.1, "1.5"]}`. NaN, infinities and native histograms are no figures. */
function readSample(row: unknown): Sample[] {
  const { metric, value } = (row ?? {}) as { metric?: unknown; value?: unknown };
  const text: unknown = Array.isArray(value) ? value[1] : undefined;
  if (typeof metric !== 'object' || metric === null || typeof text !== 'string' || text === '') return [];
  const number = Number(text);
  if (!Number.isFinite(number)) return [];
  const labels = Object.entries(metric).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return [{ labels: new Map(labels), value: number }];
}
