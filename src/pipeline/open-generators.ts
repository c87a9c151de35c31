import type { NotEvaluated, ResourceChange } from '../core/model.ts';

/** What to say of an ApplicationSet that changed and that could not be expanded completely. */
export const openGenerator: Pick<NotEvaluated, 'reason' | 'next'> = {
  reason:
    'the ApplicationSet changed, and which Applications it generates is not fully known here, so what it deploys was not looked at',
  next: 'Its generators are listed with what they lack. Clusters: name them in gate.yaml (clusters:), or give a snapshot with the cluster Secrets of Argo CD.',
};

/**
 * ApplicationSets that another target renders and that changed, though what they generate could not be told: their own
 * difference is in the report, but not what becomes of the Applications.
 * @param keys `generatorKey` of the generators that could not be expanded completely on a side
 */
export function openGenerators(
  changes: readonly ResourceChange[],
  keys: ReadonlySet<string>,
  keyOf: (ref: ResourceChange['ref']) => string,
): NotEvaluated[] {
  const found = new Map<string, NotEvaluated>();
  for (const change of changes) {
    if (change.ref.kind !== 'ApplicationSet' || change.impact === 'none' || change.impact === 'metadata') continue;
    if (!keys.has(keyOf(change.ref))) continue;
    const what = `ApplicationSet ${change.ref.name}`;
    const file = change.after?.provenance.file ?? change.before?.provenance.file;
    if (found.has(what)) continue;
    found.set(what, {
      what,
      target: change.target,
      ...openGenerator,
      ...(file === undefined ? {} : { location: { file } }),
      weight: 'incomplete',
    });
  }
  return [...found.values()];
}
