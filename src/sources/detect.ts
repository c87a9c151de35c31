import picomatch from 'picomatch';
import type { Config } from '../core/config.ts';
import type { Discovery, NotEvaluated, Target } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { coverageOf, isOutside, type DetectContext } from './detect-context.ts';
import { detectHelm } from './helm.ts';
import { detectHelmfile } from './helmfile.ts';
import { detectKustomize } from './kustomize.ts';
import { detectPlain } from './plain.ts';

/**
 * Charts, overlays, Helmfile releases and folders of manifests that no target found so far reads.
 * What stands nearer to a deployment comes first, and what it reads is no target again: Helmfile, Kustomize, Helm,
 * plain manifests.
 *
 * @param claimed targets of gate.yaml, Argo CD and Flux
 */
export function detectConventional(tree: Tree, config: Config, claimed: readonly Target[]): Discovery {
  const targets: Target[] = [];
  const notEvaluated: NotEvaluated[] = [];
  const context = (): DetectContext => ({ tree, config, covered: coverageOf([...claimed, ...targets]) });
  const excluded = compileExclude(config.exclude);
  const left: string[] = [];
  const known = new Set(claimed.map((target) => target.id));
  const add = (found: readonly Target[], notes: readonly NotEvaluated[] = []): void => {
    // Excluded targets still cover their files: otherwise a chart left out would come back as a folder of manifests.
    targets.push(...found.filter((target) => !known.has(target.id)));
    notEvaluated.push(...notes);
  };

  const helmfile = detectHelmfile(context());
  add(helmfile.targets, helmfile.notEvaluated);
  const { covered } = context();
  add(
    detectKustomize(tree, config).filter(
      (target) => !isOutside(target.origin.file) && !covered.covers(target.origin.file),
    ),
  );
  const helm = detectHelm(context());
  add(helm.targets, helm.notEvaluated);
  const plain = detectPlain(context());
  add(plain.targets, plain.notEvaluated);

  const kept = targets.filter((target) => {
    const hit = excluded(target);
    if (hit) left.push(target.id);
    return !hit;
  });
  for (const id of left) {
    notEvaluated.push({ what: id, target: id, reason: 'left out by `exclude` of the configuration', weight: 'note' });
  }
  return { targets: kept, notEvaluated };
}

/** `exclude` globs match ids, names, the declaring file and the source paths. */
function compileExclude(globs: readonly string[]): (target: Target) => boolean {
  const matchers = globs.map((glob) => picomatch(glob, { dot: true }));
  return (target) =>
    matchers.some((matches) =>
      [target.id, target.name, target.origin.file, ...sourcePathsOf(target)].some((value) => matches(value)),
    );
}

function sourcePathsOf(target: Target): readonly string[] {
  return target.sources.flatMap((source) => {
    if (source.type === 'kustomize' || source.type === 'manifests') return [source.path];
    return source.type === 'helm' && source.chart.from === 'tree' ? [source.chart.path] : [];
  });
}
