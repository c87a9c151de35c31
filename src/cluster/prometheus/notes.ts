import type { NotEvaluated } from '../../core/model.ts';
import type { Failure } from './ask.ts';

/** What is asked, as a report names it. */
export const topics = {
  memory: 'memory use',
  cpu: 'CPU use',
  start: 'start-up time',
  requests: 'requests per second',
  owners: 'owners of pods',
} as const;

export type Topic = keyof typeof topics;

/** What must be scraped for the built-in question to have an answer. */
export const needs: Readonly<Record<Topic, string>> = {
  memory: 'container_memory_working_set_bytes (kubelet, /metrics/cadvisor)',
  cpu: 'container_cpu_usage_seconds_total (kubelet, /metrics/cadvisor)',
  start:
    'kube_pod_container_state_started, kube_pod_status_ready and kube_pod_status_ready_time of pods that started in the window (kube-state-metrics 2.8 or newer)',
  requests:
    'istio_requests_total, nginx_ingress_controller_requests, traefik_service_requests_total or envoy_cluster_upstream_rq_total',
  owners: 'kube_pod_owner (kube-state-metrics)',
};

/** Collects notes, one for each reason. */
export interface Notes {
  failed(topic: Topic, failure: Failure): void;
  shortened(topic: Topic, wanted: string, used: string): void;
  warned(warnings: readonly string[]): void;
  empty(topic: Topic, needed: string | undefined): void;
  /** @param own name of the cluster, when it has one */
  severalClusters(names: readonly string[], own: string | undefined): void;
  unowned(pods: ReadonlySet<string>): void;
  all(): NotEvaluated[];
}

/** @param address as it may be shown */
export function createNotes(address: string): Notes {
  const who = `Prometheus ${address}`;
  const failures = new Map<string, { readonly failure: Failure; readonly topics: Topic[] }>();
  const warnings = new Set<string>();
  const others: NotEvaluated[] = [];
  return {
    failed(topic, failure) {
      const known = failures.get(failure.reason);
      if (known === undefined) failures.set(failure.reason, { failure, topics: [topic] });
      else known.topics.push(topic);
    },
    shortened: (topic, wanted, used) =>
      others.push(
        note(topics[topic], `${who} could not answer for ${wanted}, so ${topics[topic]} is that of the last ${used}`),
      ),
    warned(texts) {
      for (const text of texts) warnings.add(text);
    },
    empty: (topic, needed) =>
      others.push(
        note(
          topics[topic],
          `${who} has no series that say it`,
          needed === undefined
            ? 'Check the query in gate.yaml (prometheus.queries).'
            : `It is read from ${needed}; another source can be named in gate.yaml (prometheus.queries).`,
        ),
      ),
    severalClusters: (names, own) =>
      others.push(
        note(
          own === undefined ? 'metrics' : `metrics of ${own}`,
          names.length === 0
            ? `${who} does not say of which cluster its series are, and several clusters give evidence`
            : `${who} has series of ${listed(names)}, and none of them is called like the cluster${own === undefined ? '' : ` ${own}`}`,
          'Name the cluster as the label `cluster` of the series does, or, for one cluster, its labels in gate.yaml (prometheus.labels).',
        ),
      ),
    unowned: (pods) =>
      others.push(
        note(
          'metrics',
          `${who} has series of ${pods.size === 1 ? 'a pod' : `${pods.size} pods`} of which the workload is not known (${listed([...pods].toSorted())})`,
          `Let Prometheus scrape ${needs.owners}.`,
        ),
      ),
    all: () => [
      ...[...failures.values()].map(({ failure, topics: failed }) =>
        note(failed.map((topic) => topics[topic]).join(', '), `${who} ${failure.reason}`, failure.next),
      ),
      ...others,
      ...[...warnings]
        .toSorted()
        .slice(0, 5)
        .map((text) => note('metrics', `${who} warns that its answer may lack something: ${text}`)),
    ],
  };
}

function listed(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}

/** None of them makes a verdict incomplete: rules say themselves what they lack. */
export function note(what: string, reason: string, next?: string): NotEvaluated {
  return { what, reason, ...(next === undefined ? {} : { next }), weight: 'note' };
}
