import type { Entry, KubeObject } from '../../core/model.ts';
import type { LiveWorld, World } from '../../core/rule.ts';
import { getOrMake, memo } from './memo.ts';
import { at, stringAt } from './pods.ts';
import { matchesSelector, type LabelSelector } from './select.ts';
import { requirementsOf } from './namespaces.ts';

/** A PodDisruptionBudget; `entry` is absent for one that only the cluster has. */
export interface Budget {
  readonly entry?: Entry;
  readonly object: KubeObject;
  readonly name: string;
  readonly namespace: string;
  readonly selector: LabelSelector | undefined;
}

function budget(object: KubeObject, entry?: Entry): Budget {
  return {
    ...(entry === undefined ? {} : { entry }),
    object,
    name: object.metadata.name,
    namespace: entry?.ref.namespace ?? object.metadata.namespace ?? 'default',
    selector: at(object, 'spec', 'selector') as LabelSelector | undefined,
  };
}

const budgetsOfWorld = memo((world: World) => {
  const index = new Map<string, Budget[]>();
  for (const entry of world.ofKind('policy', 'PodDisruptionBudget')) {
    const found = budget(entry.effective, entry);
    getOrMake(index, `${entry.target.scope}\u0000${found.namespace}`, () => []).push(found);
  }
  return index;
});

const budgetsOfLive = memo((live: LiveWorld) =>
  Map.groupBy(
    live.ofKind('policy', 'PodDisruptionBudget').map((object) => budget(object)),
    ({ namespace }) => namespace,
  ),
);

/** Rendered budgets of a namespace. */
export function budgetsIn(world: World, scope: string, namespace: string): readonly Budget[] {
  return budgetsOfWorld(world).get(`${scope}\u0000${namespace}`) ?? [];
}

const budgetsByEntry = memo(
  (world: World) => new Map(allBudgets(world).map((found) => [found.entry!, found] as const)),
);

/** The budget that an object of this world is; undefined for other objects. */
export function budgetOfEntry(world: World, entry: Entry): Budget | undefined {
  return budgetsByEntry(world).get(entry);
}

/** Budgets by the first label that they ask for; those that ask for none under ''. */
const byFirstLabel = memo((budgets: readonly Budget[]) =>
  Map.groupBy(budgets, ({ selector }) => {
    const [pair] = Object.entries(selector?.matchLabels ?? {});
    return pair === undefined ? '' : pair.join('\u0000');
  }),
);

/** Those of the budgets that guard pods with these labels. */
export function guardingBudgets(
  budgets: readonly Budget[],
  labels: Readonly<Record<string, string>>,
): readonly Budget[] {
  const index = byFirstLabel(budgets);
  const keys = ['', ...Object.entries(labels).map((pair) => pair.join('\u0000'))];
  return keys.flatMap((key) => index.get(key) ?? []).filter((candidate) => guards(candidate, labels));
}

/** All rendered budgets. */
export function allBudgets(world: World): readonly Budget[] {
  return [...budgetsOfWorld(world).values()].flat();
}

/** Live budgets of a namespace that are rendered on neither side: other people's. */
export function foreignBudgets(
  live: LiveWorld | undefined,
  before: World,
  after: World,
  scope: string,
  namespace: string,
): readonly Budget[] {
  if (live === undefined) return [];
  const known = (name: string) =>
    [before, after].some((world) => world.get(scope, 'policy', 'PodDisruptionBudget', namespace, name) !== undefined);
  return (budgetsOfLive(live).get(namespace) ?? []).filter(({ name }) => !known(name));
}

/**
 * Does the budget guard pods with these labels? An empty selector guards all pods of the namespace in policy/v1 and none in
 * policy/v1beta1 (k8s.io/api policy/v1 types.go).
 */
export function guards({ object, selector }: Budget, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined || selector === null) return false;
  if (requirementsOf(selector).length === 0) return !object.apiVersion.endsWith('/v1beta1');
  return matchesSelector(selector, labels);
}

/** What a budget allows when all pods are healthy. */
export interface Allowance {
  readonly pods: number;
  readonly desiredHealthy: number;
  readonly allowed: number;
}

/**
 * The arithmetic of k8s.io/kubernetes pkg/controller/disruption: percentages round up, for `minAvailable` and for
 * `maxUnavailable` alike; without either nothing may be evicted.
 * @param pods expected pods: the sum of the replicas of the guarded workloads
 * @param healthy ready pods, default all
 * @returns undefined when the budget holds values that the API server refuses
 */
export function allowanceOf({ object }: Budget, pods: number, healthy = pods): Allowance | undefined {
  const maxUnavailable = at(object, 'spec', 'maxUnavailable');
  const minAvailable = at(object, 'spec', 'minAvailable');
  let desiredHealthy = 0;
  if (maxUnavailable !== undefined && maxUnavailable !== null) {
    const amount = scaled(maxUnavailable, pods);
    if (amount === undefined) return undefined;
    desiredHealthy = Math.max(0, pods - amount);
  } else if (minAvailable !== undefined && minAvailable !== null) {
    const amount = scaled(minAvailable, pods);
    if (amount === undefined) return undefined;
    desiredHealthy = amount;
  } else {
    return { pods, desiredHealthy, allowed: 0 };
  }
  return { pods, desiredHealthy, allowed: pods <= 0 ? 0 : Math.max(0, healthy - desiredHealthy) };
}

/** `GetScaledValueFromIntOrPercent` with rounding up. A number in quotes without a percent sign is refused. */
function scaled(value: unknown, pods: number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? value : undefined;
  const percent = typeof value === 'string' ? /^(\d{1,9})%$/.exec(value) : null;
  return percent === null ? undefined : Math.ceil((Number(percent[1]) * pods) / 100);
}

/** `minAvailable: 80%`. */
export function describeBudget({ object }: Budget): string {
  for (const field of ['maxUnavailable', 'minAvailable'] as const) {
    const value = at(object, 'spec', field);
    if (typeof value === 'number' || typeof value === 'string') return `${field}: ${value}`;
  }
  return 'neither minAvailable nor maxUnavailable';
}

/** Pointer to the field that decides. */
export function budgetPath({ object }: Budget): string {
  return at(object, 'spec', 'maxUnavailable') !== undefined
    ? '/spec/maxUnavailable'
    : at(object, 'spec', 'minAvailable') !== undefined
      ? '/spec/minAvailable'
      : '/spec';
}

/** Evictions of unready pods are always allowed (`unhealthyPodEvictionPolicy: AlwaysAllow`). */
export function evictsUnhealthy({ object }: Budget): boolean {
  return stringAt(object, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow';
}
