import { isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * An object as a snapshot holds it: without what changes although nothing happened (versions, heartbeats), what only the
 * server needs, and copies of what stands elsewhere.
 * @param object as gate keeps it: redacted
 */
export function snapshotObject(object: JsonObject): JsonObject {
  const { metadata } = object;
  const result = isObject(metadata) ? { ...object, metadata: snapshotMetadata(metadata) } : object;
  return object['kind'] === 'Node' && object['apiVersion'] === 'v1' ? snapshotNode(result) : result;
}

function snapshotMetadata(metadata: JsonObject): JsonObject {
  const { uid: _uid, resourceVersion: _version, selfLink: _link, ...kept } = metadata;
  const { annotations } = kept;
  if (!isObject(annotations) || typeof annotations[lastApplied] !== 'string') return kept;
  return { ...kept, annotations: { ...annotations, [lastApplied]: replicasOf(annotations[lastApplied]) } };
}

/**
 * kubectl's copy of the whole object doubles its size, and holds what Git held. Whether it sets `spec.replicas` is
 * evidence: a field in it is removed when it leaves Git.
 */
function replicasOf(text: string): string {
  let applied: Json;
  try {
    applied = JSON.parse(text) as Json;
  } catch {
    return '{}';
  }
  const spec = isObject(applied) ? applied['spec'] : undefined;
  const replicas = isObject(spec) ? spec['replicas'] : undefined;
  return typeof replicas === 'number' ? JSON.stringify({ spec: { replicas } }) : '{}';
}

/** Images and volumes of a node are long lists that no rule reads; its heartbeats change every few minutes. */
function snapshotNode(node: JsonObject): JsonObject {
  const { status } = node;
  if (!isObject(status)) return node;
  const { images: _images, volumesInUse: _inUse, volumesAttached: _attached, ...kept } = status;
  const { conditions } = kept;
  if (!Array.isArray(conditions)) return { ...node, status: kept };
  const calm = conditions.map((condition) => {
    if (!isObject(condition)) return condition;
    const { lastHeartbeatTime: _time, ...rest } = condition;
    return rest;
  });
  return { ...node, status: { ...kept, conditions: calm } };
}
