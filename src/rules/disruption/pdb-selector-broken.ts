import { Type } from 'typebox';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { candidateMakers, viewOf, type ClusterView, type PodMaker } from '../kit/cluster-view.ts';
import { allBudgets, budgetOfEntry, guardingBudgets, guards, type Budget } from '../kit/disruption-budget.ts';
import { budgetsOver } from '../kit/guarded.ts';
import { declarationKinds, liveKinds, podMakerKinds } from '../kit/live-kinds.ts';
import { getOrMake } from '../kit/memo.ts';
import { requirementsOf } from '../kit/namespaces.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { formatSelector } from '../kit/select.ts';
import { formatRefs } from '../kit/services.ts';
import { changesByIdentity, counterpart, entryIdentity } from '../kit/touched.ts';
import { examples } from './examples/pdb-selector-broken.ts';

function* check(context: RuleContext): Iterable<Problem> {
  yield* overlaps(context);
  for (const budget of allBudgets(context.after)) {
    const previous = counterpart(context.before, budget.entry!);
    if (previous === undefined) continue;
    const old = budgetOfEntry(context.before, previous);
    if (old === undefined) continue;
    if (becomesEverything(old, budget)) yield everything(context, budget);
    else yield* matchesNone(context, old, budget);
  }
}

/** Pods under two budgets cannot be evicted at all: the API server answers 500. */
function* overlaps(context: RuleContext): Iterable<Problem> {
  const groups = new Map<string, { budgets: readonly Budget[]; makers: PodMaker[]; scope: string }>();
  const places = new Map(
    allBudgets(context.after).map(
      (budget) => [`${budget.entry!.target.scope}\u0000${budget.namespace}`, budget] as const,
    ),
  );
  for (const { entry, namespace } of places.values()) {
    const scope = entry!.target.scope;
    const view = viewOf(context, 'after', scope);
    const budgets = budgetsOver(context, 'after', scope, namespace);
    if (budgets.length < 2) continue;
    for (const maker of view.podMakers(namespace)) {
      const over = guardingBudgets(budgets, maker.template.labels);
      if (over.length < 2 || overlappedBefore(context, scope, maker, over.length)) continue;
      const key = `${scope}\u0000${namespace}\u0000${over.map(({ name }) => name).join('\u0000')}`;
      getOrMake(groups, key, () => ({ budgets: over, makers: [], scope })).makers.push(maker);
    }
  }
  for (const group of groups.values()) yield overlap(context, group.budgets, group.makers);
}

function overlappedBefore(context: RuleContext, scope: string, maker: PodMaker, now: number): boolean {
  const namespace = maker.ref.namespace ?? 'default';
  const view = viewOf(context, 'before', scope);
  const [same] = stillThere(view, maker);
  if (same === undefined) return false;
  return (
    guardingBudgets(budgetsOver(context, 'before', scope, namespace), same.template.labels).length >= Math.min(2, now)
  );
}

function overlap(context: RuleContext, budgets: readonly Budget[], makers: readonly PodMaker[]): Problem {
  const changes = changesByIdentity(context);
  const rendered = budgets.filter(({ entry }) => entry !== undefined);
  const culprit = rendered.find(({ entry }) => changes.has(entryIdentity(entry!))) ?? rendered[0]!;
  const foreign = budgets.some(({ entry }) => entry === undefined);
  const names = budgets.map(({ name }) => name).join(' and ');
  return problemAt(culprit.entry!, '/spec/selector', {
    message: `Pods of ${formatRefs(makers.map(({ ref }) => ref))} are selected by more than one PodDisruptionBudget (${names}): every eviction of them is answered 500, so drains of their nodes fail.`,
    confidence: foreign ? 'proven' : 'determined',
    fix: `Keep one PodDisruptionBudget for these pods: remove ${formatRef(culprit.entry!.ref)} or narrow its selector.`,
    evidence: {
      facts: [
        ...budgets.map(
          (budget) =>
            `PodDisruptionBudget ${budget.namespace}/${budget.name} selects ${formatSelector(budget.selector)}${budget.entry === undefined ? ' (only in the cluster, not in Git)' : ''}`,
        ),
        'the eviction API supports one PodDisruptionBudget per pod; rolling updates are not affected',
      ],
    },
  });
}

/** `selector: {}` selects no pod in policy/v1beta1 and every pod of the namespace in policy/v1. */
function becomesEverything(old: Budget, now: Budget): boolean {
  const isEmpty = ({ selector }: Budget) =>
    selector !== undefined && selector !== null && requirementsOf(selector).length === 0;
  return (
    isEmpty(old) &&
    isEmpty(now) &&
    old.object.apiVersion.endsWith('/v1beta1') &&
    !now.object.apiVersion.endsWith('/v1beta1')
  );
}

function everything(context: RuleContext, budget: Budget): Problem {
  const entry = budget.entry!;
  const makers = viewOf(context, 'after', entry.target.scope).podMakers(budget.namespace);
  return problemAt(entry, '/spec/selector', {
    message: `${formatRef(entry.ref)} moves from policy/v1beta1 to policy/v1 with an empty selector, which selected no pod so far and selects every pod of namespace ${budget.namespace} now${makers.length === 0 ? '' : ` (${formatRefs(makers.map(({ ref }) => ref))})`}.`,
    fix: `Give ${formatRef(entry.ref)} the labels of the pods that it is meant for.`,
    evidence: { before: 'policy/v1beta1, selector {}: none', after: 'policy/v1, selector {}: all' },
  });
}

/** The budget stays, its workloads stay, and their labels no longer meet. */
function* matchesNone(context: RuleContext, old: Budget, now: Budget): Iterable<Problem> {
  const entry = now.entry!;
  const scope = entry.target.scope;
  const after = viewOf(context, 'after', scope);
  if (
    candidateMakers(after, now.namespace, now.selector?.matchLabels).some((maker) => guards(now, maker.template.labels))
  )
    return;
  const lost = viewOf(context, 'before', scope)
    .podMakers(now.namespace)
    .filter((maker) => guards(old, maker.template.labels))
    .flatMap((maker) => stillThere(after, maker));
  // One replica has nothing to keep; a budget that never matched is not news.
  const several = lost.filter(({ pods }) => pods !== 0);
  if (several.length === 0 || several.some((maker) => isGuardedByOther(context, scope, maker))) return;
  const moved = formatSelector(old.selector) !== formatSelector(now.selector);
  yield problemAt(entry, '/spec/selector', {
    message: `${formatRef(entry.ref)} selects no pod any more: ${moved ? `its selector is now ${formatSelector(now.selector)}` : `the labels of ${formatRefs(several.map(({ ref }) => ref))} changed`}, so nothing limits evictions of ${moved ? formatRefs(several.map(({ ref }) => ref)) : 'its pods'}.`,
    fix: `Let the selector of ${formatRef(entry.ref)} match the pod labels of ${formatRefs(several.map(({ ref }) => ref))}.`,
    evidence: {
      before: formatSelector(old.selector),
      after: formatSelector(now.selector),
      facts: several.slice(0, 3).map(
        (maker) =>
          `${formatRef(maker.ref)} has the labels ${Object.entries(maker.template.labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(', ')}`,
      ),
    },
  });
}

function stillThere(view: ClusterView, maker: PodMaker): readonly PodMaker[] {
  const found = view.podMaker(maker.ref);
  return found === undefined ? [] : [found];
}

function isGuardedByOther(context: RuleContext, scope: string, maker: PodMaker): boolean {
  const namespace = maker.ref.namespace ?? 'default';
  return guardingBudgets(budgetsOver(context, 'after', scope, namespace), maker.template.labels).length > 0;
}

export default defineRule({
  id: 'pdb-selector-broken',
  since: '0.1.0',
  family: 'Disruption',
  title: 'PDB selector broken',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: ['policy/PodDisruptionBudget', 'apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet'],
  live: liveKinds(podMakerKinds, 'policy/PodDisruptionBudget'),
  liveOf: declarationKinds,
  summary: 'Two PodDisruptionBudgets select the same pods, or one selects no pods, or all of them, by accident.',
  docs: {
    why: 'The eviction API supports one PodDisruptionBudget per pod; with two it answers 500 for every eviction, whatever the budgets allow. A budget whose selector no longer meets the pod labels guards nothing and says nothing. And an empty selector changed its meaning: none of the pods in `policy/v1beta1`, all pods of the namespace in `policy/v1`.',
    fix: 'Keep exactly one budget per set of pods, change pod labels and the selector in the same commit, and never leave the selector empty.',
    ignoreWhen: 'Never for an overlap: a canary and a primary that share a label on purpose still cannot be evicted.',
  },
  references: ['k8s.io/kubernetes pkg/registry/core/pod/storage/eviction.go', 'k8s.io/api policy/v1 types.go'],
  options: Type.Object({}),
  examples,
  check,
});
