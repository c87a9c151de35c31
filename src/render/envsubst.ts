import { applyFunction } from './envsubst-functions.ts';

/** Text that cannot be substituted, with the reason in the words of fluxcd/pkg/envsubst. */
export class SubstitutionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SubstitutionError';
  }
}

/** Value of a variable; `exists: false` is an error where the expression has no default (strict mode). */
export type Lookup = (name: string) => { readonly value: string; readonly exists: boolean };

type Node =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'call'; readonly variable: string; readonly operator: string; readonly args: readonly Node[] };

/**
 * Replaces `${...}` as Flux does (fluxcd/pkg/envsubst, a fork of drone/envsubst): only braces, `$$` gives `$`, the
 * string functions of bash that the fork knows. Offsets count bytes of UTF-8, as in Go.
 * @throws SubstitutionError
 */
export function substituteText(text: string, lookup: Lookup): string {
  const scanner = new Scanner(text);
  let result = '';
  for (let node = parseAny(scanner); node !== undefined; node = parseAny(scanner)) result += evaluate(node, lookup, 0);
  return result;
}

// ---------------------------------------------------------------------------------------------
// Scanner: the states of fluxcd/pkg/envsubst/parse/scan.go
// ---------------------------------------------------------------------------------------------

type Accept = (character: string, position: number) => boolean;
type Token = 'end' | 'open' | 'close' | 'word' | 'illegal';

const word = 1;
const open = 2;
const close = 4;
const escape = 8;

/** Cursor over the characters of the text. `word` holds the last token without its escapes. */
class Scanner {
  word = '';
  accept: Accept = () => true;
  mode = 0;
  /** Inside of `${...}` also `\/` and `\\` are escapes. */
  backslash = false;
  readonly #characters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  peek(ahead = 0): string {
    return this.#characters[this.#at + ahead] ?? '';
  }

  skip(): void {
    this.#at++;
  }

  scan(): Token {
    this.word = '';
    const first = this.peek();
    // A NUL character is the end of the text to the original as well.
    if (first === '' || first === '\0') return 'end';
    if ((this.mode & open) !== 0 && first === '$' && this.peek(1) === '{') {
      this.#at += 2;
      return 'open';
    }
    if ((this.mode & close) !== 0 && first === '}') {
      this.#at++;
      this.word = '}';
      return 'close';
    }
    if ((this.mode & word) === 0) return this.#illegal();
    // Positions that `accept` sees count the characters of the token from 1, escapes included once.
    const parts: string[] = [];
    if (this.#escaped()) this.#takeEscaped(parts);
    else if (this.accept(first, 1)) this.#take(parts);
    else return this.#illegal();
    for (;;) {
      const next = this.peek();
      if (next === '' || next === '\0') break;
      if ((this.mode & open) !== 0 && next === '$' && this.peek(1) === '{') break;
      if (this.#escaped()) this.#takeEscaped(parts);
      else if (this.accept(next, parts.length + 1)) this.#take(parts);
      else break;
    }
    this.word = parts.join('');
    return 'word';
  }

  #illegal(): Token {
    this.#at++;
    return 'illegal';
  }

  #take(parts: string[]): void {
    parts.push(this.peek());
    this.#at++;
  }

  /** Drops the first of the two characters and keeps the second, unread: it may begin an expression only if it is not `$`. */
  #takeEscaped(parts: string[]): void {
    parts.push(this.peek(1));
    this.#at += 2;
  }

  #escaped(): boolean {
    if ((this.mode & escape) === 0) return false;
    const character = this.peek();
    const next = this.peek(1);
    if (character === '$') return next === '$';
    return character === '\\' && this.backslash && (next === '/' || next === '\\');
  }
}

// ---------------------------------------------------------------------------------------------
// Parser: fluxcd/pkg/envsubst/parse/parse.go
// ---------------------------------------------------------------------------------------------

const maximumNesting = 100;

const isName: Accept = (character) => /[\p{L}\p{Nd}_]/u.test(character);
const notClosing: Accept = (character) => character !== '}';

function bad(message = 'bad substitution'): never {
  throw new SubstitutionError(message);
}

function parseAny(scanner: Scanner): Node | undefined {
  scanner.accept = () => true;
  scanner.mode = word | open | escape;
  scanner.backslash = false;
  switch (scanner.scan()) {
    case 'word':
      return { type: 'text', value: scanner.word };
    case 'open':
      return parseCall(scanner, 0);
    case 'end':
      return undefined;
    default:
      return bad();
  }
}

function parseCall(scanner: Scanner, depth: number): Node {
  if (depth > maximumNesting) bad('expressions are nested too deeply');
  scanner.backslash = true;
  if (scanner.peek() === '#') return parseLength(scanner);
  const variable = expectWord(scanner, isName, 'unable to parse variable name');
  switch (scanner.peek()) {
    case ':':
      return /[=?+-]/.test(scanner.peek(1))
        ? parseDefault(scanner, variable, depth)
        : parseSubstring(scanner, variable, depth);
    case '=':
      return parseDefault(scanner, variable, depth);
    case ',':
    case '^':
      return parseCasing(scanner, variable);
    case '/':
      return parseReplace(scanner, variable, depth);
    case '#':
      return parseRemove(scanner, variable, '#', depth);
    case '%':
      return parseRemove(scanner, variable, '%', depth);
  }
  scanner.accept = isName;
  scanner.mode = close;
  if (scanner.scan() !== 'close') bad('missing closing brace');
  return { type: 'call', variable, operator: '', args: [] };
}

function expectWord(scanner: Scanner, accept: Accept, message?: string): string {
  scanner.accept = accept;
  scanner.mode = word;
  if (scanner.scan() !== 'word') bad(message);
  return scanner.word;
}

function parseArgument(scanner: Scanner, accept: Accept, mode: number, depth: number): Node {
  scanner.accept = accept;
  scanner.mode = mode | open;
  switch (scanner.scan()) {
    case 'open':
      return parseCall(scanner, depth + 1);
    case 'word':
      return { type: 'text', value: scanner.word };
    default:
      return bad('unable to parse substitution within function');
  }
}

function expectClose(scanner: Scanner): void {
  scanner.mode = close;
  if (scanner.scan() !== 'close') bad();
}

function parseLength(scanner: Scanner): Node {
  expectWord(scanner, (character, position) => character === '#' && position === 1);
  const variable = expectWord(scanner, isName);
  expectClose(scanner);
  return { type: 'call', variable, operator: '#', args: [] };
}

function parseSubstring(scanner: Scanner, variable: string, depth: number): Node {
  const operator = expectWord(scanner, (character, position) => character === ':' && position === 1);
  const args = [parseArgument(scanner, (character) => character !== ':' && character !== '}', word, depth)];
  scanner.accept = (character) => character === ':';
  scanner.mode = word | close;
  const token = scanner.scan();
  if (token === 'close') return { type: 'call', variable, operator, args };
  if (token !== 'word') bad();
  args.push(parseArgument(scanner, notClosing, word, depth));
  expectClose(scanner);
  return { type: 'call', variable, operator, args };
}

function parseRemove(scanner: Scanner, variable: string, mark: string, depth: number): Node {
  const operator = expectWord(scanner, (character, position) => character === mark && position < 3);
  const args = [parseArgument(scanner, notClosing, word, depth)];
  expectClose(scanner);
  return { type: 'call', variable, operator, args };
}

function parseReplace(scanner: Scanner, variable: string, depth: number): Node {
  const operator = expectWord(scanner, (character, position) =>
    position === 1 ? character === '/' : position === 2 && /[/#%]/.test(character),
  );
  const args = [parseArgument(scanner, (character) => character !== '/', word | escape, depth)];
  expectWord(scanner, (character) => character === '/');
  if (scanner.peek() !== '}') args.push(parseArgument(scanner, notClosing, word | escape, depth));
  expectClose(scanner);
  return { type: 'call', variable, operator, args };
}

function parseDefault(scanner: Scanner, variable: string, depth: number): Node {
  const oneEqual: Accept = (character, position) => position === 1 && character === '=';
  const colonFirst: Accept = (character, position) =>
    position === 1 ? character === ':' : position === 2 && /[=?+-]/.test(character);
  const operator = expectWord(
    scanner,
    scanner.peek() === '=' ? oneEqual : colonFirst,
    'unable to parse default function',
  );
  const args: Node[] = [];
  while (scanner.peek() !== '}') args.push(parseArgument(scanner, notClosing, word, depth));
  expectClose(scanner);
  return { type: 'call', variable, operator, args };
}

function parseCasing(scanner: Scanner, variable: string): Node {
  const operator = expectWord(
    scanner,
    (character, position) => (character === ',' || character === '^') && position < 3,
  );
  expectClose(scanner);
  return { type: 'call', variable, operator, args: [] };
}

const defaulting = new Set(['-', '+', '=', '?', ':-', ':+', ':=', ':?']);

function evaluate(node: Node, lookup: Lookup, depth: number): string {
  if (node.type === 'text') return node.value;
  const args = node.args.map((arg) => evaluate(arg, lookup, depth + 1));
  const { value, exists } = lookup(node.variable);
  if (!exists && !defaulting.has(node.operator)) {
    throw new SubstitutionError(`variable not set (strict mode): "${node.variable}"`);
  }
  return applyFunction(node.operator, value, args);
}
