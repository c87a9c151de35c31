/**
 * Glob matchers of the tools that read the same repository, for patterns that may come from a hostile pull request:
 * matching takes time proportional to pattern length times text length, whatever the pattern.
 */
export type GlobDialect =
  /** Go `path.Match`: `*` and `?` stop at `/`; `[a-z]`, `[^a-z]`; no `**`, no braces; a bad pattern matches nothing. */
  | 'go-path'
  /** bmatcuk/doublestar: as `go-path`, plus `**` across directories and `{a,b}`. */
  | 'doublestar'
  /** A pathspec of `git ls-files`: `*` and `?` also match `/`; without wildcards, a file or everything below a directory. */
  | 'pathspec';

type Token =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'any'; readonly slash: boolean }
  | { readonly kind: 'star'; readonly slash: boolean }
  /** Zero or more whole directories with their `/`. */
  | { readonly kind: 'directories' }
  | {
      readonly kind: 'class';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    };

/** Does the text hold characters that make a pattern of it (doublestar's and git's `*`, `?`, `[`)? */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/** Compiles a pattern. Paths are relative to the root, `/` separated. */
export function compileGlob(pattern: string, dialect: GlobDialect): (path: string) => boolean {
  // Longer than any path: no honest pattern.
  if (pattern.length > 4096) return () => false;
  if (dialect === 'pathspec') {
    const clean = pattern.replace(/^(?:\.?\/)+/, '');
    if (!isGlob(clean)) {
      const directory = clean.replace(/\/+$/, '');
      if (directory === '' || directory === '.') return () => true;
      return (path) => (path === directory && !clean.endsWith('/')) || path.startsWith(`${directory}/`);
    }
    const tokens = tokenize(clean, dialect);
    return tokens === undefined ? () => false : (path) => matches(tokens, path);
  }
  const alternatives = dialect === 'doublestar' ? expandBraces(pattern) : [pattern];
  const compiled = alternatives
    .map((alternative) => tokenize(alternative, dialect))
    .filter((tokens) => tokens !== undefined);
  return (path) => compiled.some((tokens) => matches(tokens, path));
}

/** `{a,b}` to one pattern each; more than 200 alternatives are not expanded further (the braces stay as text). */
function expandBraces(pattern: string): readonly string[] {
  const done: string[] = [];
  const queue = [pattern];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const open = next.indexOf('{');
    const close = open < 0 ? -1 : closingBrace(next, open);
    if (close < 0 || done.length + queue.length > 200) {
      done.push(next);
      continue;
    }
    const head = next.slice(0, open);
    const tail = next.slice(close + 1);
    for (const part of splitAlternatives(next.slice(open + 1, close))) queue.push(head + part + tail);
  }
  return done;
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '{') depth += 1;
    else if (text[at] === '}' && (depth -= 1) === 0) return at;
  }
  return -1;
}

function splitAlternatives(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** undefined: a pattern that Go calls malformed. */
function tokenize(pattern: string, dialect: GlobDialect): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const slash = dialect === 'pathspec';
  let at = 0;
  while (at < pattern.length) {
    const character = pattern.charAt(at);
    if (character === '*') {
      let end = at;
      while (pattern[end] === '*') end += 1;
      const double = dialect === 'doublestar' && end - at === 2 && (at === 0 || pattern[at - 1] === '/');
      if (double && pattern[end] === '/') {
        tokens.push({ kind: 'directories' });
        end += 1;
      } else {
        tokens.push({ kind: 'star', slash: slash || (double && end === pattern.length) });
      }
      at = end;
    } else if (character === '?') {
      tokens.push({ kind: 'any', slash });
      at += 1;
    } else if (character === '[') {
      const parsed = parseClass(pattern, at);
      if (parsed === undefined) return undefined;
      tokens.push(parsed.token);
      at = parsed.end;
    } else {
      const escaped = character === '\\';
      if (escaped && at + 1 >= pattern.length) return undefined;
      tokens.push({ kind: 'literal', text: escaped ? pattern.charAt(at + 1) : character });
      at += escaped ? 2 : 1;
    }
  }
  return tokens;
}

function parseClass(pattern: string, open: number): { readonly token: Token; readonly end: number } | undefined {
  let at = open + 1;
  const negated = pattern[at] === '^' || pattern[at] === '!';
  if (negated) at += 1;
  const ranges: (readonly [string, string])[] = [];
  const one = (): string | undefined => {
    if (pattern[at] === '\\') at += 1;
    const character = pattern[at];
    at += 1;
    return character;
  };
  while (at < pattern.length && (pattern[at] !== ']' || ranges.length === 0)) {
    const from = one();
    let to = from;
    if (pattern[at] === '-' && pattern[at + 1] !== ']' && at + 1 < pattern.length) {
      at += 1;
      to = one();
    }
    if (from === undefined || to === undefined) return undefined;
    ranges.push([from, to]);
  }
  if (pattern[at] !== ']') return undefined;
  return { token: { kind: 'class', negated, ranges }, end: at + 1 };
}

/** Runs all partial matches side by side: position `i` in `states` means tokens before `i` are matched. */
function matches(tokens: readonly Token[], text: string): boolean {
  let states = closure(tokens, new Set([0]), true);
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const next = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token === undefined) continue;
      if (token.kind === 'literal') {
        if (token.text === character) next.add(state + 1);
      } else if (token.kind === 'directories') {
        next.add(state);
      } else if (token.kind === 'star') {
        if (character !== '/' || token.slash) next.add(state);
      } else if (token.kind === 'any') {
        if (character !== '/' || token.slash) next.add(state + 1);
      } else if (inRanges(token.ranges, character) !== token.negated) {
        // `[^a]` matches `/` too, in Go and in git alike.
        next.add(state + 1);
      }
    }
    states = closure(tokens, next, character === '/');
    if (states.size === 0) return false;
  }
  return states.has(tokens.length);
}

function inRanges(ranges: readonly (readonly [string, string])[], character: string): boolean {
  return ranges.some(([from, to]) => from <= character && character <= to);
}

/** Tokens that may match nothing; directories end only where a segment begins. */
function closure(tokens: readonly Token[], states: Set<number>, atSegmentStart: boolean): Set<number> {
  for (const state of states) {
    const kind = tokens[state]?.kind;
    if (kind === 'star' || (kind === 'directories' && atSegmentStart)) states.add(state + 1);
  }
  return states;
}
