import type { Json } from '../../core/model.ts';

/** The expression fails on this input, as it would in jq. */
export class JqError extends Error {}

/** jq's truth: everything but false and null. */
export function isTrue(value: Json): boolean {
  return value !== false && value !== null;
}

export function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

const order = ['null', 'false', 'true', 'number', 'string', 'array', 'object'];

function rank(value: Json): number {
  return order.indexOf(typeof value === 'boolean' ? String(value) : typeOf(value));
}

/** Order of jq's manual ("sort"): by type, then by value; mappings by their keys, then their values. */
export function compareValues(left: Json, right: Json): number {
  const byType = rank(left) - rank(right);
  if (byType !== 0) return byType;
  if (typeof left === 'number') return left - (right as number);
  if (typeof left === 'string') return compareText(left, right as string);
  if (Array.isArray(left)) return compareLists(left, right as Json[]);
  if (typeof left !== 'object' || left === null) return 0;
  const [a, b] = [left, right as Record<string, Json>];
  const [keysOfA, keysOfB] = [Object.keys(a).toSorted(compareText), Object.keys(b).toSorted(compareText)];
  return (
    compareLists(keysOfA, keysOfB) ||
    compareLists(
      keysOfA.map((key) => a[key]!),
      keysOfB.map((key) => b[key]!),
    )
  );
}

function compareLists(left: readonly Json[], right: readonly Json[]): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const found = compareValues(left[index]!, right[index]!);
    if (found !== 0) return found;
  }
  return left.length - right.length;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** jq's `contains`: text within text, every element or key within the other. */
export function contains(value: Json, part: Json): boolean {
  if (typeOf(value) !== typeOf(part)) throw new JqError();
  if (typeof value === 'string') return value.includes(part as string);
  if (Array.isArray(value)) {
    return (part as Json[]).every((item) => value.some((own) => sameType(own, item) && contains(own, item)));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(part as Record<string, Json>).every(
      ([key, item]) => Object.hasOwn(value, key) && sameType(value[key]!, item) && contains(value[key]!, item),
    );
  }
  return compareValues(value, part) === 0;
}

function sameType(left: Json, right: Json): boolean {
  return typeOf(left) === typeOf(right);
}

/** jq's `+`. */
export function plus(left: Json, right: Json): Json {
  if (left === null) return right;
  if (right === null) return left;
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (typeof left === 'string' && typeof right === 'string') {
    if (left.length + right.length > 100_000) throw new JqError();
    return left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  throw new JqError();
}

/** jq's `-`: numbers, and the elements of a list that another does not have. */
export function minus(left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.filter((item) => !right.some((other) => compareValues(item, other) === 0));
  }
  throw new JqError();
}
