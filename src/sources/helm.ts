import type { HelmSource, NotEvaluated, Target, ValuesLayer } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { inputsMayDeclareTargets } from './argocd/renders-targets.ts';
import { asObject, get, objects, text } from './argocd/values.ts';
import { chartInputs } from './closure.ts';
import { environmentNamed, isOutside, type DetectContext } from './detect-context.ts';
import { environmentOf } from './environment.ts';
import { readYamlFile } from './yaml-files.ts';
import { baseName, directoryOf, resolveInTree, tidyInputs } from './tree-paths.ts';

interface Chart {
  readonly directory: string;
  readonly name: string;
  /** Directories of its `file://` dependencies. */
  readonly local: readonly string[];
}

/**
 * Charts of the tree that no other target reads, one target per environment that has a values file of its own, or
 * one with the default values. Library charts and sub-charts are no targets; a chart that others name as a
 * `file://` dependency is rendered through these.
 */
export function detectHelm(context: DetectContext): {
  readonly targets: readonly Target[];
  readonly notEvaluated: readonly NotEvaluated[];
} {
  const { tree, covered } = context;
  const notEvaluated: NotEvaluated[] = [];
  const charts: Chart[] = [];
  for (const path of tree.files.keys()) {
    if (
      baseName(path) !== 'Chart.yaml' ||
      isOutside(path) ||
      covered.covers(path) ||
      isSubChart(tree, directoryOf(path))
    )
      continue;
    const read = readChart(tree, path);
    if (typeof read === 'string')
      notEvaluated.push({ what: path, reason: read, location: { file: path }, weight: 'note' });
    else if (read !== undefined) charts.push(read);
  }
  const used = new Set(charts.flatMap((chart) => chart.local.filter((directory) => directory !== chart.directory)));
  const targets = charts.filter((chart) => !used.has(chart.directory)).flatMap((chart) => chartTargets(chart, context));
  return { targets, notEvaluated };
}

/** Below the `charts/` folder of a chart: it belongs to that one. */
function isSubChart(tree: Tree, directory: string): boolean {
  const segments = directory.split('/');
  return segments.some(
    (segment, at) =>
      segment === 'charts' &&
      at < segments.length - 1 &&
      tree.isFile([...segments.slice(0, at), 'Chart.yaml'].join('/')),
  );
}

/** @returns undefined for a library chart, a sentence for a file that is no chart */
function readChart(tree: Tree, path: string): Chart | string | undefined {
  const file = readYamlFile(tree, path);
  const problem = file?.problems[0];
  if (problem !== undefined) {
    return problem.template ? 'is a template of a chart, not a chart' : `cannot be read as YAML: ${problem.message}`;
  }
  const object = asObject(file?.documents[0]?.value);
  const name = text(get(object, 'name'));
  if (name === undefined || text(get(object, 'apiVersion')) === undefined)
    return 'has no name or no apiVersion, so it is no chart that Helm can use';
  if (get(object, 'type') === 'library') return undefined;
  const directory = directoryOf(path);
  const local = objects(get(object, 'dependencies')).flatMap((dependency) => {
    const repository = text(get(dependency, 'repository'));
    if (repository === undefined || !repository.startsWith('file://')) return [];
    return resolveInTree(directory, repository.slice('file://'.length)) ?? [];
  });
  return { directory, name, local };
}

function chartTargets(chart: Chart, context: DetectContext): readonly Target[] {
  const environments = valuesByEnvironment(context.tree, chart.directory);
  if (environments.size === 0) return [chartTarget(chart, undefined, [], context)];
  return [...environments].map(([word, files]) => chartTarget(chart, word, files, context));
}

function chartTarget(chart: Chart, word: string | undefined, files: readonly string[], context: DetectContext): Target {
  const { tree, config } = context;
  const path = chart.directory || '.';
  const id = `helm:${path}${word === undefined ? '' : `@${word}`}`;
  const name = chart.name;
  const environment =
    word === undefined
      ? environmentOf({ config, id, name, paths: [path], labels: {} })
      : environmentNamed(config, word, [id, name, path, ...files]);
  const inputs = chartInputs(tree, chart.directory);
  const all = inputs === 'unknown' ? inputs : tidyInputs([...inputs, ...files]);
  const source: HelmSource = {
    type: 'helm',
    chart: { from: 'tree', path },
    release: chart.name,
    values: files.map((file): ValuesLayer => ({ kind: 'file', path: file })),
    set: [],
    // `helm upgrade` never applies the crds/ directory (helm.sh/docs/chart_best_practices/custom_resource_definitions).
    includeCrds: false,
    isUpgrade: true,
  };
  const rendersTargets = inputsMayDeclareTargets(tree, all);
  return {
    id,
    name,
    engine: 'helm',
    ...(environment === undefined ? {} : { environment }),
    // `values-eu-dev.yaml` and `values-us-dev.yaml` are both dev, and two clusters.
    scope: word ?? environment ?? id,
    origin: { file: chart.directory === '' ? 'Chart.yaml' : `${chart.directory}/Chart.yaml` },
    parents: [],
    sources: [source],
    afterRender: {},
    // A chart of Applications is more often synced by Argo CD than upgraded by Helm, and only Helm surely prunes.
    apply: { mode: 'helm', prune: rendersTargets ? 'unknown' : true, automated: 'unknown' },
    inputs: all,
    rendersTargets,
  };
}

/** Where repositories keep the values of an environment, relative to the chart. `ci/` holds chart-testing's cases. */
const layouts: readonly RegExp[] = [
  /^values[-._]([\w-]+)\.ya?ml$/u,
  /^([\w-]+)[-._]values\.ya?ml$/u,
  /^values\/(?:values[-._])?([\w-]+)\.ya?ml$/u,
  /^values\/([\w-]+)\/values\.ya?ml$/u,
  /^(?:envs?|environments?)\/([\w-]+)\/values\.ya?ml$/u,
  /^(?:envs?|environments?)\/(?:values[-._])?([\w-]+)\.ya?ml$/u,
];

/** Words in these names that are no environment. */
const noEnvironment =
  /^(?:schema|examples?|sample|template|defaults?|base|common|shared|global|values|ci|tests?|local|minimal|full|override|overrides|secrets?|enc)$/iu;

/** Environment word -> its values files in lexical order. */
export function valuesByEnvironment(tree: Tree, directory: string): ReadonlyMap<string, readonly string[]> {
  const prefix = directory === '' ? '' : `${directory}/`;
  const found = new Map<string, string[]>();
  for (const path of tree.list(directory)) {
    const relative = path.slice(prefix.length);
    for (const layout of layouts) {
      const word = relative.length > 200 ? undefined : layout.exec(relative)?.[1];
      if (word === undefined || noEnvironment.test(word)) continue;
      const files = found.get(word);
      if (files === undefined) found.set(word, [path]);
      else files.push(path);
      break;
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
