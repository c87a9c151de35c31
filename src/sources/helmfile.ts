import type { SourceLocation } from '../core/errors.ts';
import type { ChartRef, Json, JsonObject, NotEvaluated, SetValue, Target, ValuesLayer } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { inputsMayDeclareTargets } from './argocd/renders-targets.ts';
import { asArray, asObject, get, objects, scalarText, text } from './argocd/values.ts';
import { chartInputs } from './closure.ts';
import { environmentNamed, isOutside, type DetectContext } from './detect-context.ts';
import { environmentOf } from './environment.ts';
import { readYamlFile } from './yaml-files.ts';
import { baseName, directoryOf, resolveInTree, tidyInputs } from './tree-paths.ts';

const next = 'Name the release in gate.yaml (targets:) with its chart and values files.';
const environmentName = /\{\{-?\s*\.Environment\.Name\s*-?\}\}/gu;

/**
 * Releases of Helmfiles. Supported: local charts and charts of the listed repositories, values files and inline
 * values, `set`, and `{{ .Environment.Name }}` in paths. Everything else that is a template is listed.
 */
export function detectHelmfile(context: DetectContext): {
  readonly targets: readonly Target[];
  readonly notEvaluated: readonly NotEvaluated[];
} {
  const targets: Target[] = [];
  const notEvaluated: NotEvaluated[] = [];
  for (const path of [...context.tree.files.keys()].sort()) {
    if (!isHelmfile(path) || isOutside(path) || context.covered.covers(path)) continue;
    if (path.endsWith('.gotmpl')) {
      notEvaluated.push({
        what: path,
        reason: 'is a template of Helmfile',
        location: { file: path },
        next,
        weight: 'note',
      });
      continue;
    }
    readHelmfile(path, context, targets, notEvaluated);
  }
  return { targets, notEvaluated };
}

function isHelmfile(path: string): boolean {
  return /(?:^|\/)(?:helmfile\.ya?ml|helmfile\.d\/[^/]+\.ya?ml)(?:\.gotmpl)?$/u.test(path);
}

function readHelmfile(path: string, context: DetectContext, targets: Target[], notEvaluated: NotEvaluated[]): void {
  const note = (what: string, reason: string, location: SourceLocation): void => {
    notEvaluated.push({ what, reason, location, next, weight: 'note' });
  };
  const file = readYamlFile(context.tree, path);
  for (const problem of file?.problems ?? []) {
    const location = { file: path, ...(problem.line === undefined ? {} : { line: problem.line }) };
    note(path, problem.template ? 'is a template of Helmfile' : `cannot be read as YAML: ${problem.message}`, location);
  }
  const documents = (file?.documents ?? []).flatMap((document) => {
    const object = asObject(document.value);
    return object === undefined ? [] : [{ object, line: document.line }];
  });
  const environments = documents.flatMap(({ object }) => Object.keys(asObject(get(object, 'environments')) ?? {}));
  const repositories = documents.flatMap(({ object }) => objects(get(object, 'repositories')));
  for (const { object, line } of documents) {
    const location = { file: path, line };
    for (const field of ['helmfiles', 'bases']) {
      if (asArray(get(object, field)).length > 0)
        note(
          `${field} of ${path}`,
          'other Helmfiles that it includes are read on their own, without what they inherit',
          location,
        );
    }
    for (const release of objects(get(object, 'releases'))) {
      const name = text(get(release, 'name')) ?? '';
      if (get(release, 'installed') === false) continue;
      for (const environment of usesEnvironment(release) ? environments : [undefined]) {
        const made = releaseTarget(withEnvironment(release, environment), environment, {
          path,
          location,
          repositories,
          context,
        });
        if (typeof made === 'string') note(`release ${name || '(without name)'} of ${path}`, made, location);
        else targets.push(made);
      }
    }
  }
}

function usesEnvironment(release: JsonObject): boolean {
  return JSON.stringify(release).search(environmentName) !== -1;
}

function withEnvironment(release: JsonObject, environment: string | undefined): JsonObject {
  if (environment === undefined) return release;
  const replace = (value: Json): Json => {
    if (typeof value === 'string') return value.replace(environmentName, () => environment);
    if (Array.isArray(value)) return value.map(replace);
    const object = asObject(value);
    return object === undefined
      ? value
      : Object.fromEntries(Object.entries(object).map(([key, item]) => [key, replace(item)]));
  };
  return replace(release) as JsonObject;
}

interface Surroundings {
  readonly path: string;
  readonly location: SourceLocation;
  readonly repositories: readonly JsonObject[];
  readonly context: DetectContext;
}

/** @returns a sentence when the release cannot be evaluated */
function releaseTarget(release: JsonObject, word: string | undefined, around: Surroundings): Target | string {
  const { path, location, context } = around;
  const { tree, config } = context;
  if (JSON.stringify(release).includes('{{')) return 'uses templates of Helmfile';
  const name = text(get(release, 'name'));
  const written = text(get(release, 'chart'));
  if (name === undefined || written === undefined) return 'has no name or no chart';
  const chart = chartOf(written, release, around);
  if (typeof chart === 'string') return chart;
  const values = valuesOf(release, directoryOf(path), tree);
  if (typeof values === 'string') return values;
  const id = `helm:${path}/${name}${word === undefined ? '' : `@${word}`}`;
  const environment =
    word === undefined
      ? environmentOf({ config, id, name, paths: [path], labels: {} })
      : environmentNamed(config, word, [id, name, path]);
  const namespace = text(get(release, 'namespace'));
  const chartReads = chart.from === 'tree' ? chartInputs(tree, chart.path) : [];
  const files = values.flatMap((layer) => (layer.kind === 'file' ? [layer.path] : []));
  const inputs = chartReads === 'unknown' ? chartReads : tidyInputs([path, ...chartReads, ...files]);
  return {
    id,
    name,
    engine: 'helm',
    ...(environment === undefined ? {} : { environment }),
    scope: environment ?? id,
    origin: location,
    parents: [],
    sources: [
      {
        type: 'helm',
        chart,
        release: name,
        ...(namespace === undefined ? {} : { namespace }),
        values,
        set: setOf(release),
        includeCrds: false,
        isUpgrade: true,
      },
    ],
    afterRender: namespace === undefined ? {} : { defaultNamespace: namespace },
    apply: { mode: 'helm', prune: true, automated: 'unknown' },
    inputs,
    rendersTargets: inputsMayDeclareTargets(tree, inputs),
  };
}

function chartOf(written: string, release: JsonObject, around: Surroundings): ChartRef | string {
  const local = resolveInTree(directoryOf(around.path), written);
  if (local !== undefined && (around.context.tree.isDirectory(local) || around.context.tree.isFile(local)))
    return { from: 'tree', path: local };
  const version = scalarText(get(release, 'version')) ?? '';
  if (written.startsWith('oci://')) return { from: 'oci', url: written, version };
  if (written.startsWith('.') || written.startsWith('/')) return `its chart ${written} does not exist in the tree`;
  const slash = written.indexOf('/');
  const repository = around.repositories.find((item) => get(item, 'name') === written.slice(0, slash));
  const url = text(get(repository, 'url'))?.replace(/\/+$/u, '');
  if (url === undefined)
    return `its chart ${written} is neither in the tree nor in a repository that the Helmfile lists`;
  const chart = written.slice(slash + 1);
  return get(repository, 'oci') === true
    ? { from: 'oci', url: `oci://${url.replace(/^oci:\/\//u, '')}/${chart}`, version }
    : { from: 'repository', url, name: chart, version };
}

function valuesOf(release: JsonObject, directory: string, tree: Tree): readonly ValuesLayer[] | string {
  const layers: ValuesLayer[] = [];
  const optional = get(release, 'missingFileHandler') !== undefined && get(release, 'missingFileHandler') !== 'Error';
  for (const [at, entry] of asArray(get(release, 'values')).entries()) {
    const inline = asObject(entry);
    if (inline !== undefined) {
      layers.push({ kind: 'inline', values: inline, label: `values[${at}]` });
      continue;
    }
    if (typeof entry !== 'string') continue;
    if (entry.endsWith('.gotmpl')) return `its values file ${entry} is a template`;
    const path = resolveInTree(directory, entry);
    if (path === undefined || /[*?[]/u.test(entry)) return `its values file ${entry} is not a single file of the tree`;
    if ((tree.isFile(path) ? readTemplate(tree, path) : false) && baseName(path) !== 'values.yaml')
      return `its values file ${entry} holds template markers`;
    layers.push({ kind: 'file', path, ...(optional ? { optional: true } : {}) });
  }
  for (const entry of asArray(get(release, 'secrets'))) {
    if (typeof entry === 'string')
      layers.push({ kind: 'unavailable', label: `secrets file ${entry} (encrypted)`, optional: false });
  }
  return layers;
}

/** Plain values files are not templates to Helmfile; only `.gotmpl` ones are. What does not parse is one by mistake. */
function readTemplate(tree: Tree, path: string): boolean {
  return readYamlFile(tree, path)?.problems.some((problem) => problem.template) ?? false;
}

function setOf(release: JsonObject): readonly SetValue[] {
  return objects(get(release, 'set')).flatMap((entry): readonly SetValue[] => {
    const name = text(get(entry, 'name'));
    const value = scalarText(get(entry, 'value'));
    return name === undefined || value === undefined ? [] : [{ name, value, type: 'set' }];
  });
}
