import type { Config } from '../core/config.ts';
import type { NotEvaluated } from '../core/model.ts';
import type { TreePair } from '../core/ports.ts';
import type { DiffResult } from '../diff/diff.ts';
import { dedupe, encryptedValues, failures, versionNote, withheld } from './not-evaluated.ts';
import { openGenerators } from './open-generators.ts';
import type { SelectionResults } from './render.ts';
import type { Selected } from './selection.ts';
import { generatorKey, type DiscoveredSide } from './targets.ts';
import { unclaimedChanges } from './unclaimed.ts';

/** Everything that is known not to have been looked at before the rules run, in the order of the stages. */
export function notLookedAt(run: {
  /** What to say of the configuration: what was ignored, which waivers ran out. */
  readonly configuration: readonly string[];
  readonly config: Config;
  readonly trees: TreePair;
  readonly before: DiscoveredSide;
  readonly after: DiscoveredSide;
  readonly selection: readonly Selected[];
  readonly results: SelectionResults;
  /** Targets that were rendered only because they share a cluster with the change. */
  readonly near: readonly Selected[];
  readonly diff: DiffResult;
  /** Of the clusters, their monitoring and the dry run. */
  readonly cluster: readonly NotEvaluated[];
}): NotEvaluated[] {
  const { before, after, trees, config, results } = run;
  const both = <Item>(of: (side: DiscoveredSide) => Iterable<Item>): Set<Item> =>
    new Set([...of(before), ...of(after)]);
  return [
    ...run.configuration.map((reason) => note('configuration', reason)),
    ...dedupe([...before.notEvaluated, ...after.notEvaluated]),
    ...run.selection.filter((selected) => selected.action === 'withhold').map(withheld),
    ...failures(results, new Set(run.near.map((selected) => selected.id))),
    ...encryptedValues(results),
    ...run.diff.notes,
    ...trees.after.problems.map(({ path, reason }) => note(path, reason)),
    ...versionNote(config, run.selection),
    ...run.cluster,
    ...unclaimedChanges(
      trees,
      [...before.targets.values(), ...after.targets.values()],
      { complete: both((side) => side.generatorFiles), open: both((side) => side.openGeneratorFiles) },
      config,
    ),
    ...openGenerators(
      run.diff.changes,
      both((side) => side.incompleteGenerators),
      generatorKey,
    ),
  ];
}

function note(what: string, reason: string): NotEvaluated {
  return { what, reason, weight: 'note' };
}
