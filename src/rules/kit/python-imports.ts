/** An import of a top-level module. */
export interface Import {
  /** First part of the dotted name. */
  readonly module: string;
  /** 1-based. */
  readonly line: number;
  /**
   * `always`: runs when the module is loaded. `optional`: in a try that catches ImportError, or in the handler of one, or
   * behind a condition. `typing`: under `if TYPE_CHECKING`. `late`: inside a function, runs when that is called.
   */
  readonly context: 'always' | 'optional' | 'typing' | 'late';
}

interface Block {
  readonly indent: number;
  readonly kind: 'try' | 'handler' | 'typing' | 'function' | 'condition' | 'other';
  /** For `try`: the imports seen in it, which become optional when a handler catches ImportError. */
  readonly imports: number[];
}

/** A larger file is generated. */
const maximumCharacters = 512 * 1024;

/**
 * The absolute imports of a Python file by a scan of its lines: knows indentation, strings over several lines, line
 * continuations and parentheses, and no more of the language than that.
 */
export function findImports(text: string): readonly Import[] {
  if (text.length > maximumCharacters) return [];
  const found: { module: string; line: number; context: Import['context'] }[] = [];
  const blocks: Block[] = [];
  let lastTry: Block | undefined;
  for (const { code, line, indent } of logicalLines(text)) {
    while ((blocks.at(-1)?.indent ?? -1) >= indent) {
      const closed = blocks.pop();
      if (closed?.kind === 'try') lastTry = closed;
    }
    if (/^except\b/.test(code) && lastTry?.indent === indent) {
      if (/^except\s*:|ImportError|ModuleNotFoundError|\bException\b/.test(code)) {
        for (const index of lastTry.imports) {
          const entry = found[index];
          if (entry !== undefined) entry.context = 'optional';
        }
      }
      blocks.push({ indent, kind: 'handler', imports: [] });
      readInline(code, line);
      continue;
    }
    const kind = blockKind(code);
    if (kind !== undefined) blocks.push({ indent, kind, imports: [] });
    readInline(code, line);
  }
  return found;

  /** Imports of a line, also after a colon or semicolon: `try: import x`. */
  function readInline(code: string, line: number): void {
    for (const part of code.split(/;|:\s+(?=import\b|from\b)/)) {
      for (const module of modulesOf(part.trim())) {
        for (const block of blocks) if (block.kind === 'try') block.imports.push(found.length);
        found.push({ module, line, context: contextOf(blocks) });
      }
    }
  }
}

function contextOf(blocks: readonly Block[]): Import['context'] {
  const kinds = new Set(blocks.map((block) => block.kind));
  if (kinds.has('typing')) return 'typing';
  if (kinds.has('handler') || kinds.has('condition')) return 'optional';
  return kinds.has('function') ? 'late' : 'always';
}

function blockKind(code: string): Block['kind'] | undefined {
  if (/^try\s*:/.test(code)) return 'try';
  if (/^if\s+(?:[\w.]*\.)?TYPE_CHECKING\s*:/.test(code)) return 'typing';
  if (/^(?:async\s+)?def\s/.test(code)) return 'function';
  if (/^if\s+__name__\s*==/.test(code)) return 'other';
  if (/^(?:if|elif|else|finally|with\s+(?:contextlib\.)?suppress)\b/.test(code))
    return code.startsWith('finally') ? 'other' : 'condition';
  return /^(?:class|for|while|with|match|case|async)\b.*:$/.test(code) ? 'other' : undefined;
}

function modulesOf(statement: string): readonly string[] {
  const from = /^from\s+([A-Za-z_]\w*)(?:\.\w+)*\s+import\b/.exec(statement);
  if (from !== null) return [from[1] ?? ''];
  const names = /^import\s+(.+)$/.exec(statement)?.[1];
  if (names === undefined) return [];
  return names.split(',').flatMap((name) => /^\s*([A-Za-z_]\w*)/.exec(name)?.[1] ?? []);
}

/** Statements with comments, strings and line breaks inside of parentheses removed. */
function* logicalLines(
  text: string,
): Generator<{ readonly code: string; readonly line: number; readonly indent: number }> {
  let code = '';
  let line = 1;
  let start = 1;
  let indent = 0;
  let depth = 0;
  let blank = true;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at] ?? '\n';
    if (char === '\n') {
      if (depth > 0 && at < text.length) code += ' ';
      else {
        if (code.trim() !== '') yield { code: code.trim(), line: start, indent };
        code = '';
        indent = 0;
        depth = 0;
        blank = true;
      }
      line += 1;
      if (blank) start = line;
    } else if (blank && (char === ' ' || char === '\t')) {
      indent += char === '\t' ? 8 - (indent % 8) : 1;
    } else {
      if (blank) {
        blank = false;
        start = line;
      }
      if (char === '#') {
        while (at + 1 < text.length && text[at + 1] !== '\n') at += 1;
      } else if (char === '"' || char === "'") {
        const end = endOfString(text, at);
        for (let inside = at; inside < end; inside++) if (text[inside] === '\n') line += 1;
        code += '""';
        at = end - 1;
      } else if (char === '\\' && /^\\\r?\n/.test(text.slice(at, at + 3))) {
        at += text[at + 1] === '\r' ? 2 : 1;
        line += 1;
        code += ' ';
      } else {
        if ('([{'.includes(char)) depth += 1;
        else if (')]}'.includes(char)) depth = Math.max(0, depth - 1);
        code += char;
      }
    }
  }
}

/** Offset after the closing quote; for a string that is not closed, the end of its line or of the text. */
function endOfString(text: string, start: number): number {
  const quote = text[start] ?? '';
  const triple = text.startsWith(quote.repeat(3), start);
  const delimiter = triple ? quote.repeat(3) : quote;
  for (let at = start + delimiter.length; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text.startsWith(delimiter, at)) return at + delimiter.length;
    else if (!triple && text[at] === '\n') return at;
  }
  return text.length;
}
