import { escapePointer } from '../core/json.ts';
import { isQuantityField, sameQuantity, vanishes } from '../core/semantic.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';
import type { KindSchema } from './list-keys.ts';
import type { ListRule } from './list-table.ts';

/** One difference. A side on which the field is absent has no value. */
export interface Difference {
  /** JSON pointer with keys in place of list positions, where the list has keys. */
  readonly path: string;
  /** Names of the fields on the way, without keys and positions. */
  readonly fields: readonly string[];
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Deeper than any Kubernetes object; what lies below is compared as one value. */
const maxDepth = 120;

interface Walk {
  readonly schema: KindSchema;
  readonly found: Difference[];
}

/**
 * The differences of two values of one kind, at the highest place where they lie: an added or removed subtree is one.
 * Null equals absent. Elements of keyed lists are paired by key, so re-ordering them is no difference; in a list without
 * keys it is. Quantities are compared by amount. In built-in kinds an empty value equals an absent one.
 * @param before with defaults filled in
 */
export function differences(before: unknown, after: unknown, schema: KindSchema): Difference[] {
  const walk: Walk = { schema, found: [] };
  compare(walk, before, after, '', []);
  return walk.found;
}

export function unescapePointer(segment: string): string {
  return segment.includes('~') ? segment.replaceAll('~1', '/').replaceAll('~0', '~') : segment;
}

/** Equality of JSON values; the order of keys says nothing, the order of elements does. Bounded by {@link maxDepth}. */
export function sameJson(left: unknown, right: unknown, depth = 0): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (depth > maxDepth) return JSON.stringify(left) === JSON.stringify(right);
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++) {
      if (!sameJson(left[index], right[index], depth + 1)) return false;
    }
    return true;
  }
  if (Array.isArray(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(right, key)) return false;
    if (!sameJson((left as Fields)[key], (right as Fields)[key], depth + 1)) return false;
  }
  return true;
}

function compare(walk: Walk, before: unknown, after: unknown, path: string, fields: readonly string[]): void {
  if (before === after) return;
  const name = fields.at(-1) ?? '';
  if (before === null || before === undefined || after === null || after === undefined) {
    if (!isAbsent(walk, name, fields, before) || !isAbsent(walk, name, fields, after))
      emit(walk, path, fields, before, after);
    return;
  }
  if (typeof before === 'object' && typeof after === 'object' && fields.length < maxDepth) {
    if (Array.isArray(before) && Array.isArray(after)) return compareLists(walk, before, after, path, fields);
    if (!Array.isArray(before) && !Array.isArray(after)) {
      return compareMappings(walk, before as Fields, after as Fields, path, fields);
    }
  } else if (typeof before !== 'object' && typeof after !== 'object') {
    if (isQuantityHere(walk, fields) && sameQuantity(before, after)) return;
  } else if (sameJson(before, after)) {
    return;
  }
  emit(walk, path, fields, before, after);
}

function compareMappings(walk: Walk, before: Fields, after: Fields, path: string, fields: readonly string[]): void {
  for (const key of Object.keys(before)) {
    const left = before[key];
    const right = own(after, key);
    if (left !== right) compare(walk, left, right, `${path}/${escapePointer(key)}`, [...fields, key]);
  }
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) continue;
    compare(walk, undefined, after[key], `${path}/${escapePointer(key)}`, [...fields, key]);
  }
}

function compareLists(
  walk: Walk,
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  fields: readonly string[],
): void {
  if (sameJson(before, after)) return;
  if (before.length === 0 || after.length === 0) return emit(walk, path, fields, before, after);
  const rule = walk.schema.listRule(fields);
  if (rule?.type === 'set') {
    if (!sameElements(before, after)) emit(walk, path, fields, before, after);
    return;
  }
  if (rule?.type === 'map' && compareKeyed(walk, before, after, path, fields, rule)) return;
  comparePositions(walk, before, after, path, fields);
}

/** False when the elements cannot be told apart by key; then nothing was reported. */
function compareKeyed(
  walk: Walk,
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  fields: readonly string[],
  rule: Extract<ListRule, { type: 'map' }>,
): boolean {
  const left = byKey(before, rule.keyOf);
  const right = byKey(after, rule.keyOf);
  if (left === undefined || right === undefined) return false;
  if (rule.ordered === true && reordered(left, right)) {
    emit(walk, path, fields, before, after);
    return true;
  }
  for (const [key, item] of left) {
    const place = `${path}/${escapePointer(key)}`;
    // An element counts even when it is empty: a toleration `{}` tolerates everything.
    if (right.has(key)) compare(walk, item, right.get(key), place, fields);
    else emit(walk, place, fields, item, undefined);
  }
  for (const [key, item] of right) {
    if (!left.has(key)) emit(walk, `${path}/${escapePointer(key)}`, fields, undefined, item);
  }
  return true;
}

/** Undefined when an element is no mapping or has no key, or two have the same. */
function byKey(list: readonly unknown[], keyOf: (item: Fields) => string | undefined): Map<string, Fields> | undefined {
  const result = new Map<string, Fields>();
  for (const item of list) {
    if (!isFields(item)) return undefined;
    const key = keyOf(item);
    if (key === undefined || result.has(key)) return undefined;
    result.set(key, item);
  }
  return result;
}

/** Do the keys that both sides have stand in another order? */
function reordered(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): boolean {
  const common = [...right.keys()].filter((key) => left.has(key));
  let index = 0;
  for (const key of left.keys()) {
    if (right.has(key) && common[index++] !== key) return true;
  }
  return false;
}

/** Lists without keys: position by position while the length is the same, else the list as a whole. */
function comparePositions(
  walk: Walk,
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  fields: readonly string[],
): void {
  // A null in a list is an element, not an absent one.
  const whole =
    before.length !== after.length || before.some((item, index) => (item === null) !== (after[index] === null));
  if (whole) return emit(walk, path, fields, before, after);
  for (const [index, item] of before.entries()) compare(walk, item, after[index], `${path}/${index}`, fields);
}

function sameElements(before: readonly unknown[], after: readonly unknown[]): boolean {
  const left = new Set(before.map(text));
  const right = new Set(after.map(text));
  return left.size === right.size && [...left].every((item) => right.has(item));
}

function text(value: unknown): string {
  return typeof value === 'string' ? `"${value}` : (JSON.stringify(value) ?? '');
}

function isQuantityHere(walk: Walk, fields: readonly string[]): boolean {
  const name = fields.at(-1) ?? '';
  const parent = fields.at(-2);
  if (walk.schema.builtin) return isQuantityField(parent, name);
  // In custom resources only the well-known shape: `resources: {requests, limits}`.
  return (parent === 'requests' || parent === 'limits') && fields.at(-3) === 'resources';
}

function isAbsent(walk: Walk, name: string, fields: readonly string[], value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (walk.schema.builtin && !fields.includes('openAPIV3Schema') && !isData(fields)) return vanishes(name, value);
  // `labels: {}` and `annotations: {}` are not stored for any kind.
  return fields[0] === 'metadata' && fields.length === 2 && vanishes(name, value);
}

/** Keys of ConfigMaps, Secrets, labels and annotations are free: an empty string there is a value. */
function isData(fields: readonly string[]): boolean {
  const parent = fields.at(-2);
  return (
    (fields.length === 2 && (parent === 'data' || parent === 'stringData' || parent === 'binaryData')) ||
    parent === 'labels' ||
    parent === 'annotations' ||
    parent === 'matchLabels' ||
    parent === 'nodeSelector' ||
    parent === 'parameters'
  );
}

function emit(walk: Walk, path: string, fields: readonly string[], before: unknown, after: unknown): void {
  walk.found.push({
    path,
    fields,
    ...(before === undefined || before === null ? {} : { before }),
    ...(after === undefined || after === null ? {} : { after }),
  });
}
