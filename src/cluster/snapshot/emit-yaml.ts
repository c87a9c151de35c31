import { needsQuotes } from '../../core/yaml/scalar.ts';
import type { Json, JsonObject } from '../../core/model.ts';

/**
 * Prints an object as block YAML that every reader of YAML 1.1 and 1.2 takes for the same value. Keys stay in their
 * order, lists are not indented, text of several lines is a literal block, and what could be read as something else than
 * text is quoted. Made for speed: most scalars are decided by one look.
 * @param object nested at most a few hundred levels; no text is cut or folded
 */
export function emitYaml(object: JsonObject): string {
  return isEmpty(object) ? '{}\n' : mapping(object, '');
}

function mapping(object: JsonObject, pad: string): string {
  let out = '';
  for (const key of Object.keys(object)) out += pad + entry(key, object[key] as Json, pad);
  return out;
}

/** `key: value` without the blanks in front of it. */
function entry(key: string, value: Json, pad: string): string {
  const name = keyText(key, pad);
  if (typeof value !== 'object' || value === null) return `${name}: ${scalar(value, pad)}\n`;
  if (isEmpty(value)) return `${name}: ${Array.isArray(value) ? '[]' : '{}'}\n`;
  return Array.isArray(value) ? `${name}:\n${sequence(value, pad)}` : `${name}:\n${mapping(value, `${pad}  `)}`;
}

function sequence(items: readonly Json[], pad: string): string {
  const inner = `${pad}  `;
  let out = '';
  for (const item of items) {
    if (typeof item !== 'object' || item === null) out += `${pad}- ${scalar(item, pad)}\n`;
    else if (isEmpty(item)) out += `${pad}- ${Array.isArray(item) ? '[]' : '{}'}\n`;
    else if (Array.isArray(item)) out += `${pad}- ${sequence(item, inner).slice(inner.length)}`;
    else out += `${pad}- ${mapping(item, inner).slice(inner.length)}`;
  }
  return out;
}

function isEmpty(value: object): boolean {
  if (Array.isArray(value)) return value.length === 0;
  // oxlint-disable-next-line guard-for-in
  for (const _key in value) return false;
  return true;
}

const plainKey = /^[A-Za-z_][\w./-]*$/;
/** Keys of more than 1024 characters must be marked (YAML 1.2, 7.4). */
const longestKey = 1000;

function keyText(key: string, pad: string): string {
  if (key.length > longestKey) return `? ${quoted(key)}\n${pad}`;
  return plainKey.test(key) && !isWord(key) ? key : quoted(key);
}

// Letters first: no number, no date, no indicator. A colon or a blank only where something follows it, so that neither a
// mapping nor a comment begins.
const plainText = /^[A-Za-z_/](?:[\w./@+=,;()%-]|:(?=[\w./@])| (?=[\w./@(]))*$/;

function scalar(value: null | boolean | number | string, pad: string): string {
  if (typeof value !== 'string') return value === null ? 'null' : String(value);
  if (value.length < 200 ? plainText.test(value) : false) return isWord(value) ? quoted(value) : value;
  return value.includes('\n') && isLiteral(value) ? literal(value, `${pad}  `) : quoted(value);
}

/** `yes`, `null`: read as something else than text; the JavaScript package takes `e5` for a number. */
function isWord(text: string): boolean {
  return text.length <= 5 ? needsQuotes(text) || exponent.test(text) : exponent.test(text);
}

const exponent = /^[eE][0-9]+$/;

// Lines that begin or end with blanks are where readers differ; so are characters that YAML does not print.
// oxlint-disable-next-line no-control-regex
const noLiteral =
  /^[\s]|[ \t]\n|[ \t]$|\n\n$|\n\t|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

function isLiteral(value: string): boolean {
  return !noLiteral.test(value);
}

function literal(value: string, pad: string): string {
  const ends = value.endsWith('\n');
  const lines = (ends ? value.slice(0, -1) : value).split('\n');
  return `${ends ? '|' : '|-'}\n${lines.map((line) => (line === '' ? '' : pad + line)).join('\n')}`;
}

// oxlint-disable-next-line no-control-regex
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Nothing in it that JSON or YAML would escape. */
const simple = /^[ !#-[\]-~]*$/;

/** JSON text is a double-quoted scalar; what YAML does not print is escaped as well. */
function quoted(value: string): string {
  if (simple.test(value)) return `"${value}"`;
  return JSON.stringify(value).replace(
    unprintable,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
