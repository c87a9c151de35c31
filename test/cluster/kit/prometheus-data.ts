import type { Point } from './prometheus.ts';

/** Seconds. */
export const day = 86_400;
export const Mi = 2 ** 20;
/** End of the window: an hour ago, on a full minute. */
export const end = Math.floor(Date.now() / 60_000) * 60 - 3_600;
/** A week before. */
export const begin = end - 7 * day;

/** Numbers that look random and are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function series(
  name: string,
  labels: Record<string, string>,
  span: Span,
  value: (at: number) => number | string,
): Point[] {
  const text = `${name}{${Object.entries(labels)
    .map(([key, content]) => `${key}="${content}"`)
    .join(',')}}`;
  const points: Point[] = [];
  for (let at = span.from; at <= span.to; at += 60) points.push({ series: text, value: value(at), at });
  return points;
}

/** The quantile by its definition, written again: linear between closest ranks. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const rank = (sorted.length - 1) * share;
  const below = Math.floor(rank);
  return sorted[below]! * (1 - (rank - below)) + (sorted[below + 1] ?? sorted[below]!) * (rank - below);
}

const points: Point[] = [];
/** By `namespace/kind/name/container` the p99 of each instance: bytes and cores. */
export const expected = new Map<string, { memory: number[]; cpu: number[] }>();

/** One container instance: what it uses each minute is made up here and is what the test expects back. */
function container(
  workload: string,
  labels: Record<string, string>,
  span: Span,
  seed: number,
  base: { memory: number; cpu: number },
): void {
  const random = numbers(seed);
  const wave = (at: number, period: number): number => Math.sin((at / period) * 2 * Math.PI);
  const memory: number[] = [];
  const used: number[] = [];
  const own = { ...labels, id: `/kubepods/${seed}`, image: 'registry.example.org/app', node: 'node-1' };
  points.push(
    ...series('container_memory_working_set_bytes', own, span, (at) => {
      // A wave of a day, and noise with rare peaks.
      const value = Math.round(base.memory * (1 + 0.3 * wave(at, day) + 0.5 * random() ** 20));
      memory.push(value);
      return value;
    }),
  );
  let total = 0;
  points.push(
    ...series('container_cpu_usage_seconds_total', { ...own, cpu: 'total' }, span, (at) => {
      const cores = base.cpu * (1 + 0.3 * wave(at, day / 4) + 0.1 * random());
      used.push(cores);
      total += cores * 60;
      return total.toFixed(3);
    }),
  );
  const key = `${workload}/${labels['container']}`;
  const known = expected.get(key) ?? { memory: [], cpu: [] };
  const five = used.slice(4).map((_, index) => used.slice(index, index + 5).reduce((sum, each) => sum + each, 0) / 5);
  known.memory.push(percentile(memory, 0.99));
  known.cpu.push(percentile(five, 0.99));
  expected.set(key, known);
}

function pod(
  namespace: string,
  name: string,
  owner: readonly [kind: string, name: string] | undefined,
  span: Span,
): void {
  points.push(
    ...series(
      'kube_pod_owner',
      {
        namespace,
        pod: name,
        uid: `uid-${name}`,
        ...(owner === undefined ? {} : { owner_kind: owner[0], owner_name: owner[1], owner_is_controller: 'true' }),
      },
      span,
      () => 1,
    ),
  );
}

/** Ready times as the condition shows them one after the other, and starts of the container. */
function start(
  namespace: string,
  name: string,
  box: string,
  span: Span,
  ready: (at: number) => number,
  started: (at: number) => number,
  isReady = true,
): void {
  const labels = { namespace, pod: name, uid: `uid-${name}` };
  points.push(
    ...series('kube_pod_status_ready_time', labels, span, ready),
    ...series('kube_pod_status_ready', { ...labels, condition: 'true' }, span, (at) =>
      isReady && at >= span.from + 120 ? 1 : 0,
    ),
    ...series('kube_pod_container_state_started', { ...labels, container: box }, span, started),
  );
}

function theCluster(): void {
  const whole = { from: begin, to: end };
  const early = { from: begin, to: end - 2 * day };
  const late = { from: end - 2 * day + 60, to: end };
  // A Deployment that was rolled two days ago; the old pods count, too, though they are gone.
  container('shop/Deployment/api', { namespace: 'shop', pod: 'api-7d9f8b6c5d-abcde', container: 'api' }, early, 1, {
    memory: 900 * Mi,
    cpu: 0.4,
  });
  container('shop/Deployment/api', { namespace: 'shop', pod: 'api-6c5d4b6f2f-fghij', container: 'api' }, late, 2, {
    memory: 1100 * Mi,
    cpu: 0.2,
  });
  container('shop/Deployment/api', { namespace: 'shop', pod: 'api-6c5d4b6f2f-fghij', container: 'proxy' }, late, 3, {
    memory: 40 * Mi,
    cpu: 0.01,
  });
  pod('shop', 'api-7d9f8b6c5d-abcde', ['ReplicaSet', 'api-7d9f8b6c5d'], early);
  pod('shop', 'api-6c5d4b6f2f-fghij', ['ReplicaSet', 'api-6c5d4b6f2f'], late);
  for (const [replicaset, span] of [
    ['api-7d9f8b6c5d', early],
    ['api-6c5d4b6f2f', late],
  ] as const)
    points.push(
      ...series(
        'kube_replicaset_owner',
        { namespace: 'shop', replicaset, owner_kind: 'Deployment', owner_name: 'api', owner_is_controller: 'true' },
        span,
        () => 1,
      ),
    );
  // The sandbox and the sum of the pod are no containers.
  points.push(
    ...series(
      'container_memory_working_set_bytes',
      { namespace: 'shop', pod: 'api-6c5d4b6f2f-fghij', container: 'POD' },
      late,
      () => 9e12,
    ),
    ...series(
      'container_memory_working_set_bytes',
      { namespace: 'shop', pod: 'api-6c5d4b6f2f-fghij' },
      late,
      () => 9e12,
    ),
  );
  // Two instances of one container: it restarted.
  container('db/StatefulSet/pg', { namespace: 'db', pod: 'pg-0', container: 'postgres' }, early, 4, {
    memory: 3000 * Mi,
    cpu: 1.2,
  });
  container('db/StatefulSet/pg', { namespace: 'db', pod: 'pg-0', container: 'postgres' }, late, 5, {
    memory: 2000 * Mi,
    cpu: 1.4,
  });
  pod('db', 'pg-0', ['StatefulSet', 'pg'], whole);
  container(
    'jobs/CronJob/report',
    { namespace: 'jobs', pod: 'report-29384020-xyz12', container: 'report' },
    { from: end - 7_200, to: end - 3_600 },
    6,
    { memory: 200 * Mi, cpu: 0.9 },
  );
  pod('jobs', 'report-29384020-xyz12', ['Job', 'report-29384020'], { from: end - 7_200, to: end - 3_600 });
  points.push(
    ...series(
      'kube_job_owner',
      {
        namespace: 'jobs',
        job_name: 'report-29384020',
        owner_kind: 'CronJob',
        owner_name: 'report',
        owner_is_controller: 'true',
      },
      whole,
      () => 1,
    ),
  );
  container('shop/Pod/debug', { namespace: 'shop', pod: 'debug', container: 'shell' }, late, 7, {
    memory: 20 * Mi,
    cpu: 0.001,
  });
  pod('shop', 'debug', undefined, late);
  // Nobody says what this belongs to.
  container('?', { namespace: 'shop', pod: 'stray-x1', container: 'stray' }, late, 8, { memory: 500 * Mi, cpu: 0.1 });
  // No figures: NaN, infinity, nothing.
  for (const [index, value] of ['NaN', '+Inf', '0', '-5'].entries()) {
    points.push(
      ...series(
        'container_memory_working_set_bytes',
        { namespace: 'shop', pod: `odd-${index}`, container: 'odd' },
        late,
        () => value,
      ),
    );
    pod('shop', `odd-${index}`, ['StatefulSet', 'odd'], late);
  }
}

/** Starts of the pods of Deployment web that were seen. */
export const startSeconds = [12, 20, 31, 45, 140];

function theStarts(): void {
  for (const [index, seconds] of startSeconds.entries()) {
    const from = end - (index + 1) * 3 * 3_600;
    const started = from - 30;
    const readyAt = started + seconds;
    // First the time at which it was declared not ready, then that of its readiness.
    start(
      'shop',
      `web-5f6d7c8b9-aaa${index}a`,
      'web',
      { from, to: end },
      (at) => (at >= readyAt ? readyAt : started - 2),
      () => started,
    );
    pod('shop', `web-5f6d7c8b9-aaa${index}a`, ['ReplicaSet', 'web-5f6d7c8b9'], { from, to: end });
  }
  points.push(
    ...series(
      'kube_replicaset_owner',
      {
        namespace: 'shop',
        replicaset: 'web-5f6d7c8b9',
        owner_kind: 'Deployment',
        owner_name: 'web',
        owner_is_controller: 'true',
      },
      { from: begin, to: end },
      () => 1,
    ),
  );
  const from = end - 5 * 3_600;
  const span = { from, to: end };
  // None of these is a start that was seen.
  const odd: [string, (at: number) => number, (at: number) => number, boolean][] = [
    ['old', () => end - 8 * day, () => end - 30 * day, true],
    ['neverr', () => from - 20, () => from - 20, false],
    [
      'restar',
      (at) => (at > from + 7_200 ? from + 7_300 : from),
      (at) => (at > from + 7_200 ? from + 7_205 : from - 10),
      true,
    ],
    [
      'flappy',
      (at) => (at < from + 60 ? from - 50 : at < from + 9_000 ? from + 30 : from + 9_000),
      () => from - 40,
      true,
    ],
  ];
  for (const [name, ready, started, isReady] of odd) {
    start('shop', `web-5f6d7c8b9-${name.slice(0, 5)}`, 'web', span, ready, started, isReady);
    pod('shop', `web-5f6d7c8b9-${name.slice(0, 5)}`, ['ReplicaSet', 'web-5f6d7c8b9'], span);
  }
}

function theTraffic(): void {
  const span = { from: begin, to: end };
  const counter = (perSecond: number) => {
    let total = 0;
    return () => {
      total += perSecond * 60;
      return total.toFixed(3);
    };
  };
  const add = (name: string, labels: Record<string, string>, perSecond: number): void => {
    points.push(...series(name, labels, span, counter(perSecond)));
  };
  const istio = { destination_service_name: 'api', destination_service_namespace: 'shop' };
  // The same requests, counted at both ends; clients without a sidecar are seen at one end only.
  add('istio_requests_total', { ...istio, reporter: 'source', source_workload: 'web' }, 80);
  add('istio_requests_total', { ...istio, reporter: 'destination', source_workload: 'web' }, 80);
  add('istio_requests_total', { ...istio, reporter: 'destination', source_workload: 'unknown' }, 40.5);
  add(
    'istio_requests_total',
    { destination_service_name: 'unknown', destination_service_namespace: 'unknown', reporter: 'source' },
    3,
  );
  add(
    'istio_requests_total',
    { destination_service_name: 'api.example.org', destination_service_namespace: 'shop', reporter: 'source' },
    3,
  );
  // A part of the same traffic, at the ingress.
  add('nginx_ingress_controller_requests', { namespace: 'shop', service: 'api', ingress: 'api', status: '200' }, 30);
  add('nginx_ingress_controller_requests', { namespace: 'shop', service: 'web', ingress: 'web', status: '200' }, 5);
  add('nginx_ingress_controller_requests', { namespace: 'shop', service: 'web', ingress: 'web', status: '500' }, 1.25);
  add('traefik_service_requests_total', { service: 'db-pg-admin-8080@kubernetes', code: '200' }, 0.5);
  add('traefik_service_requests_total', { service: 'api@internal', code: '200' }, 7);
  add('envoy_cluster_upstream_rq_total', { envoy_cluster_name: 'jobs_report-api_80' }, 2);
  add('nginx_ingress_controller_requests', { namespace: 'shop', service: 'quiet', ingress: 'quiet', status: '200' }, 0);
}

/** A week of a small cluster. Fills {@link expected}. */
export function weekOfACluster(): readonly Point[] {
  theCluster();
  theStarts();
  theTraffic();
  return points;
}

/** What an exporter of one pod says that has run since `began` (Unix seconds). */
export function exposition(began: number, now: number): string {
  const box = 'namespace="shop",pod="api-7d9f8b6c5d-abcde",container="api"';
  const pod = 'namespace="shop",pod="api-7d9f8b6c5d-abcde",uid="u1"';
  const set = 'namespace="shop",replicaset="api-7d9f8b6c5d"';
  const memory = Math.floor(now) % 2 === 0 ? 300 : 380;
  return [
    `container_memory_working_set_bytes{${box},id="/a"} ${memory * Mi}`,
    `container_cpu_usage_seconds_total{${box},id="/a"} ${(now - began) * 0.25}`,
    `kube_pod_owner{${pod},owner_kind="ReplicaSet",owner_name="api-7d9f8b6c5d",owner_is_controller="true"} 1`,
    `kube_replicaset_owner{${set},owner_kind="Deployment",owner_name="api",owner_is_controller="true"} 1`,
    `kube_pod_status_ready_time{${pod}} ${began + 9}`,
    `kube_pod_status_ready{${pod},condition="true"} 1`,
    `kube_pod_container_state_started{${box},uid="u1"} ${began + 2}`,
    `nginx_ingress_controller_requests{namespace="shop",service="api",ingress="api"} ${(now - began) * 20}`,
    // To the default backend: no Service.
    `nginx_ingress_controller_requests{namespace="",service="",ingress=""} ${(now - began) * 3}`,
    '',
  ].join('\n');
}
