import type { JsonObject } from '../../core/model.ts';
import type { Tree } from '../../core/ports.ts';
import { asObject, get, text, texts } from '../argocd/values.ts';
import { kustomizationFileIn, kustomizeInputs } from '../closure.ts';
import { kustomizationRoots } from '../kustomization-roots.ts';
import { directoryInput, resolveInTree } from '../tree-paths.ts';
import { artifactOrigin } from './artifacts.ts';
import { groups, type FluxObject, type ObjectIndex } from './objects.ts';
import { fluxPath } from './paths.ts';
import type { ResolvedSource, SourceResolver } from './sources.ts';

/** What of the Flux objects in plain files is a target by itself. */
export interface Roots {
  /** Objects that nothing else in the tree applies. */
  readonly roots: readonly FluxObject[];
  /**
   * Kustomize roots that apply Flux objects and that no Flux Kustomization reads: rendering them gives the objects
   * with their patches.
   */
  readonly kustomizeRoots: readonly string[];
}

/**
 * An object in the closure of a Flux Kustomization or of a Kustomize root exists as those render it (patched,
 * renamed, perhaps several times), not as its file says. Only what nobody reaches is a target by itself; in a circle
 * of Kustomizations that apply each other the first one is.
 */
export function findRoots(index: ObjectIndex, sources: SourceResolver, tree: Tree): Roots {
  const candidates = index.all
    .filter((item) => item.parent === undefined && isDeclaration(item))
    .sort((a, b) => Number(isBootstrap(b)) - Number(isBootstrap(a)) || compare(a.location.file, b.location.file));
  const appliers = candidates.filter(isKustomization);
  const covers = appliers.map((item) => coverage(tree, pathsOf(item, index, sources, tree)));
  const reachedBy = candidates.map((item) =>
    appliers.flatMap((_, at) => (covers[at]!(item.location.file) ? [at] : [])),
  );

  const chosen = new Set<FluxObject>();
  const reached = new Set<FluxObject>();
  const choose = (item: FluxObject): void => {
    chosen.add(item);
    const queue = [item];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const at = appliers.indexOf(next);
      if (at === -1) continue;
      candidates.forEach((other, index) => {
        if (other === item || reached.has(other) || !reachedBy[index]!.includes(at)) return;
        reached.add(other);
        queue.push(other);
      });
    }
  };
  candidates.forEach((item, index) => {
    if (reachedBy[index]!.every((at) => appliers[at] === item)) choose(item);
  });
  for (const item of candidates) if (!chosen.has(item) && !reached.has(item)) choose(item);

  const roots = [...chosen].filter((item) => !reached.has(item));
  return throughKustomize(roots, covers, tree);
}

function throughKustomize(
  roots: readonly FluxObject[],
  covers: readonly ((file: string) => boolean)[],
  tree: Tree,
): Roots {
  if (roots.length === 0) return { roots, kustomizeRoots: [] };
  const directories = kustomizationRoots(tree).filter((directory) => {
    const file = kustomizationFileIn(tree, directory);
    return file !== undefined && !covers.some((covered) => covered(file));
  });
  const used = new Set<string>();
  const left = roots.filter((item) => {
    const holders = directories.filter((directory) => coverage(tree, [directory])(item.location.file));
    for (const directory of holders) used.add(directory);
    return holders.length === 0;
  });
  return { roots: left, kustomizeRoots: [...used].sort() };
}

/** Kinds that become targets. */
export function isDeclaration(item: FluxObject): boolean {
  return isKustomization(item) || (item.group === groups.helm && item.kind === 'HelmRelease');
}

export function isKustomization(item: FluxObject): boolean {
  return item.group === groups.kustomize && item.kind === 'Kustomization';
}

function isBootstrap(item: FluxObject): boolean {
  return item.name === 'flux-system' || item.location.file.endsWith('gotk-sync.yaml');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The directories of this tree that a Kustomization reads: its path and its components, nothing when its source is
 * elsewhere. With `${…}` in the path, every directory that it may become.
 */
function pathsOf(item: FluxObject, index: ObjectIndex, sources: SourceResolver, tree: Tree): readonly string[] {
  const reference = asObject(get(item.object, 'spec', 'sourceRef'));
  const written = fluxPath(text(get(item.object, 'spec', 'path')));
  const paths =
    get(reference, 'kind') === 'ExternalArtifact'
      ? artifactPaths(item, reference, written, index, tree)
      : expand(tree, written);
  const own =
    get(reference, 'kind') === 'ExternalArtifact'
      ? paths
      : paths.filter((path) => readsHere(sources.resolve(reference, item, path), item, path));
  const components = texts(get(item.object, 'spec', 'components'));
  return own.flatMap((path) => [path, ...components.flatMap((component) => resolveInTree(path, component) ?? [])]);
}

/**
 * The root of another branch is another layout (a tenant that keeps its manifests on a branch of its own); a folder
 * of it, or the root that the cluster was bootstrapped with, is taken to be what this tree has there.
 */
function readsHere(source: ResolvedSource, item: FluxObject, path: string): boolean {
  return source.from === 'tree' && (source.unaffectedBecause === undefined || path !== '' || isBootstrap(item));
}

function artifactPaths(
  item: FluxObject,
  reference: JsonObject | undefined,
  path: string,
  index: ObjectIndex,
  tree: Tree,
): readonly string[] {
  const namespace = text(get(reference, 'namespace')) ?? item.namespace;
  const artifact = artifactOrigin(text(get(reference, 'name')) ?? '', namespace, item, index);
  return artifact === undefined ? [] : expand(tree, fluxPath(`${artifact.root}/${path}`));
}

function expand(tree: Tree, path: string): readonly string[] {
  if (!path.includes('${')) return tree.isDirectory(path) || path === '' ? [path] : [];
  let matching: readonly string[] = [''];
  for (const segment of path.split('/')) {
    matching = matching.flatMap((base) => {
      if (segment.includes('${')) return childDirectories(tree, base);
      return [base === '' ? segment : `${base}/${segment}`].filter((next) => tree.isDirectory(next));
    });
    if (matching.length > 1000) return [];
  }
  return matching;
}

function childDirectories(tree: Tree, directory: string): readonly string[] {
  const prefix = directory === '' ? '' : `${directory}/`;
  const names = new Set<string>();
  for (const path of tree.list(directory)) {
    const slash = path.indexOf('/', prefix.length);
    if (slash !== -1) names.add(path.slice(0, slash));
  }
  return [...names];
}

function coverage(tree: Tree, directories: readonly string[]): (file: string) => boolean {
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const directory of directories) {
    const inputs = kustomizeInputs(tree, directory);
    for (const input of inputs === 'unknown' ? [directoryInput(directory)] : inputs) {
      if (input.endsWith('/')) folders.add(input);
      else files.add(input);
    }
  }
  return (file) => {
    if (files.has(file) || folders.has('./')) return true;
    for (let slash = file.indexOf('/'); slash !== -1; slash = file.indexOf('/', slash + 1)) {
      if (folders.has(file.slice(0, slash + 1))) return true;
    }
    return false;
  };
}
