import type { Entry, ResourceRef } from '../../core/model.ts';
import type { LiveWorld } from '../../core/rule.ts';
import { candidateMakers, type ClusterView, type PodMaker } from './cluster-view.ts';
import type { Deletion } from './deletions.ts';
import { getOrMake, memo } from './memo.ts';
import { at, listAt, numberAt, stringAt, stringMapAt } from './pods.ts';
import { formatRef } from './problem.ts';
import { matchesLabels } from './select.ts';

/** A Service as webhooks, APIServices and CRD conversions name it. */
export interface ServiceAddress {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** `clientConfig.service` or an APIService's `spec.service`; undefined without namespace or name. The port defaults to 443. */
export function serviceAddress(reference: unknown): ServiceAddress | undefined {
  const namespace = stringAt(reference, 'namespace');
  const name = stringAt(reference, 'name');
  if (namespace === undefined || name === undefined) return undefined;
  return { namespace, name, port: numberAt(reference, 'port') ?? 443 };
}

export type BackendFault =
  | 'service-absent'
  | 'service-removed'
  | 'port-missing'
  | 'no-pods'
  | 'pods-removed'
  | 'scaled-to-zero';

/** Who answers behind a Service on one side. */
export interface Backend {
  /** `unknown`: the Service has no selector or is an ExternalName, so its endpoints are made elsewhere. */
  readonly status: 'answers' | 'broken' | 'unknown';
  readonly fault?: BackendFault;
  /** One clause that completes "the backend cannot answer: …". */
  readonly detail: string;
  readonly address: ServiceAddress;
  readonly service?: { readonly entry?: Entry };
  readonly makers: readonly PodMaker[];
  /** Desired pods over all workloads; undefined when a DaemonSet is among them. */
  readonly pods: number | undefined;
  /** The removals of this change that took it away. */
  readonly removed: readonly Deletion[];
}

/** `policy/policy:443`. */
export function formatAddress({ namespace, name, port }: ServiceAddress): string {
  return `${namespace}/${name}:${port}`;
}

/**
 * Resolves a Service to the workloads behind it, as the endpoint controller would by labels.
 * Looks at the rendered objects of the side, at what stays behind, and at live objects that Git does not manage.
 */
export function backendOf(view: ClusterView, address: ServiceAddress): Backend {
  const base = { address, makers: [], pods: 0, removed: [] };
  const service = view.get('', 'Service', address.namespace, address.name);
  if (service === undefined) {
    const gone = view.removal('', 'Service', address.namespace, address.name);
    return gone === undefined
      ? {
          ...base,
          status: 'broken',
          fault: 'service-absent',
          detail: `Service ${address.namespace}/${address.name} does not exist`,
        }
      : {
          ...base,
          status: 'broken',
          fault: 'service-removed',
          detail: `Service ${address.namespace}/${address.name} is removed by this change`,
          removed: [gone],
        };
  }
  const found = { ...base, service: service.entry === undefined ? {} : { entry: service.entry } };
  const ports = listAt(service.object, 'spec', 'ports');
  const external = stringAt(service.object, 'spec', 'type') === 'ExternalName';
  if (!external && !ports.some((port) => numberAt(port, 'port') === address.port)) {
    const offered = ports.map((port) => numberAt(port, 'port') ?? '?').join(', ');
    return {
      ...found,
      status: 'broken',
      fault: 'port-missing',
      detail: `Service ${address.namespace}/${address.name} has no port ${address.port} (it offers ${offered === '' ? 'none' : offered})`,
    };
  }
  const selector = stringMapAt(service.object, 'spec', 'selector');
  if (external || Object.keys(selector).length === 0)
    return { ...found, status: 'unknown', detail: `Service ${address.namespace}/${address.name} has no selector` };
  const makers = candidateMakers(view, address.namespace, selector).filter((maker) =>
    matchesLabels(selector, maker.template.labels),
  );
  if (makers.length === 0) {
    const gone = view
      .removedMakers(address.namespace)
      .filter((deletion) =>
        matchesLabels(selector, stringMapAt(at(deletion.entry.effective, 'spec', 'template'), 'metadata', 'labels')),
      );
    const [first] = gone;
    const text = Object.entries(selector)
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    return first === undefined
      ? {
          ...found,
          status: 'broken',
          fault: 'no-pods',
          detail: `no workload in namespace ${address.namespace} has the labels ${text} that Service ${address.name} selects`,
        }
      : {
          ...found,
          status: 'broken',
          fault: 'pods-removed',
          detail: `${formatRef(first.entry.ref)}, the only workload behind Service ${address.namespace}/${address.name}, is removed by this change`,
          removed: gone,
        };
  }
  const counts = makers.map((maker) => maker.pods);
  const pods = counts.includes(undefined) ? undefined : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  if (pods === 0)
    return {
      ...found,
      makers,
      pods,
      status: 'broken',
      fault: 'scaled-to-zero',
      detail: `${formatRefs(makers.map((maker) => maker.ref))} behind Service ${address.namespace}/${address.name} has 0 replicas`,
    };
  return { ...found, makers, pods, status: 'answers', detail: `${formatRefs(makers.map((maker) => maker.ref))}` };
}

/** `Deployment a/b, StatefulSet a/c and 3 more`. */
export function formatRefs(refs: readonly ResourceRef[], shown = 3): string {
  const names = refs.slice(0, shown).map(formatRef).join(', ');
  return refs.length > shown ? `${names} and ${refs.length - shown} more` : names;
}

/** Ready endpoints of a Service in the cluster, and the nodes they are on. */
export interface ReadyEndpoints {
  readonly ready: number;
  readonly nodes: number;
}

/** Endpoint slices by `namespace/service`. */
const slicesOf = memo((live: LiveWorld) => {
  const index = new Map<string, unknown[]>();
  for (const slice of live.ofKind('discovery.k8s.io', 'EndpointSlice')) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (service !== undefined) getOrMake(index, `${slice.metadata.namespace}/${service}`, () => []).push(slice);
  }
  return index;
});

/**
 * What the cluster says about a Service; undefined when its endpoints were not read.
 * An EndpointSlice endpoint without a `ready` condition counts as ready (discovery/v1 types.go).
 */
export function readyEndpoints(
  live: LiveWorld | undefined,
  namespace: string,
  name: string,
): ReadyEndpoints | undefined {
  if (live === undefined) return undefined;
  const slices = slicesOf(live).get(`${namespace}/${name}`) ?? [];
  if (slices.length === 0 && !live.covers('discovery.k8s.io', 'EndpointSlice', namespace)) return undefined;
  const pods = new Set<string>();
  const nodes = new Set<string>();
  for (const endpoint of slices.flatMap((slice) => listAt(slice, 'endpoints'))) {
    if (at(endpoint, 'conditions', 'ready') === false) continue;
    pods.add(stringAt(endpoint, 'targetRef', 'name') ?? String(listAt(endpoint, 'addresses')[0]));
    nodes.add(stringAt(endpoint, 'nodeName') ?? 'unknown');
  }
  return { ready: pods.size, nodes: nodes.size };
}

/** At least 2 ready endpoints on 2 nodes: one node can go without an outage. */
export function isRedundant(endpoints: ReadyEndpoints | undefined): boolean {
  return endpoints !== undefined && endpoints.ready >= 2 && endpoints.nodes >= 2;
}

/** `live: Service shop/api answers 12.5 requests per second`; [] when nobody measured it. */
export function trafficFacts(live: LiveWorld | undefined, namespace: string, name: string): string[] {
  const measured = live?.traffic(namespace, name);
  if (measured === undefined) return [];
  const rate = Math.round(measured.requestsPerSecond * 100) / 100;
  return [`live: Service ${namespace}/${name} answers ${rate} requests per second`];
}
