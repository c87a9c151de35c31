import { isFields, type Fields } from '../../src/diff/defaults/fill.ts';
import type { KindSchema } from '../../src/diff/list-keys.ts';
import { type Difference, unescapePointer } from '../../src/diff/walk.ts';

/** Carries out differences, so that a test can show that they lead from one side to the other. */
export function applyDifferences(object: unknown, found: readonly Difference[], schema: KindSchema): unknown {
  return found.reduce(
    (value, difference) =>
      set(value, difference.path.split('/').slice(1).map(unescapePointer), difference.after, [], schema),
    object,
  );
}

function set(
  value: unknown,
  way: readonly string[],
  after: unknown,
  fields: readonly string[],
  schema: KindSchema,
): unknown {
  const [step, ...rest] = way;
  if (step === undefined) return after;
  if (Array.isArray(value)) {
    const rule = schema.listRule(fields);
    const list: readonly unknown[] = value;
    const keyOf = rule?.type === 'map' ? rule.keyOf : undefined;
    const addsKey = rest.length === 0 && isFields(after) && keyOf?.(after) === step;
    const at = positionOf(list, step, keyOf, addsKey);
    const next = set(list[at], rest, after, fields, schema);
    if (next === undefined) return list.filter((_item, index) => index !== at);
    return at < list.length ? list.with(at, next) : [...list, next];
  }
  const object = isFields(value) ? value : {};
  const next = set(Object.hasOwn(object, step) ? object[step] : undefined, rest, after, [...fields, step], schema);
  const entries = Object.entries(object).filter(([name]) => name !== step);
  return Object.fromEntries(next === undefined ? entries : [...entries, [step, next]]);
}

function positionOf(
  list: readonly unknown[],
  step: string,
  keyOf: ((item: Fields) => string | undefined) | undefined,
  /** The step is the key of the element that is added, not a position. */
  addsKey: boolean,
): number {
  const keyed = keyOf === undefined ? -1 : list.findIndex((item) => isFields(item) && keyOf(item) === step);
  const unique =
    keyOf !== undefined && new Set(list.map((item) => (isFields(item) ? keyOf(item) : undefined))).size === list.length;
  if (unique && list.every((item) => isFields(item) && keyOf(item) !== undefined))
    // Keyed on this side only: then the other side has made the walk count positions.
    return keyed !== -1
      ? keyed
      : !addsKey && /^\d+$/.test(step) && Number(step) < list.length
        ? Number(step)
        : list.length;
  return Number(step);
}
