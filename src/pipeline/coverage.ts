import type { RenderedDigest } from '../core/digest.ts';
import type { RenderResult, Target } from '../core/model.ts';
import type { RuleContext } from '../core/rule.ts';
import type { SelectionResults } from './render.ts';
import { coverageOf, targetOf, type Selected } from './selection.ts';

export function coverage(
  selection: readonly Selected[],
  near: readonly Selected[],
  results: SelectionResults,
  digests: ReadonlyMap<string, RenderedDigest>,
) {
  const alsoRendered = new Set(near.map((selected) => selected.id));
  return selection.map((selected) =>
    coverageOf(
      alsoRendered.has(selected.id)
        ? {
            ...selected,
            status: 'rendered',
            reason: `${selected.reason}; rendered because it shares a namespace or cluster with the change`,
          }
        : selected,
      [results.before.get(selected.id), results.after.get(selected.id)],
      digests.get(selected.id)?.digest,
    ),
  );
}

export function renderProblems(
  selection: readonly Selected[],
  results: SelectionResults,
): RuleContext['renderProblems'] {
  return selection.flatMap((selected) => {
    const before = results.before.get(selected.id);
    const after = results.after.get(selected.id);
    const failedBefore = before !== undefined && !before.ok ? { before: before.problem } : {};
    const failedAfter = after !== undefined && !after.ok ? { after: after.problem } : {};
    if (!('before' in failedBefore) && !('after' in failedAfter)) return [];
    return [{ target: targetOf(selected), ...failedBefore, ...failedAfter }];
  });
}

export function unrendered(targets: Iterable<Target>, results: ReadonlyMap<string, RenderResult>): Target[] {
  return [...targets].filter((target) => results.get(target.id)?.ok !== true);
}

/** Targets whose existence on both sides is known: a withheld one must not look deleted. */
export function known(
  targets: ReadonlyMap<string, Target>,
  selection: readonly Selected[],
): ReadonlyMap<string, Target> {
  const withheldIds = new Set(selection.filter((entry) => entry.action === 'withhold').map((entry) => entry.id));
  return new Map([...targets].filter(([id]) => !withheldIds.has(id)));
}
