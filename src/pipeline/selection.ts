import type { NotEvaluated, RenderResult, Target, TargetCoverage } from '../core/model.ts';
import type { DiscoveredSide } from './targets.ts';

/** One target of the union of both sides, and what the run does with it. */
export interface Selected {
  readonly id: string;
  readonly before?: Target;
  readonly after?: Target;
  readonly action: 'render' | 'skip' | 'withhold';
  /** `unaffected` or left out: for the coverage ledger. */
  readonly status: TargetCoverage['status'];
  readonly reason: string;
}

/** Any side of a selected target. */
export function targetOf(selected: Selected): Target {
  const target = selected.after ?? selected.before;
  if (target === undefined) throw new Error(`target ${selected.id} exists on neither side`);
  return target;
}

/**
 * A target that is missing on one side because its parent did not render there is not deleted, it is unknown.
 * @returns the parent that failed on the side where the target is missing
 */
export function lostParent(target: Target, missingOn: DiscoveredSide): RenderResult | undefined {
  for (const parent of target.parents) {
    const result = missingOn.rendered.get(parent);
    if (result !== undefined && !result.ok) return result;
  }
  return undefined;
}

/** Coverage entry of a target after the run. @param digest of what the after side renders */
export function coverageOf(
  selected: Selected,
  results: readonly (RenderResult | undefined)[],
  digest: string | undefined,
): TargetCoverage {
  const target = targetOf(selected);
  const failed = results.some((result) => result !== undefined && !result.ok);
  const objects = Math.max(...results.map((result) => (result?.ok === true ? result.manifests.length : 0)), 0);
  return {
    id: selected.id,
    name: target.name,
    engine: target.engine,
    ...(target.environment === undefined ? {} : { environment: target.environment }),
    ...(target.cluster === undefined ? {} : { cluster: target.cluster }),
    status: failed ? 'not-evaluated' : selected.status,
    reason: selected.reason,
    ...(selected.status === 'rendered' && !failed ? { objects } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** What to say of a target that did not render. */
export function notRendered(result: RenderResult & { ok: false }, side: string): NotEvaluated {
  const { problem, target } = result;
  return {
    what: `target ${target.name} (${side})`,
    target: target.id,
    reason: problem.message,
    location: problem.location ?? target.origin,
    ...(problem.next === undefined ? {} : { next: problem.next }),
    weight: 'incomplete',
  };
}
