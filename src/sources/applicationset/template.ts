import { messageOf } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { readDocument, splitDocuments } from '../../core/yaml/read.ts';
import { setKey } from '../../core/yaml/types.ts';
import { asObject, get, texts } from '../argocd/values.ts';
import { ExpansionError } from './params.ts';
import { replaceDeep } from './templating.ts';
import type { Templating } from './templating.ts';

const finalizer = 'resources-finalizer.argocd.argoproj.io';

/** The parts of an ApplicationSet that every element is rendered with. */
export interface ApplicationTemplate {
  readonly namespace: string;
  readonly template: JsonObject;
  readonly templatePatch: string | undefined;
  readonly preserveResources: boolean;
}

/**
 * A generator's own template over the one of the set (mergo.Merge): a field of the generator wins unless it is empty;
 * lists and `valuesObject` are taken whole.
 */
export function mergeTemplates(own: JsonObject | undefined, base: JsonObject): JsonObject {
  if (own === undefined) return base;
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(base)) setKey(result, key, value);
  for (const [key, value] of Object.entries(own)) {
    if (isEmpty(value)) continue;
    const theirs = key === 'valuesObject' ? undefined : asObject(Object.hasOwn(base, key) ? base[key] : undefined);
    const mine = asObject(value);
    setKey(result, key, mine !== undefined && theirs !== undefined ? mergeTemplates(mine, theirs) : value);
  }
  return result;
}

function isEmpty(value: Json): boolean {
  return (
    value === null ||
    value === '' ||
    value === 0 ||
    value === false ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

/**
 * One Application from one parameter set (controllers/template/template.go): fill the strings, add the finalizer,
 * apply `templatePatch`, force the namespace of the set.
 * @throws ExpansionError
 */
export async function renderApplication(
  wanted: ApplicationTemplate,
  params: JsonObject,
  templating: Templating,
): Promise<JsonObject> {
  const metadata: JsonObject = {};
  for (const field of ['name', 'labels', 'annotations', 'finalizers']) {
    const value = get(wanted.template, 'metadata', field);
    if (value !== undefined) metadata[field] = value;
  }
  let application: JsonObject = { metadata, spec: get(wanted.template, 'spec') ?? {} };
  // Without any parameter the template is used as it stands, finalizer rule included (RenderTemplateParams).
  if (Object.keys(params).length > 0) {
    application =
      asObject(await replaceDeep(application, (template) => templating.replace(template, params))) ?? application;
    const filled = asObject(application['metadata']) ?? {};
    if (!wanted.preserveResources && texts(filled['finalizers']).length === 0) {
      application['metadata'] = { ...filled, finalizers: [finalizer] };
    }
  }
  if (wanted.templatePatch !== undefined) {
    application = applyPatch(application, await templating.replace(wanted.templatePatch, params));
  }
  const finished = asObject(application['metadata']) ?? {};
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    ...application,
    metadata: { ...finished, namespace: wanted.namespace },
  };
}

/** controllers/template/patch.go: a strategic merge patch on Application; `spec.project` cannot be changed. */
function applyPatch(application: JsonObject, yaml: string): JsonObject {
  let patch: Json;
  try {
    const part = splitDocuments(yaml)[0];
    patch = part === undefined ? {} : readDocument(part).value;
  } catch (error) {
    throw new ExpansionError(`templatePatch cannot be read as YAML: ${messageOf(error)}`);
  }
  if (patch === null) return application;
  const object = asObject(patch);
  if (object === undefined) throw new ExpansionError('templatePatch does not give a map');
  const result = strategicMerge(application, object, []);
  const project = get(application, 'spec', 'project');
  const spec = asObject(result['spec']);
  if (spec === undefined) return { ...result, spec: project === undefined ? {} : { project } };
  const { project: _patched, ...rest } = spec;
  return { ...result, spec: project === undefined ? rest : { ...rest, project } };
}

/**
 * Strategic merge for the Application type: no list of its spec has a merge key, so lists are replaced; only
 * `metadata.finalizers` and `ownerReferences` (metav1.ObjectMeta) merge. `$patch: replace|delete` on maps.
 */
function strategicMerge(base: JsonObject, patch: JsonObject, path: readonly string[]): JsonObject {
  const directive = get(patch, '$patch');
  if (directive === 'delete') return {};
  const result: JsonObject = {};
  if (directive !== 'replace') for (const [key, value] of Object.entries(base)) setKey(result, key, value);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) {
      delete result[key];
      continue;
    }
    const mine = Object.hasOwn(result, key) ? result[key] : undefined;
    const [oldMap, newMap] = [asObject(mine), asObject(value)];
    if (newMap !== undefined) setKey(result, key, strategicMerge(oldMap ?? {}, newMap, [...path, key]));
    else if (key === 'finalizers' && path.length === 1 && path[0] === 'metadata')
      setKey(result, key, [...new Set([...texts(mine), ...texts(value)])]);
    else setKey(result, key, value);
  }
  const dropped = texts(get(patch, '$deleteFromPrimitiveList/finalizers'));
  if (dropped.length > 0) result['finalizers'] = texts(result['finalizers']).filter((name) => !dropped.includes(name));
  return result;
}
