import type { Config } from '../../core/config.ts';
import type { Finding, KubeObject, RenderResult, Target } from '../../core/model.ts';
import type { Rule, RuleContext } from '../../core/rule.ts';
import { diffSides, type DiffRequest } from '../../diff/diff.ts';
import { runRules, type Scoring } from '../../engine/run-rules.ts';
import { buildWorld } from '../../rules/kit/world.ts';
import { unrendered } from '../coverage.ts';
import type { SelectionResults } from '../render.ts';

/** What the judgement of the run was made of. */
export interface Judged {
  readonly results: SelectionResults;
  readonly targets: { readonly before: ReadonlyMap<string, Target>; readonly after: ReadonlyMap<string, Target> };
  readonly crds: readonly KubeObject[];
  readonly live: DiffRequest['live'];
  readonly context: Omit<RuleContext, 'options'>;
  readonly rules: readonly Rule[];
  readonly config: Config;
  readonly scoring: Scoring;
}

/**
 * Judges the change once more with another render of one target, by some rules only, and within the target's cluster.
 * @param contents files that the render had otherwise than the new side
 * @returns undefined when one of the rules fails
 */
export function rejudge(
  { results, targets, crds, live, context, rules, config, scoring }: Judged,
  result: RenderResult,
  ruleIds: ReadonlySet<string>,
  contents: ReadonlyMap<string, string | undefined>,
): readonly Finding[] | undefined {
  const { id, scope } = result.target;
  const isNear = ({ target }: RenderResult) => target.id === id || target.scope === scope;
  const before = [...results.before.values()].filter(isNear);
  const after = [...results.after.values()].map((of) => (of.target.id === id ? result : of)).filter(isNear);
  const diff = diffSides({ before, after, crds, ...(live === undefined ? {} : { live }) });
  const judged = runRules({
    rules: rules.filter((rule) => ruleIds.has(rule.id)),
    context: {
      ...context,
      targets: { ...context.targets, after: new Map(context.targets.after).set(id, result.target) },
      changes: diff.changes,
      before: buildWorld(diff.entries.before, unrendered(targets.before.values(), results.before)),
      after: buildWorld(diff.entries.after, unrendered(targets.after.values(), results.after)),
      yaml: context.yaml.map((file) => {
        if (!contents.has(file.path)) return file;
        const { after: _, ...rest } = file;
        const text = contents.get(file.path);
        return text === undefined ? rest : { ...rest, after: text };
      }),
    },
    config,
    waiverFor: () => undefined,
    scoring,
  });
  return judged.notEvaluated.length > 0 ? undefined : judged.findings;
}
