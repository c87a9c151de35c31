import { Type } from 'typebox';
import type { Entry, ResourceChange } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf, type ClusterView } from '../kit/cluster-view.ts';
import type { Deletion } from '../kit/deletions.ts';
import {
  allowanceOf,
  budgetPath,
  budgetOfEntry,
  describeBudget,
  guardingBudgets,
  type Budget,
} from '../kit/disruption-budget.ts';
import { budgetsOver, guardedBy, lowerBound, nodeChurn, totalPods, type Guarded } from '../kit/guarded.ts';
import { declarationKinds, disruptionKinds, liveKinds } from '../kit/live-kinds.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { servicesSelecting } from '../kit/routes.ts';
import { formatRefs } from '../kit/services.ts';
import { changesByIdentity, entryIdentity } from '../kit/touched.ts';
import { unseenFact } from '../kit/unseen.ts';
import { examples } from './examples/pdb-protection-removed.ts';

/** Does the budget keep at least one of these pods during voluntary disruptions? */
function protects(budget: Budget, pods: number): boolean {
  const allowance = allowanceOf(budget, pods);
  return allowance !== undefined && allowance.allowed < pods;
}

function* check(context: RuleContext): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const change of context.changes) {
    const { before } = change;
    if (before === undefined || before.ref.group !== 'policy' || before.ref.kind !== 'PodDisruptionBudget') continue;
    const scope = before.target.scope;
    const namespace = before.ref.namespace ?? 'default';
    const old = budgetOfEntry(context.before, before);
    if (old === undefined) continue;
    const viewBefore = viewOf(context, 'before', scope);
    const viewAfter = viewOf(context, 'after', scope);
    const removal = viewAfter.removal('policy', 'PodDisruptionBudget', before.ref.namespace, before.ref.name);
    if (removal?.outcome === 'kept') continue;
    const guarded = guardedBy(viewBefore, old);
    if (!protects(old, totalPods(guarded))) continue;
    const remaining = guarded.flatMap((item) => afterwards(viewAfter, item));
    if (change.after !== undefined && matchesNothing(context, change.after, viewAfter)) continue;
    const unprotected = remaining.filter(
      (item) => item.pods > 1 && !isProtected(context, viewAfter, scope, namespace, item),
    );
    if (unprotected.length > 0) yield report(context, change, old, unprotected, removal, changes);
  }
}

/** The same workload after the change; [] when it is gone. */
function afterwards(view: ClusterView, { maker }: Guarded): readonly Guarded[] {
  const found = view.podMaker(maker.ref);
  return found === undefined ? [] : [lowerBound(view, found)];
}

function isProtected(
  context: RuleContext,
  view: ClusterView,
  scope: string,
  namespace: string,
  { maker }: Guarded,
): boolean {
  return guardingBudgets(budgetsOver(context, 'after', scope, namespace), maker.template.labels).some((budget) =>
    protects(budget, Math.max(1, totalPods(guardedBy(view, budget)))),
  );
}

/** The budget stays but selects nothing any more: that is rule pdb-selector-broken. */
function matchesNothing(context: RuleContext, after: Entry, view: ClusterView): boolean {
  const budget = budgetOfEntry(context.after, after);
  return budget !== undefined && guardedBy(view, budget).length === 0;
}

function report(
  context: RuleContext,
  change: ResourceChange,
  old: Budget,
  unprotected: readonly Guarded[],
  removal: Deletion | undefined,
  changes: ReadonlyMap<string, ResourceChange>,
): Problem {
  const before = change.before!;
  const entry = change.after ?? before;
  const scope = before.target.scope;
  const churn = nodeChurn(context.live(scope));
  const unseen = unseenFact(context.after, scope, before.ref.namespace);
  const unsure = removal?.outcome === 'maybe' || unseen !== undefined;
  const refs = unprotected.map(({ maker }) => maker.ref);
  const services = [
    ...new Set(
      unprotected.flatMap(({ maker }) =>
        servicesSelecting(context.after, scope, maker.ref.namespace, maker.template.labels).map(
          (service) => service.ref.name,
        ),
      ),
    ),
  ];
  const now = change.after === undefined ? undefined : budgetOfEntry(context.after, change.after);
  const how =
    now === undefined
      ? 'is removed'
      : describeBudget(now) === describeBudget(old)
        ? 'no longer selects it'
        : `goes from ${describeBudget(old)} to ${describeBudget(now)}`;
  const touchedWorkload = unprotected.some(
    ({ maker }) => maker.entry !== undefined && changes.has(entryIdentity(maker.entry)),
  );
  return problemAt(entry, now === undefined ? '' : how.startsWith('goes') ? budgetPath(now) : '/spec/selector', {
    message: `${formatRef(before.ref)} ${how}, and nothing else keeps pods of ${formatRefs(refs)} running during voluntary disruptions: a drain of several nodes may take all ${unprotected.reduce((sum, { pods }) => sum + pods, 0)} at once.`,
    severity: churn === undefined ? 'medium' : 'high',
    confidence: unsure ? 'likely' : churn === undefined ? 'determined' : 'proven',
    fix:
      now === undefined
        ? `Keep a PodDisruptionBudget with maxUnavailable: 1 for ${formatRefs(refs)}, or replace it in the same change.`
        : `Set maxUnavailable: 1 in ${formatRef(entry.ref)} and let its selector match ${formatRefs(refs)}.`,
    evidence: {
      before: describeBudget(old),
      after: now === undefined ? null : describeBudget(now),
      facts: [
        ...unprotected.map(
          ({ maker, pods, bound }) =>
            `${formatRef(maker.ref)}: ${pods} pods${bound === undefined ? '' : ` (${bound})`}`,
        ),
        ...(services.length === 0 ? [] : [`Services that they serve: ${services.join(', ')}`]),
        ...(removal === undefined ? [] : [removal.why]),
        ...(touchedWorkload ? ['the same change restarts them'] : []),
        ...(churn === undefined ? [] : [churn]),
        ...(unseen === undefined ? [] : [unseen]),
      ],
      ...(context.live(scope) === undefined
        ? {
            wouldChange:
              'With live nodes and budgets: a drain or upgrade under way makes it high, a budget that is not in Git and selects these pods clears it.',
          }
        : {}),
    },
  });
}

export default defineRule({
  id: 'pdb-protection-removed',
  since: '0.1.0',
  family: 'Disruption',
  title: 'PDB protection removed',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['policy/PodDisruptionBudget', 'apps/Deployment', 'apps/StatefulSet', '/Service', '/Node'],
  live: liveKinds(disruptionKinds),
  liveOf: declarationKinds,
  summary: 'A workload with several replicas that a PodDisruptionBudget kept available has none any more.',
  docs: {
    why: 'Drains go node by node, but they do not wait for pods to become ready somewhere else unless a PodDisruptionBudget makes them. Without one, a node upgrade or the cluster autoscaler may evict all replicas of a workload within seconds. A budget also goes when `maxUnavailable` reaches the number of pods or when its selector is narrowed.',
    fix: 'Keep a budget of `maxUnavailable: 1` for every workload that has to stay available, and replace a budget in the same change that removes it.',
    ignoreWhen: 'The workload may be away for some minutes, for example a worker that picks up where it left.',
  },
  references: ['https://kubernetes.io/docs/concepts/workloads/pods/disruptions/'],
  options: Type.Object({}),
  examples,
  check,
});
