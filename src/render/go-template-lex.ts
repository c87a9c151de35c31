/** A part of a template: plain text, or the inside of one `{{ }}` action cut into tokens. */
export type TemplatePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly open: string; readonly close: string; readonly tokens: readonly Token[] };

export interface Token {
  /** `word`: an identifier that is no field, so a function or a keyword. `field`: `.a.b`, `$.a`, `$x.a`. */
  readonly type: 'word' | 'field' | 'pipe' | 'open' | 'close' | 'space' | 'other';
  readonly text: string;
}

/**
 * Cuts a Go template into text and actions, as text/template/parse/lex.go does; comments are dropped as text.
 * @returns undefined when an action is not closed: the engine says what is wrong
 */
export function lexTemplate(template: string): readonly TemplatePart[] | undefined {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < template.length) {
    const start = template.indexOf('{{', at);
    if (start === -1) break;
    if (start > at) parts.push({ type: 'text', text: template.slice(at, start) });
    const trims = template.startsWith('{{- ', start) || /^\{\{-[\t\r\n]/.test(template.slice(start, start + 4));
    const open = trims ? '{{-' : '{{';
    const inside = lexAction(template, start + open.length);
    if (inside === undefined) return undefined;
    parts.push({ type: 'action', open, close: inside.close, tokens: inside.tokens });
    at = inside.end;
  }
  if (at < template.length) parts.push({ type: 'text', text: template.slice(at) });
  return parts;
}

/** One template text again. */
export function printTemplate(parts: readonly TemplatePart[]): string {
  return parts
    .map((part) =>
      part.type === 'text' ? part.text : part.open + part.tokens.map((token) => token.text).join('') + part.close,
    )
    .join('');
}

interface Action {
  readonly tokens: readonly Token[];
  readonly close: string;
  readonly end: number;
}

const space = /[ \t\r\n]+/y;
const comment = /[ \t\r\n]*\/\*[^]*?\*\//y;
const field = /(?:\$[\p{L}\p{Nd}_]*|\.)?(?:\.?[\p{L}_][\p{L}\p{Nd}_]*)(?:\.[\p{L}_][\p{L}\p{Nd}_]*)*/uy;
const variable = /\$[\p{L}\p{Nd}_]*/uy;
const numberLike = /[+-]?\d[\w.+-]*/y;

function lexAction(template: string, from: number): Action | undefined {
  const tokens: Token[] = [];
  let at = from;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(template)?.[0];
  };
  const push = (type: Token['type'], text: string): void => {
    tokens.push({ type, text });
    at += text.length;
  };
  const commented = match(comment);
  if (commented !== undefined) push('other', commented);
  while (at < template.length) {
    if (template.startsWith('}}', at)) return { tokens, close: '}}', end: at + 2 };
    if (/^[ \t\r\n]-\}\}/.test(template.slice(at, at + 4))) {
      push('space', template.charAt(at));
      return { tokens, close: '-}}', end: at + 3 };
    }
    const character = template.charAt(at);
    const text =
      character === '"' || character === "'" ? quoted(template, at) : character === '`' ? raw(template, at) : undefined;
    if (text !== undefined) {
      if (text === '') return undefined;
      push('other', text);
      continue;
    }
    const blank = match(space);
    const number = match(numberLike);
    const name = number === undefined ? match(field) : undefined;
    if (blank !== undefined) push('space', blank);
    else if (number !== undefined) push('other', number);
    else if (name !== undefined && name !== '')
      push(/^[.$]/.test(name) ? 'field' : name.includes('.') ? 'other' : 'word', name);
    else if (character === '$') push('other', match(variable) ?? '$');
    else if (character === '|') push('pipe', '|');
    else if (character === '(') push('open', '(');
    else if (character === ')') push('close', ')');
    else push('other', character);
  }
  return undefined;
}

/** A string or character constant with its quotes; '' when it is not closed. */
function quoted(template: string, start: number): string {
  const quote = template.charAt(start);
  for (let at = start + 1; at < template.length; at++) {
    const character = template.charAt(at);
    if (character === '\\') at++;
    else if (character === '\n') return '';
    else if (character === quote) return template.slice(start, at + 1);
  }
  return '';
}

function raw(template: string, start: number): string {
  const end = template.indexOf('`', start + 1);
  return end === -1 ? '' : template.slice(start, end + 1);
}
