/** Seconds of a Prometheus duration of one unit: `7d`. */
export function durationSeconds(window: string): number {
  const unit = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }[window.at(-1) ?? ''] ?? Number.NaN;
  return Number(window.slice(0, -1)) * unit;
}

export interface QueryScope {
  /** `7d` */
  readonly window: string;
  /** Only these; absent: the whole cluster. */
  readonly namespaces?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The label under which a query says of which ingress or mesh a row of {@link requestsQuery} is. */
export const sourceLabel = 'gate_source';

/** A longer list of namespaces is not sent: the answer is filtered instead. */
const longestList = 4_000;

/**
 * Who scrapes an exporter without `honor_labels` finds the exporter's own namespace, pod and container under these names
 * and what the series is about under `exported_*` (Prometheus, scrape_config, honor_labels). Both are kept everywhere.
 */
const both = (...names: readonly string[]): string => names.flatMap((name) => [name, `exported_${name}`]).join(', ');
const container = `cluster, ${both('namespace', 'pod', 'container')}`;
const onePod = `cluster, uid, ${both('namespace', 'pod')}`;
const oneStart = `${onePod}, ${both('container')}`;

/** Working set, p99 over time: the series of each container instance by itself, then the largest of a container. */
export function memoryQuery(scope: QueryScope): string {
  const inner = over(
    scope,
    'container_memory_working_set_bytes',
    ownContainers,
    (range) => `quantile_over_time(0.99, ${range})`,
  );
  return `max by (${container}) (${inner})`;
}

/** CPU use averaged over five minutes, p99 of that over time. Five minutes hold two scrapes also when they are rare. */
export function cpuQuery(scope: QueryScope): string {
  const seconds = durationSeconds(scope.window);
  const range = Math.min(300, seconds);
  const step = Math.max(1, Math.min(300, Math.floor(seconds / 4)));
  const inner = over(
    { ...scope, window: `${range}s` },
    'container_cpu_usage_seconds_total',
    ownContainers,
    (series) => `quantile_over_time(0.99, rate(${series})[${scope.window}:${step}s])`,
  );
  return `max by (${container}) (${inner})`;
}

/** cAdvisor also has a series for the whole pod (no container) and for the sandbox (`POD`). */
const ownContainers = ['container!=""', 'container!="POD"'];

/**
 * Seconds from the start of a container until its pod was ready, one row per pod and container, of containers that
 * started inside the window and never restarted in it.
 *
 * kube-state-metrics gives `lastTransitionTime` of the Ready condition, whatever its status (internal/store/pod.go), so a
 * pod shows first the time at which it was declared not ready (before its containers start), then that of its readiness,
 * then those of later flips. The smallest after the start is the true one; where the time before the start was scraped,
 * too, the largest is, provided that there was one change only.
 * @see https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md
 */
export function startQuery(scope: QueryScope): string {
  const ready = (aggregate: string, fn: string): string =>
    `${aggregate} by (${onePod}) (${over(scope, 'kube_pod_status_ready_time', [], (range) => `${fn}(${range})`)})`;
  const started = (fn: string): string =>
    `max by (${oneStart}) (${over(scope, 'kube_pod_container_state_started', [], (range) => `${fn}(${range})`)})`;
  const wasReady = `max by (${onePod}) (${over(scope, 'kube_pod_status_ready', ['condition="true"'], (range) => `max_over_time(${range})`)}) == 1`;
  const starts = `((${started('last_over_time')} > (time() - ${durationSeconds(scope.window)})) and (${started('changes')} == 0))`;
  const minus = `- on (${onePod}) group_right () ${starts}`;
  const clean = `(${ready('max', 'max_over_time')} and (${ready('max', 'changes')} <= 1) and (${wasReady}))`;
  return `((${ready('min', 'min_over_time')} ${minus}) > 0) or ((${clean} ${minus}) >= 0)`;
}

/** Who owns pods, ReplicaSets and Jobs, also of pods that are gone by now. */
export function ownersQuery(scope: QueryScope): string {
  const rows: readonly (readonly [metric: string, labels: string, matchers: readonly string[]])[] = [
    ['kube_pod_owner', `${both('pod')}, owner_kind, owner_name`, ['owner_is_controller!="false"']],
    ['kube_replicaset_owner', 'replicaset, owner_kind, owner_name', ['owner_is_controller!="false"']],
    ['kube_job_owner', 'job_name, owner_kind, owner_name', ['owner_is_controller!="false"']],
    // The recording rule of kubernetes-mixin, where the series above are dropped after it.
    ['namespace_workload_pod:kube_pod_owner:relabel', 'pod, workload, workload_type', []],
  ];
  return rows
    .map(
      ([metric, labels, matchers]) =>
        `max by (cluster, ${both('namespace')}, ${labels}) (${over(scope, metric, matchers, (range) => `last_over_time(${range})`)})`,
    )
    .join(' or ');
}

/** Requests per second of Services, averaged over the window, as the meshes and ingress controllers count them. */
export function requestsQuery(scope: QueryScope): string {
  const everywhere = { window: scope.window, labels: scope.labels };
  const rate = (range: string): string => `rate(${range})`;
  const list = namespaceList(scope);
  const istio = list === undefined ? [] : [`destination_service_namespace=~"${list}"`];
  const sources = {
    // Client, server and waypoint each count the same request: the largest of the three is the traffic.
    istio: `max by (cluster, destination_service_namespace, destination_service_name) (sum by (cluster, reporter, destination_service_namespace, destination_service_name) (${over(everywhere, 'istio_requests_total', istio, rate)}))`,
    nginx: `sum by (cluster, ${both('namespace', 'service')}) (${over(scope, 'nginx_ingress_controller_requests', [], rate)})`,
    traefik: `sum by (cluster, ${both('service')}) (${over(everywhere, 'traefik_service_requests_total', [], rate)})`,
    envoy: `sum by (cluster, envoy_cluster_name) (${over(everywhere, 'envoy_cluster_upstream_rq_total', ['envoy_cluster_name=~"outbound.+|[a-z0-9-]+_[a-z0-9-]+_[0-9]+"'], rate)})`,
  };
  return Object.entries(sources)
    .map(([source, query]) => `label_replace(${query}, "${sourceLabel}", "${source}", "", "")`)
    .join(' or ');
}

/** `fn(metric{...}[window])`; with namespaces the two places where they may stand, one after the other. */
function over(scope: QueryScope, metric: string, matchers: readonly string[], fn: (range: string) => string): string {
  const fixed = Object.entries(scope.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const list = namespaceList(scope);
  const places =
    list === undefined ? [[]] : [[`exported_namespace=~"${list}"`], ['exported_namespace=""', `namespace=~"${list}"`]];
  return places
    .map((place) => fn(`${metric}{${[...matchers, ...place, ...fixed].join(',')}}[${scope.window}]`))
    .join(' or ');
}

function namespaceList({ namespaces }: QueryScope): string | undefined {
  const list = namespaces
    ?.filter((name) => /^[a-z0-9-]+$/.test(name))
    .toSorted()
    .join('|');
  return list === undefined || list === '' || list.length > longestList ? undefined : list;
}
