import { posix } from 'node:path';
import type { BuildFile } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { isForeign, maximumBuildFiles, readBuildFile } from './build-files.ts';
import { isDockerfile } from './docker.ts';

/** `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`, `constraints.txt`, `requirements/prod.txt`; also `.in`. */
const requirementsPath =
  /(?:^|\/)(?:(?:requirements|constraints)(?:[._-][^/]*)?\.(?:txt|in)|[^/]+[._-](?:requirements|constraints)\.(?:txt|in)|requirements\/[^/]+\.(?:txt|in))$/i;

const otherTypes: Readonly<Record<string, BuildFile['type']>> = {
  'pyproject.toml': 'pyproject',
  'setup.cfg': 'setup-cfg',
  'setup.py': 'python-source',
  'poetry.lock': 'python-lock',
  'uv.lock': 'python-lock',
  'pdm.lock': 'python-lock',
  'Pipfile.lock': 'python-lock',
  '.python-version': 'python-version',
};

/** Locks hold every hash; only the names in them are read. */
const maximumLockBytes = 20 * 1024 * 1024;
const maximumSourceBytes = 256 * 1024;
const maximumSourcesPerFolder = 200;
const maximumSources = 3000;

/** Sources that do not run in the deployed application. */
const notApplication =
  /(^|\/)(tests?|testing|docs?|examples?|benchmarks?|scripts|tools|migrations)\/|(^|\/)(test_[^/]*|[^/]*_test|conftest|noxfile|setup|tasks|fabfile)\.py$/;

/**
 * Python dependency files of a tree, with the files that they include, and the modules at the top of each folder that holds
 * such a file or a Dockerfile: `*.py`, `<package>/*.py`, `src/<package>/*.py`. Bounded in number and size.
 */
export function collectPythonFiles(tree: Tree): readonly BuildFile[] {
  const paths = tree.list('').filter((path) => !isForeign(path));
  const found = new Map<string, BuildFile>();
  const add = (path: string, type: BuildFile['type'], maximum?: number): BuildFile | undefined => {
    if (found.has(path) || found.size >= maximumBuildFiles) return undefined;
    const file = readBuildFile(tree, path, type, maximum);
    if (file !== undefined) found.set(path, file);
    return file;
  };

  const todo: string[] = [];
  const folders = new Set<string>();
  for (const path of paths) {
    const name = posix.basename(path);
    const type = Object.hasOwn(otherTypes, name) ? otherTypes[name] : undefined;
    if (type !== undefined) add(path, type, type === 'python-lock' ? maximumLockBytes : undefined);
    else if (requirementsPath.test(path)) todo.push(path);
    if (type !== undefined || requirementsPath.test(path) || isDockerfile(path)) folders.add(projectFolder(path));
  }
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const file = add(path, 'requirements');
    if (file !== undefined) todo.push(...includedFiles(file).filter((included) => tree.isFile(included)));
  }
  const sources = new Set(sourcesOf(paths, folders));
  for (const path of sources) {
    const file = found.has(path) ? undefined : readBuildFile(tree, path, 'python-source', maximumSourceBytes);
    if (file !== undefined) found.set(path, file);
  }
  return [...found.values()].toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

/** `-r other.txt` and `-c constraints.txt` are relative to the file that names them (pip docs, "Requirements file format"). */
function includedFiles({ path, text }: BuildFile): readonly string[] {
  const included: string[] = [];
  for (const line of text.split('\n')) {
    const name = /^\s*(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?=[^\s-]))(["']?)([^"'\s#]+)\1/.exec(
      line,
    )?.[2];
    if (name === undefined || name.includes('://')) continue;
    const target = posix.normalize(posix.join(posix.dirname(path), name));
    if (!target.startsWith('../') && !target.startsWith('/')) included.push(target);
  }
  return included;
}

/** The folder of the application: that of the file, without `requirements/` or `docker/` at its end. */
function projectFolder(path: string): string {
  const folder = posix.dirname(path).replace(/(^|\/)(requirements|docker|build)(\/[^/]+)?$/i, '');
  return folder === '.' ? '' : folder;
}

function* sourcesOf(paths: readonly string[], folders: ReadonlySet<string>): Generator<string> {
  const counts = new Map<string, number>();
  let total = 0;
  for (const path of paths) {
    if (!path.endsWith('.py') || notApplication.test(path)) continue;
    const folder = ancestors(path).find((candidate) => folders.has(candidate) && isTopLevel(path, candidate));
    if (folder === undefined) continue;
    const count = counts.get(folder) ?? 0;
    if (count >= maximumSourcesPerFolder) continue;
    if (total >= maximumSources) return;
    counts.set(folder, count + 1);
    total += 1;
    yield path;
  }
}

function isTopLevel(path: string, folder: string): boolean {
  const rest = folder === '' ? path : path.slice(folder.length + 1);
  return /^(src\/)?([^/]+\/)?[^/]+$/.test(rest);
}

/** The folders above a file, nearest first, up to three. */
function ancestors(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return [0, 1, 2].flatMap((up) => (up > parts.length ? [] : [parts.slice(0, parts.length - up).join('/')]));
}
