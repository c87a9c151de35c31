import type { Json, JsonObject } from '../../core/model.ts';
import { setKey } from '../../core/yaml/types.ts';

/** Readers for objects that anyone may have written: the wrong type reads as absent. */

export function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

export function asArray(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Own property; `__proto__` and friends of a hostile object are keys like any other. */
export function get(object: JsonObject | undefined, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = object;
  for (const key of path) {
    const here: JsonObject | undefined = asObject(value);
    if (here === undefined || !Object.hasOwn(here, key)) return undefined;
    value = here[key];
  }
  return value;
}

/** A string that is not empty. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A scalar as text; undefined for null, objects and lists. */
export function scalarText(value: Json | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

export function texts(value: Json | undefined): readonly string[] {
  return asArray(value).flatMap((item) => (typeof item === 'string' ? [item] : []));
}

/** A map of strings (labels, annotations); other values are left out. */
export function textMap(value: Json | undefined): Readonly<Record<string, string>> {
  const object = asObject(value);
  if (object === undefined) return {};
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export function objects(value: Json | undefined): readonly JsonObject[] {
  return asArray(value).flatMap((item) => {
    const object = asObject(item);
    return object === undefined ? [] : [object];
  });
}

/**
 * RFC 7386 JSON merge patch, as jsonpatch.MergePatch: null deletes, objects merge, everything else replaces.
 * Returns a new value; the arguments stay as they are.
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  const changes = asObject(patch);
  if (changes === undefined) return patch;
  const result: JsonObject = {};
  const base = asObject(target) ?? {};
  for (const [key, value] of Object.entries(base)) {
    if (!(Object.hasOwn(changes, key) && changes[key] === null)) setKey(result, key, value);
  }
  for (const [key, value] of Object.entries(changes)) {
    if (value !== null) setKey(result, key, mergePatch(Object.hasOwn(base, key) ? base[key] : undefined, value));
  }
  return result;
}

/** Without trailing slashes. A loop, not a pattern: the text is anyone's, and `/+$` takes quadratic time on it. */
export function withoutTrailingSlashes(value: string): string {
  let end = value.length;
  while (end > 0 && value[end - 1] === '/') end -= 1;
  return value.slice(0, end);
}
