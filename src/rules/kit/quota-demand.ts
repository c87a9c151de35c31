import type { Entry, KubeObject } from '../../core/model.ts';
import type { LiveWorld, World } from '../../core/rule.ts';
import { at, desiredPods, numberAt, podTemplate } from './pods.ts';
import type { Amounts, ContainerDefaults } from './pod-resources.ts';
import { formatRef } from './problem.ts';
import { hardOf, objectCharge, podCharge, quotaCounts } from './quota.ts';
import { rolloutPace } from './rollout.ts';
import { scalerFor } from './scalers.ts';

/** What one object asks of a quota. */
export interface Demand {
  readonly entry: Entry;
  /** When everything runs. */
  readonly steady: Amounts;
  /** On top of it while the rollout has surplus pods. */
  readonly surge: Amounts;
  /** Pods in steady state and surplus; 0 for objects without pods. */
  readonly pods: number;
  readonly surgePods: number;
  /** The rollout also goes on when no surplus pod can be created. */
  readonly canShrink: boolean;
  readonly text: string;
}

/**
 * Demands of a namespace on a quota, on one side. Pods of CronJobs and of Jobs that are not new are left out: a quota
 * counts only pods that have not ended.
 * @param rolling does this workload roll in this change?
 * @param fresh is the object created by this change (Jobs run now)?
 */
export function demands(input: {
  readonly world: World;
  readonly scope: string;
  readonly namespace: string;
  readonly quota: KubeObject;
  readonly defaults: ContainerDefaults;
  readonly live: LiveWorld | undefined;
  readonly rolling: (entry: Entry) => boolean;
  readonly fresh: (entry: Entry) => boolean;
}): readonly Demand[] {
  const hard = hardOf(input.quota);
  const result: Demand[] = [];
  for (const entry of input.world.inNamespace(input.scope, input.namespace)) {
    const found = demandOf(entry, hard, input);
    if (found !== undefined) result.push(found);
  }
  return result;
}

function demandOf(entry: Entry, hard: Amounts, input: Parameters<typeof demands>[0]): Demand | undefined {
  const own = objectCharge(entry.effective, entry.ref.group, hard);
  const template = podTemplate(entry.effective);
  const counted = template !== undefined && quotaCounts(input.quota, template, input.defaults);
  const pods = template !== undefined && counted ? podsOf(entry, input) : 0;
  if (template === undefined || pods === 0)
    return Object.keys(own).length === 0
      ? undefined
      : { entry, steady: own, surge: {}, pods: 0, surgePods: 0, canShrink: true, text: formatRef(entry.ref) };
  const perPod = podCharge(template, hard, input.defaults);
  const pace = input.rolling(entry) ? rolloutPace(entry.effective, pods) : { surge: 0, unavailable: 1 };
  const steady = times(perPod, pods);
  for (const [resource, amount] of Object.entries(own)) steady[resource] = (steady[resource] ?? 0) + amount;
  return {
    entry,
    steady,
    surge: times(perPod, pace.surge),
    pods,
    surgePods: pace.surge,
    canShrink: pace.unavailable > 0,
    text: `${formatRef(entry.ref)}: ${pods} ${pods === 1 ? 'pod' : 'pods'}${pace.surge > 0 ? ` + ${pace.surge} surge` : ''}`,
  };
}

function podsOf(entry: Entry, input: Parameters<typeof demands>[0]): number {
  const { kind } = entry.ref;
  if (kind === 'CronJob') return 0;
  if (kind === 'Job')
    return input.fresh(entry) && at(entry.effective, 'spec', 'suspend') !== true
      ? (desiredPods(entry.effective) ?? 0)
      : 0;
  if (kind === 'DaemonSet') return input.live?.covers('', 'Node') === true ? input.live.ofKind('', 'Node').length : 0;
  const declared = numberAt(entry.object, 'spec', 'replicas');
  const scaler = scalerFor(input.world, entry);
  if (scaler !== undefined && declared !== 0) return Math.max(declared ?? 0, scaler.min);
  return desiredPods(entry.effective) ?? 0;
}

function times(amounts: Amounts, factor: number): Record<string, number> {
  return Object.fromEntries(Object.entries(amounts).map(([resource, amount]) => [resource, amount * factor]));
}

/** Sum of one resource. */
export function total(list: readonly Demand[], field: 'steady' | 'surge', resource: string): number {
  return list.reduce((sum, demand) => sum + (demand[field][resource] ?? 0), 0);
}
