import type { Target } from '../core/model.ts';
import type { TreePair } from '../core/ports.ts';
import { selectTargets } from '../sources/affected.ts';
import type { GateRequest } from './request.ts';
import { lostParent, type Selected } from './selection.ts';
import { compileTargetFilter, generatorKey, type DiscoveredSide } from './targets.ts';

/** Decides for every target of both sides whether it is rendered, and why. */
export function select(input: {
  readonly before: DiscoveredSide;
  readonly after: DiscoveredSide;
  readonly trees: TreePair;
  readonly request: Pick<GateRequest, 'environment' | 'targets' | 'all'>;
  readonly exclude: readonly string[];
}): readonly Selected[] {
  const { before, after, trees, request } = input;
  const leftOut = compileTargetFilter({ ...request, exclude: input.exclude });
  const choices = selectTargets([...before.targets.values()], [...after.targets.values()], trees.changed, {
    before: before.tree,
    after: after.tree,
  });
  return choices.map((choice): Selected => {
    const sides = {
      ...(choice.before === undefined ? {} : { before: choice.before }),
      ...(choice.after === undefined ? {} : { after: choice.after }),
    };
    const target = choice.after ?? choice.before;
    const base = { id: choice.id, ...sides };
    const excluded = target === undefined ? undefined : leftOut(target);
    if (excluded !== undefined) return { ...base, action: 'skip', status: 'not-evaluated', reason: excluded };
    const lost = choice.withhold ?? unknownSide(choice, before, after);
    if (lost !== undefined) return { ...base, action: 'withhold', status: 'not-evaluated', reason: lost };
    if (choice.withhold !== undefined) {
      return { ...base, action: 'withhold', status: 'not-evaluated', reason: choice.withhold };
    }
    const pinned = choice.after?.unaffectedBecause;
    if (pinned !== undefined && !choice.affected && !request.all) {
      return { ...base, action: 'skip', status: 'unaffected', reason: pinned };
    }
    if (choice.affected || request.all) return { ...base, action: 'render', status: 'rendered', reason: choice.reason };
    return { ...base, action: 'skip', status: 'unaffected', reason: choice.reason };
  });
}

function unknownSide(
  choice: { readonly before?: Target | undefined; readonly after?: Target | undefined },
  before: DiscoveredSide,
  after: DiscoveredSide,
): string | undefined {
  const [present, missingOn] =
    choice.after === undefined ? [choice.before, after] : choice.before === undefined ? [choice.after, before] : [];
  if (present === undefined || missingOn === undefined) return undefined;
  const generator = present.declaredBy;
  if (generator !== undefined && missingOn.incompleteGenerators.has(generatorKey(generator))) {
    return `${generator.kind} ${generator.name} could not be expanded completely on the ${missingOn.side} side, so whether it still exists is not known`;
  }
  const parent = lostParent(present, missingOn);
  if (parent === undefined || parent.ok) return undefined;
  return `its parent ${parent.target.name} did not render on the ${missingOn.side} side, so whether it still exists is not known: ${parent.problem.message}`;
}
