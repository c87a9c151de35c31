import type { Json } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { readYamlFile } from '../sources/yaml-files.ts';

interface ValueKeys {
  readonly chart: string;
  readonly keys: ReadonlySet<string>;
  readonly dependencies: ReadonlySet<string>;
}

const charts = new WeakMap<Tree, readonly ValueKeys[]>();

/**
 * The chart of the tree that a YAML file beside no chart gives values to, judged by its top-level keys: all of them are
 * values of the chart or names of its dependencies, and there are two of them or one that is a dependency.
 * A deploy script passes such files to Helm (`helm upgrade -f config/prod.yaml`); nothing in the tree declares that.
 * @returns the directory of the chart
 */
export function chartOfValues(tree: Tree, path: string): string | undefined {
  if (!/\.ya?ml$/i.test(path)) return undefined;
  const file = readYamlFile(tree, path);
  if (file === undefined || file.problems.length > 0 || file.documents.length !== 1) return undefined;
  const keys = keysOf(file.documents[0]?.value);
  if (keys.length === 0) return undefined;
  return chartsOf(tree).find(
    (chart) =>
      keys.every((key) => chart.keys.has(key) || chart.dependencies.has(key)) &&
      (keys.length > 1 || keys.some((key) => chart.dependencies.has(key))),
  )?.chart;
}

function chartsOf(tree: Tree): readonly ValueKeys[] {
  const known = charts.get(tree);
  if (known !== undefined) return known;
  const found: ValueKeys[] = [];
  for (const path of tree.files.keys()) {
    if (!/(^|\/)Chart\.yaml$/.test(path) || /(^|\/)charts\/[^/]+\/Chart\.yaml$/.test(path)) continue;
    const directory = path.slice(0, -'Chart.yaml'.length);
    const dependencies = valueOf(readYamlFile(tree, path)?.documents[0]?.value, 'dependencies');
    found.push({
      chart: directory.slice(0, -1) || '.',
      keys: new Set(['global', ...keysOf(readYamlFile(tree, `${directory}values.yaml`)?.documents[0]?.value)]),
      dependencies: new Set(
        (Array.isArray(dependencies) ? dependencies : []).flatMap((item) =>
          [valueOf(item, 'alias') ?? valueOf(item, 'name')].filter((name) => typeof name === 'string'),
        ),
      ),
    });
  }
  charts.set(tree, found);
  return found;
}

function keysOf(value: Json | undefined): readonly string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

function valueOf(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
