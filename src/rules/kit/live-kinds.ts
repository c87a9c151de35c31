import type { ResourceChange } from '../../core/model.ts';

/** Live kinds of the workloads behind Services, budgets and webhooks (`viewOf(...).podMakers`). */
export const podMakerKinds = ['/Pod', 'apps/DaemonSet', 'apps/Deployment', 'apps/StatefulSet', 'argoproj.io/Rollout'];

/** Live kinds that `backendOf` and `readyEndpoints` look at. */
export const backendKinds = [...podMakerKinds, '/Service', 'discovery.k8s.io/EndpointSlice'];

/** Live kinds of the disruption rules: budgets of other people, the workloads that they guard, drains under way. */
export const disruptionKinds = [...podMakerKinds, '/Node', 'policy/PodDisruptionBudget'];

/** The list of a rule: every kind once, in order. */
export function liveKinds(...lists: readonly (string | readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].toSorted();
}

/** What declares the target of a removed object: its finalizer and policy decide whether the objects go with it. */
export function declarationKinds({ action, before }: ResourceChange): readonly string[] {
  const declaration = before?.target.declaredBy;
  if (declaration === undefined || (action !== 'removed' && action !== 'renamed')) return [];
  return [`${declaration.group}/${declaration.kind}`];
}

/** The kind that a CustomResourceDefinition defines, when the change is of one. */
export function customKinds({ before, after }: ResourceChange): readonly string[] {
  const object = (after ?? before)?.object;
  if (object?.kind !== 'CustomResourceDefinition') return [];
  const spec = object['spec'] as { group?: unknown; names?: { kind?: unknown } } | undefined;
  const { group, names } = spec ?? {};
  return typeof group === 'string' && typeof names?.kind === 'string' ? [`${group}/${names.kind}`] : [];
}
