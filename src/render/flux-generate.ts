import { posix } from 'node:path';
import type { JsonObject } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { messageOf } from '../core/errors.ts';
import { readDocuments } from '../core/yaml/read.ts';
import { fail } from './failure.ts';
import { kustomizationFile } from './kustomize-closure.ts';
import { isObject } from '../core/json.ts';

/**
 * The kustomization that Flux writes for a folder without one (fluxcd/pkg/kustomize scanManifests): folders with a
 * kustomization become resources and are not entered, every other YAML file has to hold Kubernetes objects.
 */
export function generateKustomization(tree: Tree, folder: string, isHidden: (path: string) => boolean): JsonObject {
  const resources: string[] = [];
  const closed: string[] = [];
  const prefix = folder === '' ? '' : `${folder}/`;
  for (const file of walkOrder(tree.list(folder))) {
    if (closed.some((directory) => file.startsWith(directory)) || isHidden(file)) continue;
    const below = file.slice(prefix.length);
    const kustomized = foldersAbove(below).find(
      (directory) => kustomizationFile(tree, prefix + directory) !== undefined,
    );
    if (kustomized !== undefined) {
      closed.push(`${prefix}${kustomized}/`);
      resources.push(`./${kustomized}`);
    } else if (/\.ya?ml$/.test(file) && tree.isFile(file)) {
      requireObjects(tree, file);
      resources.push(`./${below}`);
    }
  }
  // An empty kustomization would be refused.
  return resources.length === 0 ? { namespace: '_placeholder' } : { resources };
}

/** `a/b/c.yaml` -> `a`, `a/b`. */
function foldersAbove(path: string): string[] {
  const parts = posix.dirname(path) === '.' ? [] : posix.dirname(path).split('/');
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/** Go's filepath.Walk goes folder by folder in the order of names. */
function walkOrder(files: readonly string[]): string[] {
  return files
    .map((file) => ({ file, parts: file.split('/') }))
    .toSorted((left, right) => compareParts(left.parts, right.parts))
    .map(({ file }) => file);
}

function compareParts(left: readonly string[], right: readonly string[]): number {
  for (let index = 0; index < left.length && index < right.length; index++) {
    const [mine, theirs] = [left[index] as string, right[index] as string];
    if (mine !== theirs) return mine < theirs ? -1 : 1;
  }
  return left.length - right.length;
}

function requireObjects(tree: Tree, file: string): void {
  const refuse = (reason: string, line?: number): never =>
    fail({
      kind: 'render',
      message: `Flux cannot build the folder: ${file} does not hold Kubernetes objects (${reason})`,
      location: { file, ...(line === undefined ? {} : { line }) },
      next: 'Move the file out of the path, name it in .sourceignore, or add a kustomization.yaml that lists the resources.',
    });
  let documents;
  try {
    documents = readDocuments(tree.readText(file) ?? '');
  } catch (error) {
    return refuse(messageOf(error));
  }
  for (const { value, line } of documents) {
    if (value === null) continue;
    if (!isObject(value) || typeof value['kind'] !== 'string') return refuse('kind is missing', line);
    const metadata = value['metadata'];
    const named =
      isObject(metadata) && (typeof metadata['name'] === 'string' || typeof metadata['generateName'] === 'string');
    if (!named && !value['kind'].endsWith('List')) return refuse('metadata.name is missing', line);
  }
  return undefined;
}
