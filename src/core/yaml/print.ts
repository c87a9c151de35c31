import type { Json } from '../model.ts';
import { needsQuotes } from './scalar.ts';

const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/**
 * Prints a value as sigs.k8s.io/yaml does (go.yaml.in/yaml/v2 encode.go and emitterc.go): keys sorted, lists not
 * indented, strings without quotes where they stay strings, several lines as a literal block. Some
 * things are printed in another form of the same meaning: dates without quotes, keys of several lines in quotes, long
 * lines in one piece.
 */
export function printYaml(value: Json): string {
  if (typeof value !== 'object' || value === null) return `${scalar(value, 0, false)}\n`;
  return isEmpty(value) ? `${emptyCollection(value)}\n` : block(value, 0);
}

function isEmpty(value: object): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function emptyCollection(value: object): string {
  return Array.isArray(value) ? '[]' : '{}';
}

function block(value: Json, indent: number): string {
  const pad = ' '.repeat(indent);
  if (Array.isArray(value)) {
    return value
      .map((item) => `${pad}- ${isBlock(item) ? block(item, indent + 2).slice(indent + 2) : `${leaf(item, indent)}\n`}`)
      .join('');
  }
  const object = value as { readonly [key: string]: Json };
  return Object.keys(object)
    .toSorted()
    .map((key) => {
      const item = object[key] as Json;
      const name = `${pad}${scalar(key, indent, true)}:`;
      if (!isBlock(item)) return `${name} ${leaf(item, indent)}\n`;
      return `${name}\n${block(item, Array.isArray(item) ? indent : indent + 2)}`;
    })
    .join('');
}

function isBlock(value: Json): boolean {
  return typeof value === 'object' && value !== null && !isEmpty(value);
}

function leaf(value: Json, indent: number): string {
  return typeof value === 'object' && value !== null ? emptyCollection(value) : scalar(value, indent, false);
}

function scalar(value: null | boolean | number | string, indent: number, isKey: boolean): string {
  if (typeof value === 'number') return number(value);
  if (typeof value !== 'string') return String(value);
  const form = analyse(value);
  if (value.includes('\n')) return !isKey && form.block ? literal(value, indent) : doubleQuoted(value);
  if (needsQuotes(value) || base60.test(value)) return doubleQuoted(value);
  if (form.plain && value !== '') return value;
  return form.single ? `'${value.replaceAll("'", "''")}'` : doubleQuoted(value);
}

/** Integers of 64 bits in full, everything else as Go's strconv.FormatFloat(value, 'g', -1, 64). */
function number(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return BigInt(value).toString();
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const size = Number(exponent);
  if (size >= -4 && size < 6) return String(value);
  return `${mantissa}e${size < 0 ? '-' : '+'}${String(Math.abs(size)).padStart(2, '0')}`;
}

interface Forms {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

/** Which styles can carry the text (emitterc.go yaml_emitter_analyze_scalar). */
function analyse(value: string): Forms {
  const special = hasSpecialCharacters(value);
  const breakSpace = /\n /.test(value);
  const spaceBreak = / \n/.test(value);
  const outer = /^[ \n]|[ \n]$/.test(value);
  const indicator =
    /^(?:---|\.\.\.)/.test(value) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(value) ||
    /^[?:-](?:[ \t\n]|$)/.test(value) ||
    /:(?:[ \t\n]|$)/.test(value) ||
    /(?:^|[ \t\n])#/.test(value);
  return {
    plain: !special && !outer && !breakSpace && !spaceBreak && !indicator && !value.includes('\n'),
    single: !special && !breakSpace && !spaceBreak,
    block: !special && !spaceBreak && !value.endsWith(' '),
  };
}

/** Not printable in the sense of yamlprivateh.go is_printable: control characters but line feed, the Unicode
 * line breaks, and all beyond U+FFFF. */
function hasSpecialCharacters(value: string): boolean {
  return /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/.test(value);
}

function literal(value: string, indent: number): string {
  const hint = /^[ \n]/.test(value) ? '2' : '';
  const chomp = !value.endsWith('\n') ? '-' : value === '\n' || value.endsWith('\n\n') ? '+' : '';
  const pad = ' '.repeat(indent + 2);
  const lines = value.replace(/\n$/, '').split('\n');
  return `|${hint}${chomp}\n${lines.map((line) => (line === '' ? '' : pad + line)).join('\n')}`;
}

const escapes = new Map([
  ['\0', '\\0'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\u000b', '\\v'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['\u001b', '\\e'],
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0085', '\\N'],
  ['\u00a0', '\\_'],
  ['\u2028', '\\L'],
  ['\u2029', '\\P'],
]);

function doubleQuoted(value: string): string {
  const text = value.replace(
    /[\u0000-\u001f"\\\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]|[\u{10000}-\u{10ffff}]/gu,
    (character) => {
      const code = character.codePointAt(0) ?? 0;
      const digits = code.toString(16).toUpperCase();
      const escape =
        code < 0x100
          ? `\\x${digits.padStart(2, '0')}`
          : code < 0x10000
            ? `\\u${digits.padStart(4, '0')}`
            : `\\U${digits.padStart(8, '0')}`;
      return escapes.get(character) ?? escape;
    },
  );
  return `"${text}"`;
}
