/** A mapping of a Kubernetes object, of unknown shape. */
export type Fields = { readonly [key: string]: unknown };

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own property only: a `__proto__` or `constructor` key of a hostile manifest is data, not a prototype. */
export function own(object: Fields, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * Sets fields that are absent or null, as a Go default does for a nil pointer.
 * Never mutates; returns the same object when nothing is missing.
 */
export function fill(object: Fields, defaults: Fields): Fields {
  return fillWhere(object, defaults, (value) => value === undefined || value === null);
}

/** As {@link fill}, for Go fields that are no pointers: the zero values ('' and 0) count as absent too. */
export function fillZero(object: Fields, defaults: Fields): Fields {
  return fillWhere(object, defaults, (value) => value === undefined || value === null || value === '' || value === 0);
}

function fillWhere(object: Fields, defaults: Fields, unset: (value: unknown) => boolean): Fields {
  let result: Fields | undefined;
  for (const key of Object.keys(defaults)) {
    if (unset(own(object, key))) result = { ...(result ?? object), [key]: defaults[key] };
  }
  return result ?? object;
}

/** Replaces a mapping below `key` by `change(mapping)`; leaves anything else alone. */
export function inField(object: Fields, key: string, change: (value: Fields) => Fields): Fields {
  const value = own(object, key);
  if (!isFields(value)) return object;
  const next = change(value);
  return next === value ? object : { ...object, [key]: next };
}

/** As {@link inField}, with a missing mapping treated as an empty one: for Go structs that are no pointers. */
export function inStruct(object: Fields, key: string, change: (value: Fields) => Fields): Fields {
  const value = own(object, key);
  if (value !== undefined && value !== null) return inField(object, key, change);
  return { ...object, [key]: change({}) };
}

/** Replaces every mapping in the list below `key` by `change(mapping)`. */
export function inList(object: Fields, key: string, change: (value: Fields) => Fields): Fields {
  const list = own(object, key);
  if (!Array.isArray(list)) return object;
  let result: unknown[] | undefined;
  for (const [index, item] of list.entries()) {
    if (!isFields(item)) continue;
    const next = change(item);
    if (next === item) continue;
    result ??= [...(list as unknown[])];
    result[index] = next;
  }
  return result === undefined ? object : { ...object, [key]: result };
}

/** Length of the list below `key`; 0 when there is none (Go's `len(nil)`). */
export function lengthOf(object: Fields, key: string): number {
  const list = own(object, key);
  return Array.isArray(list) ? list.length : 0;
}
