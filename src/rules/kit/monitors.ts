import type { Entry, KubeObject, ResourceRef } from '../../core/model.ts';
import type { RuleContext } from '../../core/rule.ts';
import { viewOf } from './cluster-view.ts';
import { namespaceLabels } from './namespaces.ts';
import { at, containersOf, listAt, numberAt, stringAt, stringMapAt, workloadsIn } from './pods.ts';
import { matchesSelector, type LabelSelector } from './select.ts';
import { groupOf } from '../../core/json.ts';

type Side = 'before' | 'after';

const monitoring = 'monitoring.coreos.com';
const monitorKinds = ['ServiceMonitor', 'PodMonitor', 'Probe', 'ScrapeConfig'] as const;
type MonitorKind = (typeof monitorKinds)[number];

/** Field of a Prometheus that selects monitors of a kind, without `Selector`. */
const selectorFields: Readonly<Record<MonitorKind, string>> = {
  ServiceMonitor: 'serviceMonitor',
  PodMonitor: 'podMonitor',
  Probe: 'probe',
  ScrapeConfig: 'scrapeConfig',
};

/** Live kinds that `scrapingOf` looks at. */
export const scrapingKinds: readonly string[] = [
  '/Service',
  ...['Prometheus', 'PrometheusAgent', ...monitorKinds].map((kind) => `${monitoring}/${kind}`),
];

/** An object of a side; without an entry it is only in the cluster. */
export interface Seen {
  readonly ref: ResourceRef;
  readonly object: KubeObject;
  readonly entry?: Entry;
}

/** A monitor of the Prometheus operator, with both ends of its chain on one side. */
export interface Monitor extends Seen {
  readonly kind: MonitorKind;
  /** Prometheus objects that select it, by `namespace/name`. */
  readonly selectedBy: readonly string[];
  /** What it scrapes: Services (`namespace/name`) for a ServiceMonitor, workloads for a PodMonitor. [] for other kinds. */
  readonly targets: readonly ScrapeTarget[];
}

export interface ScrapeTarget {
  readonly ref: ResourceRef;
  /** Port as the monitor names it. */
  readonly port: string;
}

/** Scraping of one cluster on one side. */
export interface Scraping {
  readonly prometheuses: readonly Seen[];
  readonly monitors: readonly Monitor[];
}

/** Objects of a kind: rendered ones, and live ones that Git does not manage and that this change does not remove. */
function seen(context: RuleContext<unknown>, side: Side, scope: string, group: string, kind: string): readonly Seen[] {
  const result: Seen[] = context[side]
    .ofKind(group, kind, scope)
    .map((entry) => ({ ref: entry.ref, object: entry.effective, entry }));
  const view = viewOf(context, side, scope);
  for (const object of context.live(scope)?.ofKind(group, kind) ?? []) {
    const { namespace, name } = object.metadata;
    const other = side === 'before' ? context.after : context.before;
    if (context[side].get(scope, group, kind, namespace, name) !== undefined) continue;
    if (other.get(scope, group, kind, namespace, name) !== undefined) continue;
    if (view.removal(group, kind, namespace, name) !== undefined) continue;
    const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1);
    const place = namespace === undefined ? {} : { namespace };
    result.push({ ref: { group: groupOf(object.apiVersion), version, kind, ...place, name }, object });
  }
  return result;
}

/** Who scrapes what, as the Prometheus operator would configure it. */
export function scrapingOf(context: RuleContext<unknown>, side: Side, scope: string): Scraping {
  const prometheuses = ['Prometheus', 'PrometheusAgent'].flatMap((kind) =>
    seen(context, side, scope, monitoring, kind),
  );
  const services = seen(context, side, scope, '', 'Service');
  const monitors = monitorKinds.flatMap((kind) =>
    seen(context, side, scope, monitoring, kind).map((monitor) => ({
      ...monitor,
      kind,
      selectedBy: prometheuses
        .filter((prometheus) => selectsMonitor(context, side, scope, prometheus, monitor, kind))
        .map(({ ref }) => `${ref.namespace}/${ref.name}`),
      targets:
        kind === 'ServiceMonitor'
          ? scrapedServices(context, side, scope, monitor, services)
          : kind === 'PodMonitor'
            ? scrapedWorkloads(context, side, scope, monitor)
            : [],
    })),
  );
  return { prometheuses, monitors };
}

/**
 * `<kind>Selector` null selects nothing, `{}` everything; `<kind>NamespaceSelector` null is the namespace of the
 * Prometheus itself (prometheus-operator, api.md, CommonPrometheusFields).
 */
function selectsMonitor(
  context: RuleContext<unknown>,
  side: Side,
  scope: string,
  prometheus: Seen,
  monitor: Seen,
  kind: MonitorKind,
): boolean {
  const field = selectorFields[kind];
  const selector = at(prometheus.object, 'spec', `${field}Selector`) as LabelSelector | undefined | null;
  if (selector === undefined || selector === null) return false;
  if (!matchesSelector(selector, stringMapAt(monitor.object, 'metadata', 'labels'))) return false;
  const namespaces = at(prometheus.object, 'spec', `${field}NamespaceSelector`) as LabelSelector | undefined | null;
  const namespace = monitor.ref.namespace ?? 'default';
  if (namespaces === undefined || namespaces === null) return namespace === prometheus.ref.namespace;
  return matchesSelector(namespaces, namespaceLabels(context, side, scope, namespace).labels);
}

/** Namespaces in which a monitor looks: its own, those of `matchNames`, or all. */
function reaches(monitor: Seen, namespace: string | undefined): boolean {
  if (at(monitor.object, 'spec', 'namespaceSelector', 'any') === true) return true;
  const names = listAt<string>(monitor.object, 'spec', 'namespaceSelector', 'matchNames');
  return names.length === 0 ? namespace === monitor.ref.namespace : names.includes(namespace ?? 'default');
}

function scrapedServices(
  context: RuleContext<unknown>,
  side: Side,
  scope: string,
  monitor: Seen,
  services: readonly Seen[],
): readonly ScrapeTarget[] {
  const selector = at(monitor.object, 'spec', 'selector') as LabelSelector | undefined;
  const result: ScrapeTarget[] = [];
  for (const service of services) {
    if (!reaches(monitor, service.ref.namespace)) continue;
    if (!matchesSelector(selector, stringMapAt(service.object, 'metadata', 'labels'))) continue;
    const ports = listAt(service.object, 'spec', 'ports');
    for (const endpoint of listAt(monitor.object, 'spec', 'endpoints')) {
      const name = stringAt(endpoint, 'port');
      const target = at(endpoint, 'targetPort');
      // A target port belongs to the pod; the operator matches it on the pods behind the Service.
      const matched =
        name === undefined
          ? target !== undefined &&
            ports.some(
              (port) =>
                at(port, 'targetPort') === target ||
                at(port, 'port') === target ||
                podsOffer(context, side, scope, service, target),
            )
          : ports.some((port) => stringAt(port, 'name') === name);
      if (matched) result.push({ ref: service.ref, port: name ?? String(target) });
    }
  }
  return result;
}

function podsOffer(context: RuleContext<unknown>, side: Side, scope: string, service: Seen, port: unknown): boolean {
  const selector = stringMapAt(service.object, 'spec', 'selector');
  return workloadsIn(context[side], scope, service.ref.namespace).some(
    ({ template }) =>
      Object.keys(selector).length > 0 &&
      matchesSelector({ matchLabels: selector }, template.labels) &&
      containerPorts(template).some(({ name, number }) => name === port || number === port),
  );
}

function containerPorts(template: Parameters<typeof containersOf>[0]) {
  return containersOf(template).flatMap(({ container }) =>
    listAt(container, 'ports').map((port) => ({
      name: stringAt(port, 'name'),
      number: numberAt(port, 'containerPort'),
    })),
  );
}

function scrapedWorkloads(
  context: RuleContext<unknown>,
  side: Side,
  scope: string,
  monitor: Seen,
): readonly ScrapeTarget[] {
  const selector = at(monitor.object, 'spec', 'selector') as LabelSelector | undefined;
  const namespaces = new Set(
    context[side].entries.flatMap(({ ref, target }) =>
      target.scope === scope && ref.namespace !== undefined && reaches(monitor, ref.namespace) ? [ref.namespace] : [],
    ),
  );
  const result: ScrapeTarget[] = [];
  for (const namespace of namespaces) {
    for (const { entry, template } of workloadsIn(context[side], scope, namespace)) {
      if (!matchesSelector(selector, template.labels)) continue;
      const ports = containerPorts(template);
      for (const endpoint of listAt(monitor.object, 'spec', 'podMetricsEndpoints')) {
        const wanted = at(endpoint, 'port') ?? at(endpoint, 'portNumber') ?? at(endpoint, 'targetPort');
        if (ports.some(({ name, number }) => name === wanted || number === wanted))
          result.push({ ref: entry.ref, port: String(wanted) });
      }
    }
  }
  return result;
}
