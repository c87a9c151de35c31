import type { Json } from '../../core/model.ts';
import { type Token, JqUnsupported, lex } from './lex.ts';

/** A jq expression. `of` is what a step is taken from. */
export type Jq =
  | { readonly op: 'identity' | 'recurse' }
  | { readonly op: 'literal'; readonly value: Json }
  | { readonly op: 'index'; readonly of: Jq; readonly key: Jq }
  | { readonly op: 'slice'; readonly of: Jq; readonly from: Jq | undefined; readonly to: Jq | undefined }
  | { readonly op: 'each' | 'try'; readonly of: Jq }
  | Binary<'pipe'>
  | Binary<'comma'>
  | Binary<'alternative'>
  | Binary<'or'>
  | Binary<'and'>
  | Binary<'plus'>
  | Binary<'minus'>
  | { readonly op: 'compare'; readonly by: string; readonly left: Jq; readonly right: Jq }
  | { readonly op: 'list'; readonly of: Jq | undefined }
  | { readonly op: 'mapping'; readonly entries: readonly (readonly [key: Jq, value: Jq])[] }
  | { readonly op: 'if'; readonly test: Jq; readonly yes: Jq; readonly no: Jq }
  | { readonly op: 'call'; readonly name: string; readonly args: readonly Jq[] };

interface Binary<Op extends string> {
  readonly op: Op;
  readonly left: Jq;
  readonly right: Jq;
}

const maxLength = 4000;
const maxDepth = 60;
const identity: Jq = { op: 'identity' };
/** Words that begin or end something that is not understood here. */
const reserved = new Set(
  'as def reduce foreach label import include then else elif end and or __loc__ catch break'.split(' '),
);

/**
 * Parses a jq expression as gojq does (precedence of jq's manual: `|`, `,`, `//`, `or`, `and`, comparisons, `+ -`).
 * Variables, definitions, assignments, `reduce`, `foreach`, formats and string interpolation are not understood.
 * @throws JqUnsupported
 */
export function parseJq(source: string): Jq {
  if (source.length > maxLength) throw new JqUnsupported();
  const parser = new Parser(lex(source));
  return parser.whole();
}

/** `?` guards the last step alone: what fails before it still fails. */
function optional(of: Jq): Jq {
  if (of.op === 'each') return { op: 'pipe', left: of.of, right: { op: 'try', of: { ...of, of: identity } } };
  if (of.op !== 'index' && of.op !== 'slice') return { op: 'try', of };
  const inside = of.op === 'index' ? [of.key] : [of.from, of.to];
  // Computed keys look at what the whole term looks at.
  if (inside.some((key) => key !== undefined && key.op !== 'literal')) throw new JqUnsupported();
  return { op: 'pipe', left: of.of, right: { op: 'try', of: { ...of, of: identity } } };
}

class Parser {
  private at = 0;
  private depth = 0;
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  whole(): Jq {
    const result = this.pipe();
    if (this.at < this.tokens.length) throw new JqUnsupported();
    return result;
  }

  private pipe(): Jq {
    if (++this.depth > maxDepth) throw new JqUnsupported();
    const left = this.comma();
    const result: Jq = this.takes('|') ? { op: 'pipe', left, right: this.pipe() } : left;
    this.depth--;
    return result;
  }

  private comma(): Jq {
    let left = this.alternative();
    while (this.takes(',')) left = { op: 'comma', left, right: this.alternative() };
    return left;
  }

  private alternative(): Jq {
    if (++this.depth > maxDepth) throw new JqUnsupported();
    const left = this.either();
    const result: Jq = this.takes('//') ? { op: 'alternative', left, right: this.alternative() } : left;
    this.depth--;
    return result;
  }

  private either(): Jq {
    let left = this.both();
    while (this.takesName('or')) left = { op: 'or', left, right: this.both() };
    return left;
  }

  private both(): Jq {
    let left = this.comparison();
    while (this.takesName('and')) left = { op: 'and', left, right: this.comparison() };
    return left;
  }

  private comparison(): Jq {
    const left = this.sum();
    for (const by of ['==', '!=', '<=', '>=', '<', '>']) {
      if (this.takes(by)) return { op: 'compare', by, left, right: this.sum() };
    }
    return left;
  }

  private sum(): Jq {
    let left = this.postfix();
    for (;;) {
      if (this.takes('+')) left = { op: 'plus', left, right: this.postfix() };
      else if (this.takes('-')) left = { op: 'minus', left, right: this.postfix() };
      else return left;
    }
  }

  private postfix(): Jq {
    let of = this.primary();
    for (let steps = 0; steps < 200; steps++) {
      const token = this.tokens[this.at];
      if (token?.type === 'field') {
        this.at++;
        of = { op: 'index', of, key: { op: 'literal', value: token.text } };
      } else if (this.takes('?')) {
        of = optional(of);
      } else if (this.is('[') || (this.is('.') && this.is('[', 1))) {
        this.takes('.');
        of = this.bracket(of);
      } else {
        return of;
      }
    }
    throw new JqUnsupported();
  }

  private bracket(of: Jq): Jq {
    this.expect('[');
    if (this.takes(']')) return { op: 'each', of };
    const from = this.is(':') ? undefined : this.pipe();
    if (this.takes(':')) {
      const to = this.is(']') ? undefined : this.pipe();
      this.expect(']');
      return { op: 'slice', of, from, to };
    }
    this.expect(']');
    return { op: 'index', of, key: from! };
  }

  private primary(): Jq {
    const token = this.tokens[this.at++];
    if (token === undefined) throw new JqUnsupported();
    if (token.type === 'field') return { op: 'index', of: identity, key: { op: 'literal', value: token.text } };
    if (token.type === 'string') return { op: 'literal', value: token.text };
    if (token.type === 'number') return { op: 'literal', value: Number(token.text) };
    if (token.type === 'name') return this.named(token.text);
    if (token.text === '.') return identity;
    if (token.text === '..') return { op: 'recurse' };
    if (token.text === '-') return this.negative();
    if (token.text === '(') {
      const inner = this.pipe();
      this.expect(')');
      return inner;
    }
    if (token.text === '[') {
      if (this.takes(']')) return { op: 'list', of: undefined };
      const of = this.pipe();
      this.expect(']');
      return { op: 'list', of };
    }
    if (token.text === '{') return this.mapping();
    throw new JqUnsupported();
  }

  private negative(): Jq {
    const token = this.tokens[this.at++];
    if (token?.type !== 'number') throw new JqUnsupported();
    return { op: 'literal', value: -Number(token.text) };
  }

  private named(name: string): Jq {
    if (name === 'true' || name === 'false') return { op: 'literal', value: name === 'true' };
    if (name === 'null') return { op: 'literal', value: null };
    if (name === 'if') return this.condition();
    if (name === 'try') return { op: 'try', of: this.postfix() };
    if (reserved.has(name)) throw new JqUnsupported();
    const args: Jq[] = [];
    if (this.takes('(')) {
      do args.push(this.pipe());
      while (this.takes(';'));
      this.expect(')');
    }
    return { op: 'call', name, args };
  }

  private condition(): Jq {
    const test = this.pipe();
    if (!this.takesName('then')) throw new JqUnsupported();
    const yes = this.pipe();
    if (this.takesName('elif')) return { op: 'if', test, yes, no: this.condition() };
    const no = this.takesName('else') ? this.pipe() : identity;
    if (!this.takesName('end')) throw new JqUnsupported();
    return { op: 'if', test, yes, no };
  }

  private mapping(): Jq {
    const entries: (readonly [Jq, Jq])[] = [];
    while (!this.takes('}')) {
      const token = this.tokens[this.at++];
      if (token?.type !== 'name' && token?.type !== 'string') throw new JqUnsupported();
      this.expect(':');
      entries.push([{ op: 'literal', value: token.text }, this.alternative()]);
      if (!this.takes(',') && !this.is('}')) throw new JqUnsupported();
    }
    return { op: 'mapping', entries };
  }

  private is(text: string, ahead = 0): boolean {
    const token = this.tokens[this.at + ahead];
    return token?.type === 'operator' && token.text === text;
  }

  private takes(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  private takesName(text: string): boolean {
    const token = this.tokens[this.at];
    if (token?.type !== 'name' || token.text !== text) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.takes(text)) throw new JqUnsupported();
  }
}
