const maxAlternatives = 64;

/**
 * Does a glob of Argo CD match the whole text (gobwas/glob without separators)? `*` and `**` any text, `?` one character,
 * `[ab]`, `[!a-c]` one of, `{a,b}` alternatives. Time grows with the product of both lengths at worst.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  if (!/[*?[{\\]/.test(pattern)) return pattern === text;
  return alternatives(pattern).some((plain) => matches(tokens(plain), text));
}

/** The pattern with its braces written out; nested ones from the inside. */
function alternatives(pattern: string): readonly string[] {
  let open = [pattern];
  for (let round = 0; round < 10; round++) {
    const next = open.flatMap((text) => {
      const braces = /\{([^{}]*)\}/.exec(text);
      if (braces === null) return [text];
      const before = text.slice(0, braces.index);
      const after = text.slice(braces.index + braces[0].length);
      return (braces[1] ?? '').split(',').map((part) => before + part + after);
    });
    if (next.length > maxAlternatives || next.length === open.length) return next.slice(0, maxAlternatives);
    open = next;
  }
  return open;
}

type Part = '*' | ((char: string) => boolean);

function tokens(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === '*') {
      if (parts.at(-1) !== '*') parts.push('*');
    } else if (char === '?') {
      parts.push(() => true);
    } else if (char === '[' && pattern.includes(']', at + 1)) {
      const end = pattern.indexOf(']', at + 1);
      parts.push(oneOf(pattern.slice(at + 1, end)));
      at = end;
    } else {
      const wanted = char === '\\' ? (pattern[++at] ?? '\\') : char;
      parts.push((other) => other === wanted);
    }
  }
  return parts;
}

function oneOf(body: string): (char: string) => boolean {
  const negated = body.startsWith('!') || body.startsWith('^');
  const set = negated ? body.slice(1) : body;
  return (char) => {
    let found = false;
    for (let at = 0; at < set.length; at++) {
      const first = set[at]!;
      if (set[at + 1] === '-' && at + 2 < set.length) {
        found ||= char >= first && char <= set[at + 2]!;
        at += 2;
      } else {
        found ||= char === first;
      }
    }
    return found !== negated;
  };
}

function matches(parts: readonly Part[], text: string): boolean {
  let part = 0;
  let star = -1;
  let retry = 0;
  for (let at = 0; at < text.length;) {
    const here = parts[part];
    if (here === '*') {
      star = part++;
      retry = at;
    } else if (here !== undefined && here(text[at]!)) {
      part++;
      at++;
    } else if (star >= 0) {
      part = star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  while (parts[part] === '*') part++;
  return part === parts.length;
}
