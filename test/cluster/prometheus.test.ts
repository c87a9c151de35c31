import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { readPrometheus, withPrometheus, type PrometheusOptions } from '../../src/cluster/prometheus.ts';
import { parseSnapshot } from '../../src/cluster/snapshot.ts';
import { freePort } from './kit/ports.ts';
import { cpuText, memoryText, quantile, rateFigure } from '../../src/cluster/prometheus/figures.ts';

type Handler = (query: string, request: IncomingMessage, response: ServerResponse) => unknown;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server on loopback; what the handler gives becomes the JSON answer, unless it answered itself. */
async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const form =
        request.method === 'POST' ? new URLSearchParams(body) : new URL(request.url ?? '/', 'http://x').searchParams;
      const answer = handler(form.get('query') ?? '', request, response);
      if (answer === undefined) return;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

interface SeriesRow {
  readonly metric: Record<string, string>;
  readonly value?: readonly [number, string];
}

const row = (metric: Record<string, string>, value: string): SeriesRow => ({ metric, value: [1_790_000_000, value] });
const vector = (...result: readonly unknown[]) => ({ status: 'success', data: { resultType: 'vector', result } });

const memoryOf = (query: string): boolean => query.includes('container_memory_working_set_bytes');
const ownersOf = (query: string): boolean => query.includes('kube_pod_owner');

const read = (url: string, more: Partial<PrometheusOptions> = {}) => readPrometheus({ url, environment: {}, ...more });
const reasons = async (url: string, more: Partial<PrometheusOptions> = {}) =>
  (await read(url, more)).notEvaluated.map(({ reason }) => reason);

describe('a Prometheus that gives no evidence', () => {
  it.each<[string, Handler, RegExp]>([
    [
      'wants credentials',
      (_, __, response) => void response.writeHead(401).end('Unauthorized'),
      /does not accept the credentials \(HTTP 401\)/,
    ],
    [
      'forbids',
      (_, __, response) => void response.writeHead(403).end('{}'),
      /does not accept the credentials \(HTTP 403\)/,
    ],
    [
      'sends to a login page',
      (_, __, response) => void response.writeHead(302, { location: 'https://login.example.org' }).end(),
      /redirects elsewhere \(HTTP 302\)/,
    ],
    [
      'is a login page',
      (_, __, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>'),
      /something that is not JSON/,
    ],
    [
      'is something else',
      (_, __, response) => void response.writeHead(404).end('404 page not found'),
      /HTTP 404 with something that is not JSON/,
    ],
    [
      'fails',
      (_, __, response) =>
        void response.writeHead(500).end('{"status":"error","errorType":"internal","error":"tsdb is closed"}'),
      /answers HTTP 500: tsdb is closed/,
    ],
    ['has another shape', () => ['x'], /not JSON/],
    ['gives null', () => ({ status: 'success', data: null }), /no result instead of a vector/],
    [
      'gives a matrix',
      () => ({ status: 'success', data: { resultType: 'matrix', result: [] } }),
      /a matrix instead of a vector/,
    ],
    ['closes the connection', (_, request) => void request.socket.destroy(), /closed the connection/],
    [
      'ends in the middle',
      (_, __, response) => void response.writeHead(200).end('{"status":"success","data":{"resultType":"vec'),
      /not JSON/,
    ],
    [
      'sends more than is read',
      (_, __, response) => void response.writeHead(200).end('x'.repeat(70_000)),
      /more than 0 MiB/,
    ],
  ])('%s: one note for all questions, and no figures', async (_, handler, reason) => {
    const { metrics, services, notEvaluated } = await read(await serve(handler), { maxAnswerBytes: 60_000 });
    expect({ metrics, services }).toEqual({ metrics: [], services: [] });
    expect(notEvaluated).toHaveLength(1);
    expect(notEvaluated[0]).toMatchObject({
      what: 'memory use, CPU use, start-up time, requests per second, owners of pods',
      reason: expect.stringMatching(reason),
      weight: 'note',
    });
  });

  it('refuses the connection or has no address', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await reasons(url)).toEqual([`Prometheus ${url} refuses the connection`]);
    expect(await reasons('not a url')).toEqual(['Prometheus was not asked: its address is no http or https URL']);
    expect(await reasons('file:///etc/passwd')).toEqual([
      'Prometheus was not asked: its address is no http or https URL',
    ]);
  });

  it('accepts and never answers: it is waited for as long as was said, and no longer', async () => {
    const url = await serve(() => undefined);
    const began = Date.now();
    expect(await reasons(url, { deadlineMs: 600 })).toEqual([`Prometheus ${url} did not answer in time`]);
    expect(Date.now() - began).toBeLessThan(1_500);
  });

  it('answers slowly without end: that is not waited for either', async () => {
    const url = await serve((_, __, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await reasons(url, { deadlineMs: 500, window: '1h' })).toEqual([`Prometheus ${url} did not answer in time`]);
  });

  it('has nothing: each topic says what would have to be scraped', async () => {
    const { notEvaluated } = await read(await serve(() => vector()));
    expect(notEvaluated.map(({ what }) => what)).toEqual([
      'memory use',
      'CPU use',
      'start-up time',
      'requests per second',
    ]);
    expect(notEvaluated.map(({ next }) => next).join(' ')).toContain('/metrics/cadvisor');
  });
});

describe('a Prometheus that gives some', () => {
  const pod = { namespace: 'shop', pod: 'api-7d9f8b6c5d-abcde', container: 'api' };
  const owners = vector(
    row({ namespace: 'shop', pod: pod.pod, owner_kind: 'ReplicaSet', owner_name: 'api-7d9f8b6c5d' }, '1'),
    row({ namespace: 'shop', replicaset: 'api-7d9f8b6c5d', owner_kind: 'Deployment', owner_name: 'api' }, '1'),
  );
  const api = { namespace: 'shop', kind: 'Deployment', name: 'api', container: 'api' };

  it('keeps what it could say when one question fails', async () => {
    const url = await serve((query, _, response) => {
      if (memoryOf(query)) return vector(row(pod, String(1.6 * 2 ** 30)));
      if (ownersOf(query)) return owners;
      response.statusCode = 422;
      return { status: 'error', errorType: 'execution', error: 'many-to-many matching not allowed' };
    });
    const { metrics, notEvaluated } = await read(url);
    expect(metrics).toEqual([{ ...api, memoryWorkingSetP99: '1.6Gi' }]);
    expect(notEvaluated).toMatchObject([
      {
        what: 'CPU use, start-up time, requests per second',
        reason: expect.stringContaining('HTTP 422: many-to-many'),
      },
    ]);
  });

  it('takes no text, NaN, infinity, negative or zero bytes for a figure', async () => {
    const url = await serve((query) => {
      if (ownersOf(query)) return owners;
      const odd = ['NaN', '+Inf', '-Inf', '-1', '0', '', 'x', '1e30'].map((value) => row(pod, value));
      return vector(
        ...odd,
        null,
        7,
        { metric: pod },
        { metric: null, value: [1, '5'] },
        { metric: pod, value: [1, 5] },
        { metric: pod, histogram: [1, {}] },
      );
    });
    const { metrics, services } = await read(url);
    expect(metrics).toEqual([{ ...api, cpuP99: '1m', startSecondsP95: 0 }]);
    expect(services).toEqual([]);
  });

  it('cannot smuggle names or change prototypes', async () => {
    const url = await serve((query, _, response) => {
      if (ownersOf(query)) return owners;
      response.setHeader('content-type', 'application/json');
      response.end(
        `{"status":"success","__proto__":{"x":1},"data":{"resultType":"vector","result":[` +
          `{"metric":{"__proto__":{"namespace":"shop"},"namespace":"shop","pod":"a\\nb","container":"api"},"value":[1,"5000000"]},` +
          `{"metric":{"namespace":"shop","workload":"__proto__","workload_type":"deployment","container":"api"},"value":[1,"5000000"]},` +
          `{"metric":{"namespace":"shop","workload":"api","workload_type":"constructor","container":"api"},"value":[1,"5000000"]}]}}`,
      );
      return undefined;
    });
    const { metrics } = await read(url);
    expect(metrics).toEqual([]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('asks again for a day when seven are too much, and says so', async () => {
    const url = await serve((query, _, response) => {
      if (query.includes('[7d')) {
        response.statusCode = 422;
        return {
          status: 'error',
          errorType: 'execution',
          error: 'query processing would load too many samples into memory',
        };
      }
      return memoryOf(query) ? vector(row(pod, '209715200')) : ownersOf(query) ? owners : vector();
    });
    const { metrics, notEvaluated } = await read(url);
    expect(metrics).toEqual([{ ...api, memoryWorkingSetP99: '200Mi' }]);
    expect(notEvaluated.map(({ reason }) => reason)).toContain(
      `Prometheus ${url} could not answer for 7d, so memory use is that of the last 1d`,
    );
  });

  it('is asked once more when it is overloaded', async () => {
    const seen = new Map<string, number>();
    const url = await serve((query, _, response) => {
      seen.set(query, (seen.get(query) ?? 0) + 1);
      if (seen.get(query) === 1) {
        response.statusCode = 503;
        response.end('overloaded');
        return undefined;
      }
      return memoryOf(query) ? vector(row(pod, '209715200')) : ownersOf(query) ? owners : vector();
    });
    expect((await read(url)).metrics).toEqual([{ ...api, memoryWorkingSetP99: '200Mi' }]);
    expect([...seen.values()]).toEqual([2, 2, 2, 2, 2]);
  });

  it('warns that its answer is partial: the warning is shown, on one line', async () => {
    const url = await serve(() => ({ ...vector(row(pod, '1')), warnings: ['store 10.0.0.1 is\ngone\u001b[31m', 7] }));
    expect(await reasons(url)).toContainEqual(
      expect.stringMatching(/warns that its answer may lack something: store 10\.0\.0\.1 is gone \[31m$/),
    );
  });

  it('holds several clusters: only the one of that name counts, and without it none', async () => {
    const of = (cluster: string, bytes: string) => row({ ...pod, cluster }, bytes);
    const url = await serve((query) =>
      memoryOf(query)
        ? vector(of('eu-1', '209715200'), of('us-1', '900000000000'))
        : ownersOf(query)
          ? owners
          : vector(),
    );
    const unknown = await read(url);
    expect(unknown.metrics).toEqual([]);
    expect(unknown.notEvaluated[0]?.reason).toContain(
      'has series of eu-1, us-1, and none of them is called like the cluster',
    );
    const state = parseSnapshot(
      '{"apiVersion":"gate/v1","kind":"ClusterSnapshot","metadata":{"name":"eu-1"}}',
      'eu-1.json',
    );
    const named = await withPrometheus(state, { url, environment: {} });
    expect(named.state.metrics).toEqual([]);
    const both = await serve((query) =>
      memoryOf(query)
        ? vector(of('eu-1', '209715200'), of('us-1', '900000000000'))
        : ownersOf(query)
          ? vector(...owners.data.result.map((each) => row({ ...(each as SeriesRow).metric, cluster: 'eu-1' }, '1')))
          : vector(),
    );
    expect((await withPrometheus(state, { url: both, environment: {} })).state.metrics).toEqual([
      { ...api, memoryWorkingSetP99: '200Mi' },
    ]);
  });

  it('is asked for two clusters and does not say which it watches: no figure counts for either', async () => {
    const url = await serve((query) =>
      memoryOf(query) ? vector(row(pod, '209715200')) : ownersOf(query) ? owners : vector(),
    );
    const header = '{"apiVersion":"gate/v1","kind":"ClusterSnapshot","metadata":{"name":"eu-1"}}';
    const found = await withPrometheus(parseSnapshot(header, 'eu-1.json'), { url, environment: {}, several: true });
    expect(found.state.metrics).toEqual([]);
    expect(found.notEvaluated).toMatchObject([
      { what: 'metrics of eu-1', reason: expect.stringContaining('does not say of which cluster its series are') },
    ]);
  });

  it('names no owners: they are told from the names of the pods of known workloads, or are unknown', async () => {
    const bytes = '209715200';
    const names = ['api-7d9f8b6c5d-abcde', 'pg-0', 'agent-x2x4z', 'report-29384020-q8w7e', 'what-1-2'];
    const url = await serve((query) =>
      memoryOf(query)
        ? vector(...names.map((name) => row({ namespace: 'shop', pod: name, container: 'c' }, bytes)))
        : vector(),
    );
    const kinds = [
      ['apps/v1', 'Deployment', 'api'],
      ['apps/v1', 'StatefulSet', 'pg'],
      ['apps/v1', 'DaemonSet', 'agent'],
      ['batch/v1', 'CronJob', 'report'],
    ];
    const items = kinds.map(([apiVersion, kind, name]) => ({
      apiVersion,
      kind,
      metadata: { namespace: 'shop', name },
    }));
    const state = parseSnapshot(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), 'eu-1.json');
    const found = await withPrometheus(state, { url, environment: {} });
    expect(found.state.metrics.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'CronJob/report',
      'DaemonSet/agent',
      'Deployment/api',
      'StatefulSet/pg',
    ]);
    expect(found.notEvaluated.map(({ reason }) => reason)).toContainEqual(
      expect.stringContaining('a pod of which the workload is not known (shop/what-1-2)'),
    );
  });

  it('changes only what it knows of the figures of a snapshot', async () => {
    const header = {
      apiVersion: 'gate/v1',
      kind: 'ClusterSnapshot',
      metadata: { name: 'eu-1' },
      metrics: [
        { ...api, memoryWorkingSetP99: '1Gi', cpuP99: '300m' },
        { ...api, name: 'web', startSecondsP95: 9 },
      ],
      services: [{ namespace: 'shop', name: 'web', requestsPerSecond: 4 }],
    };
    const url = await serve((query) =>
      memoryOf(query) ? vector(row(pod, '209715200')) : ownersOf(query) ? owners : vector(),
    );
    const { state } = await withPrometheus(parseSnapshot(JSON.stringify(header), 'eu-1.json'), {
      url,
      environment: {},
    });
    expect(state.metrics).toEqual([
      { ...api, memoryWorkingSetP99: '200Mi', cpuP99: '300m' },
      { ...api, name: 'web', startSecondsP95: 9 },
    ]);
    expect(state.services).toEqual(header.services);
  });

  it('tells Services of Traefik and Envoy apart, or leaves them out', async () => {
    const of = (source: string, label: string, name: string) => row({ gate_source: source, [label]: name }, '2');
    const url = await serve((query) =>
      query.includes('istio_requests_total')
        ? vector(
            of('traefik', 'service', 'shop-api-web-80@kubernetes'),
            of('traefik', 'service', 'shop-api-http-metrics@kubernetes'),
            of('traefik', 'service', 'shop-web-0123456789abcdef0123@kubernetescrd'),
            of('traefik', 'service', 'a-b-c-80@kubernetes'),
            of('envoy', 'envoy_cluster_name', 'outbound|80||cart.shop.svc.cluster.local'),
            of('envoy', 'envoy_cluster_name', 'shop_pay_8080'),
            of('envoy', 'envoy_cluster_name', 'shop_pay_8080_x'),
          )
        : vector(),
    );
    const services = [
      ['shop', 'api'],
      ['shop', 'api-web'],
      ['shop', 'web'],
      ['a-b', 'c'],
      ['a', 'b-c'],
    ].map(([namespace, name]) => ({ namespace: namespace!, name: name! }));
    const found = await readPrometheus({ url, environment: {} }, { services });
    expect(found.services.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      'shop/api',
      'shop/api-web',
      'shop/cart',
      'shop/pay',
    ]);
  });
});

describe('credentials', () => {
  it.each<[string, string, Record<string, string>, Record<string, string>]>([
    ['a token', '', { GATE_PROMETHEUS_TOKEN: 'canary-7\n' }, { authorization: 'Bearer canary-7' }],
    [
      'user and password',
      '',
      { GATE_PROMETHEUS_USER: 'joe', GATE_PROMETHEUS_PASSWORD: 'canary-7' },
      { authorization: `Basic ${btoa('joe:canary-7')}` },
    ],
    ['user and password in the URL', 'joe:canary%2D7@', {}, { authorization: `Basic ${btoa('joe:canary-7')}` }],
    [
      'a tenant',
      '',
      { GATE_PROMETHEUS_HEADERS: 'X-Scope-OrgID: team-a|team-b\nX-Key: canary-7\n' },
      { 'x-scope-orgid': 'team-a|team-b', 'x-key': 'canary-7' },
    ],
  ])('%s goes with every question and is printed nowhere', async (_, inUrl, environment, headers) => {
    const seen: IncomingMessage['headers'][] = [];
    const url = await serve((__, request, response) => {
      seen.push(request.headers);
      response.statusCode = 500;
      return { status: 'error', error: 'no' };
    });
    const found = await readPrometheus({ url: url.replace('http://', `http://${inUrl}`), environment });
    expect(seen).toHaveLength(5);
    for (const each of seen) expect(each).toMatchObject(headers);
    expect(JSON.stringify(found)).not.toMatch(/canary|joe|team-a/);
    expect(found.notEvaluated[0]?.reason).toContain(url);
  });

  it.each([
    ['a header without a name', { GATE_PROMETHEUS_HEADERS: 'canary-7' }],
    ['a token of two lines', { GATE_PROMETHEUS_TOKEN: 'canary-7\ncanary-8' }],
    ['a header that is none', { GATE_PROMETHEUS_HEADERS: 'X-Key: canary-7\u0100' }],
  ])('%s is refused without being repeated', async (_, environment) => {
    const { notEvaluated } = await readPrometheus({ url: 'http://127.0.0.1:1', environment });
    expect(notEvaluated[0]?.reason).toMatch(/^Prometheus was not asked: /);
    expect(JSON.stringify(notEvaluated)).not.toContain('canary');
  });

  it('is not sent after a redirect', async () => {
    const asked: string[] = [];
    const other = await serve((query) => void asked.push(query));
    const url = await serve((_, __, response) => void response.writeHead(307, { location: other }).end());
    await read(url, { environment: { GATE_PROMETHEUS_TOKEN: 'canary-7' } });
    expect(asked).toEqual([]);
  });
});

describe('the questions', () => {
  it('are five, by GET, also at an address with a path', async () => {
    const asked: [string | undefined, string | undefined][] = [];
    const url = await serve((_, request) => {
      asked.push([request.method, request.url?.split('?')[0]]);
      return vector();
    });
    await read(`${url}/prometheus/`);
    expect(asked).toEqual(Array(5).fill(['GET', '/prometheus/api/v1/query']));
  });

  it('name the namespaces and the labels of the cluster; long ones go by POST', async () => {
    const asked: [string | undefined, string][] = [];
    const url = await serve((query, request) => {
      asked.push([request.method, query]);
      return vector();
    });
    await read(url, { namespaces: ['shop', 'db', 'a"}) or vector(1) #'], labels: { cluster: 'eu"1' } });
    expect(asked.every(([, query]) => query.includes('cluster="eu\\"1"'))).toBe(true);
    expect(asked.find(([, query]) => memoryOf(query))?.[1]).toContain('namespace=~"db|shop"');
    expect(asked.some(([, query]) => query.includes('#'))).toBe(false);
    asked.length = 0;
    await read(url, { namespaces: Array.from({ length: 200 }, (_, index) => `namespace-${index}`) });
    expect(asked.find(([, query]) => memoryOf(query))?.[0]).toBe('POST');
  });
});

describe('figures', () => {
  it('are Kubernetes quantities, rounded down', () => {
    expect(
      [1.6 * 2 ** 30, 2 ** 30 - 1, 2 ** 31, 1.999 * 2 ** 30, 350 * 2 ** 20, 5_000_000, 1024].map(memoryText),
    ).toEqual(['1.6Gi', '1023Mi', '2Gi', '1.99Gi', '350Mi', '4882Ki', '1Ki']);
    expect([0, -1, Number.NaN, Infinity, 1e30].map(memoryText)).toEqual(Array(5).fill(undefined));
    expect([0.35, 0.57, 2, 1.2345, 0, 0.0001].map(cpuText)).toEqual(['350m', '570m', '2', '1234m', '1m', '1m']);
    expect([-0.1, Number.NaN, Infinity].map(cpuText)).toEqual(Array(3).fill(undefined));
    expect([0, 0.12345, 12.345, 1234.5, -1].map(rateFigure)).toEqual([0, 0.123, 12.3, 1235, undefined]);
  });

  it('have the quantile of PromQL', () => {
    expect(quantile([5], 0.95)).toBe(5);
    expect(quantile([1, 2, 3, 4, 5], 0.5)).toBe(3);
    expect(quantile([10, 20], 0.95)).toBeCloseTo(19.5);
    expect(quantile([], 0.95)).toBeUndefined();
  });
});
