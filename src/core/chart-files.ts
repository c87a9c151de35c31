import type { Tree } from './ports.ts';

/** What Helm reads of a chart directory besides the files that templates ask for (helm.sh/docs/topics/charts). */
const chartFiles = [
  'Chart.yaml',
  'Chart.lock',
  'values.yaml',
  'values.schema.json',
  'requirements.yaml',
  'requirements.lock',
  '.helmignore',
];
const chartFolders = ['templates', 'charts', 'crds'];

const answers = new WeakMap<Tree, Map<string, readonly string[] | undefined>>();

/**
 * The parts of a chart directory that decide what it renders, as far as they exist: files, and directories with a
 * trailing `/`, relative to the tree. `values-production.yaml` and the README are not among them, so a change to
 * one environment's values does not reach the others.
 * @returns undefined when a template reads further files (`.Files`): then the whole directory counts
 */
export function chartParts(tree: Tree, directory: string): readonly string[] | undefined {
  let known = answers.get(tree);
  if (known === undefined) answers.set(tree, (known = new Map()));
  if (!known.has(directory)) known.set(directory, computeParts(tree, directory));
  return known.get(directory);
}

function computeParts(tree: Tree, directory: string): readonly string[] | undefined {
  const prefix = directory === '' || directory === '.' ? '' : `${directory}/`;
  // Templates of subcharts see the files of their own chart, which are below charts/.
  for (const path of tree.list(`${prefix}templates`)) {
    let text: string | undefined;
    try {
      text = tree.readText(path);
    } catch {
      return undefined;
    }
    if (text?.includes('.Files') === true) return undefined;
  }
  // A library chart's helper is called with the chart's own context, so it may read the chart's files too.
  if (tree.list(`${prefix}charts`).some((path) => path.endsWith('.tgz'))) return undefined;
  for (const path of tree.list(`${prefix}charts`)) {
    if (/\.(tpl|ya?ml|txt)$/.test(path) && tree.readText(path)?.includes('.Files') === true) return undefined;
  }
  return [
    ...chartFiles.map((name) => prefix + name).filter((path) => tree.isFile(path)),
    ...chartFolders.filter((name) => tree.isDirectory(prefix + name)).map((name) => `${prefix}${name}/`),
  ];
}
