import type { Json } from '../../core/model.ts';
import { compileRegex } from '../regex.ts';
import { JqUnsupported } from './lex.ts';
import { compareValues, contains, isTrue, JqError, plus, typeOf } from './values.ts';

type Value = (input: Json, ...args: readonly Json[]) => Json;

/** Functions of values, by name and number of arguments. Their arguments are evaluated first. */
export const valueFunctions: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['not/0', (input) => !isTrue(input)],
  ['length/0', length],
  ['type/0', (input) => typeOf(input)],
  ['keys/0', keys],
  ['tostring/0', (input) => (typeof input === 'string' ? input : JSON.stringify(input))],
  ['tonumber/0', toNumber],
  ['ascii_downcase/0', (input) => text(input).replace(/[A-Z]+/g, (part) => part.toLowerCase())],
  ['ascii_upcase/0', (input) => text(input).replace(/[a-z]+/g, (part) => part.toUpperCase())],
  ['add/0', (input) => list(input).reduce(plus, null)],
  ['any/0', (input) => list(input).some(isTrue)],
  ['all/0', (input) => list(input).every(isTrue)],
  ['sort/0', (input) => list(input).toSorted(compareValues)],
  ['contains/1', (input, part) => contains(input, part!)],
  ['inside/1', (input, whole) => contains(whole!, input)],
  ['startswith/1', (input, part) => text(input).startsWith(text(part!))],
  ['endswith/1', (input, part) => text(input).endsWith(text(part!))],
  [
    'ltrimstr/1',
    (input, part) =>
      trim(
        input,
        part!,
        (whole, cut) => whole.startsWith(cut),
        (n) => [n],
      ),
  ],
  [
    'rtrimstr/1',
    (input, part) =>
      trim(
        input,
        part!,
        (whole, cut) => whole.endsWith(cut) && cut !== '',
        (n) => [0, -n],
      ),
  ],
  ['split/1', (input, by) => text(input).split(text(by!))],
  ['join/1', (input, by) => list(input).map(joined).join(text(by!))],
  ['has/1', (input, key) => has(input, key!)],
  ['in/1', (input, whole) => has(whole!, input)],
  ['test/1', (input, pattern) => test(input, pattern!, null)],
  ['test/2', (input, pattern, flags) => test(input, pattern!, flags!)],
]);

function text(value: Json): string {
  if (typeof value !== 'string') throw new JqError();
  return value;
}

function list(value: Json): readonly Json[] {
  if (!Array.isArray(value)) throw new JqError();
  return value;
}

function length(value: Json): number {
  if (value === null) return 0;
  if (typeof value === 'number') return Math.abs(value);
  if (typeof value === 'boolean') throw new JqError();
  if (typeof value === 'string') return [...value].length;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function keys(value: Json): Json {
  if (Array.isArray(value)) return value.map((_item, index) => index);
  if (typeof value !== 'object' || value === null) throw new JqError();
  return Object.keys(value).toSorted();
}

function toNumber(value: Json): number {
  if (typeof value === 'number') return value;
  const result = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(result)) throw new JqError();
  return result;
}

function joined(value: Json): string {
  if (value === null) return '';
  if (typeof value === 'object') throw new JqError();
  return String(value);
}

function trim(
  input: Json,
  part: Json,
  fits: (whole: string, cut: string) => boolean,
  range: (size: number) => readonly number[],
): Json {
  if (typeof input !== 'string' || typeof part !== 'string' || !fits(input, part)) return input;
  return input.slice(...range(part.length));
}

function has(value: Json, key: Json): boolean {
  if (Array.isArray(value) && typeof key === 'number') return key >= 0 && key < value.length;
  if (typeOf(value) === 'object' && typeof key === 'string') return Object.hasOwn(value as object, key);
  throw new JqError();
}

function test(input: Json, pattern: Json, flags: Json): boolean {
  const [source, extra] = Array.isArray(pattern) ? [pattern[0] ?? null, pattern[1] ?? null] : [pattern, flags];
  const letters = extra === null ? '' : text(extra);
  if (/[^gin]/.test(letters)) throw new JqUnsupported();
  const matches = compileRegex(text(source), { ignoreCase: letters.includes('i') });
  if (matches === undefined) throw new JqUnsupported();
  return matches(text(input));
}
