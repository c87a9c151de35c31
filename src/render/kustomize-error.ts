import { posix } from 'node:path';
import type { SourceLocation } from '../core/errors.ts';
import type { RenderProblem } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { kustomizationFile } from './kustomize-closure.ts';
import type { KustomizeClosure } from './kustomize-closure.ts';

/** Turns the standard error of `kustomize build` into a problem; paths in it are relative to the tree. */
export function kustomizeProblem(stderr: string, closure: KustomizeClosure, tree: Tree, root: string): RenderProblem {
  const message = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^#? ?Warning:/i.test(line))
    .join('\n')
    .replace(/^Error: /, '')
    .slice(0, 4000)
    .trim();
  const unreachable =
    /helm pull|unable to (?:pull|run: 'helm)|could not resolve host|git fetch|no such host/i.test(message) &&
    !/execution error|parse error/i.test(message);
  const plugin = pluginProblem(message);
  if (plugin !== undefined) {
    return {
      kind: 'unsupported',
      ...plugin,
      location: locationIn(message, tree) ?? { file: fileOf(closure, tree, root) },
    };
  }
  return {
    ...(unreachable ? { unreachable: true as const } : {}),
    kind: unreachable ? 'missing-input' : 'render',
    message: message === '' ? 'kustomize build failed without saying why' : message,
    location: locationIn(message, tree) ?? { file: fileOf(closure, tree, root) },
    next: adviceFor(message),
  };
}

function fileOf(closure: KustomizeClosure, tree: Tree, root: string): string {
  return kustomizationFile(tree, closure.folders[0] ?? root) ?? posix.join(root, 'kustomization.yaml');
}

/** A generator or transformer that kustomize runs only when it is allowed to: not the fault of the change. */
function pluginProblem(message: string): { readonly message: string; readonly next: string } | undefined {
  if (/must specify --enable-helm/.test(message)) {
    return {
      message: 'The kustomization inflates a Helm chart (HelmChartInflationGenerator), which needs --enable-helm',
      next: 'If the cluster builds it so, write argocd: {kustomizeBuildOptions: --enable-helm} into gate.yaml. Flux never inflates charts.',
    };
  }
  if (!/external plugins disabled|unable to load external plugin|unable to find plugin/.test(message)) return undefined;
  const name = /external plugin '([^'\n]{1,200})'/.exec(message)?.[1];
  return {
    message: `The kustomization runs an external plugin${name === undefined ? '' : ` (${name})`}, and gate runs none`,
    next: 'Give gate an overlay without the plugin, or the rendered manifests, as a target in gate.yaml (targets:).',
  };
}

/** The last file of the tree that the message names, with the line when it follows. */
function locationIn(message: string, tree: Tree): SourceLocation | undefined {
  let found: SourceLocation | undefined;
  for (const [, name = ''] of message.matchAll(/([\w.@+-][\w./@+-]*\.(?:ya?ml|json|env|properties))/g)) {
    const path = posix.normalize(name).replace(/^\/+/, '');
    if (!path.startsWith('..') && tree.isFile(path)) found = { file: path };
  }
  const line = /yaml: line (\d+)/.exec(message)?.[1];
  return found === undefined || line === undefined ? found : { ...found, line: Number(line) };
}

function adviceFor(message: string): string {
  if (/already registered id|may not add resource/.test(message))
    return 'The same object comes from two places: take one of them out.';
  if (/no matches for Id|unable to find patch target|failed to find unique target/.test(message))
    return 'A patch names an object that the resources do not hold.';
  if (/no such file|doesn't exist|not found|unable to find one of/i.test(message))
    return 'A path in the kustomization leads nowhere: correct it or add the file.';
  if (/security; file/.test(message))
    return 'The file lies outside of the kustomization: move it below, or make it a base of its own.';
  return 'Run kustomize build on the same folder to see it.';
}
