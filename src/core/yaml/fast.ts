import type { Json, JsonObject } from '../model.ts';
import {
  closingQuote,
  doubleQuoted,
  expectEnd,
  flow,
  giveUp,
  plainPiece,
  plainText,
  plainValue,
  singleQuoted,
  trimBlanks,
  unescapeQuoted,
} from './fast-scalars.ts';
import { plainKey } from './scalar.ts';
import { maxDepth, setKey } from './types.ts';
import type { RawDuplicate } from './types.ts';

/**
 * Reads the YAML that charts and tools mostly print: block mappings and sequences, scalars, flow collections on one
 * line. Anchors, tags, merge keys, escapes, odd indentation and everything else that is rare makes it give up: the full reader is the authority, this one is only faster.
 * @param text one document
 * @param firstLine 1-based line at which `text` starts
 * @returns undefined when the document needs the full reader
 */
export function readFast(
  text: string,
  firstLine: number,
): { readonly value: Json; readonly duplicates: readonly RawDuplicate[] } | undefined {
  // Carriage returns, NUL and other control characters, byte order marks, unusual line breaks.
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
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udfff](?![\udc00-\udfff])/;
// A key of letters, digits and _ . / : - only; `<<` and everything with a special first character is not one.
const simpleKey = /^([A-Za-z0-9_][\w./:-]*):(?= |$)/;
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
      // Tabs are welcome in literal blocks only.
      if (this.#content.includes('\t')) throw giveUp;
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
    switch (rest.charCodeAt(0)) {
      case 34: // "
        return closingQuote(rest, 1) === -1
          ? this.#quoted(rest, '"', indent)
          : this.#oneLine(doubleQuoted(rest), indent);
      case 39: // '
        return rest.includes("'", 1) ? this.#oneLine(singleQuoted(rest), indent) : this.#quoted(rest, "'", indent);
      case 124: // |
      case 62: // >
        return this.#blockScalar(rest, indent);
      case 91: // [
      case 123: // {
        return this.#oneLine(flow(rest), indent);
      default:
        return this.#plain(rest, indent);
    }
  }

  #oneLine(value: Json, indent: number): Json {
    this.#next();
    if (this.#indent > indent) throw giveUp;
    return value;
  }

  /** Deeper lines continue a plain scalar: a line break is a blank, an empty line a line break. */
  #plain(rest: string, indent: number): Json {
    let text = plainText(rest);
    const commented = rest.includes(' #');
    let last = this.#at;
    for (const { at, line, blanks } of this.#deeper(indent)) {
      const piece = plainPiece(line);
      if (piece.startsWith('#')) break;
      if (commented || piece.includes(' #')) throw giveUp;
      text += (blanks === 0 ? ' ' : '\n'.repeat(blanks)) + piece;
      last = at;
    }
    this.#at = last;
    return this.#oneLine(plainValue(text), indent);
  }

  /** A quoted scalar over several lines, folded like a plain one. */
  #quoted(rest: string, quote: '"' | "'", indent: number): Json {
    // Quotes that are doubled, and escaped line breaks, are for the full reader.
    const decode = quote === '"' ? unescapeQuoted : (piece: string): string => piece;
    let text = decode(trimBlanks(rest.slice(1), false, true));
    for (const { at, line, blanks } of this.#deeper(indent)) {
      const piece = trimBlanks(line, true, false);
      const end = quote === '"' ? closingQuote(piece, 0) : piece.indexOf(quote);
      text += blanks === 0 ? ' ' : '\n'.repeat(blanks);
      if (end === -1) {
        text += decode(trimBlanks(piece, false, true));
        continue;
      }
      if (quote === "'" && piece.charAt(end + 1) === quote) throw giveUp;
      expectEnd(piece, end + 1);
      this.#at = at;
      return this.#oneLine(text + decode(piece.slice(0, end)), indent);
    }
    throw giveUp;
  }

  /** The lines below the current one that are indented deeper, with the number of empty lines before each. */
  *#deeper(indent: number): Generator<{ readonly at: number; readonly line: string; readonly blanks: number }> {
    let blanks = 0;
    for (let at = this.#at + 1; at < this.#lines.length; at++) {
      const line = this.#lines[at] as string;
      let start = 0;
      while (line.charCodeAt(start) === 32) start++;
      if (start === line.length) {
        blanks++;
        continue;
      }
      if (start <= indent) return;
      if (line.includes('\t')) throw giveUp;
      yield { at, line, blanks };
      blanks = 0;
    }
  }

  #blockScalar(header: string, indent: number): string {
    if (!/^[|>]-?$/.test(header)) throw giveUp;
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
        if (line.charCodeAt(start) === 9) throw giveUp;
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
    // Trailing blank lines with spaces in them, and a last line without its line break: let the full reader count.
    if (lines.slice(content.length).some((line) => line !== '') || (atEnd && blanks === 0)) throw giveUp;
    this.#at = last;
    this.#next();
    if (content.length === 0) return '';
    const text = header.startsWith('>') ? fold(content) : content.join('\n');
    return header.endsWith('-') ? text : `${text}\n`;
  }
}

/** Line breaks of a folded block: single ones are blanks. Lines that keep theirs are for the full reader. */
function fold(lines: readonly string[]): string {
  let text = '';
  let blanks = 0;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith(' ') || (index === 0 && line === '')) throw giveUp;
    if (line === '') {
      blanks++;
      continue;
    }
    text += (index === 0 ? '' : blanks === 0 ? ' ' : '\n'.repeat(blanks)) + line;
    blanks = 0;
  }
  return text;
}

function isSequenceItem(content: string): boolean {
  return content.charCodeAt(0) === 45 && (content.length === 1 || content.charCodeAt(1) === 32);
}
