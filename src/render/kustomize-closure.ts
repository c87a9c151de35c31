import { posix } from 'node:path';
import type { Json, JsonObject } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { messageOf } from '../core/errors.ts';
import { readDocuments } from '../core/yaml/read.ts';
import { fail } from './failure.ts';
import { isObject } from '../core/json.ts';
import { insideTree, relativeTo } from './tree-path.ts';

/** api/konfig/general.go RecognizedKustomizationFileNames. */
export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** Everything that a kustomization reads from the tree. */
export interface KustomizeClosure {
  /** Files and folders with their content identity, sorted by path. Folders count as a whole. */
  readonly inputs: readonly (readonly [path: string, hash: string | undefined])[];
  /** Folders whose kustomization file is read. */
  readonly folders: readonly string[];
  /** Addresses of other repositories and servers, as written. */
  readonly remotes: readonly Remote[];
  /** Helm charts that are to be inflated. */
  readonly helmCharts: readonly HelmInflation[];
}

export interface Remote {
  readonly url: string;
  /** Kustomization file that names it. */
  readonly file: string;
}

export interface HelmInflation {
  readonly folder: string;
  readonly chartHome: string;
  readonly name: string;
  readonly version: string;
  readonly repo: string;
}

interface Walk {
  readonly tree: Tree;
  readonly inputs: Map<string, string | undefined>;
  readonly folders: Set<string>;
  readonly remotes: Remote[];
  readonly helmCharts: HelmInflation[];
  readonly queue: string[];
  readonly override: ReadonlyMap<string, JsonObject>;
}

/**
 * Follows a kustomization through the tree. Ends the rendering when a path leads out of the tree.
 * @param override kustomizations that stand for the files of these folders (edited ones)
 */
export function kustomizeClosure(
  tree: Tree,
  path: string,
  override: ReadonlyMap<string, JsonObject> = new Map(),
): KustomizeClosure {
  const walk: Walk = {
    tree,
    inputs: new Map(),
    folders: new Set(),
    remotes: [],
    helmCharts: [],
    queue: [path],
    override,
  };
  for (let folder = walk.queue.pop(); folder !== undefined; folder = walk.queue.pop()) visit(walk, folder);
  return {
    inputs: [...walk.inputs].toSorted(([left], [right]) => (left < right ? -1 : 1)),
    folders: [...walk.folders],
    remotes: walk.remotes,
    helmCharts: walk.helmCharts,
  };
}

/** The kustomization file of a folder. */
export function kustomizationFile(tree: Tree, folder: string): string | undefined {
  return kustomizationNames.map((name) => posix.join(folder, name)).find((path) => tree.isFile(path));
}

/** Reads a kustomization file of the tree. Ends the rendering when it cannot be read. */
export function readKustomization(tree: Tree, file: string): JsonObject {
  try {
    const value = readDocuments(tree.readText(file) ?? '')[0]?.value ?? null;
    return isObject(value) ? value : {};
  } catch (error) {
    return fail({
      kind: 'render',
      message: `The kustomization cannot be read: ${messageOf(error)}`,
      location: { file },
    });
  }
}

function visit(walk: Walk, folder: string): void {
  if (walk.folders.has(folder)) return;
  walk.folders.add(folder);
  const file = kustomizationFile(walk.tree, folder);
  const given = walk.override.get(folder);
  if (file === undefined && given === undefined) return;
  const name = file ?? posix.join(folder, kustomizationNames[0]);
  if (file !== undefined) walk.inputs.set(file, walk.tree.hashOf(file));
  const kustomization = given ?? readKustomization(walk.tree, name);
  for (const field of [
    'resources',
    'bases',
    'components',
    'crds',
    'configurations',
    'generators',
    'transformers',
    'validators',
  ] as const) {
    for (const entry of stringsIn(kustomization[field])) {
      const target = addEntry(walk, folder, entry, name);
      const isPlugin = field === 'generators' || field === 'transformers' || field === 'validators';
      if (isPlugin && (target !== undefined || entry.includes('\n'))) addPlugins(walk, folder, entry, target);
    }
  }
  for (const entry of stringsIn(kustomization['patchesStrategicMerge'])) addFile(walk, folder, entry, name);
  for (const field of ['patches', 'patchesJson6902', 'replacements'] as const) {
    for (const item of objectsIn(kustomization[field])) addFile(walk, folder, item['path'], name);
  }
  for (const field of ['configMapGenerator', 'secretGenerator'] as const) {
    for (const item of objectsIn(kustomization[field])) {
      for (const source of [
        ...stringsIn(item['files']),
        ...stringsIn(item['envs']),
        ...stringsIn([item['env'] ?? null]),
      ]) {
        addFile(walk, folder, /^[^=]*=(.*)$/s.exec(source)?.[1] ?? source, name);
      }
    }
  }
  const openapi = kustomization['openapi'];
  if (isObject(openapi)) addFile(walk, folder, openapi['path'], name);
  addHelmCharts(walk, folder, kustomization, name);
}

function stringsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function objectsIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A file, a folder with a kustomization, inline YAML, or an address elsewhere. Gives the path in the tree. */
function addEntry(walk: Walk, folder: string, entry: string, file: string): string | undefined {
  // Transformers and the like may stand in the kustomization itself.
  if (entry.includes('\n')) return undefined;
  if (isRemote(entry)) {
    walk.remotes.push({ url: entry, file });
    return undefined;
  }
  const path = relativeTo(folder, entry, 'The path');
  if (walk.tree.isDirectory(path)) walk.queue.push(path);
  else walk.inputs.set(path, walk.tree.hashOf(path));
  return path;
}

function addFile(walk: Walk, folder: string, entry: Json | undefined, file: string): void {
  if (typeof entry !== 'string' || entry === '' || entry.includes('\n')) return;
  if (/^https?:\/\//i.test(entry)) {
    walk.remotes.push({ url: entry, file });
    return;
  }
  // Where a file does not exist the text may be an inline patch; kustomize decides.
  const path = /[{}]/.test(entry) ? undefined : relativeTo(folder, entry, 'The path');
  if (path !== undefined) walk.inputs.set(path, walk.tree.hashOf(path));
}

/**
 * Configurations of built-in plugins can name files in any field: everything near them counts as read, and nothing may
 * lead out of the tree. Plugins that start programs never run: kustomize is not given the flags for them.
 */
function addPlugins(walk: Walk, folder: string, entry: string, target: string | undefined): void {
  const text = target === undefined ? entry : walk.tree.isFile(target) ? (walk.tree.readText(target) ?? '') : '';
  walk.inputs.set(`${folder}/`, walk.tree.hashOf(folder));
  for (const value of documentsIn(text)) {
    for (const path of pathsIn(value)) {
      if (path.startsWith('/')) insideTree(path, 'The path');
      relativeTo(folder, path, 'The path');
    }
  }
}

function documentsIn(text: string): readonly Json[] {
  try {
    return readDocuments(text).map((document) => document.value);
  } catch {
    // kustomize says what is wrong with it.
    return [];
  }
}

function* pathsIn(value: Json, key = ''): Generator<string> {
  if (typeof value === 'string') {
    if (!value.includes('\n') && /^(?:path|paths|files?|envs?|chartHome|valuesFile)$/.test(key)) yield value;
  } else if (Array.isArray(value)) {
    for (const item of value) yield* pathsIn(item, key);
  } else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) yield* pathsIn(item, name);
  }
}

function addHelmCharts(walk: Walk, folder: string, kustomization: JsonObject, file: string): void {
  const globals = kustomization['helmGlobals'];
  const home = isObject(globals) && typeof globals['chartHome'] === 'string' ? globals['chartHome'] : 'charts';
  for (const chart of [
    ...objectsIn(kustomization['helmCharts']),
    ...objectsIn(kustomization['helmChartInflationGenerator']),
  ]) {
    const text = (field: string): string => (typeof chart[field] === 'string' ? chart[field] : '');
    const chartHome = relativeTo(folder, home, 'The chart home');
    walk.helmCharts.push({
      folder,
      chartHome,
      name: text('name') === '' ? text('chartName') : text('name'),
      version: text('version') === '' ? text('chartVersion') : text('version'),
      repo: text('repo') === '' ? text('chartRepoUrl') : text('repo'),
    });
    walk.inputs.set(`${chartHome}/`, walk.tree.hashOf(chartHome));
    addFile(walk, folder, chart['valuesFile'], file);
    for (const values of stringsIn(chart['additionalValuesFiles'])) addFile(walk, folder, values, file);
  }
}

/** kustomize api/internal/git/repospec.go and api/internal/loader: what is fetched with git or HTTP. */
export function isRemote(entry: string): boolean {
  if (/^(?:git::|gh:|ssh:\/\/|https?:\/\/|git@|github\.com[:/]|git:\/\/|file:\/\/)/i.test(entry)) return true;
  // `host/org/repo//path?ref=v1` and `user@host:path`.
  return (
    /^[\w.-]+@[\w.-]+:/.test(entry) || entry.includes('?ref=') || entry.includes('.git/') || entry.includes('_git/')
  );
}
