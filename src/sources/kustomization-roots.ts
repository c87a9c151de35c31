import type { Tree } from '../core/ports.ts';
import { get } from './argocd/values.ts';
import { kustomizationFileNames, kustomizationsReached } from './closure.ts';
import { readYamlFile } from './yaml-files.ts';
import { baseName, directoryOf } from './tree-paths.ts';

const known = new WeakMap<Tree, readonly string[]>();

/**
 * Directories with a kustomization that no other kustomization of the tree uses, sorted. `kind: Component` is never
 * a root: it is a piece for others. In a circle of kustomizations nothing is a root: none of them can be built.
 */
export function kustomizationRoots(tree: Tree): readonly string[] {
  const before = known.get(tree);
  if (before !== undefined) return before;
  const files = [...tree.files.keys()].filter((path) =>
    (kustomizationFileNames as readonly string[]).includes(baseName(path)),
  );
  const directories = [...new Set(files.map(directoryOf))];
  const used = new Set<string>();
  for (const directory of directories) {
    for (const reached of kustomizationsReached(tree, directory)) if (reached !== directory) used.add(reached);
  }
  const components = new Set(files.filter((path) => isComponent(tree, path)).map(directoryOf));
  const roots = directories.filter((directory) => !used.has(directory) && !components.has(directory)).sort();
  known.set(tree, roots);
  return roots;
}

/** Is it a Kustomize file at all (a Flux Kustomization may be called kustomization.yaml, too)? */
function isComponent(tree: Tree, path: string): boolean {
  const value = readYamlFile(tree, path)?.documents[0]?.value;
  const object = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  const apiVersion = get(object, 'apiVersion');
  return (
    get(object, 'kind') === 'Component' ||
    (typeof apiVersion === 'string' && apiVersion.startsWith('kustomize.toolkit.fluxcd.io/'))
  );
}
