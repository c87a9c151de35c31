import picomatch from 'picomatch';
import type { Config } from '../core/config.ts';
import { messageOf } from '../core/errors.ts';
import type { NotEvaluated, Target } from '../core/model.ts';
import type { TreePair } from '../core/ports.ts';
import { reads } from './reads.ts';

/** Files that never reach a cluster by themselves. */
const neverDeployed =
  /(^|\/)(\.github|\.gitlab|\.circleci|\.vscode|\.devcontainer|docs?|examples?|tests?|testdata|hack|node_modules|vendor)\/|(^|\/)(\.[^/]*\.ya?ml|mkdocs\.ya?ml|\.?codecov\.ya?ml|renovate\.ya?ml|catalog-info\.ya?ml|docker-compose[^/]*\.ya?ml|compose\.ya?ml|Taskfile\.ya?ml|gate\.ya?ml|cr\.ya?ml|ct\.ya?ml|artifacthub-repo\.ya?ml|Chart\.lock)$/i;

/** Looks like something that a cluster gets: a manifest, a chart, values. */
function deployable(path: string, text: string | undefined): boolean {
  if (/(^|\/)(Chart\.yaml|kustomization\.ya?ml|Kustomization|helmfile[^/]*\.ya?ml(\.gotmpl)?)$/.test(path)) return true;
  if (/(^|\/)templates\/.*\.(ya?ml|tpl)$/.test(path)) return true;
  if (/(^|\/)[^/]*values[^/]*\.ya?ml(\.gotmpl)?$/i.test(path)) return true;
  if (!/\.(ya?ml|json)$/.test(path) || text === undefined) return false;
  return /^["']?apiVersion["']?\s*:/m.test(text) && /^["']?kind["']?\s*:/m.test(text);
}

/** The declaration of a target is compared field by field as part of it. */
function declaredIn(target: Target, path: string): boolean {
  return target.declaredBy !== undefined && target.origin.file === path;
}

/**
 * Changed files that cannot be read, and such that look deployable and that no known target reads: gate did not look at what they do, and says so.
 * @param generatorFiles files with ApplicationSets: what they generate is judged, also when that is nothing
 * @param config `detect: false`: only the targets of the configuration are judged, so the rest is no gap
 */
export function unclaimedChanges(
  trees: TreePair,
  targets: readonly Target[],
  generatorFiles: ReadonlySet<string>,
  config: Pick<Config, 'detect' | 'exclude'>,
): NotEvaluated[] {
  const excluded = config.exclude.map((glob) => picomatch(glob, { dot: true, bash: true }));
  const result: NotEvaluated[] = [];
  for (const path of trees.changed) {
    if (neverDeployed.test(path) || excluded.some((matches) => matches(path))) continue;
    const unreadable = unreadableText(trees, path);
    if (unreadable !== undefined) {
      result.push({ what: path, reason: unreadable, location: { file: path }, weight: 'incomplete' });
      continue;
    }
    if (generatorFiles.has(path) || targets.some((target) => reads(target, path) || declaredIn(target, path))) continue;
    if (!deployable(path, trees.after.readText(path) ?? trees.before.readText(path))) continue;
    result.push({
      what: path,
      reason: 'changed, looks like something that is deployed, and belongs to no target that gate knows',
      location: { file: path },
      next: 'Name the target in gate.yaml (targets:), or exclude the path there.',
      // Without detection the operator has chosen what is looked at.
      weight: config.detect ? 'incomplete' : 'note',
    });
  }
  return result;
}

/**
 * Why a file that should be text cannot be read: NUL bytes, UTF-16, more than 50 MB. Such a file would be applied (or
 * break the sync), so it must not pass unseen.
 */
function unreadableText(trees: TreePair, path: string): string | undefined {
  if (!/\.(ya?ml|json|tpl)$/i.test(path)) return undefined;
  try {
    trees.after.readText(path);
    trees.before.readText(path);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
