/**
 * Regular expressions of other people's rules (jq `test`, Flux selectors), matched in linear time: the set of all places
 * in the expression is carried along the text, so that no expression can make the match run away. The syntax is the part
 * of RE2 and Oniguruma that names of objects need; look-around, back references and Unicode classes are not in it.
 */
export type Matcher = (text: string) => boolean;

type Test = (code: number) => boolean;
type Node =
  | { readonly op: 'char'; readonly test: Test }
  | { readonly op: 'split'; readonly to: readonly number[] }
  | { readonly op: 'start' | 'end' | 'word' | 'not-word' }
  | { readonly op: 'match' };

/** An instruction before its targets are known. */
type Part =
  | { readonly kind: 'char'; readonly test: Test }
  | { readonly kind: 'assert'; readonly op: 'start' | 'end' | 'word' | 'not-word' }
  | { readonly kind: 'join'; readonly parts: readonly Part[] }
  | { readonly kind: 'either'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number };

const maxLength = 500;
const maxNodes = 2000;
const maxRepeat = 100;
const maxText = 100_000;

class Unsupported extends Error {}

/**
 * @param anchored the whole text must match, else any part of it
 * @returns undefined for an expression beyond the syntax that is known here
 */
export function compileRegex(
  source: string,
  options: { readonly anchored?: boolean; readonly ignoreCase?: boolean } = {},
): Matcher | undefined {
  if (source.length > maxLength) return undefined;
  try {
    const parser = new Parser(source, options.ignoreCase === true);
    const nodes = assemble(parser.parse());
    return (text) => run(nodes, text.slice(0, maxText), options.anchored === true);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

class Parser {
  private at = 0;
  private depth = 0;
  private readonly source: string;
  private ignoreCase: boolean;

  constructor(source: string, ignoreCase: boolean) {
    this.source = source;
    this.ignoreCase = ignoreCase;
  }

  parse(): Part {
    const part = this.either();
    if (this.at < this.source.length) throw new Unsupported();
    return part;
  }

  private either(): Part {
    if (++this.depth > 50) throw new Unsupported();
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    this.depth--;
    return parts.length === 1 ? parts[0]! : { kind: 'either', parts };
  }

  private sequence(): Part {
    const parts: Part[] = [];
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      parts.push(this.repeated(this.atom()));
    }
    return { kind: 'join', parts };
  }

  private repeated(part: Part): Part {
    let result = part;
    for (let count = 0; count < 2; count++) {
      const range = this.range();
      if (range === undefined) return result;
      // A reluctant repetition matches the same texts.
      this.take('?');
      result = { kind: 'repeat', part: result, min: range[0], max: range[1] };
    }
    throw new Unsupported();
  }

  private range(): readonly [number, number] | undefined {
    if (this.take('*')) return [0, Infinity];
    if (this.take('+')) return [1, Infinity];
    if (this.take('?')) return [0, 1];
    const counted = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.source.slice(this.at, this.at + 12));
    if (counted === null) return undefined;
    this.at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === '' ? Infinity : Number(counted[3]);
    if (min > maxRepeat || (max !== Infinity && max > maxRepeat) || max < min) throw new Unsupported();
    return [min, max];
  }

  private atom(): Part {
    const char = this.source[this.at++]!;
    if (char === '(') return this.group();
    if (char === '[') return { kind: 'char', test: this.set() };
    if (char === '.') return { kind: 'char', test: (code) => code !== 10 };
    if (char === '^') return { kind: 'assert', op: 'start' };
    if (char === '$') return { kind: 'assert', op: 'end' };
    if (char === '\\') return this.escaped();
    if (char === '*' || char === '+' || char === '?') throw new Unsupported();
    return { kind: 'char', test: this.literal(char) };
  }

  private group(): Part {
    if (this.take('?')) {
      if (this.take('i)')) {
        this.ignoreCase = true;
        return { kind: 'join', parts: [] };
      }
      if (!this.take(':')) {
        const named = /^P?<[A-Za-z]\w{0,30}>/.exec(this.source.slice(this.at, this.at + 40));
        if (named === null) throw new Unsupported();
        this.at += named[0].length;
      }
    }
    const part = this.either();
    if (!this.take(')')) throw new Unsupported();
    return part;
  }

  private escaped(): Part {
    const char = this.source[this.at++];
    if (char === 'b') return { kind: 'assert', op: 'word' };
    if (char === 'B') return { kind: 'assert', op: 'not-word' };
    if (char === 'A') return { kind: 'assert', op: 'start' };
    if (char === 'z') return { kind: 'assert', op: 'end' };
    return { kind: 'char', test: this.escapedTest(char) };
  }

  private escapedTest(char: string | undefined): Test {
    const known = char === undefined ? undefined : classes[char.toLowerCase()];
    if (char !== undefined && known !== undefined) {
      return char === char.toLowerCase() ? known : (code) => !known(code);
    }
    const code = escapes[char ?? ''];
    if (code !== undefined) return (other) => other === code;
    if (char === undefined || /[A-Za-z0-9]/.test(char)) throw new Unsupported();
    return this.literal(char);
  }

  private set(): Test {
    const negated = this.take('^');
    const tests: Test[] = [];
    for (let first = true; first || this.source[this.at] !== ']'; first = false) {
      const char = this.source[this.at++];
      if (char === undefined || (char === '[' && this.source[this.at] === ':')) throw new Unsupported();
      if (char === '\\') {
        tests.push(this.escapedTest(this.source[this.at++]));
      } else if (this.source[this.at] === '-' && this.at + 1 < this.source.length && this.source[this.at + 1] !== ']') {
        const last = this.source[this.at + 1]!;
        if (last === '\\' || last < char) throw new Unsupported();
        this.at += 2;
        tests.push(this.span(char.charCodeAt(0), last.charCodeAt(0)));
      } else {
        tests.push(this.literal(char));
      }
    }
    this.at++;
    return (code) => tests.some((test) => test(code)) !== negated;
  }

  private span(from: number, to: number): Test {
    const inside = (code: number): boolean => code >= from && code <= to;
    return this.ignoreCase ? (code) => inside(lower(code)) || inside(upper(code)) : inside;
  }

  private literal(char: string): Test {
    const wanted = char.charCodeAt(0);
    if (!this.ignoreCase) return (code) => code === wanted;
    return (code) => lower(code) === lower(wanted);
  }

  private take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }
}

const classes: Readonly<Record<string, Test>> = {
  d: (code) => code >= 48 && code <= 57,
  w: isWord,
  s: (code) => code === 32 || (code >= 9 && code <= 13),
};
const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11 };

function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}

function lower(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}

function upper(code: number): number {
  return code >= 97 && code <= 122 ? code - 32 : code;
}

/** The parts as a list of nodes; each consuming node goes on to the next one in the list. */
function assemble(part: Part): readonly Node[] {
  const nodes: (Node | { op: 'split'; to: number[] })[] = [];
  const split = (...to: number[]): { op: 'split'; to: number[] } => {
    const node = { op: 'split' as const, to };
    nodes.push(node);
    if (nodes.length > maxNodes) throw new Unsupported();
    return node;
  };
  const add = (item: Part): void => {
    if (item.kind === 'char') nodes.push({ op: 'char', test: item.test });
    else if (item.kind === 'assert') nodes.push({ op: item.op });
    else if (item.kind === 'join') item.parts.forEach(add);
    else if (item.kind === 'either') addEither(item.parts);
    else addRepeat(item);
    if (nodes.length > maxNodes) throw new Unsupported();
  };
  const addEither = (parts: readonly Part[]): void => {
    const entry = split();
    const exits: { to: number[] }[] = [];
    for (const item of parts) {
      entry.to.push(nodes.length);
      add(item);
      exits.push(split());
    }
    for (const exit of exits) exit.to.push(nodes.length);
  };
  const addRepeat = ({ part: item, min, max }: Extract<Part, { kind: 'repeat' }>): void => {
    for (let count = 0; count < min; count++) add(item);
    if (max === Infinity) {
      const loop = nodes.length;
      const entry = split(loop + 1);
      add(item);
      split(loop);
      entry.to.push(nodes.length);
      return;
    }
    const exits: { to: number[] }[] = [];
    for (let count = min; count < max; count++) {
      exits.push(split(nodes.length + 1));
      add(item);
    }
    for (const exit of exits) exit.to.push(nodes.length);
  };
  add(part);
  nodes.push({ op: 'match' });
  return nodes;
}

function run(nodes: readonly Node[], text: string, anchored: boolean): boolean {
  let places = new Set<number>();
  for (let at = 0; at <= text.length; at++) {
    if (at === 0 || !anchored) enter(nodes, 0, text, at, places);
    if (places.has(nodes.length - 1) && (!anchored || at === text.length)) return true;
    const next = new Set<number>();
    if (at < text.length) {
      const code = text.charCodeAt(at);
      for (const place of places) {
        const node = nodes[place]!;
        if (node.op === 'char' && node.test(code)) enter(nodes, place + 1, text, at + 1, next);
      }
    }
    places = next;
    if (anchored && places.size === 0) return false;
  }
  return false;
}

/** All places that are reached without reading a character. */
function enter(nodes: readonly Node[], start: number, text: string, at: number, into: Set<number>): void {
  const open = [start];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (into.has(place)) continue;
    const node = nodes[place]!;
    into.add(place);
    if (node.op === 'split') open.push(...node.to);
    else if (node.op !== 'char' && node.op !== 'match' && holds(node.op, text, at)) open.push(place + 1);
  }
}

function holds(op: 'start' | 'end' | 'word' | 'not-word', text: string, at: number): boolean {
  if (op === 'start') return at === 0;
  if (op === 'end') return at === text.length;
  const before = at > 0 && isWord(text.charCodeAt(at - 1));
  const after = at < text.length && isWord(text.charCodeAt(at));
  return (before !== after) === (op === 'word');
}
