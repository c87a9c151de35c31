import type { Tree } from '../../core/ports.ts';

const kind = /kind["']?[ \t]*:[ \t]*["']?(?:Application|ApplicationSet|AppProject|HelmRelease|Kustomization|\{\{)/;
const group = /(?:argoproj\.io|fluxcd\.io)\//;

/** Charts whose purpose is to render Applications or Flux objects. */
const remoteCharts =
  /argocd-apps|app-of-apps|apps-of-apps|applicationset|flux2-sync|raw$|^raw|any-resource|extra-objects|bootstrap/i;

/** Could this text (a manifest, a template, values) yield an Application, an ApplicationSet or a Flux object? */
export function mayDeclareTargets(text: string): boolean {
  return group.test(text) && kind.test(text);
}

/** Could a chart from a repository render targets, as far as its name tells? */
export function remoteChartRendersTargets(name: string): boolean {
  return remoteCharts.test(name);
}

const answers = new WeakMap<Tree, Map<string, boolean>>();
const byContent = new Map<string, boolean>();

/** Could any file at or below one of these inputs declare targets? */
export function inputsMayDeclareTargets(tree: Tree, inputs: readonly string[] | 'unknown'): boolean {
  if (inputs === 'unknown') return true;
  let known = answers.get(tree);
  if (known === undefined) answers.set(tree, (known = new Map()));
  return inputs.some((input) => {
    let answer = known.get(input);
    if (answer === undefined) known.set(input, (answer = anyFile(tree, input)));
    return answer;
  });
}

function anyFile(tree: Tree, input: string): boolean {
  if (!input.endsWith('/')) return fileMayDeclare(tree, input);
  return tree.list(input === './' ? '' : input.slice(0, -1)).some((file) => fileMayDeclare(tree, file));
}

function fileMayDeclare(tree: Tree, path: string): boolean {
  if (!/\.(?:ya?ml|json|tpl|txt|gotmpl)$/i.test(path)) return false;
  const hash = tree.files.get(path)?.hash;
  const known = hash === undefined ? undefined : byContent.get(hash);
  if (known !== undefined) return known;
  let answer: boolean;
  try {
    answer = mayDeclareTargets(tree.readText(path) ?? '');
  } catch {
    // Binary or too large: nothing that a tool would read as a manifest either; the renderer will say so.
    answer = false;
  }
  if (hash !== undefined) byContent.set(hash, answer);
  return answer;
}
