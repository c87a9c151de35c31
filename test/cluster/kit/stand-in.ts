import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { connect, type ConnectOptions } from '../../../src/cluster/connection/connect.ts';
import type { ApiServer } from '../../../src/cluster/api-server.ts';
import type { GateError } from '../../../src/core/errors.ts';
import { createExec } from '../../../src/render/exec.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Certificate } from './certificates.ts';

/** What a stand-in answers: a status and JSON, or whatever the handler writes itself. */
export type Handler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
) => { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body: unknown } | void;

export interface StandIn {
  readonly url: string;
  readonly port: number;
  /** Of every request so far. */
  readonly requests: http.IncomingMessage[];
}

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Runs after the test, last one first. */
export function after(cleanup: () => void | Promise<void>): void {
  cleanups.push(cleanup);
}

/** A server on loopback that stands in for an API server that misbehaves; ended after the test. */
export async function standIn(
  handler: Handler,
  certificate?: Certificate & { readonly clientCa?: string },
): Promise<StandIn> {
  const requests: http.IncomingMessage[] = [];
  const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    requests.push(request);
    const answer = handler(request, response);
    if (answer === undefined) return;
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(text);
  };
  const server =
    certificate === undefined
      ? http.createServer(listener)
      : https.createServer(
          {
            ...certificate,
            ...(certificate.clientCa === undefined
              ? {}
              : { ca: certificate.clientCa, requestCert: true, rejectUnauthorized: false }),
          },
          listener,
        );
  const port = await listen(server);
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, port, requests };
}

/** @returns the port, on loopback */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gate-connect-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a kubeconfig with the context `stand-in`. @returns its path */
export function writeConfig(cluster: object, user: object = { token: 'secret-token' }): string {
  const file = join(temporaryFolder(), 'kubeconfig');
  writeFileSync(
    file,
    JSON.stringify({
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'stand-in', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'stand-in',
    }),
  );
  return file;
}

/** A connection with small limits, so that failures come soon. */
export async function connectTo(
  cluster: object,
  user?: object,
  options: Partial<ConnectOptions> = {},
): Promise<ApiServer> {
  const api = await connect({
    exec: createExec(),
    kubeconfig: writeConfig(cluster, user),
    environment: { PATH: process.env['PATH'] },
    deadlineMs: 5_000,
    ...options,
  });
  after(() => api.close());
  return api;
}

/** What was thrown, after a check that it is one sentence for people. */
export async function failure(work: Promise<unknown>): Promise<GateError> {
  try {
    await work;
  } catch (error) {
    const found = error as GateError;
    if (found.code === undefined) throw error;
    if (/[\n\r]/.test(found.message) || found.message.length > 600 || !found.next) {
      throw new Error(`not one sentence with a next step: ${found.message} / ${found.next}`, { cause: error });
    }
    return found;
  }
  throw new Error('it did not fail');
}
