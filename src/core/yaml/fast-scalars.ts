import type { Json, JsonObject } from '../model.ts';
import { isNotJson, plainKey, resolvePlain } from './scalar.ts';
import { setKey } from './types.ts';

/** Thrown by the fast reader where only the full reader can tell. */
export const giveUp = Symbol('needs the full reader');

/** Nothing but blanks and a comment may stand behind a value that ended at `end`. */
export function expectEnd(rest: string, end: number): void {
  let at = end;
  while (rest.charCodeAt(at) === 32) at++;
  if (at === rest.length || (at > end && rest.charCodeAt(at) === 35)) return;
  throw giveUp;
}

/** A double-quoted scalar that ends on its line. */
export function doubleQuoted(rest: string): string {
  const close = closingQuote(rest, 1);
  if (close === -1) throw giveUp;
  expectEnd(rest, close + 1);
  return unescapeQuoted(rest.slice(1, close));
}

/** Position of the double quote that ends a scalar, from `start` on; -1 when it is not on this line. */
export function closingQuote(text: string, start: number): number {
  let at = start;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return -1;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}

/** The text of a double-quoted scalar, or of one of its lines. */
export function unescapeQuoted(text: string): string {
  if (!text.includes('\\')) return text;
  if (!hasSharedEscapes(text)) throw giveUp;
  return JSON.parse(`"${text}"`) as string;
}

/** Only escapes that JSON and YAML share; surrogates and the rest go to the full reader. */
function hasSharedEscapes(literal: string): boolean {
  for (let at = literal.indexOf('\\'); at !== -1; at = literal.indexOf('\\', at + 2)) {
    const escape = literal.slice(at + 1, at + 6);
    if (!/^(?:["\\nrtbf]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})/.test(escape)) return false;
  }
  return true;
}

/** A single-quoted scalar that ends on its line. */
export function singleQuoted(rest: string): string {
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

/** The text of a plain scalar on one line, without its comment. */
export function plainText(rest: string): string {
  // Indicators that cannot start a plain scalar, and `-`, `?`, `:` followed by a blank.
  if (/^[!&*>%@`,\]}#]|^[-?:](?: |$)/.test(rest)) throw giveUp;
  const comment = rest.indexOf(' #');
  return plainPiece(comment === -1 ? rest : rest.slice(0, comment));
}

/** One line of a plain scalar without the blanks around it. */
export function plainPiece(line: string): string {
  const text = trimBlanks(line, true, true);
  // `a: b: c` is an error and `a:` at the end a nested mapping.
  if (text.includes(': ') || text.endsWith(':')) throw giveUp;
  return text;
}

/** Cuts spaces, and nothing else, off the ends of a line. */
export function trimBlanks(line: string, atStart: boolean, atEnd: boolean): string {
  let start = 0;
  let end = line.length;
  while (atStart && line.charCodeAt(start) === 32) start++;
  while (atEnd && end > start && line.charCodeAt(end - 1) === 32) end--;
  return line.slice(start, end);
}

/** What a plain scalar means. */
export function plainValue(text: string): Json {
  if (isNotJson(text)) throw giveUp;
  return resolvePlain(text);
}

/** A flow collection on one line, of quoted scalars without escapes and of simple words. */
export function flow(rest: string): Json {
  const reader = { text: rest, at: 0, depth: 0 };
  const value = flowValue(reader);
  expectEnd(rest, reader.at);
  return value;
}

interface FlowReader {
  readonly text: string;
  at: number;
  depth: number;
}

// Words that mean the same inside of a flow collection as outside.
const flowWord = /(?:[\w./]|-[\w./-])[\w./=+@%-]*/y;

function flowValue(reader: FlowReader): Json {
  if (reader.depth > 50) throw giveUp;
  const character = reader.text.charAt(reader.at);
  if (character === '"' || character === "'") return flowQuoted(reader, character);
  if (character === '[') return flowList(reader);
  if (character === '{') return flowMap(reader);
  return plainValue(flowText(reader));
}

function flowText(reader: FlowReader): string {
  flowWord.lastIndex = reader.at;
  const word = flowWord.exec(reader.text)?.[0];
  if (word === undefined) throw giveUp;
  reader.at += word.length;
  return word;
}

function flowQuoted(reader: FlowReader, quote: string): string {
  const end = reader.text.indexOf(quote, reader.at + 1);
  if (end === -1) throw giveUp;
  const text = reader.text.slice(reader.at + 1, end);
  reader.at = end + 1;
  if (text.includes('\\') || reader.text.charAt(reader.at) === quote) throw giveUp;
  return text;
}

function flowList(reader: FlowReader): Json[] {
  const items: Json[] = [];
  reader.depth++;
  reader.at++;
  skipBlanks(reader);
  while (reader.text.charAt(reader.at) !== ']') {
    items.push(flowValue(reader));
    endOfEntry(reader, ']');
  }
  reader.depth--;
  reader.at++;
  return items;
}

function flowMap(reader: FlowReader): JsonObject {
  const object: JsonObject = {};
  reader.depth++;
  reader.at++;
  skipBlanks(reader);
  while (reader.text.charAt(reader.at) !== '}') {
    const character = reader.text.charAt(reader.at);
    const key = character === '"' || character === "'" ? flowQuoted(reader, character) : plainKey(flowText(reader));
    // Duplicates need their lines, and a colon without a blank may belong to the word.
    if (key === undefined || Object.hasOwn(object, key) || !reader.text.startsWith(': ', reader.at)) throw giveUp;
    reader.at++;
    skipBlanks(reader);
    setKey(object, key, flowValue(reader));
    endOfEntry(reader, '}');
  }
  reader.depth--;
  reader.at++;
  return object;
}

function endOfEntry(reader: FlowReader, close: string): void {
  skipBlanks(reader);
  const character = reader.text.charAt(reader.at);
  if (character === close) return;
  if (character !== ',' || reader.text.charAt(reader.at + 1) !== ' ') throw giveUp;
  reader.at++;
  skipBlanks(reader);
}

function skipBlanks(reader: FlowReader): void {
  while (reader.text.charCodeAt(reader.at) === 32) reader.at++;
}
