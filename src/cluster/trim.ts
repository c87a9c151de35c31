import { isObject } from '../core/json.ts';
import type { Json, JsonObject, KubeObject } from '../core/model.ts';
import { redactObject } from '../core/redact.ts';

/** Deeper objects are no Kubernetes objects; what follows walks them recursively. */
export const maxDepth = 200;

/** JSON.parse takes any depth. */
export function isDeep(value: Json): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return true;
    const deeper: Json[] = [];
    for (const item of level) {
      for (const inner of Object.values(item as object) as Json[]) {
        if (typeof inner === 'object' && inner !== null) deeper.push(inner);
      }
    }
    level = deeper;
  }
  return false;
}

/**
 * An object of a cluster as gate keeps it: without what only the server needs, secrets replaced. The one way in, from
 * the API server and from files alike, so that both give the same reports.
 * @param object with apiVersion, kind and metadata.name
 * @returns undefined when it is nested deeper than {@link maxDepth}
 */
export function takeIn(object: JsonObject, redactKey: Uint8Array): (KubeObject & JsonObject) | undefined {
  if (isDeep(object)) return undefined;
  return redactObject(trimObject(object), redactKey) as KubeObject & JsonObject;
}

/**
 * Leaves out what no rule, no comparison and no dry run reads: the fields that appliers own (about a third of an
 * object), and the image list of a node.
 */
export function trimObject(object: JsonObject): JsonObject {
  const { metadata } = object;
  const trimmed = isObject(metadata) ? { ...object, metadata: trimMetadata(metadata) } : object;
  return object['kind'] === 'Node' && object['apiVersion'] === 'v1' ? trimNode(trimmed) : trimmed;
}

function trimMetadata(metadata: JsonObject): JsonObject {
  const { managedFields, selfLink: _selfLink, ...kept } = metadata;
  const managers = trimManagers(managedFields);
  return managers.length === 0 ? kept : { ...kept, managedFields: managers };
}

// They own what Git declares.
const appliers =
  /^(?:kubectl(?:-client-side-apply|-create|-replace)?|before-first-apply|[Hh]elm|argocd(?:-[a-z-]+)?|kustomize-controller|helm-controller|flux(?:-client-side-apply)?)$/;

/**
 * Of an applier: its name, and whether it owns `spec.replicas`. Of everybody else who writes to an object of an applier,
 * also the fields: Argo CD ignores differences by manager (`managedFieldsManagers`). Nothing of what is in `status`.
 */
function trimManagers(managedFields: Json | undefined): JsonObject[] {
  if (!Array.isArray(managedFields)) return [];
  const entries = managedFields.filter(isObject);
  const isApplied = entries.some(isApplier);
  return entries.flatMap((entry) => {
    const { fieldsV1, time: _time, fieldsType, ...who } = entry;
    const spec = isObject(fieldsV1) ? fieldsV1['f:spec'] : undefined;
    const ownsReplicas = isObject(spec) && spec['f:replicas'] !== undefined;
    if (isApplied && !isApplier(entry) && entry['subresource'] !== 'status' && fieldsV1 !== undefined) {
      return [{ ...who, ...(fieldsType === undefined ? {} : { fieldsType }), fieldsV1 }];
    }
    if (ownsReplicas) return [{ ...who, fieldsV1: { 'f:spec': { 'f:replicas': {} } } }];
    return entry['subresource'] === 'status' ? [] : [who];
  });
}

function isApplier({ manager, subresource }: JsonObject): boolean {
  return typeof manager === 'string' && (subresource === undefined || subresource === '') && appliers.test(manager);
}

function trimNode(node: JsonObject): JsonObject {
  const { status } = node;
  if (!isObject(status)) return node;
  const { images: _images, volumesInUse: _inUse, volumesAttached: _attached, ...kept } = status;
  return { ...node, status: kept };
}
