import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { connectTo, failure, listen, after, standIn } from './kit/stand-in.ts';

const version = { gitVersion: 'v1.34.3' };

describe('a server that cannot be reached', () => {
  test('a port that refuses', async () => {
    const { port } = await closedPort();
    const api = await connectTo({ server: `http://127.0.0.1:${port}` });
    const error = await failure(api.request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.unreachable', fault: 'user' });
    expect(error.message).toBe(`http://127.0.0.1:${port} refuses connections`);
    expect(error.next).toContain('context stand-in');
  });
  test('a name that does not resolve', async () => {
    const api = await connectTo({ server: 'https://api.invalid' });
    const error = await failure(api.request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.unreachable' });
    expect(error.message).toContain('the name api.invalid does not resolve');
  });
});

async function closedPort(): Promise<{ port: number }> {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return { port };
}

describe('a server that does not answer', () => {
  test('accepts and stays silent: ends after two tries', async () => {
    const server = await standIn(() => undefined);
    const api = await connectTo({ server: server.url }, undefined, { silenceMs: 200 });
    const began = performance.now();
    const error = await failure(api.request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.timeout', fault: 'tool' });
    expect(error.message).toBe(`${server.url} accepted GET /version and did not answer within 0.2 s`);
    expect(performance.now() - began).toBeLessThan(1500);
    expect(server.requests).toHaveLength(2);
  });
  test('a TLS handshake that never ends', async () => {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    const port = await listen(server);
    after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const api = await connectTo({ server: `https://127.0.0.1:${port}` }, undefined, { silenceMs: 200 });
    expect(await failure(api.request('GET', '/version'))).toMatchObject({ code: 'cluster.timeout' });
  });
  test('a trickle of bytes ends at the deadline', async () => {
    const server = await standIn((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 50);
      after(() => clearInterval(timer));
    });
    const api = await connectTo({ server: server.url }, undefined, { silenceMs: 500, deadlineMs: 800 });
    const began = performance.now();
    const error = await failure(api.request('GET', '/version'));
    expect(error.code).toBe('cluster.timeout');
    expect(error.message).toBe(`${server.url} did not answer everything within 0.8 s; GET /version was under way`);
    expect(performance.now() - began).toBeLessThan(1500);
  });
  test('the time of one request is bounded as a whole when it has its own limit', async () => {
    const server = await standIn((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 50);
      after(() => clearInterval(timer));
    });
    const api = await connectTo({ server: server.url });
    const error = await failure(api.request('POST', '/apis', { body: {}, timeoutMs: 300, retry: false }));
    expect(error.message).toContain('did not answer within 0.3 s');
  });
  test('time between requests does not count', async () => {
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, undefined, { deadlineMs: 400 });
    await api.request('GET', '/version');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await api.request('GET', '/version')).status).toBe(200);
  });
});

describe('a server under load', () => {
  test('429 is tried again after the time it names', async () => {
    const server = await standIn(() =>
      server.requests.length < 2 ? { status: 429, headers: { 'retry-after': '1' }, body: {} } : { body: version },
    );
    const api = await connectTo({ server: server.url });
    const began = performance.now();
    expect((await api.request('GET', '/version')).body).toEqual(version);
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(server.requests).toHaveLength(2);
  });
  test('429 without end stops within the deadline', async () => {
    const server = await standIn(() => ({ status: 429, body: { message: 'too many requests' } }));
    const api = await connectTo({ server: server.url }, undefined, { deadlineMs: 1000 });
    const began = performance.now();
    const error = await failure(api.request('GET', '/version'));
    expect(error).toMatchObject({ code: 'cluster.overloaded', fault: 'tool' });
    expect(error.message).toContain('429 (too many requests)');
    expect(performance.now() - began).toBeLessThan(1500);
  });
  test('a wait that is longer than the deadline is not begun', async () => {
    const server = await standIn(() => ({ status: 503, headers: { 'retry-after': '3600' }, body: {} }));
    const api = await connectTo({ server: server.url });
    const error = await failure(api.request('GET', '/version'));
    expect(error.code).toBe('cluster.overloaded');
    expect(error.message).toMatch(/503, to be tried again in 3\d{3} s, which is longer than gate waits$/);
    expect(server.requests).toHaveLength(1);
  });
  test('500 without end', async () => {
    const server = await standIn(() => ({
      status: 500,
      body: { kind: 'Status', message: 'conversion webhook\nfor shops failed' },
    }));
    const api = await connectTo({ server: server.url });
    const error = await failure(api.request('GET', '/apis/example.org/v1/shops?limit=500'));
    expect(error.message).toBe(
      `${server.url} answered GET /apis/example.org/v1/shops 3 times with 500 (conversion webhook for shops failed)`,
    );
    expect(server.requests).toHaveLength(3);
  });
  test('a request that may not be repeated gets its 500 as the answer', async () => {
    const server = await standIn(() => ({ status: 500, body: { message: 'webhook failed' } }));
    const api = await connectTo({ server: server.url });
    const answer = await api.request('POST', '/api/v1/pods', { body: {}, retry: false });
    expect(answer).toMatchObject({ status: 500, body: { message: 'webhook failed' } });
    expect(server.requests).toHaveLength(1);
  });
  test('connections that break are made again', async () => {
    const server = await standIn((request) => {
      if (server.requests.length > 2) return { body: version };
      request.socket.destroy();
      return undefined;
    });
    const api = await connectTo({ server: server.url });
    expect((await api.request('GET', '/version')).body).toEqual(version);
    expect(server.requests).toHaveLength(3);
  });
  test('no more requests at one time than agreed', async () => {
    let running = 0;
    let most = 0;
    const server = await standIn((_request, response) => {
      most = Math.max(most, ++running);
      setTimeout(() => {
        running--;
        response.end('{}');
      }, 30);
    });
    const api = await connectTo({ server: server.url }, undefined, { concurrency: 3 });
    await Promise.all(Array.from({ length: 12 }, () => api.request('GET', '/version')));
    expect(most).toBe(3);
  });
  test('no more requests per second than agreed', async () => {
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: server.url }, undefined, { qps: 20, burst: 5 });
    const began = performance.now();
    await Promise.all(Array.from({ length: 15 }, () => api.request('GET', '/version')));
    // Five at once, ten more at 20 per second.
    expect(performance.now() - began).toBeGreaterThan(450);
  });
});

describe('answers that are none', () => {
  test.each([
    ['a login page', 200, '<!DOCTYPE html><html>', 'it answered GET /version with an HTML page (status 200)'],
    ['a proxy that forbids', 403, '<html>denied</html>', 'it answered GET /version with an HTML page (status 403)'],
    ['half an answer', 200, '{"gitVersion":"v1.3', 'its answer to GET /version is no complete JSON object'],
    ['text', 200, 'ok', 'its answer to GET /version is no complete JSON object'],
    ['a list', 200, '[1]', 'its answer to GET /version is no complete JSON object'],
    ['nothing', 200, '', 'its answer to GET /version is empty'],
  ])('%s', async (_name, status, body, why) => {
    const server = await standIn(() => ({ status, body }));
    const api = await connectTo({ server: server.url });
    const error = await failure(api.request('GET', '/version'));
    expect(error.code).toBe('cluster.bad-answer');
    expect(error.message).toBe(`${server.url} does not answer as a Kubernetes API server: ${why}`);
  });
  test('an answer that ends too early is asked for again, then it is the connection', async () => {
    const server = await standIn((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"gitVersion":');
      setTimeout(() => response.destroy(), 5);
    });
    const api = await connectTo({ server: server.url });
    const error = await failure(api.request('GET', '/version'));
    expect(error.message).toBe(`${server.url} closes the connection during GET /version`);
    expect(server.requests).toHaveLength(4);
  });
  test('redirects are not followed, so the token goes nowhere else', async () => {
    const other = await standIn(() => ({ body: version }));
    const server = await standIn(() => ({ status: 302, headers: { location: `${other.url}/login` }, body: {} }));
    const api = await connectTo({ server: server.url });
    const error = await failure(api.request('GET', '/version'));
    expect(error.code).toBe('cluster.bad-answer');
    expect(error.message).toContain(`it redirects GET /version to 127.0.0.1:${other.port}`);
    expect(other.requests).toEqual([]);
  });
  test('an answer that is too large', async () => {
    const server = await standIn(() => ({ body: { items: 'x'.repeat(5000) } }));
    const api = await connectTo({ server: server.url }, undefined, { maxAnswerBytes: 1000 });
    const error = await failure(api.request('GET', '/api/v1/pods'));
    expect(error.code).toBe('cluster.bad-answer');
    expect(error.message).toContain('is larger than gate reads');
  });
  test('a small answer that unpacks to a large one', async () => {
    const bomb = gzipSync(JSON.stringify({ items: 'x'.repeat(5_000_000) }));
    const server = await standIn((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    const api = await connectTo({ server: server.url }, undefined, { maxAnswerBytes: 1_000_000 });
    expect((await failure(api.request('GET', '/api/v1/pods'))).message).toContain('is larger than gate reads');
  });
  test('gzip that is none', async () => {
    const server = await standIn(() => ({ headers: { 'content-encoding': 'gzip' }, body: version }));
    const api = await connectTo({ server: server.url });
    expect((await failure(api.request('GET', '/version'))).message).toContain(
      'the compressed answer to GET /version is damaged',
    );
  });
});

describe('answers', () => {
  test('gzip, warnings and headers', async () => {
    const server = await standIn((_request, response) => {
      response.setHeader('warning', [
        '299 - "policy/v1beta1 is \\"gone\\""',
        '299 - "unknown field \\"spec.x\\"", 299 - "third"',
      ]);
      response.writeHead(200, { 'content-encoding': 'gzip', etag: '"abc"' }).end(gzipSync(JSON.stringify(version)));
    });
    const api = await connectTo({ server: server.url });
    expect(await api.request('GET', '/version')).toMatchObject({
      status: 200,
      body: version,
      headers: { etag: '"abc"' },
      warnings: ['policy/v1beta1 is "gone"', 'unknown field "spec.x"', 'third'],
    });
    expect(server.requests[0]?.headers).toMatchObject({ 'accept-encoding': 'gzip', 'user-agent': 'gitops-gate' });
  });
  test('a path that no group owns is answered in plain text', async () => {
    const server = await standIn(() => ({ status: 404, body: '404 page not found\n' }));
    const api = await connectTo({ server: server.url });
    expect(await api.request('GET', '/apis/nope')).toMatchObject({
      status: 404,
      body: { kind: 'Status', code: 404, message: '404 page not found' },
    });
  });
  test('the path of the server stays in front', async () => {
    const server = await standIn(() => ({ body: version }));
    const api = await connectTo({ server: `${server.url}/k8s/clusters/c-1/` });
    await api.request('GET', '/api/v1/pods?limit=5');
    expect(server.requests[0]?.url).toBe('/k8s/clusters/c-1/api/v1/pods?limit=5');
    expect(api.url).toBe(`${server.url}/k8s/clusters/c-1`);
  });
});
