import type { ArgoKustomizeEdits, JsonObject, KustomizeSource } from '../../core/model.ts';
import type { Tree } from '../../core/ports.ts';
import { kustomizeInputs } from '../closure.ts';
import { directoryInput, resolveInTree } from '../tree-paths.ts';
import { substitute } from './env.ts';
import type { BuiltSource } from './source.ts';
import { asObject, get, objects, scalarText, text, textMap, texts } from './values.ts';

/** `kustomize build` with Argo CD's edits (util/kustomize/kustomize.go Build). */
export function buildKustomizeSource(
  source: JsonObject,
  path: string,
  context: { readonly tree: Tree; readonly environment: ReadonlyMap<string, string>; readonly buildOptions: string },
): BuiltSource {
  const kustomize = asObject(get(source, 'kustomize'));
  const edits = editsOf(kustomize, context.environment);
  const options = context.buildOptions.split(/\s+/);
  const built: KustomizeSource = {
    type: 'kustomize',
    path,
    ...(Object.keys(edits).length === 0 ? {} : { argocd: edits }),
    loadRestrictions: /--load[-_]restrictor[= ]+(?:LoadRestrictionsNone|none)/i.test(context.buildOptions)
      ? 'none'
      : 'root-only',
    enableHelm: options.includes('--enable-helm'),
    generate: false,
  };
  return { source: built, inputs: inputsOf(context.tree, path, edits), inlineText: '' };
}

function inputsOf(tree: Tree, path: string, edits: ArgoKustomizeEdits): readonly string[] | 'unknown' {
  const parts = [kustomizeInputs(tree, path)];
  for (const component of edits.components ?? []) {
    const resolved = resolveInTree(path, component);
    if (resolved === undefined) continue;
    parts.push(kustomizeInputs(tree, resolved));
    // A component that appears later counts too.
    if (!tree.isDirectory(resolved)) parts.push([directoryInput(resolved)]);
  }
  return parts.some((part) => part === 'unknown')
    ? 'unknown'
    : parts.flatMap((part) => (part === 'unknown' ? [] : part));
}

function editsOf(kustomize: JsonObject | undefined, environment: ReadonlyMap<string, string>): ArgoKustomizeEdits {
  const edits: { -readonly [Key in keyof ArgoKustomizeEdits]: ArgoKustomizeEdits[Key] } = {};
  const namePrefix = text(get(kustomize, 'namePrefix'));
  const nameSuffix = text(get(kustomize, 'nameSuffix'));
  const namespace = text(get(kustomize, 'namespace'));
  const images = texts(get(kustomize, 'images')).map((image) => substitute(image, environment));
  const replicas = objects(get(kustomize, 'replicas')).flatMap((replica) => {
    const name = text(get(replica, 'name'));
    const count = get(replica, 'count');
    return name !== undefined && (typeof count === 'number' || typeof count === 'string') ? [{ name, count }] : [];
  });
  const labels = mapValues(textMap(get(kustomize, 'commonLabels')), (value) => substitute(value, environment));
  const substituted = get(kustomize, 'commonAnnotationsEnvsubst') === true;
  const annotations = mapValues(textMap(get(kustomize, 'commonAnnotations')), (value) =>
    substituted ? substitute(value, environment) : value,
  );
  const patches = objects(get(kustomize, 'patches'));
  const components = texts(get(kustomize, 'components'));
  if (namePrefix !== undefined) edits.namePrefix = namePrefix;
  if (nameSuffix !== undefined) edits.nameSuffix = nameSuffix;
  if (images.length > 0) edits.images = images;
  if (replicas.length > 0) edits.replicas = replicas;
  if (Object.keys(labels).length > 0) edits.commonLabels = labels;
  if (Object.keys(annotations).length > 0) edits.commonAnnotations = annotations;
  for (const flag of [
    'labelWithoutSelector',
    'labelIncludeTemplates',
    'forceCommonLabels',
    'forceCommonAnnotations',
  ] as const) {
    if (get(kustomize, flag) === true) edits[flag] = true;
  }
  if (namespace !== undefined) edits.namespace = namespace;
  if (patches.length > 0) edits.patches = patches;
  if (components.length > 0) edits.components = components;
  if (components.length > 0 && get(kustomize, 'ignoreMissingComponents') === true) edits.ignoreMissingComponents = true;
  return edits;
}

/** `kustomize.version` names a binary of argocd-cm; an exact version of kustomize is one that gate can look for. */
export function kustomizeVersionOf(source: JsonObject): string | undefined {
  const version = scalarText(get(source, 'kustomize', 'version'));
  const exact = version === undefined ? null : /^v?(\d+\.\d+\.\d+)$/.exec(version);
  return exact?.[1];
}

function mapValues(map: Readonly<Record<string, string>>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
