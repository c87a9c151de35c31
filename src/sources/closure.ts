import type { Tree } from '../core/ports.ts';
import { readYamlFile } from './yaml-files.ts';
import {
  directoryInput,
  directoryOf,
  followLinks,
  isInside,
  resolveInTree,
  symlinksOf,
  tidyInputs,
} from './tree-paths.ts';

/** Names under which kustomize looks for its file (api/konfig/general.go, RecognizedKustomizationFileNames). */
export const kustomizationFileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** The kustomization file of a directory, or undefined. '' is the root of the tree. */
export function kustomizationFileIn(tree: Tree, directory: string): string | undefined {
  const prefix = directory === '' || directory === '.' ? '' : `${directory.replace(/\/+$/u, '')}/`;
  return kustomizationFileNames.map((name) => prefix + name).find((path) => tree.isFile(path));
}

/**
 * The tree paths that rendering the chart at `path` reads: the chart's directory, the directories of its
 * `file://` dependencies and of theirs, and what symbolic links in them point to.
 *
 * @param path chart directory or packaged chart (`.tgz`), relative to the tree; it need not exist
 * @returns sorted paths, directories with a trailing `/`; 'unknown' when a Chart.yaml cannot be read
 */
export function chartInputs(tree: Tree, path: string): readonly string[] | 'unknown' {
  return remembered(tree, `chart:${path}`, () => {
    const walk = newWalk(tree);
    addChart(walk, resolveInTree('', path));
    return finish(walk);
  });
}

/**
 * The tree paths that `kustomize build` of `path` reads: kustomization files and everything they name,
 * transitively. Files that are named and missing are listed too, so that their appearance counts. Remote
 * resources are left out. A directory without a kustomization file counts as a whole (Flux generates one),
 * together with the closures of the kustomizations below it.
 *
 * @param path directory relative to the tree; it need not exist
 * @returns sorted paths, directories with a trailing `/`; 'unknown' when a kustomization cannot be read
 */
export function kustomizeInputs(tree: Tree, path: string): readonly string[] | 'unknown' {
  return remembered(tree, `kustomize:${path}`, () => {
    const walk = newWalk(tree);
    addReference(walk, '', path);
    return finish(walk);
  });
}

/**
 * Directories whose kustomization file is read when `path` is built, the start included, sorted.
 * Used to tell roots from bases. Unreadable kustomizations end the walk there.
 */
export function kustomizationsReached(tree: Tree, path: string): readonly string[] {
  const walk = newWalk(tree);
  addReference(walk, '', path);
  while (walk.queue.length > 0) visit(walk, walk.queue.pop()!);
  return [...walk.kustomizations].sort();
}

type Closure = readonly string[] | 'unknown';

/** Bases are shared by many targets, and discovery asks again for every level of rendered targets. */
const closures = new WeakMap<Tree, Map<string, Closure>>();

function remembered(tree: Tree, key: string, compute: () => Closure): Closure {
  let known = closures.get(tree);
  if (known === undefined) closures.set(tree, (known = new Map()));
  let closure = known.get(key);
  if (closure === undefined) known.set(key, (closure = compute()));
  return closure;
}

interface Walk {
  readonly tree: Tree;
  readonly inputs: Set<string>;
  /** Directories to look into: an explicit queue, so that no chain of bases can exhaust the stack. */
  readonly queue: { readonly directory: string; readonly kind: 'chart' | 'kustomize' }[];
  readonly seen: Set<string>;
  readonly kustomizations: Set<string>;
  unknown: boolean;
}

function newWalk(tree: Tree): Walk {
  return { tree, inputs: new Set(), queue: [], seen: new Set(), kustomizations: new Set(), unknown: false };
}

function finish(walk: Walk): readonly string[] | 'unknown' {
  while (walk.queue.length > 0 && !walk.unknown) visit(walk, walk.queue.pop()!);
  return walk.unknown ? 'unknown' : tidyInputs(walk.inputs);
}

function visit(walk: Walk, item: { readonly directory: string; readonly kind: 'chart' | 'kustomize' }): void {
  const key = `${item.kind}:${item.directory}`;
  if (walk.seen.has(key)) return;
  walk.seen.add(key);
  if (item.kind === 'chart') visitChart(walk, item.directory);
  else visitKustomization(walk, item.directory);
}

// ---------------------------------------------------------------------------------------------
// Charts
// ---------------------------------------------------------------------------------------------

function addChart(walk: Walk, path: string | undefined): void {
  const real = path === undefined ? undefined : follow(walk, path);
  if (real === undefined) return;
  if (walk.tree.isFile(real)) {
    walk.inputs.add(real);
    return;
  }
  if (!walk.tree.isDirectory(real)) walk.inputs.add(real);
  walk.inputs.add(directoryInput(real));
  walk.queue.push({ directory: real, kind: 'chart' });
}

function visitChart(walk: Walk, directory: string): void {
  for (const link of symlinksOf(walk.tree)) {
    if (!isInside(directory, link)) continue;
    const real = follow(walk, link);
    if (real !== undefined && !isInside(directory, real)) addPlain(walk, real);
  }
  // requirements.yaml holds the dependencies of apiVersion v1 charts.
  for (const name of ['Chart.yaml', 'requirements.yaml']) {
    for (const document of readYaml(walk, resolveInTree(directory, name)!)) {
      for (const dependency of objects(fieldOf(document, 'dependencies'))) {
        const repository = fieldOf(dependency, 'repository');
        if (typeof repository !== 'string' || !repository.startsWith('file://')) continue;
        addChart(walk, resolveInTree(directory, repository.slice('file://'.length)));
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Kustomize
// ---------------------------------------------------------------------------------------------

function visitKustomization(walk: Walk, directory: string): void {
  const { tree } = walk;
  const file = kustomizationFileIn(tree, directory);
  if (file === undefined) {
    walk.inputs.add(directoryInput(directory));
    for (const path of tree.list(directory)) {
      const below = directoryOf(path);
      if (below !== directory && kustomizationFileIn(tree, below) === path)
        walk.queue.push({ directory: below, kind: 'kustomize' });
    }
    return;
  }
  walk.kustomizations.add(directory);
  // All three names: a second kustomization file makes the build fail.
  for (const name of kustomizationFileNames) walk.inputs.add(resolveInTree(directory, name)!);
  for (const document of readYaml(walk, file)) addKustomizationFields(walk, directory, document);
}

function addKustomizationFields(walk: Walk, directory: string, kustomization: unknown): void {
  const strings = (field: string): readonly string[] => stringsOf(fieldOf(kustomization, field));
  for (const field of ['resources', 'bases', 'components']) {
    for (const path of strings(field)) addReference(walk, directory, path);
  }
  for (const field of ['configurations', 'crds', 'patchesStrategicMerge']) {
    for (const path of strings(field)) addFile(walk, directory, path);
  }
  for (const field of ['patches', 'patchesJson6902', 'replacements']) {
    for (const entry of objects(fieldOf(kustomization, field))) addFile(walk, directory, fieldOf(entry, 'path'));
  }
  for (const field of ['configMapGenerator', 'secretGenerator']) {
    for (const entry of objects(fieldOf(kustomization, field))) {
      for (const file of stringsOf(fieldOf(entry, 'files')))
        addFile(walk, directory, file.slice(file.indexOf('=') + 1));
      for (const file of [...stringsOf(fieldOf(entry, 'envs')), fieldOf(entry, 'env')]) addFile(walk, directory, file);
    }
  }
  addFile(walk, directory, fieldOf(fieldOf(kustomization, 'openapi'), 'path'));
  for (const field of ['generators', 'transformers', 'validators']) {
    for (const path of strings(field)) {
      // Their configuration names further files in fields of its own, relative to this directory.
      walk.inputs.add(directoryInput(directory));
      if (!path.includes('\n')) addReference(walk, directory, path);
    }
  }
  addHelmCharts(walk, directory, kustomization);
}

function addHelmCharts(walk: Walk, directory: string, kustomization: unknown): void {
  const home = fieldOf(fieldOf(kustomization, 'helmGlobals'), 'chartHome');
  for (const chart of objects(fieldOf(kustomization, 'helmCharts'))) {
    addFile(walk, directory, fieldOf(chart, 'valuesFile'));
    for (const file of stringsOf(fieldOf(chart, 'additionalValuesFiles'))) addFile(walk, directory, file);
    addChartHome(walk, directory, typeof home === 'string' ? home : 'charts', fieldOf(chart, 'name'));
  }
  for (const chart of objects(fieldOf(kustomization, 'helmChartInflationGenerator'))) {
    addFile(walk, directory, fieldOf(chart, 'values'));
    const own = fieldOf(chart, 'chartHome');
    addChartHome(walk, directory, typeof own === 'string' ? own : 'charts', fieldOf(chart, 'chartName'));
  }
}

function addChartHome(walk: Walk, directory: string, home: string, name: unknown): void {
  const path = resolveInTree(directory, home);
  if (path === undefined) return;
  walk.inputs.add(directoryInput(path));
  if (typeof name === 'string') addChart(walk, resolveInTree(path, name));
}

/** A file, or a directory with a kustomization, or something remote. */
function addReference(walk: Walk, directory: string, reference: string): void {
  const path = resolveInTree(directory, reference);
  const real = path === undefined ? undefined : follow(walk, path);
  if (real === undefined) return;
  if (walk.tree.isFile(real)) {
    walk.inputs.add(real);
  } else if (walk.tree.isDirectory(real) || real === '') {
    walk.queue.push({ directory: real, kind: 'kustomize' });
  } else if (!looksRemote(reference)) {
    walk.inputs.add(real).add(directoryInput(real));
  }
}

function addFile(walk: Walk, directory: string, reference: unknown): void {
  // patchesStrategicMerge and transformers may hold YAML text instead of a path.
  if (typeof reference !== 'string' || reference === '' || reference.includes('\n') || looksRemote(reference)) return;
  const path = resolveInTree(directory, reference);
  const real = path === undefined ? undefined : follow(walk, path);
  if (real !== undefined) addPlain(walk, real);
}

function addPlain(walk: Walk, path: string): void {
  walk.inputs.add(walk.tree.isDirectory(path) ? directoryInput(path) : path);
}

function follow(walk: Walk, path: string): string | undefined {
  const { path: real, links } = followLinks(walk.tree, path);
  for (const link of links) walk.inputs.add(link);
  return real;
}

/**
 * Could kustomize fetch this from the network? It tries the file system first (api/internal/target/kusttarget.go,
 * accumulateResources), so this is asked only about paths that do not exist.
 */
export function looksRemote(reference: string): boolean {
  return (
    reference.includes('://') ||
    reference.startsWith('git@') ||
    reference.startsWith('git::') ||
    /[?&](?:ref|version)=/u.test(reference) ||
    /^(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|dev\.azure\.com)[/:]/u.test(reference)
  );
}

// ---------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------

/** The documents of a file; none when it is missing. Sets `walk.unknown` when it cannot be read. */
function readYaml(walk: Walk, path: string): readonly unknown[] {
  const file = readYamlFile(walk.tree, path);
  if (file === undefined) return [];
  if (file.problems.length > 0) walk.unknown = true;
  return file.documents.map((document) => document.value);
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined;
}

function objects(value: unknown): readonly object[] {
  return Array.isArray(value) ? value.filter((item): item is object => typeof item === 'object' && item !== null) : [];
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
