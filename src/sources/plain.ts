import { isLfsPointer } from '../core/lfs.ts';
import type { Json, NotEvaluated, Target } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { inputsMayDeclareTargets } from './argocd/renders-targets.ts';
import { asObject, get, text } from './argocd/values.ts';
import { kustomizationFileNames } from './closure.ts';
import { isOutside, type DetectContext } from './detect-context.ts';
import { environmentOf } from './environment.ts';
import { patchFilesOf } from './patch-files.ts';
import { readYamlFile } from './yaml-files.ts';
import { baseName, directoryOf, isInside } from './tree-paths.ts';

/** Groups of files that look like objects and are configuration of tools: no API server ever sees them. */
const toolGroups =
  /^(?:kustomize\.config\.k8s\.io|backstage\.io|eksctl\.io|kind\.x-k8s\.io|k3d\.io|k0sctl\.k0sproject\.io|kuttl\.dev|chainsaw\.kyverno\.io|cli\.kyverno\.io|krew\.googlecontainertools\.github\.com|skaffold|kubeadm\.k8s\.io|kubelet\.config\.k8s\.io|apiserver\.config\.k8s\.io|audit\.k8s\.io|kubescheduler\.config\.k8s\.io|ctlptl\.dev|gate|builtin|viaduct\.ai)(?:\/|$)/u;

/**
 * Directories of manifests that nothing else covers, grouped by the top-most directory that holds manifests
 * directly. Where charts or overlays stand further down, each directory is a target for itself. Manifests in folders
 * such as `examples` are listed in one note.
 */
export function detectPlain(context: DetectContext): {
  readonly targets: readonly Target[];
  readonly notEvaluated: readonly NotEvaluated[];
} {
  const { tree, covered } = context;
  const patches = patchFilesOf(tree);
  const boundaries = chartsAndOverlays(tree);
  const manifests: string[] = [];
  const outside = new Set<string>();
  for (const path of [...tree.files.keys()].sort()) {
    if (!isYaml(path) || covered.covers(path) || patches.has(path)) continue;
    if (boundaries.some((directory) => directory !== '' && isInside(directory, path))) continue;
    if (boundaries.includes('') && isInside('templates', path)) continue;
    if (!isManifest(tree, path)) continue;
    if (isOutside(path)) outside.add(path.slice(0, path.search(/\/[^/]*$/u)));
    else manifests.push(path);
  }
  const targets = group(tree, manifests, boundaries).map((folder) => plainTarget(folder, context));
  return { targets, notEvaluated: outsideNote([...outside]) };
}

function isYaml(path: string): boolean {
  return /\.(?:ya?ml|json)$/iu.test(path) && !(kustomizationFileNames as readonly string[]).includes(baseName(path));
}

/** Directories whose files belong to a chart or a kustomization. */
function chartsAndOverlays(tree: Tree): readonly string[] {
  const result = new Set<string>();
  for (const path of tree.files.keys()) {
    const name = baseName(path);
    if (name === 'Chart.yaml' || (kustomizationFileNames as readonly string[]).includes(name))
      result.add(directoryOf(path));
  }
  return [...result].sort();
}

/**
 * Does a file hold Kubernetes objects? One that looks like it and cannot be read counts: left out it would look
 * like a deletion of what it holds on the other side.
 */
function isManifest(tree: Tree, path: string): boolean {
  const file = readYamlFile(tree, path);
  if (file === undefined) return false;
  const problem = file.problems[0];
  if (problem !== undefined) return !problem.template && looksLikeObject(tree, path);
  // Its content is elsewhere and may well be a manifest.
  if (isLfsPointer(tree.readText(path) ?? '')) return true;
  return (
    file.documents.some((document) => isObject(document.value)) &&
    !file.documents.some((document) => isTool(document.value))
  );
}

function looksLikeObject(tree: Tree, path: string): boolean {
  try {
    const content = tree.readText(path) ?? '';
    return (
      isLfsPointer(content) ||
      (/^["']?apiVersion["']?\s*:/mu.test(content) && /^["']?kind["']?\s*:/mu.test(content) && !content.includes('{{'))
    );
  } catch {
    // Binary or too large: no manifest.
    return false;
  }
}

function isObject(value: Json): boolean {
  const object = asObject(value);
  const apiVersion = text(get(object, 'apiVersion'));
  const kind = text(get(object, 'kind'));
  if (object === undefined || apiVersion === undefined || kind === undefined) return false;
  if (
    !/^(?:v1|[a-z0-9.-]{1,253}\/v\d+(?:(?:alpha|beta)\d+)?)$/u.test(apiVersion) ||
    JSON.stringify(object).includes('{{')
  )
    return false;
  if (kind.endsWith('List') && Array.isArray(object['items'])) return true;
  return (text(get(object, 'metadata', 'name')) ?? text(get(object, 'metadata', 'generateName'))) !== undefined;
}

/** Is every object of the file configuration of a tool (Backstage, kind, Chainsaw, …) that no API server ever sees? */
export function isToolFile(tree: Tree, path: string): boolean {
  const documents = readYamlFile(tree, path)?.documents.filter((document) => document.value !== null) ?? [];
  return documents.length > 0 && documents.every((document) => isTool(document.value));
}

function isTool(value: Json): boolean {
  return toolGroups.test(text(get(asObject(value), 'apiVersion')) ?? '');
}

interface Folder {
  readonly directory: string;
  readonly recurse: boolean;
  readonly files: readonly string[];
}

function group(tree: Tree, manifests: readonly string[], boundaries: readonly string[]): readonly Folder[] {
  const directories = [...new Set(manifests.map(directoryOf))].sort((a, b) => a.length - b.length);
  const whole: string[] = [];
  const single: string[] = [];
  for (const directory of directories) {
    if (whole.some((above) => isInside(above, `${directory}/`))) continue;
    const mixed =
      directory === '' || boundaries.some((other) => isInside(directory, `${other}/`)) || holdsOutside(tree, directory);
    (mixed ? single : whole).push(directory);
  }
  return [
    ...whole.map((directory) => ({
      directory,
      recurse: true,
      files: manifests.filter((path) => isInside(directory, path)),
    })),
    ...single.map((directory) => ({
      directory,
      recurse: false,
      files: manifests.filter((path) => directoryOf(path) === directory),
    })),
  ].sort((a, b) => (a.directory < b.directory ? -1 : 1));
}

function holdsOutside(tree: Tree, directory: string): boolean {
  return tree.list(directory).some((path) => isYaml(path) && isOutside(path.slice(directory.length + 1)));
}

function plainTarget(folder: Folder, context: DetectContext): Target {
  const { tree, config } = context;
  const path = folder.directory || '.';
  const id = `plain:${path}`;
  const environment = environmentOf({ config, id, name: baseName(path), paths: [path], labels: {} });
  const exclude = excluded(tree, folder);
  return {
    id,
    name: path,
    engine: 'plain',
    ...(environment === undefined ? {} : { environment }),
    scope: environment ?? id,
    origin: { file: folder.files[0] ?? path },
    parents: [],
    sources: [
      {
        type: 'manifests',
        path,
        recurse: folder.recurse,
        ...(exclude === undefined ? {} : { exclude }),
        rules: 'plain',
      },
    ],
    afterRender: {},
    apply: { mode: 'client-side', prune: 'unknown', automated: 'unknown' },
    inputs: folder.files,
    rendersTargets: inputsMayDeclareTargets(tree, folder.files),
  };
}

/** YAML and JSON below the directory that is no manifest of this target, as one glob. */
function excluded(tree: Tree, folder: Folder): string | undefined {
  const own = new Set(folder.files);
  const prefix = folder.directory === '' ? '' : `${folder.directory}/`;
  const others = tree
    .list(folder.directory)
    .filter(
      (path) =>
        /\.(?:ya?ml|json)$/iu.test(path) &&
        !own.has(path) &&
        (folder.recurse || directoryOf(path) === folder.directory),
    )
    .map((path) => path.slice(prefix.length).replace(/[\\*?[\]{},!]/gu, String.raw`\$&`));
  if (others.length === 0) return undefined;
  return others.length === 1 ? others[0] : `{${others.join(',')}}`;
}

function outsideNote(directories: readonly string[]): readonly NotEvaluated[] {
  const first = directories[0];
  if (first === undefined) return [];
  const more = directories.length > 3 ? `, … (${directories.length} folders)` : '';
  return [
    {
      what: `manifests in ${directories.slice(0, 3).join(', ')}${more}`,
      reason: 'folders of this kind (examples, tests, docs, CI) are not taken for deployed',
      location: { file: first },
      next: 'If they are deployed, name them in gate.yaml (targets:).',
      weight: 'note',
    },
  ];
}
