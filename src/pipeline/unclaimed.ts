import picomatch from 'picomatch';
import type { Config } from '../core/config.ts';
import { isGateError, messageOf } from '../core/errors.ts';
import { isLfsPointer, lfsReason } from '../core/lfs.ts';
import type { NotEvaluated, Target } from '../core/model.ts';
import type { TreePair } from '../core/ports.ts';
import { isOutside } from '../sources/detect-context.ts';
import { isToolFile } from '../sources/plain.ts';
import { chartOfValues } from './loose-values.ts';
import { openGenerator } from './open-generators.ts';
import { readsPath } from '../core/inputs.ts';

/** Files of tools, which never reach a cluster by themselves. */
const toolFile =
  /(^|\/)(\.[^/]*\.ya?ml|mkdocs\.ya?ml|\.?codecov\.ya?ml|renovate\.ya?ml|catalog-info\.ya?ml|docker-compose[^/]*\.ya?ml|compose\.ya?ml|Taskfile\.ya?ml|gate\.ya?ml|cr\.ya?ml|ct\.ya?ml|artifacthub-repo\.ya?ml|Chart\.lock)$/i;

/** A version of a group, or the core group, which is v1 alone: `v1alpha1` without a group belongs to some tool (Talos). */
const kubernetesVersion = /^["']?apiVersion["']?\s*:\s*["']?(?:v1["']?\s*(?:[#,]|$)|[\w.-]+\/v\d|[^\n]*[{<$])/m;

/** Looks like something that a cluster gets: a manifest, a chart, values. */
function deployable(path: string, text: string | undefined): boolean {
  if (/(^|\/)(Chart\.yaml|kustomization\.ya?ml|Kustomization|helmfile[^/]*\.ya?ml(\.gotmpl)?)$/.test(path)) return true;
  if (/(^|\/)templates\/.*\.(ya?ml|tpl)$/.test(path)) return true;
  if (/(^|\/)[^/]*values[^/]*\.ya?ml(\.gotmpl)?$/i.test(path)) return true;
  if (/\.ya?ml\.gotmpl$/i.test(path)) return true;
  if (!/\.(ya?ml|json)(\.(j2|jinja2?|tmpl|tpl|template|erb|gotmpl))?$/.test(path) || text === undefined) return false;
  return kubernetesVersion.test(text) && /^["']?kind["']?\s*:/m.test(text);
}

/** What the file seems to be, as a reason why gate should have looked at what it does; undefined: nothing of a cluster. */
function whyDeployable(trees: TreePair, path: string): string | undefined {
  const tree = trees.after.isFile(path) ? trees.after : trees.before;
  const text = tree.readText(path);
  if (!deployable(path, text)) {
    const chart = chartOfValues(trees.after, path) ?? chartOfValues(trees.before, path);
    return chart === undefined
      ? undefined
      : `changed, and holds the same keys as the values of the chart ${chart}, but no target that gate knows reads it`;
  }
  if (!/kustomization\.ya?ml$/.test(path) && isToolFile(tree, path)) return undefined;
  if (text?.includes('{{') === true && !/(^|\/)templates\/|values[^/]*\.ya?ml$/.test(path)) {
    return 'changed, and is a template that some other tool fills in ({{ }}), so what it deploys was not looked at';
  }
  return 'changed, looks like something that is deployed, and belongs to no target that gate knows';
}

/** The declaration of a target is compared field by field as part of it. */
function declaredIn(target: Target, path: string): boolean {
  return target.declaredBy !== undefined && target.origin.file === path;
}

/**
 * Changed files that cannot be read, and such that look deployable and that no known target reads: gate did not look at what they do, and says so.
 * @param generators files with ApplicationSets. What they generate is judged, also when that is nothing; `open`: some of
 *   it could not be told
 * @param config `detect: false`: only the targets of the configuration are judged, so the rest is no gap
 */
export function unclaimedChanges(
  trees: TreePair,
  targets: readonly Target[],
  generators: { readonly complete: ReadonlySet<string>; readonly open: ReadonlySet<string> },
  config: Pick<Config, 'detect' | 'exclude'>,
): NotEvaluated[] {
  const excluded = config.exclude.map((glob) => picomatch(glob, { dot: true, bash: true }));
  const result: NotEvaluated[] = [];
  for (const path of trees.changed) {
    if (isOutside(path) || toolFile.test(path) || excluded.some((matches) => matches(path))) continue;
    const unreadable = unreadableText(trees, path);
    const claimed = targets.some((target) => readsPath(target, path) !== false || declaredIn(target, path));
    if (unreadable !== undefined) {
      // Secrets that no target reads stay sealed by intent; one that a target reads keeps it from being rendered.
      const sealed = unreadable.encrypted && !claimed;
      result.push({
        what: path,
        reason: `changed, and ${unreadable.reason}: what it holds was not looked at`,
        location: { file: path },
        weight: sealed ? 'note' : 'incomplete',
      });
      continue;
    }
    if (generators.open.has(path) && !targets.some((target) => readsPath(target, path) !== false)) {
      result.push({ what: path, ...openGenerator, location: { file: path }, weight: 'incomplete' });
      continue;
    }
    if (generators.complete.has(path) || claimed) continue;
    const reason = whyDeployable(trees, path);
    if (reason === undefined) continue;
    result.push({
      what: path,
      reason,
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
function unreadableText(
  trees: TreePair,
  path: string,
): { readonly reason: string; readonly encrypted: boolean } | undefined {
  if (!/\.(ya?ml|json|tpl)$/i.test(path)) return undefined;
  try {
    const texts = [trees.after.readText(path), trees.before.readText(path)];
    const pointer = texts.some((text) => text !== undefined && isLfsPointer(text));
    return pointer ? { reason: `is a ${lfsReason}`, encrypted: false } : undefined;
  } catch (error) {
    return { reason: messageOf(error), encrypted: isGateError(error) && error.code === 'tree.encrypted' };
  }
}
