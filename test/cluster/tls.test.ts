import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { makeCertificate } from './kit/certificates.ts';
import { after, connectTo, failure, listen, standIn, type StandIn } from './kit/stand-in.ts';

const version = { gitVersion: 'v1.34.3' };
const authority = makeCertificate({ commonName: 'test authority' });
const good = makeCertificate({ commonName: 'api', issuer: authority, addresses: ['127.0.0.1'], names: ['api.test'] });
const ok = () => ({ body: version });

function trusted(server: StandIn, more: object = {}): object {
  return { server: server.url, 'certificate-authority-data': Buffer.from(authority.cert).toString('base64'), ...more };
}

describe('TLS', () => {
  test('a certificate of the authority in the kubeconfig', async () => {
    const server = await standIn(ok, good);
    expect((await (await connectTo(trusted(server))).request('GET', '/version')).body).toEqual(version);
  });
  test('an unknown authority', async () => {
    const server = await standIn(ok, good);
    const other = makeCertificate({ commonName: 'other authority' });
    const api = await connectTo({
      server: server.url,
      'certificate-authority-data': Buffer.from(other.cert).toString('base64'),
    });
    const error = await failure(api.request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.tls', fault: 'user' });
    expect(error.message).toBe(
      `The certificate of ${server.url} is signed by an authority that the context stand-in does not trust`,
    );
    expect(server.requests).toEqual([]);
  });
  test('no authority in the kubeconfig: that of the system', async () => {
    const server = await standIn(ok, good);
    const api = await connectTo({ server: server.url });
    expect(await failure(api.request('GET', '/version'))).toMatchObject({ code: 'cluster.tls' });
  });
  test('an expired certificate', async () => {
    const old = makeCertificate({
      commonName: 'api',
      issuer: authority,
      addresses: ['127.0.0.1'],
      notBefore: new Date('2023-01-01'),
      notAfter: new Date('2024-01-01'),
    });
    const server = await standIn(ok, old);
    const error = await failure((await connectTo(trusted(server))).request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.tls', message: `The certificate of ${server.url} has expired` });
  });
  test('a certificate for another name, and tls-server-name', async () => {
    const other = makeCertificate({ commonName: 'api', issuer: authority, names: ['api.test'] });
    const server = await standIn(ok, other);
    const error = await failure((await connectTo(trusted(server))).request('GET', '/version'));
    expect(error.code).toBe('cluster.tls');
    expect(error.message).toContain(`The certificate of ${server.url} is for another name`);
    expect(error.next).toContain('tls-server-name');
    const named = await connectTo(trusted(server, { 'tls-server-name': 'api.test' }));
    expect((await named.request('GET', '/version')).body).toEqual(version);
  });
  test('tls-server-name may be an address', async () => {
    const other = makeCertificate({ commonName: 'api', issuer: authority, addresses: ['10.0.0.1'] });
    const server = await standIn(ok, other);
    const api = await connectTo(trusted(server, { 'tls-server-name': '10.0.0.1' }));
    expect((await api.request('GET', '/version')).body).toEqual(version);
  });
  test('insecure-skip-tls-verify', async () => {
    const server = await standIn(ok, good);
    const api = await connectTo({ server: server.url, 'insecure-skip-tls-verify': true });
    expect((await api.request('GET', '/version')).body).toEqual(version);
  });
  test('a server without TLS', async () => {
    const server = await standIn(ok);
    const api = await connectTo({ server: server.url.replace('http:', 'https:') });
    const error = await failure(api.request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.tls', message: `${api.url} does not speak TLS` });
  });
});

describe('client certificates', () => {
  const client = makeCertificate({ commonName: 'jane', issuer: authority });
  const user = (of: { readonly cert: string; readonly key: string }): object => ({
    'client-certificate-data': Buffer.from(of.cert).toString('base64'),
    'client-key-data': Buffer.from(of.key).toString('base64'),
  });
  test('are shown to the server', async () => {
    let subject = '';
    const server = await standIn(
      (request) => {
        subject = String((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
        return { body: version };
      },
      { ...good, clientCa: authority.cert },
    );
    await (await connectTo(trusted(server), user(client))).request('GET', '/version');
    expect(subject).toBe('jane');
  });
  test('an expired one is named so', async () => {
    const old = makeCertificate({
      commonName: 'jane',
      issuer: authority,
      notBefore: new Date('2023-01-01'),
      notAfter: new Date('2024-01-01'),
    });
    const server = await standIn(() => ({ status: 401, body: {} }), { ...good, clientCa: authority.cert });
    const error = await failure((await connectTo(trusted(server), user(old))).request('GET', '/version'));
    expect(error.code).toBe('cluster.unauthorized');
    expect(error.message).toContain('the client certificate expired at 2024-01-01T00:00:00.000Z');
  });
});

/** A proxy that speaks CONNECT or SOCKS 5; notes where it was asked to go. */
async function proxy(
  kind: 'http' | 'socks',
  login?: string,
): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    if (kind === 'http') {
      socket.once('data', (head: Buffer) => {
        const [first = '', ...lines] = head.toString().split('\r\n');
        const sent = lines.find((line) => line.startsWith('Proxy-Authorization'));
        if (login !== undefined && sent !== `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}`) {
          socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
          return;
        }
        asked.push(first);
        join(socket, Number(/:(\d+) /.exec(first)?.[1]), 'HTTP/1.1 200 Connection established\r\n\r\n');
      });
      return;
    }
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (request: Buffer) => {
        const length = request[4] ?? 0;
        const port = request.readUInt16BE(5 + length);
        asked.push(`${request.subarray(5, 5 + length).toString()}:${port}`);
        join(socket, port, Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      });
    });
  });
  const port = await listen(server);
  after(() => void server.close());
  const scheme = kind === 'http' ? 'http' : 'socks5';
  return { url: `${scheme}://${login === undefined ? '' : `${login}@`}127.0.0.1:${port}`, asked };
}

function join(client: net.Socket, port: number, greeting: string | Buffer): void {
  const target = net.connect(port, '127.0.0.1', () => {
    client.write(greeting);
    client.pipe(target).pipe(client);
  });
  target.on('error', () => client.destroy());
  after(() => void target.destroy());
}

describe('proxies', () => {
  test.each(['http', 'socks'] as const)('proxy-url: %s', async (kind) => {
    const through = await proxy(kind);
    const server = await standIn(ok, good);
    const api = await connectTo(trusted(server, { 'proxy-url': through.url }));
    expect((await api.request('GET', '/version')).body).toEqual(version);
    expect((await api.request('GET', '/version')).body).toEqual(version);
    // One tunnel for both requests.
    expect(through.asked).toEqual([
      kind === 'http' ? `CONNECT 127.0.0.1:${server.port} HTTP/1.1` : `127.0.0.1:${server.port}`,
    ]);
  });
  test('with a login', async () => {
    const through = await proxy('http', 'jane:pass');
    const server = await standIn(ok, good);
    const api = await connectTo(trusted(server, { 'proxy-url': through.url }));
    expect((await api.request('GET', '/version')).body).toEqual(version);
  });
  test('one that refuses', async () => {
    const through = await proxy('http', 'jane:pass');
    const server = await standIn(ok, good);
    const api = await connectTo(trusted(server, { 'proxy-url': through.url.replace('jane:pass@', '') }));
    const error = await failure(api.request('GET', '/version'));
    expect(error.code).toBe('cluster.unreachable');
    expect(error.message).toContain('answered 407 Proxy Authentication Required');
  });
  test('the certificate of the server is checked behind a proxy too', async () => {
    const through = await proxy('http');
    const other = makeCertificate({ commonName: 'api', issuer: authority, names: ['api.test'] });
    const server = await standIn(ok, other);
    const api = await connectTo(trusted(server, { 'proxy-url': through.url }));
    expect(await failure(api.request('GET', '/version'))).toMatchObject({ code: 'cluster.tls' });
  });
});
