import type { JsonObject } from '../../core/model.ts';
import type { Tree } from '../../core/ports.ts';
import { setKey } from '../../core/yaml/types.ts';
import { reachOf } from '../argocd/revision.ts';
import { asObject, get, objects, scalarText, text } from '../argocd/values.ts';
import { compileGlob } from '../globs.ts';
import type { GlobDialect } from '../globs.ts';
import { readYamlFile } from '../yaml-files.ts';
import { directoryOf } from '../tree-paths.ts';
import { ExpansionError, flatten, goText, pathBase, pathDir, sanitizeName } from './params.ts';
import type { ParamSet } from './params.ts';
import type { GeneratorScope } from './scope.ts';
import { withValues } from './values.ts';

/** `git`: directories or files of this repository (generators/git.go). */
export async function gitParams(generator: JsonObject, scope: GeneratorScope): Promise<readonly ParamSet[]> {
  const directories = patternsOf(generator, 'directories', 'go-path');
  const { tree, config } = scope.context;
  if (directories !== undefined) {
    const found = directoriesOf(tree).filter(directories);
    checkRepository(generator, found.length > 0, scope);
    return Promise.all(found.map((directory) => directoryParams(directory, generator, scope)));
  }
  const files = patternsOf(generator, 'files', config.argocd.newGitFileGlobbing ? 'doublestar' : 'pathspec');
  if (files === undefined) throw new ExpansionError('the git generator has neither directories nor files');
  const found = [...tree.files.values()]
    .filter((entry) => entry.type !== 'submodule' && files(entry.path))
    .map((entry) => entry.path);
  checkRepository(generator, found.length > 0, scope);
  const sets = await Promise.all(found.toSorted().map((file) => fileParams(file, generator, scope)));
  return sets.flat();
}

/** At least one pattern includes the path and none excludes it; undefined without patterns. */
function patternsOf(
  generator: JsonObject,
  field: string,
  dialect: GlobDialect,
): ((path: string) => boolean) | undefined {
  const written = objects(get(generator, field));
  if (written.length === 0) return undefined;
  const compiled = written.map((item) => ({
    matches: compileGlob(text(get(item, 'path')) ?? '', dialect),
    exclude: get(item, 'exclude') === true,
  }));
  return (path) => {
    const hits = compiled.filter((pattern) => pattern.matches(path));
    return hits.length > 0 && hits.every((pattern) => !pattern.exclude);
  };
}

function checkRepository(generator: JsonObject, found: boolean, scope: GeneratorScope): void {
  const url = text(get(generator, 'repoURL')) ?? '';
  if (!scope.ownership.isOurs(url, found, scope.location)) {
    throw new ExpansionError(
      `the git generator reads repository ${url === '' ? '(none named)' : url}, which is not this one`,
      'If it is, list the URL in gate.yaml under repositoryUrls.',
    );
  }
  const reach = reachOf(scalarText(get(generator, 'revision')) ?? '', scope.context.branches);
  if (!reach.reachable) throw new ExpansionError(`the git generator is ${reach.because}`);
}

const directoryCache = new WeakMap<Tree, readonly string[]>();

/** All directories but hidden ones and what is below them, parents first (repository.go GetGitDirectories). */
export function directoriesOf(tree: Tree): readonly string[] {
  const known = directoryCache.get(tree);
  if (known !== undefined) return known;
  const found = new Set<string>();
  for (const entry of tree.files.values()) {
    // A submodule is a directory once it is checked out.
    let directory = entry.type === 'submodule' ? entry.path : directoryOf(entry.path);
    for (; directory !== '' && !found.has(directory); directory = directoryOf(directory)) found.add(directory);
  }
  const result = [...found]
    .filter((directory) => !directory.split('/').some((segment) => segment.startsWith('.')))
    .map((directory) => directory.split('/'))
    .sort(compareSegments)
    .map((segments) => segments.join('/'));
  directoryCache.set(tree, result);
  return result;
}

function compareSegments(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const [left = '', right = ''] = [a[index], b[index]];
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

async function directoryParams(directory: string, generator: JsonObject, scope: GeneratorScope): Promise<ParamSet> {
  const params: JsonObject = {};
  addPath(params, generator, scope.templating.goTemplate, directory, undefined);
  return { params: await withValues(params, get(generator, 'values'), scope.templating), files: [] };
}

async function fileParams(file: string, generator: JsonObject, scope: GeneratorScope): Promise<readonly ParamSet[]> {
  const elements = readElements(file, scope);
  return Promise.all(
    elements.map(async (element) => {
      const { goTemplate } = scope.templating;
      const params: JsonObject = {};
      const entries = goTemplate
        ? Object.entries(element)
        : [...flatten(element)].map(([key, value]) => [key, goText(value)] as const);
      for (const [key, value] of entries) setKey(params, key, value);
      addPath(params, generator, goTemplate, pathDir(file), file);
      return { params: await withValues(params, get(generator, 'values'), scope.templating), files: [file] };
    }),
  );
}

/** The first document of the file: an object, a list of objects, or nothing (one element without parameters). */
function readElements(file: string, scope: GeneratorScope): readonly JsonObject[] {
  const read = readYamlFile(scope.context.tree, file);
  const problem = read?.problems[0];
  if (read === undefined || problem !== undefined) {
    const location = {
      file,
      ...(problem?.line === undefined ? {} : { line: problem.line }),
      ...(problem?.column === undefined ? {} : { column: problem.column }),
    };
    scope.report(
      `${file} cannot be read: ${problem?.message ?? 'it is not a file of the tree'}`,
      'Correct the file.',
      location,
    );
    return [];
  }
  const value = read.documents[0]?.value ?? null;
  if (value === null) return [{}];
  const list = Array.isArray(value) ? value.map((item) => (item === null ? {} : asObject(item))) : [asObject(value)];
  if (list.some((item) => item === undefined)) {
    scope.report(`${file} holds neither a map nor a list of maps`, 'Correct the file.', { file });
    return [];
  }
  return list.flatMap((item) => (item === undefined ? [] : [item]));
}

/** `path`, `path.basename`, `path[0]`, … or the map `path` for Go templates, below `pathParamPrefix`. */
function addPath(
  params: JsonObject,
  generator: JsonObject,
  goTemplate: boolean,
  path: string,
  file: string | undefined,
): void {
  const prefix = text(get(generator, 'pathParamPrefix'));
  const filename = file === undefined ? undefined : pathBase(file);
  const parts: JsonObject = { basename: pathBase(path), basenameNormalized: sanitizeName(pathBase(path)) };
  if (filename !== undefined) {
    parts['filename'] = filename;
    parts['filenameNormalized'] = sanitizeName(filename);
  }
  const segments = path.split('/');
  if (goTemplate) {
    const value: JsonObject = { path, ...parts, segments };
    if (prefix === undefined) params['path'] = value;
    else setKey(params, prefix, { path: value });
    return;
  }
  const name = prefix === undefined ? 'path' : `${prefix}.path`;
  setKey(params, name, path);
  for (const [part, value] of Object.entries(parts)) setKey(params, `${name}.${part}`, value);
  segments.forEach((segment, index) => {
    if (segment !== '') setKey(params, `${name}[${index}]`, segment);
  });
}
