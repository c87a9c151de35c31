import type { JsonObject } from '../../core/model.ts';
import type { Tree } from '../../core/ports.ts';
import { kustomizationFileNames } from '../closure.ts';
import { readYamlFile } from '../yaml-files.ts';
import { baseName, directoryOf } from '../tree-paths.ts';
import { asObject, get, mergePatch } from './values.ts';

export type SourceType = 'helm' | 'kustomize' | 'directory' | 'plugin';

export type TypedSource =
  | { readonly ok: true; readonly type: SourceType; readonly source: JsonObject }
  | { readonly ok: false; readonly reason: string };

/** Files in which a source path overrides parameters of the Applications that read it (docs/user-guide/parameters.md). */
export function overrideFiles(path: string, appName: string): readonly string[] {
  const prefix = path === '' ? '' : `${path}/`;
  return [`${prefix}.argocd-source.yaml`, `${prefix}.argocd-source-${appName}.yaml`];
}

/**
 * The type of a path source, chosen as reposerver/repository/repository.go GetAppSourceType does: override files are
 * merged, an explicit type wins, then the files of the directory decide, else it is a directory of manifests.
 *
 * @param source `spec.source` or an item of `spec.sources`
 * @param path of the source in the tree, normalised, '' for the root
 * @param appName instance name (`<namespace>_<name>` outside of Argo CD's own namespace)
 */
export function typeOf(tree: Tree, source: JsonObject, path: string, appName: string): TypedSource {
  let merged = source;
  for (const file of overrideFiles(path, appName)) {
    const read = readYamlFile(tree, file);
    if (read === undefined) continue;
    const problem = read.problems[0];
    if (problem !== undefined) {
      const line = problem.line === undefined ? '' : `:${problem.line}`;
      return { ok: false, reason: `${file}${line} cannot be read as YAML: ${problem.message}` };
    }
    const patch = asObject(read.documents[0]?.value);
    if (patch !== undefined) merged = asObject(mergePatch(merged, patch)) ?? merged;
  }
  // These four cannot be overridden (mergeSourceParameters).
  for (const field of ['chart', 'path', 'repoURL', 'targetRevision']) {
    const { [field]: _dropped, ...rest } = merged;
    merged = Object.hasOwn(source, field) ? { ...rest, [field]: source[field] ?? null } : rest;
  }
  const explicit = (['kustomize', 'helm', 'directory', 'plugin'] as const).filter(
    (type) => (get(merged, type) ?? null) !== null,
  );
  if (explicit.length > 1) {
    return { ok: false, reason: `several source types are set (${explicit.join(', ')}); Argo CD accepts one` };
  }
  return { ok: true, type: explicit[0] ?? detectType(tree, path), source: merged };
}

/**
 * util/app/discovery Discover, without config management plugins (they live in the cluster): Argo CD walks the
 * directory in lexical order and the last match counts, so `kustomization.yaml` beats `Chart.yaml`.
 */
export function detectType(tree: Tree, path: string): SourceType {
  let type: SourceType = 'directory';
  for (const file of filesIn(tree, path)) {
    const name = baseName(file);
    if (name.endsWith('Chart.yaml')) type = 'helm';
    if ((kustomizationFileNames as readonly string[]).includes(name)) type = 'kustomize';
  }
  return type;
}

/** Files directly in a directory, in byte order as Go's filepath.Walk visits them. */
export function filesIn(tree: Tree, path: string): readonly string[] {
  return tree
    .list(path)
    .filter((file) => directoryOf(file) === path)
    .toSorted();
}
