import type { SourceLocation } from '../core/errors.ts';
import type { JsonObject, NotEvaluated } from '../core/model.ts';
import type { SourcedObject, Tree } from '../core/ports.ts';
import { splitDocuments } from '../core/yaml/read.ts';
import { patchFilesOf } from './patch-files.ts';
import { directoryOf } from './tree-paths.ts';
import { readCached } from './yaml-files.ts';
import type { ReadDocument, ReadFile, ReadProblem } from './yaml-files.ts';

export { readYamlFile } from './yaml-files.ts';
export type { ReadDocument, ReadFile, ReadProblem } from './yaml-files.ts';

const declarationFiles = new Map<string, ReadFile>();
const fluxInputFiles = new Map<string, ReadFile>();
const declares =
  /apiVersion["']?[ \t]*:[ \t]*["']?(?:argoproj\.io|(?:[a-z0-9-]+\.)*fluxcd\.io|fluxcd\.controlplane\.io)\//;
const clusterSecret = /argocd\.argoproj\.io\/secret-type/;
const fluxInput = /kind["']?[ \t]*:[ \t]*["']?(?:ConfigMap|Secret)\b/;

/**
 * The Argo CD and Flux objects that stand in plain files of the tree, Argo CD cluster Secrets, and, when there are
 * Flux objects, the ConfigMaps and Secrets that they may read. A cheap look at the text decides what is parsed.
 *
 * Left out: templates of charts (they exist only rendered), and files that a kustomization uses as patches.
 * YAML that is broken is a note with file, line and column; text with `{{` that does not parse is a template of
 * something and is left out in silence.
 */
export function readDeclarations(tree: Tree): {
  readonly objects: readonly SourcedObject[];
  readonly notEvaluated: readonly NotEvaluated[];
} {
  const objects: SourcedObject[] = [];
  const notEvaluated: NotEvaluated[] = [];
  const paths = [...tree.files.values()]
    .filter((entry) => entry.type === 'file' && /\.(?:ya?ml|json)$/i.test(entry.path))
    .map((entry) => entry.path)
    .filter((path) => !isChartTemplate(tree, path))
    .sort();
  const encrypted: string[] = [];
  let patches: ReadonlySet<string> | undefined;
  const take = (path: string, wanted: (text: string) => boolean, cache: Map<string, ReadFile>): boolean => {
    const file = readCached(tree, path, cache, wanted);
    if (file.documents.length === 0 && file.problems.length === 0) return false;
    patches ??= patchFilesOf(tree);
    if (patches.has(path)) return false;
    for (const document of file.documents) addObjects(document, path, objects);
    for (const problem of file.problems) {
      if (problem.encrypted === true) encrypted.push(path);
      else if (!problem.template) notEvaluated.push(brokenNote(path, problem));
    }
    return file.problems.length > 0;
  };
  const broken = new Set(paths.filter((path) => take(path, isDeclaration, declarationFiles)));
  if (objects.some((item) => apiGroup(item.object).endsWith('fluxcd.io'))) {
    // Also beside declarations in one file, where only the other documents count.
    for (const path of paths) if (!broken.has(path)) take(path, isFluxInput, fluxInputFiles);
  }
  if (encrypted.length > 0) notEvaluated.push(encryptedNote(encrypted));
  return { objects, notEvaluated };
}

function isDeclaration(text: string): boolean {
  return declares.test(text) || clusterSecret.test(text);
}

/** A ConfigMap or Secret; of a file with several documents the whole text counts when one of them may be. */
function isFluxInput(text: string): boolean {
  return fluxInput.test(text) && (!isDeclaration(text) || splitDocuments(text).length > 1);
}

function brokenNote(path: string, problem: ReadProblem): NotEvaluated {
  const location: SourceLocation = {
    file: path,
    ...(problem.line === undefined ? {} : { line: problem.line }),
    ...(problem.column === undefined ? {} : { column: problem.column }),
  };
  return {
    what: path,
    reason: `cannot be read as YAML: ${problem.message}`,
    location,
    next: 'Correct the YAML; what the file declares is unknown until then.',
    weight: 'note',
  };
}

/** One note for all: most hold keys and passwords, and declare nothing. */
function encryptedNote(paths: readonly string[]): NotEvaluated {
  const shown = paths.slice(0, 3).join(', ');
  return {
    what: paths.length === 1 ? shown : `${paths.length} files`,
    reason: `encrypted by git-crypt${paths.length === 1 ? '' : ` (${shown}${paths.length > 3 ? ', ...' : ''})`}: what ${paths.length === 1 ? 'it declares' : 'they declare'}, if anything, was not looked at`,
    next: 'Run gate in a clone that is unlocked, if they hold manifests.',
    weight: 'note',
  };
}

/** Kubernetes objects of a document; a `List` gives its items. */
function addObjects(document: ReadDocument, file: string, objects: SourcedObject[]): void {
  const { value, line } = document;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  if (typeof value['kind'] !== 'string' || typeof value['apiVersion'] !== 'string') return;
  const items = value['items'];
  if (value['kind'].endsWith('List') && Array.isArray(items)) {
    for (const item of items) addObjects({ value: item, line }, file, objects);
    return;
  }
  objects.push({ object: value, location: { file, line } });
}

function apiGroup(object: JsonObject): string {
  const version = object['apiVersion'];
  return typeof version === 'string' && version.includes('/') ? version.slice(0, version.indexOf('/')) : '';
}

/** Below the `templates` directory of a chart, at any depth. */
function isChartTemplate(tree: Tree, path: string): boolean {
  for (let directory = directoryOf(path); directory !== ''; directory = directoryOf(directory)) {
    const parent = directoryOf(directory);
    const name = parent === '' ? directory : directory.slice(parent.length + 1);
    if (name === 'templates' && tree.isFile(parent === '' ? 'Chart.yaml' : `${parent}/Chart.yaml`)) return true;
  }
  return false;
}
