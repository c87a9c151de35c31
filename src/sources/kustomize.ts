import type { Config } from '../core/config.ts';
import type { Target } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { inputsMayDeclareTargets } from './argocd/renders-targets.ts';
import { kustomizationFileIn, kustomizeInputs } from './closure.ts';
import { environmentOf } from './environment.ts';
import { kustomizationRoots } from './kustomization-roots.ts';
import { overlayScopes } from './overlay-scopes.ts';
import { baseName } from './tree-paths.ts';

/**
 * A Kustomize overlay that nothing in the tree declares: applied by hand, by a pipeline, or by an engine whose
 * declaration stands elsewhere. Whether that prunes is not known.
 * @param directory of its kustomization, '' for the root of the tree
 * @param cluster when it is known which one it is for
 */
export function kustomizeTarget(tree: Tree, config: Config, directory: string, cluster?: string): Target {
  const path = directory === '' ? '.' : directory;
  const id = `kustomize:${path}`;
  const environment = environmentOf({ config, id, name: baseName(path), paths: [path], labels: {}, cluster });
  const inputs = kustomizeInputs(tree, directory);
  return {
    id,
    name: directory === '' ? 'kustomization' : directory,
    engine: 'kustomize',
    ...(environment === undefined ? {} : { environment }),
    ...(cluster === undefined ? {} : { cluster }),
    scope: cluster ?? environment ?? id,
    origin: { file: kustomizationFileIn(tree, directory) ?? path },
    parents: [],
    sources: [{ type: 'kustomize', path, loadRestrictions: 'root-only', enableHelm: false, generate: false }],
    afterRender: {},
    apply: { mode: 'client-side', prune: 'unknown', automated: 'unknown' },
    inputs,
    rendersTargets: inputsMayDeclareTargets(tree, inputs),
  };
}

/** Kustomizations that nothing else refers to. */
export function detectKustomize(tree: Tree, config: Config): readonly Target[] {
  const roots = kustomizationRoots(tree);
  const scopes = overlayScopes(tree, config, roots);
  return roots.map((directory) => {
    const target = kustomizeTarget(tree, config, directory);
    return { ...target, scope: scopes.get(directory) ?? target.scope };
  });
}
