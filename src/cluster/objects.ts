import { groupOf, isObject } from '../core/json.ts';
import type { Json, JsonObject, KubeObject } from '../core/model.ts';
import { redactObject } from '../core/redact.ts';

/**
 * What makes a value unfit to be taken for a Kubernetes object, as the end of a sentence: "it lacks apiVersion or kind".
 * Undefined: it is one.
 */
export function problemOf(value: Json): string | undefined {
  if (!isObject(value)) return 'it is no mapping';
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') {
    return 'it lacks apiVersion or kind';
  }
  if (!isObject(metadata) || typeof metadata['name'] !== 'string' || metadata['name'] === '') {
    return `this ${kind} lacks metadata.name`;
  }
  return isDeep(value) ? `this ${kind} is nested deeper than ${maxDepth} levels` : undefined;
}

/**
 * What gate keeps of an object, the same for one that was just listed and one of a snapshot: Secrets and credentials are
 * redacted, and of `metadata.managedFields` only what is evidence stays.
 * @param object without a {@link problemOf}; not changed
 */
export function keepObject(object: JsonObject, redactKey: Uint8Array): KubeObject & JsonObject {
  const { managedFields, ...metadata } = object['metadata'] as JsonObject;
  const kept = redactObject({ ...object, metadata }, redactKey) as KubeObject & JsonObject;
  const managers = keptManagers(object, managedFields);
  if (managers.length > 0) kept.metadata['managedFields'] = managers;
  return kept;
}

/** Kinds that controllers and kubelets write: nobody compares them with Git, and there are many of them. */
const writtenByControllers = new Set([
  '/Node',
  '/Pod',
  '/Event',
  '/Endpoints',
  'discovery.k8s.io/EndpointSlice',
  'apps/ReplicaSet',
  'coordination.k8s.io/Lease',
]);

/**
 * Who owns which field decides what an apply removes, what `ignoreDifferences.managedFieldsManagers` ignores and whether
 * an autoscaler holds `spec.replicas`. Owners of the status decide nothing and are half of the size.
 */
function keptManagers(object: JsonObject, managedFields: Json | undefined): JsonObject[] {
  if (!Array.isArray(managedFields)) return [];
  if (writtenByControllers.has(kindKey(String(object['apiVersion']), String(object['kind'])))) return [];
  return managedFields.filter((entry) => isObject(entry) && entry['subresource'] !== 'status') as JsonObject[];
}

/** `group/Kind`, core: `/Kind`. */
export function kindKey(apiVersion: string, kind: string): string {
  return `${groupOf(apiVersion)}/${kind}`;
}

const maxDepth = 200;

/** JSON.parse takes any depth; what follows walks objects recursively. */
function isDeep(value: Json, left = maxDepth): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left < 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) if (isDeep(inner, left - 1)) return true;
  return false;
}
