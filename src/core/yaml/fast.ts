import type { Json, JsonObject } from '../model.ts';
import { isNotJson, plainKey, resolvePlain } from './scalar.ts';
import { maxDepth, setKey } from './types.ts';
import type { RawDuplicate } from './types.ts';

/**
 * Reads the YAML that charts and tools mostly print: block mappings and sequences, one-line scalars, literal blocks,
 * one-line JSON. Everything else makes it give up: the full reader is the authority, this one is only faster.
 * @param text one document
 * @param firstLine 1-based line at which `text` starts
 * @returns undefined when the document needs the full reader
 */
export function readFast(
  text: string,
  firstLine: number,
): { readonly value: Json; readonly duplicates: readonly RawDuplicate[] } | undefined {
  // Carriage returns, tabs, NUL and other control characters, byte order marks, unusual line breaks.
  if (unusual.test(text)) return undefined;
  const reader = new FastReader(text.split('\n'), firstLine);
  try {
    return { value: reader.document(), duplicates: reader.duplicates };
  } catch (error) {
    if (error === giveUp) return undefined;
    throw error;
  }
}

// oxlint-disable-next-line no-control-regex
const unusual =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udfff](?![\udc00-\udfff])/;
const giveUp = Symbol('needs the full reader');

// A key of letters, digits and _ . / - only; `<<` and everything with a special first character is not one.
const simpleKey = /^([A-Za-z0-9_][\w./-]*):(?= |$)/;
const quotedKey = /^(?:"([^"\\]*)"|'([^']*)'):(?= |$)/;

/** Line cursor over one document. Indent and content of the current line are kept in fields. */
class FastReader {
  readonly duplicates: RawDuplicate[] = [];
  readonly #lines: readonly string[];
  readonly #firstLine: number;
  readonly #path: (string | number)[] = [];
  #at = -1;
  /** Indent of the current line; -1 at the end. A `- ` in front of a nested block counts as indent. */
  #indent = -1;
  #content = '';

  constructor(lines: readonly string[], firstLine: number) {
    this.#lines = lines;
    this.#firstLine = firstLine;
  }

  document(): Json {
    this.#next();
    if (this.#content.startsWith('---') && this.#indent === 0) {
      const rest = this.#content.slice(3).trim();
      if (rest !== '' && !rest.startsWith('#')) throw giveUp;
      this.#next();
    }
    if (this.#indent === -1) return null;
    if (!isSequenceItem(this.#content) && !this.#isKey()) throw giveUp;
    const value = this.#block(this.#indent);
    if (this.#indent !== -1) throw giveUp;
    return value;
  }

  /** Goes to the next line with content. */
  #next(): void {
    while (++this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] as string;
      let start = 0;
      while (line.charCodeAt(start) === 32) start++;
      if (start === line.length || line.charCodeAt(start) === 35) continue;
      this.#indent = start;
      this.#content = line.slice(start);
      if (
        start === 0 &&
        (this.#content.startsWith('...') || (this.#content.startsWith('---') && this.#at > 0 && this.#seenContent))
      )
        throw giveUp;
      this.#seenContent = true;
      return;
    }
    this.#indent = -1;
    this.#content = '';
  }

  #seenContent = false;

  #isKey(): boolean {
    return simpleKey.test(this.#content) || quotedKey.test(this.#content);
  }

  #block(indent: number): Json {
    if (this.#path.length > maxDepth) throw giveUp;
    return isSequenceItem(this.#content) ? this.#sequence(indent) : this.#mapping(indent);
  }

  #sequence(indent: number): Json[] {
    const items: Json[] = [];
    while (this.#indent === indent && isSequenceItem(this.#content)) {
      this.#path.push(items.length);
      items.push(this.#item(indent));
      this.#path.pop();
    }
    if (this.#indent > indent) throw giveUp;
    return items;
  }

  #item(indent: number): Json {
    let start = 1;
    while (this.#content.charCodeAt(start) === 32) start++;
    const rest = this.#content.slice(start);
    if (rest === '' || rest.startsWith('#')) {
      this.#next();
      return this.#indent > indent ? this.#nested() : null;
    }
    // A block that begins on the line of its dash: the dash counts as indent.
    if (isSequenceItem(rest) || simpleKey.test(rest) || quotedKey.test(rest)) {
      this.#indent = indent + start;
      this.#content = rest;
      return this.#block(this.#indent);
    }
    return this.#scalar(rest, indent);
  }

  /** The block on the following, deeper lines. */
  #nested(): Json {
    if (isSequenceItem(this.#content) || this.#isKey()) return this.#block(this.#indent);
    throw giveUp;
  }

  #mapping(indent: number): JsonObject {
    const object: JsonObject = {};
    const lines = new Map<string, number>();
    while (this.#indent === indent) {
      const content = this.#content;
      let key: string | undefined;
      let match = simpleKey.exec(content);
      if (match !== null) {
        key = plainKey(match[1] as string);
      } else {
        match = quotedKey.exec(content);
        if (match === null) throw giveUp;
        key = match[1] ?? match[2];
      }
      if (key === undefined) throw giveUp;
      const line = this.#firstLine + this.#at;
      const first = lines.get(key);
      if (first === undefined) lines.set(key, line);
      else this.duplicates.push({ path: [...this.#path, key], key, lines: [first, line] });
      let start = match[0].length;
      while (content.charCodeAt(start) === 32) start++;
      this.#path.push(key);
      setKey(object, key, this.#value(content.slice(start), indent));
      this.#path.pop();
    }
    if (this.#indent > indent) throw giveUp;
    return object;
  }

  #value(rest: string, indent: number): Json {
    if (rest !== '' && !rest.startsWith('#')) return this.#scalar(rest, indent);
    this.#next();
    if (this.#indent > indent) return this.#nested();
    // A sequence may stand at the indent of its key.
    if (this.#indent === indent && isSequenceItem(this.#content)) return this.#sequence(indent);
    return null;
  }

  #scalar(rest: string, indent: number): Json {
    const first = rest.charCodeAt(0);
    let value: Json;
    switch (first) {
      case 34: // "
        value = doubleQuoted(rest);
        break;
      case 39: // '
        value = singleQuoted(rest);
        break;
      case 124: // |
        return this.#literal(rest, indent);
      case 91: // [
      case 123: // {
        value = flow(rest);
        break;
      default:
        value = plain(rest);
    }
    this.#next();
    // A deeper line continues a plain or quoted scalar.
    if (this.#indent > indent) throw giveUp;
    return value;
  }

  #literal(header: string, indent: number): string {
    const chomp = header === '|' ? '' : header === '|-' ? '-' : header === '|+' ? '+' : undefined;
    if (chomp === undefined) throw giveUp;
    const lines: string[] = [];
    let blockIndent = -1;
    let last = this.#at;
    for (let at = this.#at + 1; at < this.#lines.length; at++) {
      const line = this.#lines[at] as string;
      let start = 0;
      while (line.charCodeAt(start) === 32) start++;
      if (start === line.length) {
        // Blank; spaces beyond the indent are content, and before the indent is known they may be an error.
        if (start > 0 && (blockIndent === -1 || start > blockIndent)) {
          if (blockIndent === -1) throw giveUp;
          lines.push(line.slice(blockIndent));
        } else {
          lines.push('');
        }
        continue;
      }
      if (blockIndent === -1) {
        if (start <= indent) break;
        blockIndent = start;
      } else if (start < blockIndent) {
        // Less indented than the block but deeper than its key: an error, or a comment. Not decided here.
        if (start > indent) throw giveUp;
        break;
      }
      lines.push(blockIndent === 0 ? line : line.slice(blockIndent));
      last = at;
    }
    // The split leaves an empty piece after the last line break.
    const content = lines.slice(0, last - this.#at);
    const blanks = lines.length - content.length;
    const atEnd = this.#at + lines.length === this.#lines.length - 1;
    // Trailing blank lines with spaces in them and kept line breaks at the end of the text: let the full reader count.
    if (chomp === '+' || lines.slice(content.length).some((line) => line !== '') || (atEnd && blanks === 0))
      throw giveUp;
    this.#at = last;
    this.#next();
    if (content.length === 0) return '';
    return chomp === '-' ? content.join('\n') : `${content.join('\n')}\n`;
  }
}

function isSequenceItem(content: string): boolean {
  return content.charCodeAt(0) === 45 && (content.length === 1 || content.charCodeAt(1) === 32);
}

/** Cuts blanks and a comment behind a value that ended at `end`. */
function expectEnd(rest: string, end: number): void {
  let at = end;
  while (rest.charCodeAt(at) === 32) at++;
  if (at === rest.length || (at > end && rest.charCodeAt(at) === 35)) return;
  throw giveUp;
}

function doubleQuoted(rest: string): string {
  const end = rest.indexOf('"', 1);
  if (end === -1) throw giveUp;
  const text = rest.slice(1, end);
  if (!text.includes('\\')) {
    expectEnd(rest, end + 1);
    return text;
  }
  let close = 1;
  while (close < rest.length && rest.charCodeAt(close) !== 34) close += rest.charCodeAt(close) === 92 ? 2 : 1;
  const literal = rest.slice(1, close);
  // The escapes that JSON and YAML share; surrogates and the rest go to the full reader.
  if (close >= rest.length || !/^(?:[^\\]|\\["\\nrtbf]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*$/.test(literal))
    throw giveUp;
  expectEnd(rest, close + 1);
  return JSON.parse(`"${literal}"`) as string;
}

function singleQuoted(rest: string): string {
  let close = 1;
  while (close < rest.length) {
    close = rest.indexOf("'", close);
    if (close === -1) throw giveUp;
    if (rest.charCodeAt(close + 1) !== 39) break;
    close += 2;
  }
  if (close >= rest.length) throw giveUp;
  expectEnd(rest, close + 1);
  return rest.slice(1, close).replaceAll("''", "'");
}

/** `{}`, `[]` and one-line JSON lists of strings and numbers without escapes. */
function flow(rest: string): Json {
  if (rest === '{}') return {};
  if (rest === '[]') return [];
  if (
    !/^\[ *(?:"[^"\\]*"|-?(?:0|[1-9]\d{0,14})|true|false)(?:, *(?:"[^"\\]*"|-?(?:0|[1-9]\d{0,14})|true|false))* *\]$/.test(
      rest,
    )
  )
    throw giveUp;
  return (JSON.parse(rest) as Json[]).map((item) => (Object.is(item, -0) ? 0 : item));
}

function plain(rest: string): Json {
  // Indicators that cannot start a plain scalar, and `-`, `?`, `:` followed by a blank.
  if (/^[!&*>%@`,\]}#]|^[-?:](?: |$)/.test(rest)) throw giveUp;
  let text = rest;
  const comment = text.indexOf(' #');
  if (comment !== -1) text = text.slice(0, comment);
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  text = text.slice(0, end);
  // `a: b: c` is an error and `a:` at the end a nested mapping.
  if (text.includes(': ') || text.endsWith(':')) throw giveUp;
  if (isNotJson(text)) throw giveUp;
  return resolvePlain(text);
}
