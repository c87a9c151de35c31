import type { Entry, KubeObject } from '../core/model.ts';
import { schemasOf } from './crd-lists.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';

const maxDepth = 60;

/** OpenAPI schemas of custom kinds by `group/Kind/version`. */
export type CrdSchemas = ReadonlyMap<string, Fields>;

/** Schemas of CRDs for {@link withCrdDefaults}. */
export function indexSchemas(crds: Iterable<KubeObject>): CrdSchemas {
  return new Map(schemasOf(crds));
}

/** The entry with the defaults of its CRD filled in; the same entry when there is no schema or nothing to fill. */
export function withCrdDefaults(entry: Entry, schemas: CrdSchemas): Entry {
  const { group, kind, version } = entry.ref;
  const schema = schemas.get(`${group}/${kind}/${version}`);
  if (schema === undefined) return entry;
  const effective = applyDefaults(entry.effective, schema, 0);
  return effective === entry.effective ? entry : { ...entry, effective: effective as KubeObject };
}

/**
 * Structural defaulting as the API server does it (k8s.io/apiextensions-apiserver, pkg/apiserver/schema/defaulting/
 * algorithm.go): a missing property, or a null one that may not be null, gets its default, top down. A missing parent
 * without a default stays missing.
 */
function applyDefaults(value: unknown, schema: Fields, depth: number): unknown {
  if (depth > maxDepth) return value;
  if (Array.isArray(value)) {
    const items = own(schema, 'items');
    if (!isFields(items)) return value;
    const list: readonly unknown[] = value;
    const next = list.map((item) => applyDefaults(filled(item, items), items, depth + 1));
    return next.some((item, index) => item !== list[index]) ? next : value;
  }
  if (!isFields(value)) return value;
  const properties = own(schema, 'properties');
  const more = own(schema, 'additionalProperties');
  let result: { [key: string]: unknown } | undefined;
  const put = (key: string, next: unknown): void => {
    if (next === own(value, key) && Object.hasOwn(value, key)) return;
    result ??= { ...value };
    result[key] = next;
  };
  if (isFields(properties)) {
    for (const [key, property] of Object.entries(properties)) {
      if (!isFields(property) || key === '__proto__') continue;
      const current = Object.hasOwn(value, key) ? filled(value[key], property) : own(property, 'default');
      if (current !== undefined) put(key, applyDefaults(current, property, depth + 1));
    }
  }
  if (isFields(more)) {
    for (const key of Object.keys(value)) {
      if (key === '__proto__' || (isFields(properties) && Object.hasOwn(properties, key))) continue;
      put(key, applyDefaults(filled(value[key], more), more, depth + 1));
    }
  }
  return result ?? value;
}

/** null counts as absent where the schema does not allow it. */
function filled(value: unknown, schema: Fields): unknown {
  const standard = own(schema, 'default');
  return value === null && own(schema, 'nullable') !== true && standard !== undefined ? standard : value;
}
