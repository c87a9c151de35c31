import type { KubeObject, ResourceChange } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { readYamlFile } from '../sources/yaml-files.ts';
import { readQuietly } from './read-quietly.ts';

/** More text than this in one file is a bundle that would take longer to read than it is worth. */
const maximumCharacters = 8 * 1024 * 1024;

/**
 * CustomResourceDefinitions that stand in plain files of the tree (a folder of CRDs, `crds/` of a chart) for the custom
 * resources that change: their list keys and defaults decide what is a difference. Rendered ones are known already.
 */
export function crdsOfTree(changes: readonly ResourceChange[], tree: Tree): readonly KubeObject[] {
  const groups = new Set(
    changes
      .filter((change) => change.action === 'changed')
      .map((change) => change.ref.group)
      .filter(isCustom),
  );
  if (groups.size === 0) return [];
  const found: KubeObject[] = [];
  for (const entry of tree.files.values()) {
    if (entry.type !== 'file' || !/\.ya?ml$/.test(entry.path)) continue;
    const text = readQuietly(tree, entry.path);
    if (text === undefined || text.length > maximumCharacters || !/^kind: *["']?CustomResourceDefinition/m.test(text))
      continue;
    if (![...groups].some((group) => text.includes(group))) continue;
    for (const document of readYamlFile(tree, entry.path)?.documents ?? []) {
      const object = document.value as unknown as KubeObject;
      if (object?.kind === 'CustomResourceDefinition') found.push(object);
    }
  }
  return found;
}

/** Built-in groups have no dot, or end with k8s.io and are served by the API server itself. */
function isCustom(group: string): boolean {
  return (
    group.includes('.') &&
    !/^(?:admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|internal\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage|storagemigration)\.k8s\.io$/.test(
      group,
    )
  );
}
