import { escapePointer } from '../../core/json.ts';

/** A string of an object with its place. */
export interface StringAt {
  readonly value: string;
  /** Keys from the root; elements of lists with unique `name`s are keyed by it, others by index. */
  readonly fields: readonly string[];
  readonly path: string;
}

const maxStrings = 20_000;
const maxDepth = 64;

/** All strings of an object, keys of named lists instead of indexes, in document order. Bounded for hostile input. */
export function stringsOf(root: unknown): readonly StringAt[] {
  const result: StringAt[] = [];
  const stack: { readonly value: unknown; readonly fields: readonly string[] }[] = [{ value: root, fields: [] }];
  while (stack.length > 0 && result.length < maxStrings) {
    const { value, fields } = stack.pop()!;
    if (typeof value === 'string') {
      result.push({ value, fields, path: fields.map((field) => `/${escapePointer(field)}`).join('') });
      continue;
    }
    if (typeof value !== 'object' || value === null || fields.length > maxDepth) continue;
    const children = Array.isArray(value)
      ? elementKeys(value).map((key, index) => ({ value: value[index] as unknown, fields: [...fields, key] }))
      : Object.entries(value).map(([key, child]) => ({ value: child as unknown, fields: [...fields, key] }));
    for (const child of children.toReversed()) stack.push(child);
  }
  return result;
}

function elementKeys(list: readonly unknown[]): string[] {
  const names = list.map((element) =>
    typeof element === 'object' && element !== null && 'name' in element && typeof element.name === 'string'
      ? element.name
      : undefined,
  );
  const usable = names.every((name) => name !== undefined) && new Set(names).size === names.length;
  return list.map((_, index) => (usable ? names[index]! : String(index)));
}
