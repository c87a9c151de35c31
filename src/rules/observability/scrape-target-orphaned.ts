import { Type } from 'typebox';
import type { Confidence, Entry, ResourceRef } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { alertsOnJobs, autoscalersOnMetrics } from '../kit/alert-inputs.ts';
import { viewOf } from '../kit/cluster-view.ts';
import { declarationKinds, liveKinds } from '../kit/live-kinds.ts';
import { scrapingKinds, scrapingOf, type Monitor, type Scraping, type ScrapeTarget } from '../kit/monitors.ts';
import { listAt, stringAt, stringMapAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { changesByIdentity, identityOf } from '../kit/touched.ts';
import { examples } from './examples/scrape-target-orphaned.ts';

const relevantKinds = new Set([
  'ServiceMonitor',
  'PodMonitor',
  'Probe',
  'ScrapeConfig',
  'Prometheus',
  'PrometheusAgent',
  'Service',
  'Namespace',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
]);

interface Chain {
  readonly context: RuleContext<unknown>;
  readonly scope: string;
  readonly before: Scraping;
  readonly after: Scraping;
  /** Without a Prometheus in sight nobody knows what is selected; then only the other end of the chain is judged. */
  readonly confidence: Confidence;
}

function idOf(scope: string, ref: ResourceRef): string {
  return identityOf(scope, ref);
}

/** The same monitor after the change, also under a new name. */
function successor({ context, scope, after }: Chain, monitor: Monitor): Monitor | undefined {
  const renamed = context.changes.find(
    (change) =>
      change.previousRef !== undefined &&
      change.after?.target.scope === scope &&
      idOf(scope, change.previousRef) === idOf(scope, monitor.ref),
  );
  const wanted = idOf(scope, renamed?.ref ?? monitor.ref);
  return after.monitors.find((other) => idOf(scope, other.ref) === wanted);
}

/** Is anything that counts still scraping this target on the after side? */
function stillScraped({ scope, after }: Chain, target: ScrapeTarget): boolean {
  return after.monitors.some(
    (monitor) =>
      (after.prometheuses.length === 0 || monitor.selectedBy.length > 0) &&
      monitor.targets.some((other) => idOf(scope, other.ref) === idOf(scope, target.ref)),
  );
}

/** The target itself is still there; a removed application needs no metrics. */
function stays({ context, scope }: Chain, { ref }: ScrapeTarget): Entry | undefined {
  return context.after.get(scope, ref.group, ref.kind, ref.namespace, ref.name);
}

/** What these series feed: alerts by job name, autoscalers. */
function consumers(chain: Chain, monitor: Monitor, targets: readonly ScrapeTarget[]): readonly string[] {
  const { context, scope } = chain;
  const label = stringAt(monitor.object, 'spec', 'jobLabel');
  const entries = targets.flatMap(
    ({ ref }) => context.before.get(scope, ref.group, ref.kind, ref.namespace, ref.name) ?? [],
  );
  const jobs = entries.flatMap((entry) => [
    entry.ref.name,
    ...(label === undefined ? [] : [stringMapAt(entry.object, 'metadata', 'labels')[label] ?? '']),
  ]);
  // PodMonitors name their jobs after themselves.
  if (monitor.kind !== 'ServiceMonitor') jobs.push(`${monitor.ref.namespace}/${monitor.ref.name}`);
  const alerts = alertsOnJobs(
    context.after,
    scope,
    jobs.filter((job) => job !== ''),
  ).map((name) => `alert ${name}`);
  const scalers = entries.flatMap((entry) =>
    autoscalersOnMetrics(context.after, entry).map((scaler) => formatRef(scaler.ref)),
  );
  return [...new Set([...alerts, ...scalers])];
}

function namesOf(targets: readonly ScrapeTarget[]): string {
  const names = [...new Set(targets.map(({ ref }) => formatRef(ref)))];
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

interface Orphan {
  readonly monitor: Monitor;
  readonly targets: readonly ScrapeTarget[];
  /** Where it broke. */
  readonly at: Entry;
  readonly path: string;
  readonly why: string;
  readonly fix: string;
}

function problemOf(chain: Chain, { monitor, targets, at, path, why, fix }: Orphan): Problem {
  const feeds = consumers(chain, monitor, targets);
  const what = targets.length === 0 ? formatRef(monitor.ref) : namesOf(targets);
  return problemAt(at, path, {
    message: `${what} ${targets.length > 1 ? 'are' : 'is'} no longer scraped: ${why}. Nothing reports an error; the series end${feeds.length > 0 ? `, and ${feeds.slice(0, 3).join(', ')} no longer see them` : ''}.`,
    ...(feeds.length > 0 ? { severity: 'high' as const } : {}),
    confidence: chain.confidence,
    evidence: {
      before: [
        ...(monitor.selectedBy.length === 0 ? [] : [`Prometheus ${monitor.selectedBy.join(', ')}`]),
        formatRef(monitor.ref),
        ...(targets.length === 0 ? [] : [`${namesOf(targets)}, port ${targets[0]?.port}`]),
      ].join(' -> '),
      after: 'the chain is broken',
      facts: [
        ...feeds.slice(0, 8).map((feed) => `${feed} uses these series`),
        'an alert on absent() or on the number of targets would tell',
      ],
      ...(chain.confidence === 'likely'
        ? { wouldChange: 'the Prometheus object in the tree or in the snapshot shows what it selects' }
        : {}),
    },
    fix,
  });
}

function* judge(chain: Chain, monitor: Monitor): Iterable<Orphan> {
  const { context, scope, after } = chain;
  const known = chain.before.prometheuses.length > 0;
  if (known && (monitor.selectedBy.length === 0 || after.prometheuses.length === 0)) return;
  const withTargets = monitor.kind === 'ServiceMonitor' || monitor.kind === 'PodMonitor';
  if (withTargets && monitor.targets.length === 0) return;
  const lost = monitor.targets.filter((target) => stays(chain, target) !== undefined && !stillScraped(chain, target));
  if (withTargets && lost.length === 0) return;
  const now = successor(chain, monitor);
  const changes = changesByIdentity(context);
  if (now === undefined) {
    const { group, kind, namespace, name } = monitor.ref;
    const gone = viewOf(context, 'after', scope).removal(group, kind, namespace, name);
    if (gone === undefined || gone.outcome === 'kept') return;
    yield {
      monitor,
      targets: lost,
      at: gone.entry,
      path: '',
      why: `${formatRef(monitor.ref)} is removed and nothing else selects ${lost.length > 1 ? 'them' : 'it'}`,
      fix: `Keep ${formatRef(monitor.ref)} as long as ${namesOf(lost)} runs, or add its successor in the same change.`,
    };
    return;
  }
  if (known && now.selectedBy.length === 0) {
    const prometheus = after.prometheuses.find(({ entry }) => entry !== undefined);
    const field = `${now.kind.charAt(0).toLowerCase()}${now.kind.slice(1)}Selector`;
    const touched = now.entry !== undefined && changes.has(idOf(scope, now.ref));
    const at = touched ? now.entry : (prometheus?.entry ?? now.entry);
    if (at === undefined) return;
    yield {
      monitor,
      targets: lost,
      at,
      path: touched ? '/metadata/labels' : `/spec/${field}`,
      why: `Prometheus ${monitor.selectedBy.join(', ')} selected ${formatRef(now.ref)} before, and no Prometheus does after`,
      fix: `Give ${formatRef(now.ref)} the labels that ${field} of ${monitor.selectedBy[0]} asks for, or widen the selector.`,
    };
    return;
  }
  for (const target of lost) {
    const at = stays(chain, target);
    if (at === undefined) continue;
    const touched = changes.has(idOf(scope, target.ref));
    const place = touched ? at : now.entry;
    if (place === undefined) continue;
    const samePorts = listAt(at.effective, 'spec', 'ports').some((port) => stringAt(port, 'name') === target.port);
    yield {
      monitor,
      targets: [target],
      at: place,
      path: !touched
        ? '/spec/selector'
        : at.ref.kind !== 'Service'
          ? '/spec/template'
          : samePorts
            ? '/metadata/labels'
            : '/spec/ports',
      why: `${formatRef(now.ref)} ${touched ? 'still asks for the labels and the port' : 'now asks for other labels or another port than those'} ${target.port} that it ${touched ? 'had' : 'has'}`,
      fix: `Change the labels and port names of ${formatRef(target.ref)} and the selector of ${formatRef(now.ref)} together.`,
    };
  }
}

const dropsIdentity = /(^|\|)\(?(job|namespace)\)?($|\|)/;

/** A relabelling that takes `job` or `namespace` away from every series of a monitor. */
function* labelsDropped(context: RuleContext<unknown>): Iterable<Problem> {
  for (const { before, after } of context.changes) {
    if (before === undefined || after === undefined || after.ref.group !== 'monitoring.coreos.com') continue;
    const list = after.ref.kind === 'PodMonitor' ? 'podMetricsEndpoints' : 'endpoints';
    const drops = (entry: Entry) =>
      listAt(entry.effective, 'spec', list).flatMap((endpoint, index) =>
        ['metricRelabelings', 'relabelings'].flatMap((field) =>
          listAt(endpoint, field).flatMap((rule) => {
            const regex = stringAt(rule, 'regex') ?? '';
            const drop = (stringAt(rule, 'action') ?? '').toLowerCase() === 'labeldrop';
            return drop && regex.length < 200 && dropsIdentity.test(regex)
              ? [{ regex, path: `/spec/${list}/${index}/${field}` }]
              : [];
          }),
        ),
      );
    const had = new Set(drops(before).map(({ regex }) => regex));
    const fresh = drops(after).find(({ regex }) => !had.has(regex));
    if (fresh === undefined) continue;
    yield problemAt(after, fresh.path, {
      message: `${formatRef(after.ref)} drops the labels ${fresh.regex} from every series: alerts, recording rules and dashboards that select by job or namespace find nothing.`,
      evidence: { after: `labeldrop ${fresh.regex}` },
      fix: `Keep the labels job and namespace in ${formatRef(after.ref)}.`,
    });
  }
}

export default defineRule({
  id: 'scrape-target-orphaned',
  since: '0.1.0',
  family: 'Observability',
  title: 'Scrape target orphaned',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    'monitoring.coreos.com/Prometheus',
    'monitoring.coreos.com/ServiceMonitor',
    'monitoring.coreos.com/PodMonitor',
    'monitoring.coreos.com/Probe',
    'monitoring.coreos.com/ScrapeConfig',
    '/Service',
  ],
  live: liveKinds(scrapingKinds, '/Namespace'),
  liveOf: declarationKinds,
  summary: 'A link from Prometheus over the monitor to the Service breaks, and metrics end without an error.',
  docs: {
    why: 'The Prometheus operator scrapes what two selectors join: the Prometheus selects monitors by their labels, a monitor selects Services by their labels and a port by its name. When one side changes alone the target leaves the configuration; there is no failed scrape, no error and no alert, because alerts on series that do not exist never fire.',
    fix: 'Change labels, port names and selectors together, and keep an alert on `absent()` for each job that matters.',
    ignoreWhen: 'Another Prometheus, outside of Git and of the snapshot, scrapes the target.',
  },
  references: [
    'https://github.com/prometheus-community/helm-charts/issues/1758',
    'https://prometheus-operator.dev/docs/developer/getting-started/',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    yield* labelsDropped(context);
    const scopes = new Set(
      context.changes
        .filter((change) => relevantKinds.has(change.ref.kind))
        .flatMap((change) => (change.after ?? change.before)?.target.scope ?? []),
    );
    for (const scope of scopes) {
      const before = scrapingOf(context, 'before', scope);
      if (before.monitors.length === 0) continue;
      const after = scrapingOf(context, 'after', scope);
      const confidence = before.prometheuses.length > 0 ? 'determined' : 'likely';
      const chain: Chain = { context, scope, before, after, confidence };
      const told = new Set<string>();
      for (const monitor of before.monitors) {
        for (const orphan of judge(chain, monitor)) {
          const key = `${idOf(scope, orphan.at.ref)}${orphan.path}${namesOf(orphan.targets)}`;
          if (told.has(key)) continue;
          told.add(key);
          yield problemOf(chain, orphan);
        }
      }
    }
  },
});
