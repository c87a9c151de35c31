import semver from 'semver';
import type { ValuesLayer } from '../../core/model.ts';
import type { Tree } from '../../core/ports.ts';
import { compileGlob, isGlob } from '../globs.ts';
import { resolveInTree } from '../tree-paths.ts';
import { substitute } from './env.ts';

/** Another source of the same Application that value files may come from (`ref: values`). */
export type RefSource =
  | { readonly kind: 'tree' }
  /** The repository or revision cannot be read here. */
  | { readonly kind: 'elsewhere'; readonly reason: string }
  /** Argo CD refuses it. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface ValueFileContext {
  readonly tree: Tree;
  /** Directory that relative paths start from; undefined for a chart from a repository: its own files are not in the tree. */
  readonly appPath: string | undefined;
  readonly environment: ReadonlyMap<string, string>;
  readonly refs: ReadonlyMap<string, RefSource>;
  /** `spec.sources` is used. */
  readonly multiSource: boolean;
  readonly argocdVersion: string;
}

/** Where a path of the Application points to. */
export type ResolvedFile =
  | { readonly kind: 'tree'; readonly path: string }
  /** A file inside a chart that has to be fetched, relative to the chart. */
  | { readonly kind: 'chart'; readonly path: string }
  | { readonly kind: 'unavailable'; readonly label: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Resolves one entry of `valueFiles` or one `fileParameters.path` (util/io/path/resolved.go
 * ResolveValueFilePathOrUrl): relative to the source path, `/` means the root of the repository, `$ref/` the root of
 * the referenced repository; nothing may lead out of the repository.
 */
export function resolveFile(raw: string, context: ValueFileContext): ResolvedFile {
  const refName = raw.startsWith('$') ? raw.slice(1).split('/', 1)[0] : undefined;
  const ref = refName === undefined ? undefined : context.refs.get(refName);
  if (ref !== undefined) {
    if (ref.kind === 'elsewhere') return { kind: 'unavailable', label: `${raw} (${ref.reason})` };
    if (ref.kind === 'refused') return { kind: 'refused', reason: ref.reason };
    const rest = substitute(raw.slice(raw.indexOf('/') < 0 ? raw.length : raw.indexOf('/')), context.environment);
    return inTree('', rest.replace(/^\/+/, ''), raw);
  }
  if (refName !== undefined && context.multiSource) {
    // repository.go resolveReferencedSources: in a multi-source Application a leading `$` always means a ref.
    const names = [...context.refs.keys()].map((name) => `$${name}`).join(', ');
    const known = names === '' ? 'no source has a `ref`' : `the sources with a \`ref\` are ${names}`;
    return { kind: 'refused', reason: `${raw} refers to a source "$${refName}", and ${known}` };
  }
  const path = substitute(raw, context.environment);
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) return { kind: 'unavailable', label: path };
  if (context.appPath === undefined) {
    const inside = resolveInTree('', path.replace(/^\/+/, ''));
    return inside === undefined
      ? { kind: 'refused', reason: `${raw} leads out of the chart` }
      : { kind: 'chart', path: inside };
  }
  return path.startsWith('/') ? inTree('', path.replace(/^\/+/, ''), raw) : inTree(context.appPath, path, raw);
}

function inTree(base: string, path: string, raw: string): ResolvedFile {
  const resolved = resolveInTree(base, path);
  return resolved === undefined
    ? { kind: 'refused', reason: `${raw} leads out of the repository` }
    : { kind: 'tree', path: resolved };
}

export interface ValueFiles {
  readonly layers: readonly ValuesLayer[];
  /** Files inside a fetched chart, in order; they come before every other file. */
  readonly chartFiles: readonly string[];
  readonly inputs: readonly string[];
  readonly refused?: string;
}

/**
 * `helm.valueFiles` in the order in which Argo CD passes them to Helm (repository.go getResolvedValueFiles):
 * globs are expanded in place in lexical order (from Argo CD 3.4), an explicit entry keeps its own position,
 * duplicates are dropped.
 */
export function resolveValueFiles(
  raws: readonly string[],
  ignoreMissing: boolean,
  context: ValueFileContext,
): ValueFiles {
  const globs = supportsGlobs(context.argocdVersion);
  const resolved = raws.map((raw) => ({ raw, file: resolveFile(raw, context) }));
  const refused = resolved.find((item) => item.file.kind === 'refused')?.file;
  if (refused?.kind === 'refused') return { layers: [], chartFiles: [], inputs: [], refused: refused.reason };
  const explicit = new Set(
    resolved.flatMap(({ file }) => (file.kind === 'tree' && !(globs && isGlob(file.path)) ? [file.path] : [])),
  );
  const layers: ValuesLayer[] = [];
  const chartFiles: string[] = [];
  const inputs: string[] = [];
  const seen = new Set<string>();
  const addFile = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    layers.push(ignoreMissing ? { kind: 'file', path, optional: true } : { kind: 'file', path });
  };
  for (const { raw, file } of resolved) {
    if (file.kind === 'unavailable') {
      layers.push({ kind: 'unavailable', label: file.label, optional: false });
    } else if (file.kind === 'chart') {
      // Helm merges in order; a chart file after others could only be placed by unpacking the chart.
      if (layers.length === 0) chartFiles.push(file.path);
      else
        layers.push({
          kind: 'unavailable',
          label: `${raw} (a file of the fetched chart after other value files)`,
          optional: ignoreMissing,
        });
    } else if (file.kind === 'tree' && globs && isGlob(file.path)) {
      inputs.push(globRoot(file.path));
      const matched = expand(context.tree, file.path);
      for (const path of matched) if (!explicit.has(path)) addFile(path);
      if (matched.length === 0 && !ignoreMissing)
        return { layers, chartFiles, inputs, refused: `values file glob "${raw}" matches no file` };
    } else if (file.kind === 'tree') {
      inputs.push(file.path);
      addFile(file.path);
    }
  }
  return { layers, chartFiles, inputs };
}

/** docs/user-guide/helm.md "Glob Patterns in Value Files", since 3.4. */
function supportsGlobs(version: string): boolean {
  const parsed = semver.coerce(version);
  return parsed === null || semver.gte(parsed, '3.4.0');
}

function expand(tree: Tree, pattern: string): readonly string[] {
  const matches = compileGlob(pattern, 'doublestar');
  const root = globRoot(pattern);
  return tree
    .list(root === './' ? '' : root.slice(0, -1))
    .filter((path) => matches(path))
    .toSorted();
}

/** The directory in front of the first wildcard, as an input: `envs/` of `envs/*.yaml`. */
export function globRoot(pattern: string): string {
  const wildcard = pattern.search(/[*?[{]/);
  const slash = pattern.slice(0, wildcard < 0 ? pattern.length : wildcard).lastIndexOf('/');
  return slash < 0 ? './' : pattern.slice(0, slash + 1);
}
