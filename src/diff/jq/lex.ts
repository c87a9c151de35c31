/** The expression is outside of what is evaluated here. */
export class JqUnsupported extends Error {}

export interface Token {
  readonly type: 'field' | 'name' | 'string' | 'number' | 'operator';
  readonly text: string;
}

const operator = /^(?:\.\.|==|!=|<=|>=|\/\/|[.[\](){}|,:;?<>+\-=*/%$])/;
const number = /^\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,3})?/;
const name = /^[A-Za-z_]\w*/;
const escape: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/**
 * Tokens of a jq expression. `.name` and `."text"` are one token of type `field`.
 * @throws JqUnsupported for text that is no token, and for string interpolation
 */
export function lex(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at, at + 400);
    const blank = /^(?:\s+|#[^\n]*)/.exec(rest);
    if (blank !== null) {
      at += blank[0].length;
      continue;
    }
    const dotted = rest.startsWith('.') ? name.exec(rest.slice(1)) : null;
    if (dotted !== null) {
      tokens.push({ type: 'field', text: dotted[0] });
      at += dotted[0].length + 1;
    } else if (rest.startsWith('."') || rest.startsWith('"')) {
      const start = rest.startsWith('.') ? at + 2 : at + 1;
      const { text, end } = readString(source, start);
      tokens.push({ type: rest.startsWith('.') ? 'field' : 'string', text });
      at = end;
    } else {
      const token = plainToken(rest);
      tokens.push(token);
      at += token.text.length;
    }
  }
  return tokens;
}

function plainToken(rest: string): Token {
  const digits = number.exec(rest);
  if (digits !== null) return { type: 'number', text: digits[0] };
  const word = name.exec(rest);
  if (word !== null) return { type: 'name', text: word[0] };
  const sign = operator.exec(rest);
  if (sign === null) throw new JqUnsupported();
  return { type: 'operator', text: sign[0] };
}

function readString(source: string, start: number): { readonly text: string; readonly end: number } {
  let text = '';
  for (let at = start; at < source.length; at++) {
    const char = source[at]!;
    if (char === '"') return { text, end: at + 1 };
    if (char !== '\\') {
      text += char;
      continue;
    }
    const next = source[++at] ?? '';
    const code = next === 'u' ? /^[0-9a-fA-F]{4}/.exec(source.slice(at + 1, at + 5)) : null;
    if (code !== null) {
      text += String.fromCharCode(Number.parseInt(code[0], 16));
      at += 4;
    } else if (Object.hasOwn(escape, next)) {
      text += escape[next]!;
    } else if (next === '"' || next === '\\' || next === '/') {
      text += next;
    } else {
      throw new JqUnsupported();
    }
  }
  throw new JqUnsupported();
}
