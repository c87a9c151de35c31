import { type Fields, isFields } from '../defaults/fill.ts';
import { unescapePointer } from '../walk.ts';

/** The names in an RFC 6901 pointer; [] for the whole document. */
export function pointerSteps(pointer: string): readonly string[] {
  return pointer.split('/').slice(1).map(unescapePointer);
}

/** The object without what the pointer leads to (a JSON patch `remove`); the same object when nothing is there. */
export function removeAt(object: Fields, steps: readonly string[]): Fields {
  const result = remove(object, steps, 0);
  return isFields(result) ? result : {};
}

function remove(value: unknown, steps: readonly string[], depth: number): unknown {
  const step = steps[depth];
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  const last = depth === steps.length - 1;
  if (Array.isArray(value)) {
    const index = /^\d{1,6}$/.test(step) ? Number(step) : -1;
    if (index < 0 || index >= value.length) return value;
    if (last) return value.filter((_item, at) => at !== index);
    return value.map((item: unknown, at) => (at === index ? remove(item, steps, depth + 1) : item));
  }
  if (!Object.hasOwn(value, step)) return value;
  const entries = Object.entries(value);
  if (last) return Object.fromEntries(entries.filter(([key]) => key !== step));
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, key === step ? remove(inner, steps, depth + 1) : inner]),
  );
}
