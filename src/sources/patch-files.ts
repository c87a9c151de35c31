import type { Json } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { kustomizationFileNames } from './closure.ts';
import { readYamlFile } from './yaml-files.ts';
import { baseName, directoryOf, resolveInTree } from './tree-paths.ts';

/**
 * Files that some kustomization of the tree uses as patches. They look like objects and are only pieces of them:
 * an `Application` without source in `patches/` is not an Application.
 */
export function patchFilesOf(tree: Tree): ReadonlySet<string> {
  const known = computed.get(tree);
  if (known !== undefined) return known;
  const result = new Set<string>();
  for (const path of tree.files.keys()) {
    if (!(kustomizationFileNames as readonly string[]).includes(baseName(path))) continue;
    for (const document of readYamlFile(tree, path)?.documents ?? []) {
      for (const patch of patchesIn(document.value)) {
        const file = patch.includes('\n') ? undefined : resolveInTree(directoryOf(path), patch);
        if (file !== undefined) result.add(file);
      }
    }
  }
  computed.set(tree, result);
  return result;
}

const computed = new WeakMap<Tree, ReadonlySet<string>>();

function patchesIn(value: Json): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return ['patches', 'patchesStrategicMerge', 'patchesJson6902'].flatMap((field) => {
    const list = value[field];
    if (!Array.isArray(list)) return [];
    return list.flatMap((item) => {
      if (typeof item === 'string') return [item];
      const path = typeof item === 'object' && item !== null && !Array.isArray(item) ? item['path'] : undefined;
      return typeof path === 'string' ? [path] : [];
    });
  });
}
