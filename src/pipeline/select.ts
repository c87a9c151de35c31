import { GateError } from '../core/errors.ts';
import type { Target } from '../core/model.ts';
import { closest } from '../core/suggest.ts';
import type { TreePair } from '../core/ports.ts';
import { selectTargets } from '../sources/affected.ts';
import type { GateRequest } from './request.ts';
import { lostParent, type Selected } from './selection.ts';
import { compileTargetFilter, generatorKey, type DiscoveredSide } from './targets.ts';

/**
 * Decides for every target of both sides whether it is rendered, and why.
 * @throws GateError usage.no-such-environment, usage.no-such-target: a filter that matches nothing would pass everything
 */
export function select(input: {
  readonly before: DiscoveredSide;
  readonly after: DiscoveredSide;
  readonly trees: TreePair;
  readonly request: Pick<GateRequest, 'environment' | 'targets' | 'all'>;
  readonly exclude: readonly string[];
}): readonly Selected[] {
  const { before, after, trees, request } = input;
  refuseEmptyFilter([...before.targets.values(), ...after.targets.values()], request);
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

/** Each `--target` and the `--environment` has to match something that exists on one of the sides. */
function refuseEmptyFilter(targets: readonly Target[], request: Pick<GateRequest, 'environment' | 'targets'>): void {
  const { environment } = request;
  if (environment !== undefined && !targets.some((target) => target.environment === environment)) {
    throw noMatch('environment', environment, [...new Set(targets.flatMap((target) => target.environment ?? []))]);
  }
  for (const glob of request.targets) {
    const leftOut = compileTargetFilter({ targets: [glob], exclude: [] });
    if (targets.some((target) => leftOut(target) === undefined)) continue;
    throw noMatch('target', glob, [...new Set(targets.map((target) => target.name))]);
  }
}

function noMatch(option: 'environment' | 'target', value: string, names: readonly string[]): GateError {
  const near = closest(value, names);
  const shown = names.toSorted().slice(0, 10).join(', ');
  const more = names.length > 10 ? `, and ${names.length - 10} more (gate check --list-targets)` : '';
  return new GateError({
    code: `usage.no-such-${option}`,
    message: `--${option} ${value} matches no target on either side`,
    fault: 'user',
    next:
      names.length === 0
        ? `There is no target with ${option === 'environment' ? 'an environment' : 'a name'} here; gate check --list-targets shows what was found.`
        : `${near === undefined ? '' : `Did you mean ${near}? `}There is: ${shown}${more}.`,
  });
}
