import { Type } from 'typebox';
import type { Confidence, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf, type ClusterView } from '../kit/cluster-view.ts';
import {
  allBudgets,
  allowanceOf,
  budgetPath,
  budgetOfEntry,
  budgetsIn,
  describeBudget,
  guardingBudgets,
  guards,
  type Allowance,
  type Budget,
} from '../kit/disruption-budget.ts';
import { guardedBy, livePods, nodeChurn, totalPods, type Guarded } from '../kit/guarded.ts';
import { declarationKinds, disruptionKinds, liveKinds } from '../kit/live-kinds.ts';
import { activePods } from '../kit/live-pods.ts';
import { at, numberAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { formatRefs } from '../kit/services.ts';
import { stepDown } from '../kit/severity.ts';
import { changesByIdentity, counterpart, entryIdentity } from '../kit/touched.ts';
import { unseenFact } from '../kit/unseen.ts';
import { examples } from './examples/pdb-blocks-all-evictions.ts';

interface State {
  readonly budget: Budget;
  readonly guarded: readonly Guarded[];
  readonly allowance: Allowance;
}

function stateOf(view: ClusterView, budget: Budget): State | undefined {
  const guarded = guardedBy(view, budget);
  const allowance = allowanceOf(budget, totalPods(guarded));
  return allowance === undefined ? undefined : { budget, guarded, allowance };
}

/** The budget that guarded the same workloads before, under this or another name. */
function previousState(context: RuleContext, after: State, view: ClusterView): State | undefined {
  const entry = after.budget.entry!;
  const same = counterpart(context.before, entry);
  const [first] = after.guarded;
  const budget =
    (same === undefined ? undefined : budgetOfEntry(context.before, same)) ??
    (first === undefined
      ? undefined
      : guardingBudgets(
          budgetsIn(context.before, entry.target.scope, after.budget.namespace),
          first.maker.template.labels,
        )[0]);
  return budget === undefined ? undefined : stateOf(view, budget);
}

function* check(context: RuleContext): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const budget of allBudgets(context.after)) {
    const entry = budget.entry!;
    const scope = entry.target.scope;
    const after = stateOf(viewOf(context, 'after', scope), budget);
    if (after === undefined || after.allowance.allowed > 0) continue;
    const previous = previousState(context, after, viewOf(context, 'before', scope));
    if (after.allowance.pods === 0) {
      if (
        after.guarded.length === 0 &&
        blocksAnything(budget) &&
        (previous === undefined || !blocksAnything(previous.budget))
      )
        yield withoutPods(context, budget);
      continue;
    }
    const frozen = previous !== undefined && previous.allowance.pods > 0 && previous.allowance.allowed === 0;
    const touched = changes.get(entryIdentity(entry))?.fields.some((field) => field.path.startsWith('/spec')) === true;
    if (frozen && !touched) continue;
    yield report(context, after, previous, frozen);
  }
}

function report(context: RuleContext, after: State, previous: State | undefined, frozen: boolean): Problem {
  const { budget, guarded, allowance } = after;
  const entry = budget.entry!;
  const live = context.live(entry.target.scope);
  const churn = nodeChurn(live);
  const now = livePods(
    live,
    guarded.map(({ maker }) => maker.ref),
  );
  const current = now === undefined ? undefined : allowanceOf(budget, now);
  const more = now !== undefined && now > allowance.pods;
  const roomNow = more && current !== undefined && current.allowed > 0 && !setsReplicas(guarded);
  let severity: Severity = 'high';
  let confidence: Confidence = 'determined';
  if (roomNow) severity = stepDown(severity);
  else if (churn !== undefined) severity = 'critical';
  if (now !== undefined && !more) confidence = 'proven';
  const unseen = guarded.some(({ maker }) => maker.entry !== undefined)
    ? undefined
    : unseenFact(context.after, entry.target.scope, budget.namespace);
  const who = formatRefs(guarded.map(({ maker }) => maker.ref));
  const causeIsReplicas =
    previous !== undefined &&
    previous.allowance.pods > allowance.pods &&
    describeBudget(previous.budget) === describeBudget(budget);
  return problemAt(entry, budgetPath(budget), {
    message: `${formatRef(entry.ref)} (${describeBudget(budget)}) allows no eviction of ${who}: with ${allowance.pods} ${allowance.pods === 1 ? 'pod' : 'pods'}, ${allowance.desiredHealthy} must stay healthy${causeIsReplicas ? ` (it was ${previous.allowance.pods} pods so far)` : ''}. Node drains, upgrades and the cluster autoscaler wait for ever on the nodes that run them.`,
    severity,
    confidence,
    novelty: frozen ? 'touched-preexisting' : previous === undefined ? 'introduced' : 'worsened',
    fix: fixOf(after),
    evidence: {
      ...(previous === undefined ? {} : { before: row(previous) }),
      after: row(after),
      ...(now === undefined
        ? {}
        : { live: { pods: now, allowed: current?.allowed ?? 0, ...liveStatus(context, budget) } }),
      facts: [
        arithmetic(after),
        ...guarded.flatMap(({ bound }) => (bound === undefined ? [] : [`counted at the lower bound, ${bound}`])),
        ...(roomNow
          ? [
              `the cluster runs ${now} pods now, of which ${current.allowed} may be evicted; at the lower bound none may`,
            ]
          : []),
        ...(more && !roomNow && setsReplicas(guarded)
          ? [`the cluster runs ${now} pods now, and the sync sets ${allowance.pods} again`]
          : []),
        ...(churn === undefined ? [] : [churn]),
        ...(unseen === undefined ? [] : [unseen]),
      ],
      ...(live === undefined
        ? {
            wouldChange:
              'With live nodes and workloads: a cordoned node or an upgrade under way makes it critical, more pods than the lower bound make it medium.',
          }
        : {}),
    },
  });
}

/** Git writes the number of pods of each workload, and no autoscaler does: what runs beside it goes with the next sync. */
function setsReplicas(guarded: readonly Guarded[]): boolean {
  return guarded.every(
    ({ maker, bound }) => bound === undefined && at(maker.entry?.object, 'spec', 'replicas') !== undefined,
  );
}

function row({ budget, allowance }: State) {
  return {
    budget: describeBudget(budget),
    pods: allowance.pods,
    desiredHealthy: allowance.desiredHealthy,
    allowed: allowance.allowed,
  };
}

function liveStatus(context: RuleContext, budget: Budget): { disruptionsAllowed?: number } {
  const object = context
    .live(budget.entry!.target.scope)
    ?.get('policy', 'PodDisruptionBudget', budget.namespace, budget.name);
  const allowed = numberAt(object, 'status', 'disruptionsAllowed');
  return allowed === undefined ? {} : { disruptionsAllowed: allowed };
}

function arithmetic({ budget, allowance }: State): string {
  const value = at(budget.object, 'spec', 'maxUnavailable') ?? at(budget.object, 'spec', 'minAvailable');
  const percent = typeof value === 'string' && value.endsWith('%');
  const { pods, desiredHealthy, allowed } = allowance;
  const rounded = percent ? ` (${value} of ${pods}, rounded up as for every PodDisruptionBudget)` : '';
  return `${describeBudget(budget)}: ${pods} pods, ${desiredHealthy} must be healthy${rounded}, ${allowed} may be evicted`;
}

function fixOf({ budget, guarded, allowance }: State): string {
  const where = formatRef(budget.entry!.ref);
  const workload = guarded[0] === undefined ? 'the workload' : formatRef(guarded[0].maker.ref);
  if (allowance.pods === 1)
    return `Set maxUnavailable: 1 in ${where}, or run at least 2 replicas of ${workload} with maxUnavailable: 1.`;
  const floor = smallestPods(budget, allowance.pods);
  const more = floor === undefined ? '' : `, or run at least ${floor} replicas of ${workload}`;
  return `Set maxUnavailable: 1 instead of ${describeBudget(budget)} in ${where}${more}.`;
}

/** The least number of pods from which on one may be evicted; undefined when no number up to 100 helps. */
function smallestPods(budget: Budget, from: number): number | undefined {
  for (let pods = from + 1; pods <= 100; pods += 1) if ((allowanceOf(budget, pods)?.allowed ?? 0) > 0) return pods;
  return undefined;
}

/** `maxUnavailable: 0` and `minAvailable: 100%` block at every number of pods. */
function blocksAnything(budget: Budget): boolean {
  return (
    [1, 10, 100].every((pods) => allowanceOf(budget, pods)?.allowed === 0) &&
    typeof at(budget.object, 'spec', 'minAvailable') !== 'number'
  );
}

function withoutPods(context: RuleContext, budget: Budget): Problem {
  const entry = budget.entry!;
  const unseen = unseenFact(context.after, entry.target.scope, budget.namespace);
  const live = context.live(entry.target.scope);
  const found = (live?.pods(budget.namespace) ?? []).filter((pods) => guards(budget, pods.labels));
  const count = found.reduce((sum, pods) => sum + activePods(pods), 0);
  const churn = count === 0 ? undefined : nodeChurn(live);
  return problemAt(entry, budgetPath(budget), {
    ...(churn === undefined ? {} : { severity: 'critical' as const }),
    message: `${formatRef(entry.ref)} (${describeBudget(budget)}) allows no eviction of the pods that it selects, however many there are: node drains and upgrades wait for ever on the nodes that run them.`,
    confidence: count === 0 ? 'likely' : 'proven',
    fix: `Set maxUnavailable: 1 in ${formatRef(entry.ref)}.`,
    evidence: {
      after: describeBudget(budget),
      ...(count === 0 ? {} : { live: { pods: count } }),
      facts: [
        count === 0
          ? 'no rendered workload carries the labels that it selects; an operator may make such pods'
          : `live: it selects ${count} pods of ${found
              .slice(0, 3)
              .map(({ owner }) => `${owner.kind} ${owner.name}`)
              .join(', ')}`,
        ...(churn === undefined ? [] : [churn]),
        ...(unseen === undefined ? [] : [unseen]),
      ],
    },
  });
}

export default defineRule({
  id: 'pdb-blocks-all-evictions',
  since: '0.1.0',
  family: 'Disruption',
  title: 'PDB blocks all evictions',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    'policy/PodDisruptionBudget',
    'apps/Deployment',
    'apps/StatefulSet',
    'autoscaling/HorizontalPodAutoscaler',
    'keda.sh/ScaledObject',
    '/Node',
  ],
  live: liveKinds(disruptionKinds),
  liveOf: declarationKinds,
  summary: 'A PodDisruptionBudget leaves no eviction even when all pods are healthy.',
  docs: {
    why: 'The disruption controller rounds percentages up, for `minAvailable` and `maxUnavailable` alike: 80 % of 4 pods are 4, so none may go, while `maxUnavailable: 20%` always leaves one. An integer `minAvailable` that reaches the number of pods does the same, `minAvailable: 1` with one replica being the usual case. The budget holds while everything is fine; then a node drain, a version upgrade or the cluster autoscaler asks for an eviction and is answered 429 until someone deletes the budget. What counts is the smallest number of pods: `minReplicas` of the autoscaler, else `replicas`. Lowering those can freeze a budget that nobody touched.',
    fix: 'Use `maxUnavailable: 1`, and at least two replicas. Do not use a percentage in `minAvailable` for small numbers of pods.',
    ignoreWhen:
      'A single writer must only be moved by hand, and whoever drains nodes knows it: waive it with a reason and an expiry.',
  },
  references: [
    'k8s.io/kubernetes pkg/controller/disruption/disruption.go',
    'https://github.com/istio/istio/issues/12602',
    'https://kubernetes.io/docs/tasks/run-application/configure-pdb/',
  ],
  options: Type.Object({}),
  examples,
  check,
});
