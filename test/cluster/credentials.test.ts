import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCredentials } from '../../src/cluster/connection/credentials.ts';
import { createExec } from '../../src/render/exec.ts';
import { connectTo, failure, standIn, temporaryFolder } from './kit/stand-in.ts';

const version = { gitVersion: 'v1.34.3' };
const unauthorized = { status: 401, body: { kind: 'Status', message: 'Unauthorized' } };

function token(expires: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part({ sub: 'me', exp: expires })}.c2ln`;
}

describe('tokens', () => {
  test('are sent, and never shown', async () => {
    const server = await standIn(() => unauthorized);
    const api = await connectTo({ server: server.url }, { token: 'very-secret' });
    const error = await failure(api.request('GET', '/version'));
    expect(server.requests[0]?.headers.authorization).toBe('Bearer very-secret');
    expect(error).toMatchObject({ code: 'cluster.unauthorized', fault: 'user' });
    expect(error.message).toBe(
      `${server.url} does not accept the credentials of context stand-in: the token was refused`,
    );
    expect(JSON.stringify([error.message, error.next])).not.toContain('very-secret');
    expect(server.requests).toHaveLength(1);
  });
  test.each([
    ['http://api.example.org:8080', undefined],
    ['http://127.0.0.1.example.org', undefined],
    ['https://api.example.org', 'Bearer very-secret'],
    ['http://127.0.0.1:8001', 'Bearer very-secret'],
    ['http://[::1]:8001', 'Bearer very-secret'],
  ])('to %s: %s', async (server, sent) => {
    const credentials = createCredentials(
      { context: 'test', server, insecure: false, user: { token: 'very-secret', impersonate: {} } },
      { exec: createExec(), environment: {}, timeoutMs: () => 1000 },
    );
    const used = await credentials.get();
    expect(used.headers['authorization']).toBe(sent);
    if (sent === undefined) expect(credentials.explain(used)).toBe('none are sent without TLS (http:)');
  });
  test('an expired one is named so', async () => {
    const server = await standIn(() => unauthorized);
    const api = await connectTo({ server: server.url }, { token: token(1_700_000_000) });
    const error = await failure(api.request('GET', '/version'));
    expect(error.message).toContain('the token expired at 2023-11-14T22:13:20.000Z');
  });
  test('a file is read again when the server refuses', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'old\n');
    const server = await standIn((request) => {
      if (request.headers.authorization === 'Bearer new') return { body: version };
      writeFileSync(file, 'new\n');
      return unauthorized;
    });
    const api = await connectTo({ server: server.url }, { tokenFile: file });
    expect((await api.request('GET', '/version')).body).toEqual(version);
    expect(server.requests.map((request) => request.headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });
  test('a file that stays the same is not tried twice', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'old');
    const server = await standIn(() => unauthorized);
    const api = await connectTo({ server: server.url }, { tokenFile: file });
    expect(await failure(api.request('GET', '/version'))).toMatchObject({ code: 'cluster.unauthorized' });
    expect(server.requests).toHaveLength(1);
  });
  test('a file that is not there', async () => {
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, { tokenFile: '/nowhere/token' });
    const error = await failure(api.request('GET', '/version'));
    expect(error.message).toContain('The token file /nowhere/token of context stand-in cannot be read');
  });
  test('a user without credentials', async () => {
    const server = await standIn(() => unauthorized);
    const api = await connectTo({ server: server.url }, {});
    expect((await failure(api.request('GET', '/version'))).message).toContain('context stand-in: the user has none');
  });
  test('a login that gate does not do itself', async () => {
    const server = await standIn(() => unauthorized);
    const api = await connectTo({ server: server.url }, { 'auth-provider': { name: 'oidc', config: {} } });
    expect((await failure(api.request('GET', '/version'))).message).toContain('the auth-provider oidc holds no token');
  });
  test('the stored token of a login is used', async () => {
    const server = await standIn(() => ({ body: version }));
    const provider = { name: 'oidc', config: { 'id-token': 'stored' } };
    await (await connectTo({ server: server.url }, { 'auth-provider': provider })).request('GET', '/version');
    expect(server.requests[0]?.headers.authorization).toBe('Bearer stored');
  });
  test('impersonation', async () => {
    const server = await standIn(() => ({ body: version }));
    const user = { token: 't', as: 'jane', 'as-groups': ['dev', 'ops'], 'as-user-extra': { 'example.org/a': ['1'] } };
    await (await connectTo({ server: server.url }, user)).request('GET', '/version');
    expect(server.requests[0]?.headersDistinct).toMatchObject({
      'impersonate-user': ['jane'],
      'impersonate-group': ['dev', 'ops'],
      'impersonate-extra-example.org%2fa': ['1'],
    });
  });
});

/** A plugin that counts its runs in a file beside it. */
function plugin(body: string): { readonly file: string; runs: () => number } {
  const folder = temporaryFolder();
  const file = join(folder, 'plugin');
  writeFileSync(file, `#!/bin/sh\necho run >> "${folder}/runs"\n${body}\n`);
  chmodSync(file, 0o755);
  return { file, runs: () => readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1 };
}

function user(command: string, more: object = {}): object {
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never', ...more } };
}

const credential = (status: object): string =>
  JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });

describe('credential plugins', () => {
  test('give a token, once for all requests', async () => {
    const { file, runs } = plugin(`echo '${credential({ token: 'from-plugin' })}'`);
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, user(file));
    await Promise.all([1, 2, 3].map(() => api.request('GET', '/version')));
    expect(server.requests.map((request) => request.headers.authorization)).toEqual(
      Array(3).fill('Bearer from-plugin'),
    );
    expect(runs()).toBe(1);
  });
  test('are told the cluster and their environment, and run in the folder of the kubeconfig', async () => {
    const out = join(temporaryFolder(), 'out');
    const { file } = plugin(`{ echo "$KUBERNETES_EXEC_INFO"; echo "$EXTRA $INHERITED $1"; pwd; } > "${out}"
echo '${credential({ token: 't' })}'`);
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo(
      { server: server.url },
      user(file, { provideClusterInfo: true, env: [{ name: 'EXTRA', value: 'x' }], args: ['a b'] }),
      { environment: { PATH: process.env['PATH'], INHERITED: 'y' } },
    );
    await api.request('GET', '/version');
    const [info = '', rest, folder] = readFileSync(out, 'utf8').split('\n');
    expect(JSON.parse(info)).toEqual({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      spec: { interactive: false, cluster: { server: server.url } },
    });
    expect(rest).toBe('x y a b');
    expect(folder).not.toBe(process.cwd());
    expect(folder).toContain('gate-connect-');
  });
  test('run again when the server refuses their token', async () => {
    const { file, runs } = plugin(
      `echo '${credential({ token: 'T' })}' | sed "s/T/$(wc -l < "$(dirname "$0")/runs" | tr -d ' ')/"`,
    );
    const server = await standIn((request) =>
      request.headers.authorization?.includes('2') === true ? { body: version } : unauthorized,
    );
    const api = await connectTo({ server: server.url }, user(file));
    expect((await api.request('GET', '/version')).body).toEqual(version);
    expect(runs()).toBe(2);
  });
  test('run again when their token has expired', async () => {
    const { file, runs } = plugin(`echo '${credential({ token: 't', expirationTimestamp: '2023-01-01T00:00:00Z' })}'`);
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, user(file));
    await api.request('GET', '/version');
    await api.request('GET', '/version');
    expect(runs()).toBe(2);
  });
  test('one that hangs is ended', async () => {
    const { file } = plugin('echo "open https://login.example.org" >&2\nsleep 60');
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, user(file), { deadlineMs: 1200 });
    const began = performance.now();
    const error = await failure(api.request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.unauthorized', fault: 'user' });
    expect(error.message).toBe(
      `The credential plugin ${file} of context stand-in did not finish within 1 s: open https://login.example.org`,
    );
    expect(performance.now() - began).toBeLessThan(1500);
  });
  test('one that fails is quoted', async () => {
    const { file } = plugin('echo "Traceback" >&2; echo "Error: session expired, run login" >&2; exit 3');
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, user(file));
    const error = await failure(api.request('GET', '/version'));
    expect(error.message).toBe(
      `The credential plugin ${file} of context stand-in failed with exit code 3: Error: session expired, run login`,
    );
    expect(server.requests).toEqual([]);
  });
  test('a token that a plugin prints to stderr is not repeated', async () => {
    const { file } = plugin('echo "cannot use glpat-abcdefghijklmnopqrstuvwx" >&2; exit 1');
    const server = await standIn(() => ({ body: version }));
    const error = await failure((await connectTo({ server: server.url }, user(file))).request('GET', '/version'));
    expect(error.message).toMatch(/failed with exit code 1: cannot use redacted:/);
  });
  test('one that is not installed: its own hint', async () => {
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo(
      { server: server.url },
      user('no-such-plugin', { installHint: 'Get it at example.org.' }),
    );
    const error = await failure(api.request('GET', '/version'));
    expect(error.message).toBe('The credential plugin no-such-plugin of context stand-in cannot be started');
    expect(error.next).toBe('Get it at example.org.');
  });
  test.each([
    ['nothing', 'true', 'printed no ExecCredential but nothing'],
    ['text', 'echo hello', 'printed no ExecCredential but something that is no JSON'],
    ['another object', `echo '{"kind":"Pod"}'`, 'printed no ExecCredential'],
    [
      'an old version',
      `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1alpha1"}'`,
      'printed a credential of client.authentication.k8s.io/v1alpha1, the kubeconfig asks for client.authentication.k8s.io/v1',
    ],
    ['no token', `echo '${credential({})}'`, 'printed an ExecCredential without token and without certificate and key'],
  ])('one that prints %s', async (_name, body, why) => {
    const { file } = plugin(body);
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, user(file));
    const error = await failure(api.request('GET', '/version'));
    expect(error.message).toBe(`The credential plugin ${file} of context stand-in ${why}`);
  });
  test.each([
    [{ interactiveMode: 'Always' }, 'wants a terminal (interactiveMode: Always)'],
    [
      { apiVersion: 'client.authentication.k8s.io/v1alpha1' },
      'has the apiVersion "client.authentication.k8s.io/v1alpha1", which is no longer supported',
    ],
  ])('one with %j is not run', async (more, why) => {
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, user('true', more));
    expect((await failure(api.request('GET', '/version'))).message).toContain(why);
  });
  test('a token in the kubeconfig goes first', async () => {
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, { ...user('false'), token: 'own' });
    await api.request('GET', '/version');
    expect(server.requests[0]?.headers.authorization).toBe('Bearer own');
  });
});
