import { posix } from 'node:path';
import { isLfsPointer, lfsReason } from '../core/lfs.ts';
import type { Json, JsonObject, Manifest, ManifestsSource } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { digestOf } from './context.ts';
import type { RenderContext } from './context.ts';
import { fail } from './failure.ts';
import { matchGlob } from './glob.ts';
import type { Job } from './helm.ts';
import { parseManifests } from './parse.ts';
import { insideTree } from './tree-path.ts';

// argo-cd reposerver/repository manifestFile.
const manifestFile = /\.(?:yaml|yml|json|jsonnet)$/;
/** What `kubectl apply -k` reads itself, and no API server knows. */
const kustomizeGroup = 'kustomize.config.k8s.io';
const skipMarker = '+argocd:skip-file-rendering';

/** Reads manifests as they stand. With `rules: 'argocd'` as Argo CD reads a directory (reposerver findManifests). */
export function prepareManifests(
  source: ManifestsSource,
  tree: Tree,
  context: RenderContext,
  substitute: ((object: JsonObject) => Json) | undefined,
  identity: unknown,
): Job {
  const root = insideTree(source.path, 'The path');
  if (!tree.isFile(root) && !tree.isDirectory(root)) {
    fail({ kind: 'render', message: `${root === '' ? 'The root' : root} does not exist in the repository` });
  }
  const files = manifestFiles(source, root, tree);
  return {
    key: digestOf(['manifests', source.rules, files.map((file) => [file, tree.hashOf(file)]), identity]),
    persistent: false,
    async run() {
      const manifests = files
        .flatMap((file) => readFile(source, file, tree, context, substitute))
        .filter(({ ref }) => source.rules === 'argocd' || ref.group !== kustomizeGroup);
      return { manifests, warnings: [] };
    },
    locate: (rendered) => rendered,
  };
}

function manifestFiles(source: ManifestsSource, root: string, tree: Tree): string[] {
  const argocd = source.rules === 'argocd';
  return tree.list(root).filter((file) => {
    const below = tree.isFile(root) ? posix.basename(file) : root === '' ? file : file.slice(root.length + 1);
    // It often has neither kind nor name. Argo CD takes a folder with one for a kustomize source, and applies it deeper down.
    if (!argocd && /^(?:kustomization\.ya?ml|Kustomization)$/.test(posix.basename(file))) return false;
    if (!source.recurse && below.includes('/')) return false;
    if (!manifestFile.test(file) || !tree.isFile(file)) return false;
    if (below.split('/').includes('.git')) return false;
    if (source.exclude !== undefined && source.exclude !== '' && matchGlob(source.exclude, below)) return false;
    if (source.include !== undefined && source.include !== '' && !matchGlob(source.include, below)) return false;
    if (argocd && tree.readText(file)?.includes(skipMarker) === true) return false;
    if (!file.endsWith('.jsonnet')) return true;
    if (!argocd) return false;
    return fail({
      kind: 'unsupported',
      message: `${file} is jsonnet, which gate does not evaluate`,
      location: { file },
      next: 'Commit the evaluated manifests, or exclude the file from the directory source.',
    });
  });
}

function readFile(
  source: ManifestsSource,
  file: string,
  tree: Tree,
  context: RenderContext,
  substitute: ((object: JsonObject) => Json) | undefined,
): readonly Manifest[] {
  const text = tree.readText(file) ?? '';
  if (isLfsPointer(text)) {
    fail({
      kind: 'missing-input',
      message: `${file} is a ${lfsReason}`,
      location: { file },
      next: 'Fetch the content first (git lfs pull), or keep manifests out of Git LFS.',
    });
  }
  const found: Manifest[] = [];
  const options = { file, redactKey: context.redactKey, ...(substitute === undefined ? {} : { substitute }) };
  try {
    return parseManifests(text, { ...options, collect: found }).manifests;
  } catch (error) {
    // Argo CD passes over a file that fails at its first document, unless it looks like a manifest (getObjsFromYAMLOrJSON).
    const looksLikeManifest = ['apiVersion:', 'kind:', 'metadata:'].every((field) => text.includes(field));
    if (source.rules === 'argocd' && found.length === 0 && !looksLikeManifest && !file.endsWith('.json')) return [];
    throw error;
  }
}
