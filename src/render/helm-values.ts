import { isAbsolute } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { Engine, HelmSource, SetValue } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { digestOf } from './context.ts';
import type { RenderContext } from './context.ts';
import { fail } from './failure.ts';
import { mayBeRandom } from './random.ts';
import { insideTree, onDisk } from './tree-path.ts';

/** Values of a release in the order of helm's flags. */
export interface PreparedValues {
  /** `--values` and `--set*` flags; files are written when this is asked. */
  flags(): Promise<readonly string[]>;
  /** Content identity. */
  readonly identity: unknown;
  mayBeRandom(): boolean;
}

interface Layer {
  readonly identity: unknown;
  readonly path: () => Promise<string>;
  readonly text: () => string;
}

/** Resolves the values layers of a release. Ends the rendering when one that is needed is not there. */
export async function prepareValues(
  source: HelmSource,
  engine: Engine,
  tree: Tree,
  context: RenderContext,
): Promise<PreparedValues> {
  const layers: Layer[] = [];
  for (const layer of source.values) {
    switch (layer.kind) {
      case 'file': {
        const path = insideTree(layer.path, 'The values file');
        if (tree.isFile(path)) layers.push(treeLayer(tree, path));
        else if (layer.optional !== true) {
          fail({
            kind: 'render',
            message: `The values file ${path} does not exist`,
            next: 'Add the file, or take it out of the list of values files.',
          });
        }
        break;
      }
      case 'inline':
        layers.push(textLayer(context, JSON.stringify(layer.values), 'json'));
        break;
      case 'text':
        layers.push(textLayer(context, layer.yaml, 'yaml'));
        break;
      case 'external':
        layers.push(await externalLayer(context, layer.path));
        break;
      case 'unavailable':
        if (!layer.optional) {
          fail({
            kind: 'missing-input',
            unreachable: true,
            message: `Values come from ${layer.label}, which cannot be read here`,
            next: 'Give a stand-in with extraValues of a target in gate.yaml.',
          });
        }
        break;
    }
  }
  const sets = source.set.map((set) => prepareSet(set, engine, tree));
  return {
    identity: [layers.map((layer) => layer.identity), sets.map((set) => set.identity)],
    async flags() {
      const files = await Promise.all(layers.map((layer) => layer.path()));
      return [...sets.map((set) => set.flag), ...files.map((file) => `--values=${csvField(file)}`)];
    },
    mayBeRandom: () => layers.some((layer) => mayBeRandom(layer.text())),
  };
}

function treeLayer(tree: Tree, path: string): Layer {
  return { identity: tree.hashOf(path), path: async () => onDisk(tree, path), text: () => tree.readText(path) ?? '' };
}

function textLayer(context: RenderContext, text: string, extension: string): Layer {
  return {
    identity: [extension, digestOf(text)],
    path: () => context.workspace.textFile(text, extension),
    text: () => text,
  };
}

async function externalLayer(context: RenderContext, path: string): Promise<Layer> {
  const text = isAbsolute(path) ? await readFile(path, 'utf8').catch(() => undefined) : undefined;
  if (text === undefined)
    return fail({ kind: 'missing-input', message: `The values file ${path} of gate.yaml cannot be read` });
  return textLayer(context, text, 'yaml');
}

/** `--values` takes a comma-separated list; a path with a comma or a quote has to be one quoted field. */
function csvField(path: string): string {
  return /[",\n]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}

function prepareSet(set: SetValue, engine: Engine, tree: Tree): { readonly flag: string; readonly identity: unknown } {
  if (set.type === 'set-file') {
    const path = insideTree(set.value, `The file of the parameter ${set.name}`);
    if (!tree.isFile(path))
      fail({ kind: 'render', message: `The file ${path} of the parameter ${set.name} does not exist` });
    const file = onDisk(tree, path).replaceAll(',', '\\,');
    return { flag: `--set-file=${set.name}=${file}`, identity: [set.type, set.name, tree.hashOf(path)] };
  }
  const value =
    engine === 'argocd' && (set.type === 'set' || set.type === 'set-string') ? escapeCommas(set.value) : set.value;
  return { flag: `--${set.type}=${set.name}=${value}`, identity: [set.type, set.name, value] };
}

/** Argo CD's cleanSetParameters (util/helm/cmd.go): commas are literal, except in a `{list}`; escaped ones stay. */
export function escapeCommas(value: string): string {
  if (value.startsWith('{') && value.endsWith('}')) return value;
  return value.replaceAll(/(?<!\\),/g, '\\,');
}
