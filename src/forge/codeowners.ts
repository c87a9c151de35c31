/**
 * CODEOWNERS as GitHub reads it (docs: About code owners). Patterns are those of gitignore, but: no `!`, no `[ ]`, no `\#`;
 * `docs/*` does not reach into subdirectories; letter case counts. The last matching line decides, also when it names
 * nobody. A line that is not valid is skipped.
 */
export interface OwnerRule {
  readonly line: number;
  readonly pattern: string;
  /** As written: `@login`, `@organization/team`, `somebody@example.org`. Empty: deliberately nobody. */
  readonly owners: readonly string[];
}

export interface Codeowners {
  readonly rules: readonly OwnerRule[];
  /** Lines that GitHub skips, and why. */
  readonly problems: readonly { readonly line: number; readonly reason: string }[];
}

/** "CODEOWNERS files must be under 3 MB in size": a larger one is not loaded. */
const maxBytes = 3_000_000;

const login = /^@[A-Za-z0-9][\w-]{0,99}(?:\[bot\])?$/;
const team = /^@[A-Za-z0-9][\w-]{0,99}\/[\w.-]{1,255}$/;
const email = /^[^\s@]{1,254}@[^\s@]{1,254}$/;

/** Reads the text of a CODEOWNERS file. Never throws: what cannot be read is a problem. */
export function parseCodeowners(text: string): Codeowners {
  if (Buffer.byteLength(text) > maxBytes)
    return { rules: [], problems: [{ line: 1, reason: 'the file is larger than 3 MB, so GitHub does not load it' }] };
  const rules: OwnerRule[] = [];
  const problems: { line: number; reason: string }[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    const words = wordsOf(raw);
    const [pattern, ...owners] = words;
    if (pattern === undefined) continue;
    const reason = patternProblem(pattern) ?? ownerProblem(owners);
    if (reason === undefined) rules.push({ line, pattern, owners });
    else problems.push({ line, reason });
  }
  return { rules, problems };
}

/** Words of a line without its comment: a `#` at the beginning of a word. A space behind a backslash belongs to the word. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word = '';
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index]!;
    if (character === '\\' && index + 1 < line.length) {
      word += character + line[index + 1]!;
      index += 1;
    } else if (character === ' ' || character === '\t') {
      if (word !== '') words.push(word);
      word = '';
    } else if (character === '#' && word === '') {
      return words;
    } else {
      word += character;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

function patternProblem(pattern: string): string | undefined {
  if (pattern.startsWith('!')) return '"!" does not negate in CODEOWNERS';
  if (pattern.startsWith('\\#')) return 'a pattern cannot begin with "#"';
  if (/[[\]]/.test(pattern)) return '"[ ]" does not work in CODEOWNERS';
  if (/^\/+$/.test(pattern)) return 'the pattern names nothing';
  return undefined;
}

function ownerProblem(owners: readonly string[]): string | undefined {
  const wrong = owners.find((owner) => !login.test(owner) && !team.test(owner) && !email.test(owner));
  return wrong === undefined ? undefined : `"${wrong.slice(0, 80)}" is no owner (@login, @organization/team or e-mail)`;
}

/**
 * The line that decides who owns a file.
 * @param path relative to the root of the repository, `/` separated
 * @returns undefined when no line matches; a rule without owners means that nobody owns the file
 */
export function ownerRule({ rules }: Codeowners, path: string): OwnerRule | undefined {
  const segments = path.split('/').filter((segment) => segment !== '');
  return rules.findLast((rule) => matches(rule.pattern, segments));
}

function matches(pattern: string, path: readonly string[]): boolean {
  const directory = pattern.endsWith('/');
  const parts = pattern.split('/').filter((part) => part !== '');
  // A slash at the beginning or in the middle ties the pattern to the root.
  const anchored = pattern.startsWith('/') || parts.length > 1;
  const wanted = anchored ? parts : ['**', ...parts];
  const last = parts.at(-1);
  // `docs/*` and `/*`: files directly there.
  const direct = anchored && last === '*' && !directory;
  // `docs/**`: everything below, so at least one more segment; the final `**` takes the rest by itself.
  return matchSegments(wanted, path, direct ? 'whole' : directory ? 'below' : 'whole-or-below');
}

/**
 * Segment by segment; `**` takes any number of them. `below`: the path goes on behind the match (the pattern names a
 * directory). Time grows with the product of both lengths only.
 */
function matchSegments(
  pattern: readonly string[],
  path: readonly string[],
  end: 'whole' | 'below' | 'whole-or-below',
): boolean {
  // reach[i]: the pattern so far can have taken the first i segments.
  let reach: boolean[] = path.map(() => false);
  reach.unshift(true);
  for (const [index, part] of pattern.entries()) {
    const next: boolean[] = reach.map(() => false);
    if (part === '**') {
      const least = index === pattern.length - 1 ? 1 : 0;
      let open = false;
      for (let taken = 0; taken <= path.length; taken += 1) {
        if (least === 1) {
          next[taken] = open;
          open ||= reach[taken]!;
        } else {
          open ||= reach[taken]!;
          next[taken] = open;
        }
      }
    } else {
      for (let taken = 0; taken < path.length; taken += 1)
        if (reach[taken]! && matchSegment(part, path[taken]!)) next[taken + 1] = true;
    }
    reach = next;
  }
  const whole = reach[path.length]!;
  const below = reach.some((reached, taken) => reached && taken > 0 && taken < path.length);
  return end === 'whole' ? whole : end === 'below' ? below : whole || below;
}

/** `*` any text, `?` one character, a backslash takes the next character as it is. Never more than length times length steps. */
function matchSegment(pattern: string, text: string): boolean {
  const tokens: (string | { readonly any: 'one' | 'many' })[] = [];
  const characters = Array.from(pattern);
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index]!;
    if (character === '\\' && index + 1 < characters.length) tokens.push(characters[++index]!);
    else if (character === '*') tokens.push({ any: 'many' });
    else tokens.push(character === '?' ? { any: 'one' } : character);
  }
  const letters = Array.from(text);
  let token = 0;
  let star = -1;
  let mark = 0;
  let letter = 0;
  while (letter < letters.length) {
    const current = tokens[token];
    if (typeof current === 'object' && current.any === 'many') {
      star = token++;
      mark = letter;
    } else if (current !== undefined && (typeof current === 'object' || current === letters[letter])) {
      token += 1;
      letter += 1;
    } else if (star >= 0) {
      // The last star takes one letter more.
      token = star + 1;
      letter = ++mark;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => typeof rest === 'object' && rest.any === 'many');
}
