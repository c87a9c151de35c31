import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readPrometheus, withPrometheus, type PrometheusOptions } from '../../../src/cluster/prometheus.ts';
import { parseSnapshot } from '../../../src/cluster/snapshot.ts';
import { parseQuantity } from '../../../src/core/quantity.ts';
import limitBelowUsage from '../../../src/rules/resources/limit-below-usage.ts';
import { runExample } from '../../rules/run-example.ts';
import { freePort } from '../kit/ports.ts';
import {
  begin,
  day,
  end,
  expected,
  exposition,
  Mi,
  percentile,
  startSeconds,
  weekOfACluster,
} from '../kit/prometheus-data.ts';
import { hasPrometheus, startPrometheus, type RunningPrometheus } from '../kit/prometheus.ts';

const workloads = `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {namespace: db, name: pg-admin}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: api}}
`;

describe.skipIf(!hasPrometheus())('a real Prometheus', () => {
  let prometheus: RunningPrometheus;

  beforeAll(async () => {
    prometheus = await startPrometheus({ points: weekOfACluster() });
  });
  afterAll(async () => prometheus?.stop());

  const options = (more: Partial<PrometheusOptions> = {}): PrometheusOptions => ({
    url: prometheus.url,
    environment: {},
    at: new Date(end * 1000),
    ...more,
  });
  const read = async (more: Partial<PrometheusOptions> = {}) => readPrometheus(options(more));

  test('gives the p99 of memory and CPU of every container, by workload', async () => {
    const { metrics } = await read();
    const keys = [...expected.keys()].filter((key) => key !== '?/stray');
    expect(metrics.map(({ namespace, kind, name, container: box }) => `${namespace}/${kind}/${name}/${box}`)).toEqual(
      [...keys, 'shop/Deployment/web/web'].toSorted(),
    );
    for (const key of keys) {
      const metric = metrics.find((each) => `${each.namespace}/${each.kind}/${each.name}/${each.container}` === key);
      const { memory, cpu } = expected.get(key)!;
      const bytes = parseQuantity(metric?.memoryWorkingSetP99 ?? '') ?? 0;
      expect(bytes / Math.max(...memory), `memory of ${key}: ${metric?.memoryWorkingSetP99}`).toBeGreaterThan(0.98);
      expect(bytes / Math.max(...memory), `memory of ${key}`).toBeLessThanOrEqual(1.001);
      const cores = parseQuantity(metric?.cpuP99 ?? '') ?? 0;
      // Millicores are rounded down, and a rate of five minutes is taken every five minutes.
      expect(Math.abs(cores - Math.max(...cpu)), `CPU of ${key}: ${metric?.cpuP99}`).toBeLessThan(
        0.001 + Math.max(...cpu) * 0.04,
      );
    }
  });

  test('gives the p95 of the starts that were seen, and of no others', async () => {
    const { metrics } = await read();
    const web = metrics.find(({ name }) => name === 'web');
    // The pod whose readiness flips later was scraped before it was ready, so its start cannot be told: it does not count.
    expect(web?.startSecondsP95).toBe(Math.round(percentile(startSeconds, 0.95)));
    expect(web).not.toHaveProperty('memoryWorkingSetP99');
    expect(metrics.find(({ name }) => name === 'pg')).not.toHaveProperty('startSecondsP95');
  });

  test('gives the traffic of Services, each request counted once', async () => {
    const { services } = await readPrometheus(options(), { services: [{ namespace: 'db', name: 'pg-admin' }] });
    expect(services).toEqual([
      { namespace: 'db', name: 'pg-admin', requestsPerSecond: expect.closeTo(0.5, 2) as number },
      { namespace: 'jobs', name: 'report-api', requestsPerSecond: expect.closeTo(2, 1) as number },
      { namespace: 'shop', name: 'api', requestsPerSecond: expect.closeTo(120.5, -1) as number },
      { namespace: 'shop', name: 'quiet', requestsPerSecond: 0 },
      { namespace: 'shop', name: 'web', requestsPerSecond: expect.closeTo(6.25, 1) as number },
    ]);
  });

  test('says of which pods the workload is not known, and takes it from the cluster where that is known', async () => {
    const alone = await read();
    expect(alone.notEvaluated.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('a pod of which the workload is not known (shop/stray-x1)'),
    ]);
    const told = await read({
      ownerOf: (_, name) => (name === 'stray-x1' ? { kind: 'Deployment', name: 'stray' } : undefined),
    });
    expect(told.notEvaluated).toEqual([]);
    expect(told.metrics.filter(({ name }) => name === 'stray')).toHaveLength(1);
  });

  test('asks for the namespaces of the change only', async () => {
    const { metrics, services, notEvaluated } = await read({ namespaces: ['db', 'no-such'] });
    expect(metrics.map(({ name }) => name)).toEqual(['pg']);
    expect(services).toEqual([]);
    expect(notEvaluated.map(({ what }) => what)).toEqual(['start-up time']);
  });

  test('is the same figure after a way through a snapshot', async () => {
    const { state } = await withPrometheus(parseSnapshot(workloads, 'prod.yaml'), options());
    const header = {
      apiVersion: 'gate/v1',
      kind: 'ClusterSnapshot',
      metadata: { name: 'prod' },
      metrics: state.metrics,
      services: state.services,
    };
    const again = parseSnapshot(JSON.stringify(header), 'prod.json');
    expect(again.metrics).toEqual(state.metrics);
    expect(again.services).toEqual(state.services);
    expect(state.metrics.length).toBeGreaterThan(5);
  });

  test('makes a cut of the memory limit below the use a proven finding; without it nothing is said', async () => {
    const used = Math.max(...expected.get('shop/Deployment/api/api')!.memory) / Mi;
    const deployment = (limit: number): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: shop, name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: registry.example.org/app:1, resources: {limits: {memory: ${Math.round(limit)}Mi}}}
`;
    const { state } = await withPrometheus(parseSnapshot(workloads, 'prod.yaml'), options());
    const header = { apiVersion: 'gate/v1', kind: 'ClusterSnapshot', metadata: { name: 'prod' } };
    const change = {
      name: 'a cut of 8 %',
      before: deployment(used * 1.05),
      after: deployment(used * 0.97),
      expect: [],
    };
    const judged = (metrics: readonly unknown[]) =>
      runExample(limitBelowUsage, { ...change, live: JSON.stringify({ ...header, metrics }) }).map(
        ({ severity, confidence, evidence }) => ({ severity, confidence, live: evidence?.live }),
      );
    const figure = state.metrics.find(({ name }) => name === 'api')?.memoryWorkingSetP99;
    expect(judged(state.metrics)).toEqual([{ severity: 'critical', confidence: 'proven', live: figure }]);
    expect(judged([])).toEqual([]);
  });

  test('takes queries of the operator, and says which one the server refuses', async () => {
    const own = await read({
      queries: {
        memory:
          'label_replace(max by (namespace, container) (max_over_time(container_memory_working_set_bytes{container="postgres"}[$window])), "workload", "pg", "", "") * 2',
        cpu: 'sum by (',
        requests: 'sum by (namespace, service) (rate(nginx_ingress_controller_requests[$window]))',
        start: '42',
      },
    });
    expect(own.metrics).toEqual([]);
    expect(own.services.map(({ name }) => name)).toEqual(['api', 'quiet', 'web']);
    const reasons = own.notEvaluated.map(({ what, reason }) => `${what}: ${reason}`);
    expect(reasons).toContainEqual(expect.stringMatching(/^CPU use: Prometheus \S+ answers HTTP 400: .*parse error/));
    expect(reasons).toContainEqual(
      expect.stringMatching(/^start-up time: Prometheus \S+ answers with a scalar instead of a vector/),
    );
  });

  test('gives nothing of a time at which nothing was scraped, and says what is missing', async () => {
    const { metrics, services, notEvaluated } = await read({ at: new Date((begin - 30 * day) * 1000) });
    expect({ metrics, services }).toEqual({ metrics: [], services: [] });
    expect(notEvaluated.map(({ what }) => what)).toEqual([
      'memory use',
      'CPU use',
      'start-up time',
      'requests per second',
    ]);
    expect(notEvaluated[0]?.next).toContain('container_memory_working_set_bytes');
  });
});

describe.skipIf(!hasPrometheus())('a real Prometheus that scrapes', () => {
  /** When the pod of the exporter started: inside the window, however long other tests took. */
  let began = 0;
  let exporter: Server;
  /** With the labels of the exporter itself in the way of those of the series (honor_labels: false), and without. */
  let running: { readonly honoring: RunningPrometheus; readonly renaming: RunningPrometheus };

  beforeAll(async () => {
    began = Math.floor(Date.now() / 1000);
    exporter = createServer((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(exposition(began, Date.now() / 1000));
    });
    const port = await freePort();
    await new Promise<void>((done) => exporter.listen(port, '127.0.0.1', done));
    const scrape = `127.0.0.1:${port}`;
    const [honoring, renaming] = await Promise.all([
      startPrometheus({ scrape }),
      startPrometheus({ scrape, honorLabels: false }),
    ]);
    running = { honoring, renaming };
    await sleep(12_000);
  });
  afterAll(async () => {
    await Promise.all([running?.honoring.stop(), running?.renaming.stop()]);
    exporter?.close();
  });

  test.each(['honoring', 'renaming'] as const)(
    'has figures of what it scraped in the last seconds (%s)',
    async (which) => {
      const asked = { url: running[which].url, environment: {}, window: '1m' };
      // The steps of a query stand at full multiples of seconds, so it takes some until the data spans enough of them.
      await vi.waitFor(
        async () => {
          const { metrics, services, notEvaluated } = await readPrometheus(asked);
          expect(notEvaluated).toEqual([]);
          const identity = { namespace: 'shop', kind: 'Deployment', name: 'api', container: 'api' };
          expect(metrics).toMatchObject([{ ...identity, memoryWorkingSetP99: '380Mi', startSecondsP95: 7 }]);
          // A quarter of a core and 20 requests, in the seconds of the window in which it was scraped.
          const cores = parseQuantity(metrics[0]?.cpuP99 ?? '') ?? 0;
          expect(cores).toBeGreaterThan(0.02);
          expect(cores).toBeLessThan(0.35);
          expect(services).toMatchObject([{ namespace: 'shop', name: 'api' }]);
          expect(services[0]?.requestsPerSecond).toBeGreaterThan(1);
          expect(services[0]?.requestsPerSecond).toBeLessThan(28);
        },
        { timeout: 30_000, interval: 1_000 },
      );
    },
  );
});
