import { vanishes } from '../core/semantic.ts';
import type { Entry, KubeObject } from '../core/model.ts';
import { valueAt } from './attribute.ts';
import { own } from './defaults/fill.ts';
import type { KindSchema } from './list-keys.ts';
import { isTrackingKey } from './normalize.ts';
import type { Difference } from './walk.ts';

/** Fields that the server or a controller fills in when Git leaves them empty (`clusterIP: ""`). */
const allocated = new Set(['clusterIP', 'clusterIPs', 'nodePort', 'healthCheckNodePort', 'volumeName', 'nodeName']);

/** Annotations by which controllers are asked to fill in a `caBundle`. */
const injectsCa = /^(?:cert-manager\.io\/inject-|service\.beta\.openshift\.io\/inject-cabundle)/;

/**
 * Does Git itself hold the field (not only the API's default), and does it decide it? Finalizers, owners, tracking marks
 * and rules of aggregated ClusterRoles are written by controllers, CA bundles often.
 */
export function isGitsField(entry: Entry, difference: Difference, schema: KindSchema): boolean {
  const { fields } = difference;
  if (isControllers(entry.object, fields)) return false;
  if (schema.builtin && allocated.has(fields.at(-1) ?? '') && vanishes(fields.at(-1)!, difference.before)) return false;
  if (fields.at(-1) === 'caBundle' && isInjected(entry.object, difference.before)) return false;
  // The value is encrypted in Git.
  if (difference.before === 'redacted:sops') return false;
  if (isHidden(difference.after) && !String(difference.before).includes('redacted:')) return false;
  return spelledOut(entry.object, difference.path, schema);
}

/** A snapshot taken with `--redact` hides values that Git shows: nobody can say whether they are equal. */
function isHidden(value: unknown): boolean {
  return typeof value === 'string' && /^redacted:[0-9a-f]{12}$/.test(value);
}

/** Is the field written by controllers, whatever Git says? */
export function isControllers(object: KubeObject, fields: readonly string[]): boolean {
  if (fields[0] === 'metadata') {
    if (fields[1] === 'finalizers' || fields[1] === 'ownerReferences') return true;
    if (fields[1] === 'labels' || fields[1] === 'annotations') {
      return fields[2] !== undefined && isTrackingKey(fields[2]);
    }
  }
  return fields[0] === 'rules' && object.kind === 'ClusterRole' && (own(object, 'aggregationRule') ?? null) !== null;
}

/** A CA bundle that Git leaves empty, fills with a placeholder, or hands over to a controller by annotation. */
function isInjected(object: KubeObject, value: unknown): boolean {
  if (typeof value !== 'string' || value.trim().length < 100) return true;
  return Object.keys(object.metadata.annotations ?? {}).some((name) => injectsCa.test(name));
}

function spelledOut(object: KubeObject, path: string, schema: KindSchema): boolean {
  const direct = valueAt(object, path, schema);
  if (direct !== undefined && direct !== null) return true;
  // `stringData` is stored as `data`.
  return object.kind === 'Secret' && path.startsWith('/data/')
    ? valueAt(object, `/stringData/${path.slice(6)}`, schema) !== undefined
    : false;
}
