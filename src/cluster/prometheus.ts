import type { ClusterState, ContainerMetrics, ServiceMetrics } from '../core/cluster.ts';
import type { PrometheusConfig } from '../core/config.ts';
import type { NotEvaluated } from '../core/model.ts';
import { ask, type Answer, type AskOptions } from './prometheus/ask.ts';
import { AddressError, readAddress, type Address } from './prometheus/connection.ts';
import { containersOf } from './prometheus/containers.ts';
import { createNotes, needs, note, topics, type Notes, type Topic } from './prometheus/notes.ts';
import { ownersByName, ownersFromRows, type OwnerOf } from './prometheus/owners.ts';
import {
  cpuQuery,
  durationSeconds,
  memoryQuery,
  ownersQuery,
  requestsQuery,
  startQuery,
} from './prometheus/queries.ts';
import { ofCluster, rowsOf, type Row } from './prometheus/rows.ts';
import { trafficOf } from './prometheus/traffic.ts';

export interface PrometheusOptions {
  /** Base address: `/api/v1/query` is added. Credentials in it are used and never shown. */
  readonly url: string;
  /** Holds the credentials: see {@link readAddress}. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default `7d`. */
  readonly window?: string;
  readonly labels?: PrometheusConfig['labels'];
  readonly queries?: PrometheusConfig['queries'];
  /** For all questions together; default 30,000. */
  readonly deadlineMs?: number;
  /** Only these namespaces; absent: all. */
  readonly namespaces?: readonly string[];
  /** What a pod belongs to, as the cluster itself says. Asked before the owners that Prometheus knows. */
  readonly ownerOf?: OwnerOf;
  /** The same Prometheus is asked for other clusters, too: only series that name this one in their label `cluster` count. */
  readonly several?: boolean;
  /** Default 64 MiB for each answer. */
  readonly maxAnswerBytes?: number;
  /** The instant at which the window ends; absent: the server's now. */
  readonly at?: Date;
}

/** What is known of the cluster beforehand. */
interface Known {
  /** Its name, by which it is told from others in one Prometheus. */
  readonly cluster?: string;
  readonly services: readonly { readonly namespace: string; readonly name: string }[];
  /** Asked last. */
  readonly byName?: OwnerOf;
}

export interface PrometheusEvidence {
  /** Sorted by namespace, kind, name and container. */
  readonly metrics: readonly ContainerMetrics[];
  /** Sorted by namespace and name. */
  readonly services: readonly ServiceMetrics[];
  /** Notes: none of them makes a verdict incomplete, because rules say themselves what they lack. */
  readonly notEvaluated: readonly NotEvaluated[];
}

/**
 * Asks a Prometheus (or Thanos, Mimir, VictoriaMetrics: the same API) five questions at once: memory and CPU p99 of
 * containers, start-up time p95, traffic of Services, owners of pods.
 * Never throws: what cannot be had is a note. A figure that is not known has no field, never 0.
 */
export async function readPrometheus(
  options: PrometheusOptions,
  known: Known = { services: [] },
): Promise<PrometheusEvidence> {
  let address: Address;
  try {
    address = readAddress(options.url, options.environment);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return {
      metrics: [],
      services: [],
      notEvaluated: [note('Prometheus', `Prometheus was not asked: ${error.message}`)],
    };
  }
  const window = options.window ?? '7d';
  const names = Object.keys(topics) as Topic[];
  const answers = await Promise.all(names.map((topic) => askTopic(topic, window, address, options)));
  const notes = createNotes(address.shown);
  const rows = new Map<Topic, readonly Row[]>();
  for (const [index, topic] of names.entries()) {
    const { answer, window: used } = answers[index]!;
    if (answer.failure !== undefined) {
      notes.failed(topic, answer.failure);
      continue;
    }
    if (used !== window) notes.shortened(topic, window, used);
    notes.warned(answer.warnings);
    rows.set(topic, rowsOf(answer.samples));
  }
  return evidence(rows, options, known, notes);
}

async function askTopic(
  topic: Topic,
  window: string,
  address: Address,
  options: PrometheusOptions,
): Promise<{ answer: Answer; window: string }> {
  const began = Date.now();
  const whole = options.deadlineMs ?? 30_000;
  const shorter = durationSeconds(window) > 86_400 ? '1d' : undefined;
  // Time is kept for a second try with a shorter window.
  const first = await askUntil(
    began + (shorter === undefined ? whole : whole * 0.6),
    query(topic, window, options),
    address,
    options,
  );
  if (first.failure?.heavy !== true || shorter === undefined) return { answer: first, window };
  const second = await askUntil(began + whole, query(topic, shorter, options), address, options);
  return second.failure === undefined ? { answer: second, window: shorter } : { answer: first, window };
}

async function askUntil(deadline: number, text: string, address: Address, options: PrometheusOptions): Promise<Answer> {
  const signal = AbortSignal.timeout(Math.max(1, Math.round(deadline - Date.now())));
  const { at, maxAnswerBytes = 64 * 2 ** 20 } = options;
  const asked: AskOptions = {
    address,
    signal,
    deadline,
    maxAnswerBytes,
    ...(at === undefined ? {} : { time: at.getTime() / 1000 }),
  };
  return ask(text, asked);
}

function query(topic: Topic, window: string, { queries, labels = {}, namespaces }: PrometheusOptions): string {
  const own = topic === 'owners' ? undefined : queries?.[topic];
  if (own !== undefined) return own.replaceAll('$window', window);
  const scope = { window, labels, ...(namespaces === undefined ? {} : { namespaces }) };
  const built = { memory: memoryQuery, cpu: cpuQuery, start: startQuery, requests: requestsQuery, owners: ownersQuery };
  return built[topic](scope);
}

function evidence(
  all: ReadonlyMap<Topic, readonly Row[]>,
  options: PrometheusOptions,
  known: Known,
  notes: Notes,
): PrometheusEvidence {
  const cluster = ofCluster([...all.values()].flat(), known.cluster, options.several === true);
  if (cluster.ambiguous !== undefined) {
    notes.severalClusters(cluster.ambiguous, known.cluster);
    return { metrics: [], services: [], notEvaluated: notes.all() };
  }
  for (const [topic, rows] of all) {
    const asked = topic === 'owners' ? undefined : options.queries?.[topic];
    if (rows.length === 0 && topic !== 'owners') notes.empty(topic, asked === undefined ? needs[topic] : undefined);
  }
  const of = (topic: Topic): Row[] => (all.get(topic) ?? []).filter(cluster.keeps);
  const wanted = options.namespaces === undefined ? undefined : new Set(options.namespaces);
  const keeps = (namespace: string): boolean => wanted === undefined || wanted.has(namespace);
  const scraped = ownersFromRows(of('owners'), known.byName);
  const ownerOf: OwnerOf = (namespace, pod) =>
    options.ownerOf?.(namespace, pod) ?? scraped(namespace, pod) ?? known.byName?.(namespace, pod);
  const containers = containersOf({ memory: of('memory'), cpu: of('cpu'), start: of('start') }, ownerOf, keeps);
  if (containers.unowned.size > 0) notes.unowned(containers.unowned);
  const services = trafficOf(of('requests'), known.services, keeps);
  return { metrics: containers.metrics, services, notEvaluated: notes.all() };
}

/**
 * Adds what Prometheus says to the state of a cluster. Figures that the state already has (from the header of a
 * snapshot) stay where Prometheus says nothing. Never throws.
 * @param options `ownerOf` absent: owners are those that Prometheus knows, else told from the names of pods
 */
export async function withPrometheus(
  state: ClusterState,
  options: PrometheusOptions,
): Promise<{ state: ClusterState; notEvaluated: readonly NotEvaluated[] }> {
  const found = await readPrometheus(options, {
    cluster: state.name,
    services: servicesOf(state),
    byName: ownersByName(workloadsOf(state)),
  });
  const metricKey = ({ namespace, kind, name, container }: ContainerMetrics): string =>
    [namespace, kind, name, container].join('/');
  return {
    state: {
      ...state,
      metrics: merged(state.metrics, found.metrics, metricKey),
      services: merged(state.services, found.services, ({ namespace, name }) => `${namespace}/${name}`),
    },
    notEvaluated: found.notEvaluated,
  };
}

function merged<Item extends object>(
  old: readonly Item[],
  fresh: readonly Item[],
  keyOf: (item: Item) => string,
): Item[] {
  const items = new Map(old.map((item) => [keyOf(item), item]));
  for (const item of fresh) items.set(keyOf(item), { ...items.get(keyOf(item)), ...item });
  return [...items.keys()].toSorted().map((key) => items.get(key)!);
}

function servicesOf(state: ClusterState): { namespace: string; name: string }[] {
  return state.objects
    .filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Service')
    .map(({ metadata }) => ({ namespace: metadata.namespace ?? 'default', name: metadata.name }));
}

const workloadKinds = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Rollout',
]);

function* workloadsOf(state: ClusterState): Iterable<{ namespace: string; kind: string; name: string }> {
  for (const { namespace, owner } of state.pods) yield { namespace, kind: owner.kind, name: owner.name };
  for (const { kind, metadata } of state.objects)
    if (workloadKinds.has(kind)) yield { namespace: metadata.namespace ?? 'default', kind, name: metadata.name };
}
