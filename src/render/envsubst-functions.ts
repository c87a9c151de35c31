/**
 * The string functions of Flux's substitution (fluxcd/pkg/envsubst/funcs.go). Lengths and offsets count bytes of
 * UTF-8, as Go does.
 * @param operator as written after the name: `:`, `#`, `^^`, `//`; unknown ones give the value or the joined arguments
 */
export function applyFunction(operator: string, value: string, args: readonly string[]): string {
  const [first = '', second = ''] = args;
  switch (operator) {
    case ',':
      return mapFirst(value, lower);
    case ',,':
      return Array.from(value, lower).join('');
    case '^':
      return mapFirst(value, upper);
    case '^^':
      return Array.from(value, upper).join('');
    case '#':
      return args.length === 0 ? String(Buffer.byteLength(value)) : trimStart(value, first, 'shortest');
    case '##':
      return trimStart(value, first, 'longest');
    case '%':
      return reverse(trimStart(reverse(value), reverse(first), 'shortest'));
    case '%%':
      return reverse(trimStart(reverse(value), reverse(first), 'longest'));
    case ':':
      return substring(value, args);
    case '/':
      return replaceOnce(value, first, second);
    case '//':
      return first === ''
        ? Array.from(value).reduce((text, character) => text + character + second, second)
        : value.replaceAll(first, () => second);
    case '/#':
      return args.length === 2 && value.startsWith(first) ? replaceOnce(value, first, second) : value;
    case '/%':
      return args.length === 2 && value.endsWith(first) ? value.slice(0, value.length - first.length) + second : value;
    default:
      return value === '' ? args.join('') : value;
  }
}

/** Go changes the case rune by rune, so a rune never becomes two. */
function upper(character: string): string {
  const changed = character.toUpperCase();
  return Array.from(changed).length === 1 ? changed : character;
}

function lower(character: string): string {
  const changed = character.toLowerCase();
  return Array.from(changed).length === 1 ? changed : character;
}

function replaceOnce(value: string, search: string, replacement: string): string {
  return value.replace(search, () => replacement);
}

function mapFirst(value: string, map: (character: string) => string): string {
  const [first = '', ...rest] = Array.from(value);
  return map(first) + rest.join('');
}

function reverse(value: string): string {
  return Array.from(value).toReversed().join('');
}

/** Go slices bytes; so do these offsets. */
function substring(value: string, args: readonly string[]): string {
  const bytes = Buffer.from(value);
  const cut = (from: number, to: number): string => bytes.subarray(from, to).toString('utf8');
  let position = goInteger(args[0] ?? '');
  if (position === undefined) return value;
  if (position < 0) position = Math.max(0, bytes.length + position);
  if (args.length === 1) return position < bytes.length ? cut(position, bytes.length) : '';
  const length = goInteger(args[1] ?? '');
  if (length === undefined) return value;
  if (length < 0) return bytes.length + length < position ? '' : cut(position, bytes.length + length);
  return position < bytes.length ? cut(position, Math.min(bytes.length, position + length)) : '';
}

function goInteger(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Drops the shortest or longest prefix that matches the pattern (envsubst/funcs.go trimShortest, trimLongest). */
function trimStart(value: string, pattern: string, which: 'shortest' | 'longest'): string {
  const characters = Array.from(value);
  const lengths = matchingPrefixes(pattern, characters);
  if (lengths === undefined) return value;
  // The empty prefix is never tried.
  const fitting = lengths.filter((length) => length > 0);
  const length = which === 'shortest' ? fitting[0] : fitting.at(-1);
  return length === undefined ? value : characters.slice(length).join('');
}

/**
 * Lengths of all prefixes that match a shell pattern: `*`, `?`, `[a-z]`, `[^a]`, `\x`; `*` also matches `/`.
 * Works on sets of positions, so that no pattern is slow. Undefined: the pattern is malformed.
 */
function matchingPrefixes(pattern: string, text: readonly string[]): number[] | undefined {
  const characters = Array.from(pattern);
  let positions = new Set([0]);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    let fits: (candidate: string) => boolean;
    if (character === '*') {
      const from = Math.min(...positions);
      positions = new Set(Array.from({ length: Math.max(0, text.length - from + 1) }, (_, index) => from + index));
      continue;
    }
    if (character === '[') {
      const end = classEnd(characters, at);
      if (end === undefined) return undefined;
      fits = classMatcher(characters.slice(at + 1, end));
      at = end;
    } else if (character === '\\') {
      at++;
      const literal = characters[at];
      if (literal === undefined) return undefined;
      fits = (candidate) => candidate === literal;
    } else {
      fits = character === '?' ? () => true : (candidate) => candidate === character;
    }
    positions = new Set(
      [...positions]
        .filter((position) => position < text.length && fits(text[position] as string))
        .map((position) => position + 1),
    );
    if (positions.size === 0) return [];
  }
  return [...positions].toSorted((left, right) => left - right);
}

function classEnd(pattern: readonly string[], start: number): number | undefined {
  let at = start + 1;
  if (pattern[at] === '^') at++;
  for (let first = true; at < pattern.length; at++, first = false) {
    if (pattern[at] === ']' && !first) return at;
    if (pattern[at] === '\\') at++;
  }
  return undefined;
}

function classMatcher(content: readonly string[]): (candidate: string) => boolean {
  const negated = content[0] === '^';
  const items = (negated ? content.slice(1) : [...content]).filter(
    (character, index, all) => character !== '\\' || all[index - 1] === '\\',
  );
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < items.length; at++) {
    const from = items[at] as string;
    const isRange = items[at + 1] === '-' && at + 2 < items.length;
    ranges.push([from, isRange ? (items[at + 2] as string) : from]);
    if (isRange) at += 2;
  }
  return (candidate) => ranges.some(([from, to]) => from <= candidate && candidate <= to) !== negated;
}
