import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { ExchangeStopped } from './exchange-stopped.ts';

/** One request as it goes over the wire. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent: http.Agent;
  /** Ends the request: the deadline of the run, or the end of gate. */
  readonly signal: AbortSignal;
  /** Longest silence of the server; with `total` the longest duration altogether. */
  readonly timeoutMs: number;
  readonly total: boolean;
  /** Of the answer, after decompression. */
  readonly maxBytes: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Each `Warning` header on its own; Node joins them in `headers`. */
  readonly warnings: readonly string[];
  readonly body: Buffer;
}

/**
 * Sends one request and reads its answer whole. Redirects are not followed: they are answers.
 * @throws ExchangeStopped, or the error of the socket (`code`: ECONNREFUSED, CERT_HAS_EXPIRED, ...)
 */
export function exchange(request: Exchange): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { url, agent, body, signal } = request;
    if (signal.aborted) {
      reject(new ExchangeStopped('deadline'));
      return;
    }
    const send = url.protocol === 'https:' ? https.request : http.request;
    const outgoing = send(url, {
      method: request.method,
      agent,
      headers: { ...request.headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
    });
    let over = false;
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (error: unknown): void => {
      finish(() => reject(error));
      outgoing.destroy();
    };
    const onAbort = (): void => fail(new ExchangeStopped('deadline'));
    const timer = setTimeout(() => fail(new ExchangeStopped('silence')), request.timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });

    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const text = decoded(incoming);
      incoming.on('error', fail);
      incoming.on('aborted', () => fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })));
      if (text !== incoming) text.on('error', (error) => fail(new ExchangeStopped('bad-encoding', error)));
      text.on('data', (chunk: Buffer) => {
        if (!request.total) timer.refresh();
        size += chunk.length;
        if (size > request.maxBytes) fail(new ExchangeStopped('too-large'));
        else chunks.push(chunk);
      });
      text.on('end', () =>
        finish(() =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            warnings: incoming.headersDistinct['warning'] ?? [],
            body: Buffer.concat(chunks),
          }),
        ),
      );
    });
    outgoing.end(body);
  });
}

function decoded(incoming: http.IncomingMessage): Readable {
  switch (incoming.headers['content-encoding']) {
    case 'gzip':
      return incoming.pipe(zlib.createGunzip());
    case 'deflate':
      return incoming.pipe(zlib.createInflate());
    default:
      return incoming;
  }
}
