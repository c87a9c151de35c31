import { Type } from 'typebox';
import type { Confidence, Entry, ResourceChange, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import { parseQuantity } from '../../core/quantity.ts';
import { containersOf, numberAt, podTemplate, type PodTemplate } from '../kit/pods.ts';
import { containerResources } from '../kit/pod-resources.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { consumersOf, servicesSelecting } from '../kit/routes.ts';
import { scalerFor, scalerOf, scaleTarget } from '../kit/scalers.ts';
import { examples } from './examples/replicas-cut.ts';

const scalableKinds = new Set(['apps/Deployment', 'apps/StatefulSet', 'apps/ReplicaSet', 'argoproj.io/Rollout']);

interface Cut {
  readonly entry: Entry;
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly what: 'replicas' | 'minimum' | 'maximum';
}

/** The workload that a scaler scales, on this side. */
function targetOf(context: RuleContext<unknown>, scaler: Entry): Entry | undefined {
  const target = scaleTarget(scaler);
  if (target === undefined) return undefined;
  for (const group of ['apps', 'argoproj.io']) {
    const found = context.after.get(scaler.target.scope, group, target.kind, scaler.ref.namespace, target.name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Cuts of the change that matter: half or more, or below two. A floor of the autoscaler hides spec.replicas, except 0. */
function cutsOf(context: RuleContext<unknown>, before: Entry, after: Entry): { cut: Cut; workload: Entry }[] {
  if (scalableKinds.has(`${after.ref.group}/${after.ref.kind}`)) {
    const from = numberAt(before.effective, 'spec', 'replicas') ?? 1;
    // A removed field is the business of replicas-reset-by-removal.
    const to = numberAt(after.object, 'spec', 'replicas');
    if (to === undefined || (to > 0 && scalerFor(context.after, after) !== undefined)) return [];
    const cut: Cut = { entry: after, path: '/spec/replicas', from, to, what: 'replicas' };
    return matters(cut) ? [{ cut, workload: after }] : [];
  }
  const was = scalerOf(before);
  const now = scalerOf(after);
  const workload = now === undefined ? undefined : targetOf(context, after);
  if (was === undefined || now === undefined || workload === undefined) return [];
  const cuts: Cut[] = [
    { entry: after, path: now.minPath, from: was.min, to: now.min, what: 'minimum' },
    { entry: after, path: now.maxPath, from: was.max, to: now.max, what: 'maximum' },
  ];
  return cuts.filter(matters).map((cut) => ({ cut, workload }));
}

function matters({ from, to }: Cut): boolean {
  return to < from && (to * 2 <= from || (to < 2 && from >= 2));
}

interface Load {
  readonly severity?: Severity;
  readonly confidence?: Confidence;
  readonly facts: readonly string[];
}

/**
 * Projected CPU use per pod when the same load runs on fewer pods: CPU p99 x current / new, against the request. The p99
 * is that of the busiest pod, so this is an upper bound and never proof.
 */
function projectedLoad(live: LiveWorld | undefined, workload: Entry, template: PodTemplate, to: number): Load {
  const { group, kind, namespace = 'default', name } = workload.ref;
  const metrics = live?.metrics(namespace, kind, name) ?? [];
  const running = numberAt(live?.get(group, kind, namespace, name), 'spec', 'replicas');
  if (running === undefined || to <= 0) return { facts: [] };
  const facts: string[] = [];
  let worst = 0;
  for (const { container } of containersOf(template)) {
    const metric = metrics.find((candidate) => candidate.container === container.name);
    const used = metric?.cpuP99 === undefined ? undefined : parseQuantity(metric.cpuP99);
    const { requests, limits } = containerResources(container);
    const capacity = limits['cpu'] ?? requests['cpu'];
    if (used === undefined || capacity === undefined || capacity === 0) continue;
    const share = (used * running) / to / capacity;
    worst = Math.max(worst, share);
    facts.push(
      `container ${container.name}: CPU p99 ${metric?.cpuP99} x ${running} running / ${to} = ${Math.round(share * 100)} % of its ${limits['cpu'] === undefined ? 'request' : 'limit'}`,
    );
  }
  if (facts.length === 0 || to >= running) return { facts };
  return worst > 0.8 ? { severity: 'critical', confidence: 'likely', facts } : { facts };
}

/** The autoscaler runs more pods right now than it may after the change: the surplus goes at the sync. */
function aboveNewMaximum(live: LiveWorld | undefined, { entry, to, what }: Cut): Load | undefined {
  const { group, kind, namespace, name } = entry.ref;
  const running =
    what === 'maximum' ? numberAt(live?.get(group, kind, namespace, name), 'status', 'currentReplicas') : undefined;
  if (running === undefined || running <= to) return undefined;
  return {
    severity: 'high',
    confidence: 'proven',
    facts: [
      `live: ${formatRef(entry.ref)} runs ${running} pods now, ${running - to} more than it may after the change`,
    ],
  };
}

function message({ entry, from, to, what }: Cut, workload: Entry, routes: readonly string[]): string {
  const via = routes.length === 0 ? '' : ` (${routes.join(', ')})`;
  if (to === 0 && what === 'replicas')
    return `${formatRef(entry.ref)} is scaled to 0 while requests are still routed to it${via}: every one of them fails, and an autoscaler on it is switched off.`;
  if (what === 'maximum')
    return `${formatRef(entry.ref)} lets ${formatRef(workload.ref)} grow to ${to} pods instead of ${from}: at peak load the missing ones are overload for the rest${via}.`;
  if (to === 0)
    return `${formatRef(entry.ref)} lets ${formatRef(workload.ref)} scale to 0 while requests are routed to it${via}: until a trigger fires, every request fails.`;
  const pods = to === 1 ? 'one pod, so each restart or drain is an outage' : `${to} pods`;
  return `${formatRef(workload.ref)} goes from ${what === 'minimum' ? 'at least ' : ''}${from} to ${what === 'minimum' ? 'at least ' : ''}${pods}, and Services still send it the same traffic${via}.`;
}

function* checkCut(context: RuleContext<unknown>, cut: Cut, workload: Entry): Iterable<Problem> {
  const template = podTemplate(workload.effective);
  if (template === undefined) return;
  const scope = workload.target.scope;
  const services = servicesSelecting(context.after, scope, workload.ref.namespace, template.labels);
  // Without a Service it is a worker or a batch consumer: fewer pods are slower, not broken.
  if (services.length === 0) return;
  const consumers = services.flatMap((service) => consumersOf(context.after, service));
  const routes = [
    ...services.map((service) => `Service ${service.ref.name}`),
    ...consumers.slice(0, 3).map(({ entry }) => `${entry.ref.kind} ${entry.ref.name}`),
  ];
  const load =
    aboveNewMaximum(context.live(scope), cut) ?? projectedLoad(context.live(scope), workload, template, cut.to);
  const production = context.isProduction(workload.target);
  const base: Severity = cut.to === 0 ? 'high' : 'medium';
  const lowered: Severity = cut.to === 0 ? 'medium' : 'low';
  const single = cut.to > 0 && cut.to < 2;
  yield problemAt(cut.entry, cut.path, {
    message: message(cut, workload, [...new Set(routes)]),
    severity: load.severity ?? (production ? base : lowered),
    ...(load.confidence === undefined ? {} : { confidence: load.confidence }),
    novelty: 'worsened',
    evidence: {
      before: cut.from,
      after: cut.to,
      facts: [
        ...load.facts,
        ...(production ? [] : ['not production: one severity step lower']),
        ...(single ? ['a single pod cannot be moved without downtime'] : []),
      ],
      ...(load.facts.length === 0
        ? { wouldChange: 'with cpuP99 of the containers in the snapshot the use per pod after the cut can be computed' }
        : {}),
    },
    fix:
      cut.to === 0
        ? `Remove the routes to ${formatRef(workload.ref)} (${[...new Set(routes)].join(', ')}) in an earlier change, then scale to 0.`
        : `Cut ${cut.path} of ${formatRef(cut.entry.ref)} step by step and watch the use per pod; keep at least 2.`,
  });
}

function changedPair(change: ResourceChange): { before: Entry; after: Entry } | undefined {
  const { before, after } = change;
  return before === undefined || after === undefined ? undefined : { before, after };
}

export default defineRule({
  id: 'replicas-cut',
  since: '0.1.0',
  family: 'Replicas, resources, quota, autoscaling',
  title: 'Replicas cut',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: [...scalableKinds, 'autoscaling/HorizontalPodAutoscaler', 'keda.sh/ScaledObject'],
  live: [],
  summary: 'A workload behind a Service loses half of its pods or more, its second pod, or all of them.',
  docs: {
    why: 'Scaling down takes effect at once and is not paced by a rollout strategy: the controller deletes the surplus pods in one go, and a PodDisruptionBudget does not apply. The remaining pods get the whole load. At `replicas: 0` the Services have no endpoints, so proxies answer 502/503, and a HorizontalPodAutoscaler on the workload stops acting until somebody sets a number above 0.',
    fix: 'Cut in steps with the use per pod in view; before a scale to 0, remove the Ingress, route and Service first.',
    ignoreWhen: 'The traffic has moved elsewhere, or the environment is scaled down on a schedule.',
  },
  references: [
    'https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#implicit-maintenance-mode-deactivation',
    'Monzo, payments outage of October 2017 (service without endpoints)',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const change of context.changes) {
      const pair = changedPair(change);
      if (pair === undefined) continue;
      for (const { cut, workload } of cutsOf(context, pair.before, pair.after)) yield* checkCut(context, cut, workload);
    }
  },
});
