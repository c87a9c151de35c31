import { isObject } from '../core/json.ts';
import type { Json, JsonObject } from '../core/model.ts';

/** What stands where gate does not show or does not know the value: fingerprints of secrets, random parts of a render. */
const hidden = /redacted:(?:[0-9a-f]{12}|sops)|<random>/;

/** Deeper than any Kubernetes object. */
const maxDepth = 120;

/** Fields whose text is not what the engine would send, as the API server names fields: `data[password]`, `spec.a[0].b`. */
export function hiddenFields(object: JsonObject): readonly string[] {
  const found: string[] = [];
  collect(object, '', found, 0);
  return found;
}

function collect(value: Json, path: string, found: string[], depth: number): void {
  if (depth > maxDepth) return;
  if (typeof value === 'string') {
    if (hidden.test(value)) found.push(path);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, `${path}[${index}]`, found, depth + 1);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value))
    collect(item, path === '' ? key : `${path}.${key}`, found, depth + 1);
}

/** Does a field that the server complains of hold, or lie inside of, one whose value is hidden? */
export function touchesHidden(field: string, fields: readonly string[]): 'inside' | 'around' | undefined {
  const asked = segments(field);
  for (const entry of fields) {
    const own = segments(entry);
    if (startsWith(asked, own)) return 'inside';
    if (startsWith(own, asked)) return 'around';
  }
  return undefined;
}

function segments(field: string): readonly string[] {
  return field.split(/[.[\]]+/).filter((part) => part !== '');
}

function startsWith(long: readonly string[], short: readonly string[]): boolean {
  return short.length <= long.length && short.every((part, index) => part === long[index]);
}

/** A Secret with values that the server can decode. Nothing may be concluded from them. */
export function withPlaceholders(secret: JsonObject): JsonObject {
  const { data } = secret;
  if (!isObject(data)) return secret;
  return {
    ...secret,
    data: Object.fromEntries(
      Object.entries(data).map(([name, value]) => [
        name,
        typeof value === 'string' && hidden.test(value) ? placeholder(name) : value,
      ]),
    ),
  };
}

function placeholder(name: string): string {
  const json = name === '.dockerconfigjson' ? '{"auths":{}}' : name === '.dockercfg' ? '{}' : 'placeholder';
  return Buffer.from(json).toString('base64');
}
