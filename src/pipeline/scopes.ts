import type { Target } from '../core/model.ts';

/**
 * Gives targets that exist on both sides the scope of the new side: how a layout is read can depend on its neighbours,
 * and a target does not move to another cluster because one was added.
 */
export function alignScopes(
  before: ReadonlyMap<string, Target>,
  after: ReadonlyMap<string, Target>,
): ReadonlyMap<string, Target> {
  return new Map(
    [...before].map(([id, target]) => {
      const next = after.get(id);
      const same = next?.cluster === target.cluster && next?.environment === target.environment;
      return [id, next === undefined || !same ? target : { ...target, scope: next.scope }];
    }),
  );
}
