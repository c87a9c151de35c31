import { Agent, request as httpsRequest } from 'node:https';

/** The HTTP connection by which tests arrange and look at objects: not the adapter under test. */
export interface Client {
  request(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  close(): void;
}

export interface RequestOptions {
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly userAgent?: string;
}

export interface Answer {
  readonly status: number;
  /** Parsed when it is JSON, else the text. For objects of any kind. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** @param to without `ca` the certificate is not checked */
export function clientOf(to: { readonly url: string; readonly ca?: string; readonly token?: string }): Client {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 32,
    ...(to.ca === undefined ? { rejectUnauthorized: false } : { ca: to.ca }),
  });
  return {
    close: () => agent.destroy(),
    request: (method, path, body, options = {}) =>
      new Promise((resolve, reject) => {
        const headers: Record<string, string> = { accept: 'application/json' };
        if (to.token !== undefined) headers['authorization'] = `Bearer ${to.token}`;
        if (options.userAgent !== undefined) headers['user-agent'] = options.userAgent;
        const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
        if (text !== undefined) {
          headers['content-type'] = options.contentType ?? 'application/json';
          // Node sends the body of a DELETE without any framing otherwise.
          headers['content-length'] = String(Buffer.byteLength(text));
        }
        const sent = httpsRequest(new URL(path, to.url), { method, agent, headers, timeout: 30_000 }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, body: parsed(answer), headers: response.headers });
          });
        });
        sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer after 30 s`)));
        sent.on('error', reject);
        sent.end(text);
      }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
