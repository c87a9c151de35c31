import { posix } from 'node:path';
import type { SourceLocation } from '../core/errors.ts';
import type { RenderProblem } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import type { PreparedChart } from './helm-chart.ts';

const position = /([\w@+~-][\w./@+~-]*\.(?:ya?ml|tpl|txt|json|gotmpl)):(\d+)(?::(\d+))?/g;
const document =
  /(?:parse error on|error converting YAML to JSON in|unable to parse YAML in) ([\w./@+~-]+\.(?:ya?ml|tpl|txt|json))/i;

/** Turns the standard error of `helm template` into a problem with the file of the tree, when it names one. */
export function helmProblem(stderr: string, chart: PreparedChart, tree: Tree): RenderProblem {
  const message = stderr
    .split('\n')
    .filter(
      (line) =>
        line.trim() !== '' &&
        !/^Use --debug|walk\.go:\d+: found symbolic link|coalesce\.go:\d+: warning|^(?:level|time)=/.test(line),
    )
    .join('\n')
    .replace(/^Error: /, '')
    // Temporary, and another one every time: readers know the files of the tree.
    .replaceAll(`${tree.root}/`, '')
    .slice(0, 4000)
    .trim();
  const location = locationIn(message, chart, tree);
  return {
    kind: 'render',
    message: message === '' ? 'helm template failed without saying why' : message,
    ...(location === undefined ? {} : { location }),
    next: adviceFor(message),
  };
}

/** Nested templates are printed from the outside to the inside: the last position is where it happened. */
function locationIn(message: string, chart: PreparedChart, tree: Tree): SourceLocation | undefined {
  let found: SourceLocation | undefined;
  for (const [, name = '', line, column] of message.matchAll(position)) {
    const file = treeFileOf(name, chart, tree);
    if (file !== undefined)
      found = { file, line: Number(line), ...(column === undefined ? {} : { column: Number(column) }) };
  }
  if (found !== undefined) return found;
  const broken = document.exec(message)?.[1];
  const file = broken === undefined ? undefined : treeFileOf(broken, chart, tree);
  if (file !== undefined) return { file };
  return chart.treePath === undefined ? undefined : { file: posix.join(chart.treePath, 'Chart.yaml') };
}

/** `shop/charts/db/templates/x.yaml` as helm names templates -> the file of the tree; undefined when there is none. */
export function treeFileOf(template: string, chart: PreparedChart, tree: Tree): string | undefined {
  if (chart.treePath === undefined) return undefined;
  const rest = template.slice(template.indexOf('/') + 1);
  const direct = posix.normalize(posix.join(chart.treePath, rest));
  if (!direct.startsWith('../') && tree.isFile(direct)) return direct;
  const [, dependency, below] = /^charts\/([^/]+)\/(.+)$/.exec(rest) ?? [];
  const folder = dependency === undefined ? undefined : chart.localDependencies.get(dependency);
  if (folder === undefined || below === undefined) return undefined;
  const file = posix.normalize(posix.join(folder, below));
  return !file.startsWith('../') && tree.isFile(file) ? file : undefined;
}

function adviceFor(message: string): string {
  if (message.includes("don't meet the specifications of the schema"))
    return 'Correct the values, or the values.schema.json of the chart.';
  if (/nil pointer evaluating|map has no entry|can't evaluate field/.test(message))
    return 'A value is missing: set it, or guard it in the template.';
  if (/YAML parse error|error converting YAML/.test(message))
    return 'The template prints invalid YAML for these values: look at indentation and quotes.';
  if (/execution error at|required/.test(message)) return 'The chart refuses these values: set what it asks for.';
  if (/chart requires kubeVersion/.test(message))
    return 'Name the version of the cluster: kubernetesVersion in gate.yaml, or a snapshot.';
  return 'Run helm template with the same chart and values to see it.';
}
