import type { ResourceRef } from '../../core/model.ts';
import type { LiveWorld, RuleContext } from '../../core/rule.ts';
import { candidateMakers, viewOf, type ClusterView, type PodMaker } from './cluster-view.ts';
import { budgetsIn, foreignBudgets, guards, type Budget } from './disruption-budget.ts';
import { getOrMake } from './memo.ts';
import { listAt, numberAt, stringAt } from './pods.ts';
import { formatRef } from './problem.ts';
import { scalerFor } from './scalers.ts';

/** A workload under a PodDisruptionBudget, and the pods that the budget counts for it. */
export interface Guarded {
  readonly maker: PodMaker;
  /** Lower bound: the autoscaler's minimum when one is bound, else `replicas`. */
  readonly pods: number;
  /** `HorizontalPodAutoscaler shop/web: minReplicas 2`, when it is not `replicas`. */
  readonly bound?: string;
}

/** Kinds whose controllers have a scale, which is what the disruption controller counts; drains leave DaemonSet pods alone. */
const scaledKinds = new Set(['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Rollout']);

/** The scaled workloads whose pods a budget guards on one side. */
export function guardedBy(view: ClusterView, budget: Budget): readonly Guarded[] {
  return candidateMakers(view, budget.namespace, budget.selector?.matchLabels)
    .filter((maker) => scaledKinds.has(maker.ref.kind) && guards(budget, maker.template.labels))
    .map((maker) => lowerBound(view, maker));
}

const budgetCache = new WeakMap<ClusterView, Map<string, readonly Budget[]>>();

/** Budgets of a namespace on one side: rendered ones, and live ones of other people. The same list at every call. */
export function budgetsOver(
  context: RuleContext<unknown>,
  side: 'before' | 'after',
  scope: string,
  namespace: string,
): readonly Budget[] {
  const view = viewOf(context, side, scope);
  const known = budgetCache.get(view) ?? new Map<string, readonly Budget[]>();
  budgetCache.set(view, known);
  return getOrMake(known, namespace, () => [
    ...budgetsIn(view.world, scope, namespace),
    ...foreignBudgets(view.live, context.before, context.after, scope, namespace),
  ]);
}

/** The least number of pods that a workload runs with when it is healthy. */
export function lowerBound(view: ClusterView, maker: PodMaker): Guarded {
  const replicas = maker.pods ?? 1;
  const scaler = maker.entry === undefined ? undefined : scalerFor(view.world, maker.entry);
  if (scaler === undefined) return { maker, pods: replicas };
  // An HPA leaves a workload with 0 replicas alone. KEDA may scale to 0; a budget counts only while there are pods.
  const isHpa = scaler.entry.ref.kind === 'HorizontalPodAutoscaler';
  const isOff = isHpa && numberAt(maker.entry?.object, 'spec', 'replicas') === 0;
  if (isOff) return { maker, pods: 0 };
  return {
    maker,
    pods: Math.max(1, scaler.min),
    bound: `${formatRef(scaler.entry.ref)}: ${isHpa ? 'minReplicas' : 'minReplicaCount'} ${scaler.min}`,
  };
}

export function totalPods(guarded: readonly Guarded[]): number {
  return guarded.reduce((sum, { pods }) => sum + pods, 0);
}

/** Replicas that the cluster asks for right now, when every workload is there; undefined otherwise. */
export function livePods(live: LiveWorld | undefined, refs: readonly ResourceRef[]): number | undefined {
  let sum = 0;
  for (const { group, kind, namespace, name } of refs) {
    const object = live?.get(group, kind, namespace, name);
    if (object === undefined) return undefined;
    sum += numberAt(object, 'spec', 'replicas') ?? 1;
  }
  return refs.length === 0 ? undefined : sum;
}

/**
 * Is the cluster moving pods between nodes right now? Cordoned nodes, nodes that are not ready (their repair evicts what
 * is on them), or kubelets of different minor versions (an upgrade that is under way). Undefined when not, or when nodes
 * were not read.
 */
export function nodeChurn(live: LiveWorld | undefined): string | undefined {
  if (live === undefined) return undefined;
  const nodes = live.ofKind('', 'Node');
  const cordoned = nodes.filter(
    (node) => (node['spec'] as { unschedulable?: unknown } | undefined)?.unschedulable === true,
  );
  if (cordoned.length > 0) {
    const names = cordoned.slice(0, 3).map((node) => node.metadata.name);
    return `${cordoned.length} of ${nodes.length} nodes ${cordoned.length === 1 ? 'is' : 'are'} cordoned (${names.join(', ')}${cordoned.length > 3 ? ', …' : ''})`;
  }
  const broken = nodes.filter((node) =>
    listAt(node, 'status', 'conditions').some(
      (condition) => stringAt(condition, 'type') === 'Ready' && stringAt(condition, 'status') !== 'True',
    ),
  );
  if (broken.length > 0) {
    const names = broken.slice(0, 3).map((node) => node.metadata.name);
    return `${broken.length} of ${nodes.length} nodes ${broken.length === 1 ? 'is' : 'are'} not ready (${names.join(', ')}${broken.length > 3 ? ', …' : ''}), and their repair moves what runs there`;
  }
  const minors = new Set(
    nodes
      .map((node) => /^v?(\d+\.\d+)/.exec(stringAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? '')?.[1])
      .filter((minor) => minor !== undefined),
  );
  return minors.size > 1
    ? `nodes run kubelets of different versions (${[...minors].sort().join(', ')}): an upgrade is under way`
    : undefined;
}
