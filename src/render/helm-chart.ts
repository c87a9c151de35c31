import { chartParts } from '../core/chart-files.ts';
import { readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { ChartRef, Json } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { messageOf } from '../core/errors.ts';
import { readDocuments } from '../core/yaml/read.ts';
import { digestOfPath } from './chart-fetch.ts';
import type { ChartFetcher } from './chart-fetch.ts';
import { copyInto, digestOf } from './context.ts';
import type { RenderContext } from './context.ts';
import { fail } from './failure.ts';
import { isObject } from '../core/json.ts';
import { archiveMayBeRandom, mayBeRandom } from './random.ts';
import { insideTree, onDisk, relativeTo, withoutEndSlash } from './tree-path.ts';

/** A chart that helm can be pointed at. */
export interface PreparedChart {
  /** Content identity of the chart with its dependencies. */
  readonly digest: string;
  /** Name in Chart.yaml, the first segment of `# Source:` comments; undefined for archives. */
  readonly name: string | undefined;
  /** Folder in the tree; undefined for fetched charts. */
  readonly treePath: string | undefined;
  /** Folders in the tree of dependencies given as `file://`, by the name of the dependency. */
  readonly localDependencies: ReadonlyMap<string, string>;
  /** Absolute path of the folder or archive; dependencies are put in place when this is first asked. */
  location(): Promise<string>;
  /** May two renders differ? */
  mayBeRandom(): Promise<boolean>;
}

interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
}

export interface ChartSource {
  prepare(chart: ChartRef, tree: Tree): Promise<PreparedChart>;
}

/** Prepares charts, each once per side and run. */
export function createChartSource(context: RenderContext, fetcher: ChartFetcher): ChartSource {
  const memo = new WeakMap<Tree, Map<string, Promise<PreparedChart>>>();
  return {
    prepare(chart, tree) {
      let known = memo.get(tree);
      if (known === undefined) {
        known = new Map();
        memo.set(tree, known);
      }
      const key = JSON.stringify(chart);
      let prepared = known.get(key);
      if (prepared === undefined) {
        prepared = prepare(chart, tree, context, fetcher);
        known.set(key, prepared);
      }
      return prepared;
    },
  };
}

async function prepare(
  chart: ChartRef,
  tree: Tree,
  context: RenderContext,
  fetcher: ChartFetcher,
): Promise<PreparedChart> {
  switch (chart.from) {
    case 'tree':
      return fromTree(insideTree(chart.path, 'The chart path'), tree, context, fetcher);
    case 'repository':
      return fromFetched(
        await fetcher.fetch({ kind: 'repository', url: chart.url, name: chart.name, version: chart.version }),
      );
    case 'oci': {
      const name = posix.basename(withoutEndSlash(chart.url));
      const digest = chart.digest === undefined ? {} : { digest: chart.digest };
      return fromFetched(await fetcher.fetch({ kind: 'oci', url: chart.url, name, version: chart.version, ...digest }));
    }
    case 'git': {
      const folder = gitFolder(context, chart.url);
      if (folder === undefined) {
        return fail({
          kind: 'missing-input',
          unreachable: true,
          message: `The chart ${chart.path} comes from another Git repository: ${chart.url}`,
          next: `Name a folder with a checkout in gate.yaml: gitRepositories: {"${chart.url}": ...}.`,
        });
      }
      return fromFolder(join(folder, insideTree(chart.path, 'The chart path')), chart.url);
    }
  }
}

/** The checkout that the operator configured for a Git URL, however the URL is spelled. */
export function gitFolder(context: RenderContext, url: string): string | undefined {
  const wanted = plainUrl(url);
  for (const [configured, folder] of Object.entries(context.config.gitRepositories)) {
    if (plainUrl(configured) === wanted) return folder;
  }
  return undefined;
}

function plainUrl(url: string): string {
  const bare = url
    .replace(/^(?:git::)?[a-z+]+:\/\//i, '')
    .replace(/^[^/@]*@/, '')
    .replace(/^([^/:]+):(?!\d+\/)/, '$1/');
  return withoutEndSlash(bare)
    .replace(/\.git$/, '')
    .toLowerCase();
}

function fromFetched(fetched: { readonly path: string; readonly digest: string }): PreparedChart {
  return {
    digest: fetched.digest,
    name: undefined,
    treePath: undefined,
    localDependencies: new Map(),
    location: async () => fetched.path,
    async mayBeRandom() {
      return (await stat(fetched.path)).isFile() ? archiveMayBeRandom(await readFile(fetched.path)) : true;
    },
  };
}

async function fromFolder(path: string, url: string): Promise<PreparedChart> {
  const metadata = await readFile(join(path, 'Chart.yaml'), 'utf8').catch(() => undefined);
  if (metadata === undefined) {
    fail({
      kind: 'missing-input',
      message: `The folder configured for ${url} has no chart at ${path}`,
      next: 'Correct gitRepositories in gate.yaml.',
    });
  }
  return fromFetched({ path, digest: await digestOfPath(path) });
}

/** Identity of what decides the render: another environment's values file in the chart directory does not. */
function contentHash(tree: Tree, path: string): string | undefined {
  const parts = chartParts(tree, path);
  if (parts === undefined) return tree.hashOf(path);
  return digestOf(parts.map((part) => [part.slice(path.length), tree.hashOf(part.replace(/\/$/, ''))]));
}

async function fromTree(
  path: string,
  tree: Tree,
  context: RenderContext,
  fetcher: ChartFetcher,
): Promise<PreparedChart> {
  const hash = tree.hashOf(path);
  if (hash !== undefined && tree.isFile(path)) return fromPackaged(path, hash, tree);
  const metadataPath = posix.join(path, 'Chart.yaml');
  if (hash === undefined || !tree.isFile(metadataPath)) {
    fail({
      kind: 'render',
      message: `There is no chart at ${path === '' ? 'the root of the repository' : path}: Chart.yaml is missing`,
      location: { file: metadataPath },
    });
  }
  const metadata = readMetadata(tree, metadataPath);
  const missing = dependenciesOf(tree, path, metadata).filter((dependency) => !isVendored(tree, path, dependency));
  const local = new Map<string, string>();
  const fetched = new Map<string, { readonly path: string; readonly digest: string }>();
  const content = contentHash(tree, path);
  const digests: unknown[] = [content];
  for (const dependency of missing) {
    if (dependency.repository.startsWith('file://')) {
      const target = relativeTo(
        path,
        dependency.repository.slice('file://'.length),
        `The dependency ${dependency.name}`,
      );
      const targetHash = tree.hashOf(target);
      if (targetHash === undefined || !tree.isFile(posix.join(target, 'Chart.yaml'))) {
        fail({
          kind: 'render',
          message: `The dependency ${dependency.name} of ${path} is not at ${target}`,
          location: { file: metadataPath },
        });
      }
      local.set(dependency.name, target);
      digests.push([dependency.name, contentHash(tree, target)]);
    } else {
      const archive = await fetchDependency(dependency, metadataPath, fetcher);
      fetched.set(dependency.name, archive);
      digests.push([dependency.name, archive.digest]);
    }
  }
  const digest = digestOf(digests);
  return {
    digest,
    name: typeof metadata['name'] === 'string' ? metadata['name'] : undefined,
    treePath: path,
    localDependencies: local,
    location() {
      if (missing.length === 0) return Promise.resolve(onDisk(tree, path));
      return context.workspace.folder(`chart ${digest}`, async (folder) => {
        await copyInto(onDisk(tree, path), folder);
        for (const [name, target] of local) await copyInto(onDisk(tree, target), join(folder, 'charts', name));
        for (const [name, archive] of fetched) {
          const packaged = (await stat(archive.path)).isFile();
          await copyInto(
            archive.path,
            join(folder, 'charts', packaged ? `${name}-${archive.digest.slice(0, 12)}.tgz` : name),
          );
        }
      });
    },
    async mayBeRandom() {
      for (const archive of fetched.values()) {
        if (await fromFetched(archive).mayBeRandom()) return true;
      }
      return (
        [path, ...local.values()].some((folder) => treeMayBeRandom(tree, folder)) || archivesMayBeRandom(tree, path)
      );
    },
  };
}

function fromPackaged(path: string, hash: string, tree: Tree): PreparedChart {
  return { ...fromFetched({ path: onDisk(tree, path), digest: hash }), treePath: undefined };
}

function readMetadata(tree: Tree, path: string): { readonly [key: string]: Json } {
  try {
    const value = readDocuments(tree.readText(path) ?? '')[0]?.value;
    return isObject(value) ? value : {};
  } catch (error) {
    return fail({
      kind: 'render',
      message: `Chart.yaml cannot be read: ${messageOf(error)}`,
      location: { file: path },
    });
  }
}

/** Chart.yaml (apiVersion v2) or requirements.yaml (v1); exact versions from the lock file where it names them. */
function dependenciesOf(tree: Tree, path: string, metadata: { readonly [key: string]: Json }): Dependency[] {
  const requirements = posix.join(path, 'requirements.yaml');
  const legacy = metadata['apiVersion'] === 'v1' && tree.isFile(requirements);
  const declared = legacy ? readMetadata(tree, requirements)['dependencies'] : metadata['dependencies'];
  const lockPath = posix.join(path, legacy ? 'requirements.lock' : 'Chart.lock');
  const locked = tree.isFile(lockPath) ? readMetadata(tree, lockPath)['dependencies'] : undefined;
  const exact = new Map(listOf(locked).map((dependency) => [dependency.name, dependency.version]));
  return listOf(declared).map((dependency) => ({
    ...dependency,
    version: exact.get(dependency.name) ?? dependency.version,
  }));
}

function listOf(value: Json | undefined): Dependency[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).flatMap((item) => {
    const name = item['name'];
    // The name becomes a folder; helm refuses others as well.
    if (typeof name !== 'string' || !/^[\w.-]+$/.test(name) || name.startsWith('.')) return [];
    const text = (field: Json | undefined): string =>
      typeof field === 'string' || typeof field === 'number' ? String(field) : '';
    return [{ name, version: text(item['version']), repository: text(item['repository']) }];
  });
}

/** Is the dependency in `charts/`, as a folder or an archive? Its version does not matter (helm action.CheckDependencies). */
function isVendored(tree: Tree, path: string, dependency: Dependency): boolean {
  const folder = posix.join(path, 'charts');
  if (tree.isFile(posix.join(folder, dependency.name, 'Chart.yaml'))) return true;
  const nameLine = new RegExp(`^name:\\s*["']?${dependency.name.replaceAll('.', '\\.')}["']?\\s*(?:#|$)`, 'm');
  return tree.list(folder).some((file) => {
    const rest = file.slice(folder.length + 1);
    if (!rest.includes('/')) return rest.startsWith(`${dependency.name}-`) && rest.endsWith('.tgz');
    return /^[^/]+\/Chart\.yaml$/.test(rest) && nameLine.test(tree.readText(file) ?? '');
  });
}

async function fetchDependency(
  dependency: Dependency,
  file: string,
  fetcher: ChartFetcher,
): Promise<{ readonly path: string; readonly digest: string }> {
  const { name, version, repository } = dependency;
  if (repository.startsWith('oci://')) {
    return fetcher.fetch({ kind: 'oci', url: `${withoutEndSlash(repository)}/${name}`, name, version });
  }
  if (/^https?:\/\//.test(repository)) return fetcher.fetch({ kind: 'repository', url: repository, name, version });
  if (repository === '') {
    return fail({
      kind: 'render',
      message: `The dependency ${name} names no repository and is not in charts/`,
      location: { file },
    });
  }
  return fail({
    kind: 'missing-input',
    unreachable: true,
    message: `The dependency ${name} refers to the repository ${repository}, an alias of a local helm configuration`,
    location: { file },
    next: 'Write the URL of the repository into Chart.yaml, or commit the dependency to charts/.',
  });
}

function treeMayBeRandom(tree: Tree, path: string): boolean {
  return tree.list(path).some((file) => {
    if (!file.includes('/templates/') && !file.startsWith('templates/')) return false;
    if (!/\.(?:ya?ml|tpl|txt|json|gotmpl)$/.test(file) || file.endsWith('NOTES.txt')) return false;
    return mayBeRandom(tree.readText(file) ?? '');
  });
}

async function archivesMayBeRandom(tree: Tree, path: string): Promise<boolean> {
  for (const file of tree.list(posix.join(path, 'charts'))) {
    if (file.endsWith('.tgz') && archiveMayBeRandom(await readFile(onDisk(tree, file)))) return true;
  }
  return false;
}
