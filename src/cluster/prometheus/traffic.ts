import type { ServiceMetrics } from '../../core/cluster.ts';
import { rateFigure } from './figures.ts';
import { sourceLabel } from './queries.ts';
import { isName, type Row } from './rows.ts';

interface Service {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Requests per second by Service. Where an ingress controller and a mesh count the same requests the larger figure
 * counts, never the sum.
 * @param services Services of the cluster as far as they are known: Traefik joins namespace, name and port with dashes,
 *   which can be told apart only with them
 */
export function trafficOf(
  rows: Iterable<Row>,
  services: readonly Service[],
  keeps: (namespace: string) => boolean,
): ServiceMetrics[] {
  const traefik = traefikNames(services);
  const perSource = new Map<string, Service & { total: number }>();
  for (const row of rows) {
    const service = serviceOf(row, traefik);
    if (service === undefined || row.value < 0 || !keeps(service.namespace)) continue;
    const key = [service.namespace, service.name, row.label(sourceLabel) ?? ''].join('/');
    const known = perSource.get(key);
    if (known === undefined) perSource.set(key, { ...service, total: row.value });
    else known.total += row.value;
  }
  const found = new Map<string, ServiceMetrics>();
  for (const { namespace, name, total } of perSource.values()) {
    const requestsPerSecond = rateFigure(total);
    const known = found.get(`${namespace}/${name}`)?.requestsPerSecond ?? -1;
    if (requestsPerSecond !== undefined && requestsPerSecond > known)
      found.set(`${namespace}/${name}`, { namespace, name, requestsPerSecond });
  }
  return [...found.keys()].toSorted().map((key) => found.get(key)!);
}

function serviceOf(row: Row, traefik: ReadonlyMap<string, Service | 'several'>): Service | undefined {
  const found = (namespace: string | undefined, name: string | undefined): Service | undefined =>
    // Istio says `unknown` of what it cannot resolve.
    isName(namespace) && isName(name) && namespace !== 'unknown' ? { namespace, name } : undefined;
  switch (row.label(sourceLabel)) {
    case 'istio':
      return istioService(row.label('destination_service_name'), row.label('destination_service_namespace'), found);
    case 'traefik':
      return traefikService(row.label('service') ?? '', traefik);
    case 'envoy':
      return envoyService(row.label('envoy_cluster_name') ?? '', found);
    default:
      return found(row.label('namespace'), row.label('service'));
  }
}

type Found = (namespace: string | undefined, name: string | undefined) => Service | undefined;

/** The name is a host (`api.example.org`) for what lies outside of the cluster, and the Service's own name within it. */
function istioService(name: string | undefined, namespace: string | undefined, found: Found): Service | undefined {
  return name?.includes('.') === true ? undefined : found(namespace, name);
}

/** Istio: `outbound|80||api.shop.svc.cluster.local`; Contour: `shop_api_80`. */
function envoyService(cluster: string, found: Found): Service | undefined {
  const host = /^outbound\|\d+\|[^|]*\|([a-z0-9-]+)\.([a-z0-9-]+)\.svc\b/.exec(cluster);
  if (host !== null) return found(host[2], host[1]);
  const [namespace, name, port, ...rest] = cluster.split('_');
  return port !== undefined && rest.length === 0 && /^\d+$/.test(port) ? found(namespace, name) : undefined;
}

/** Services by `<namespace>-<service>`. */
function traefikNames(services: readonly Service[]): Map<string, Service | 'several'> {
  const joined = new Map<string, Service | 'several'>();
  for (const { namespace, name } of services) {
    const key = `${namespace}-${name}`;
    joined.set(key, joined.has(key) ? 'several' : { namespace, name });
  }
  return joined;
}

/**
 * `<namespace>-<service>-<port>@kubernetes`, the port by number or name. What ends in a hash is a rule of an
 * IngressRoute, which may have several Services.
 */
function traefikService(text: string, names: ReadonlyMap<string, Service | 'several'>): Service | undefined {
  const joined = text.slice(0, 600).replace(/@kubernetes(?:crd|gateway)?$/, '');
  const fits: (Service | 'several')[] = [];
  for (let dash = joined.lastIndexOf('-'); dash > 0; dash = joined.lastIndexOf('-', dash - 1)) {
    const port = joined.slice(dash + 1);
    const service = names.get(joined.slice(0, dash));
    if (service === undefined || !/^[a-z0-9-]{1,15}$/.test(port)) continue;
    // Nearest to the end, so a number is a port and not a part of a name.
    if (/^\d+$/.test(port)) return service === 'several' ? undefined : service;
    fits.push(service);
  }
  const [only, ...others] = fits;
  return only === undefined || only === 'several' || others.length > 0 ? undefined : only;
}
