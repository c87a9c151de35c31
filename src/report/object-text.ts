import { stringify } from 'yaml';
import type { Entry, KubeObject, ResourceChange } from '../core/model.ts';
import { clean } from './text.ts';

type Plain = Record<string, unknown>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const first = ['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'type', 'spec'];

/** Keys in one order on both sides, so that re-ordered maps are no difference. */
function sortedKeys(value: Plain): string[] {
  const rank = (key: string) => (first.includes(key) ? first.indexOf(key) : first.length);
  return Object.keys(value).toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Deeper than any real object; hostile nesting is cut here and not by the stack. */
const maxDepth = 100;

function ordered(value: unknown, depth = 0): unknown {
  if (depth > maxDepth) return '(nested too deeply)';
  if (Array.isArray(value)) return value.map((item) => ordered(item, depth + 1));
  if (!isPlain(value)) return value;
  // Without a prototype, so that a key `__proto__` of a hostile object stays a key.
  const result = Object.create(null) as Plain;
  for (const key of sortedKeys(value)) result[key] = ordered(value[key], depth + 1);
  return result;
}

/** The names of a list of named things; undefined when it is not one. */
function names(list: readonly unknown[]): readonly string[] | undefined {
  const found = list.map((item) => (isPlain(item) && typeof item['name'] === 'string' ? item['name'] : undefined));
  const known = found.filter((name) => name !== undefined);
  return known.length === list.length && new Set(known).size === known.length ? known : undefined;
}

/** `after` with its named lists in the order of `before`: containers and variables that only moved are no difference. */
function aligned(before: unknown, after: unknown, depth = 0): unknown {
  if (depth > maxDepth) return after;
  if (Array.isArray(before) && Array.isArray(after)) {
    const was = names(before);
    const is = names(after);
    if (was === undefined || is === undefined) {
      return before.length === after.length ? after.map((item, i) => aligned(before[i], item, depth + 1)) : after;
    }
    const place = new Map(was.map((name, index) => [name, index]));
    return is
      .map((name, index) => ({ item: after[index] as unknown, name, place: place.get(name) ?? was.length + index }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ item, name }) => {
        const at = place.get(name);
        return at === undefined ? item : aligned(before[at], item, depth + 1);
      });
  }
  if (!isPlain(before) || !isPlain(after)) return after;
  return Object.fromEntries(
    Object.entries(after).map(([key, value]) =>
      // The order of init containers is the order in which they run.
      [key, key === 'initContainers' || !Object.hasOwn(before, key) ? value : aligned(before[key], value, depth + 1)],
    ),
  );
}

const digest = /^[0-9a-f]{32,}$/i;

/** Annotations that only repeat the hash of something else; what they cause is told by the impact. */
function withoutChecksums(value: unknown, cosmetic: ReadonlySet<string>, depth = 0): unknown {
  if (depth > maxDepth || !isPlain(value)) return value;
  const result = Object.create(null) as Plain;
  for (const [key, item] of Object.entries(value)) {
    if (key === 'annotations' && isPlain(item)) {
      const kept = Object.entries(item).filter(
        ([name, text]) =>
          !cosmetic.has(name) && !(name.includes('checksum') && typeof text === 'string' && digest.test(text)),
      );
      if (kept.length > 0) result[key] = Object.fromEntries(kept);
    } else if (key === 'metadata' || key === 'spec' || key === 'template' || key === 'jobTemplate') {
      result[key] = withoutChecksums(item, cosmetic, depth + 1);
    } else {
      result[key] = item;
    }
  }
  return result;
}

/** Last key of a JSON pointer. */
function lastKey(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
}

/** A second lock on the door: rendered Secrets come in redacted; whatever is not is not printed. */
function withoutSecrets(object: KubeObject): Plain {
  if (object.kind !== 'Secret') return object;
  const hidden = (values: unknown) =>
    isPlain(values)
      ? Object.fromEntries(
          Object.entries(values).map(([key, value]) => [key, String(value).includes('redacted:') ? value : '(hidden)']),
        )
      : values;
  const { data, stringData, ...rest } = object;
  return {
    ...rest,
    ...(data === undefined ? {} : { data: hidden(data) }),
    ...(stringData === undefined ? {} : { stringData: hidden(stringData) }),
  };
}

/** YAML of an object as gate prints it. Undefined: no text. */
function yamlText(object: unknown): string {
  if (object === undefined) return '';
  return clean(stringify(ordered(object), { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' }));
}

/**
 * Both sides of an object as YAML that differs only where the object differs: same order of keys and of named
 * lists, no checksum annotations, no secrets. A missing side is ''.
 */
export function sidesText({ before, after, fields }: ResourceChange): { before: string; after: string } {
  const cosmetic = new Set(fields.filter((field) => field.cosmetic === true).map(({ path }) => lastKey(path)));
  const prepare = (entry: Entry | undefined) =>
    entry === undefined ? undefined : withoutChecksums(withoutSecrets(entry.object), cosmetic);
  const was = prepare(before);
  const is = prepare(after);
  return { before: yamlText(was), after: yamlText(was === undefined ? is : aligned(was, is)) };
}
