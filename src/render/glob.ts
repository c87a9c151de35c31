/**
 * Argo CD's globs for directory sources (github.com/gobwas/glob without separators): `*` and `**` match anything, also
 * `/`; `?` one character; `[a-z]`, `[!a]`; `{a,b}`; `\` escapes. Works on sets of positions, so that no pattern is slow.
 */
export function matchGlob(pattern: string, text: string): boolean {
  const [nodes] = parseSequence([...pattern], 0, false);
  return advance(nodes, [...text], new Set([0])).has([...text].length);
}

type Node =
  | { readonly type: 'literal'; readonly value: string }
  | { readonly type: 'any' | 'star' }
  | { readonly type: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly type: 'choice'; readonly branches: readonly (readonly Node[])[] };

const maximumDepth = 20;

function parseSequence(
  pattern: readonly string[],
  start: number,
  inChoice: boolean,
  depth = 0,
): readonly [Node[], number] {
  const nodes: Node[] = [];
  let at = start;
  while (at < pattern.length) {
    const character = pattern[at] as string;
    if (inChoice && (character === ',' || character === '}')) break;
    at++;
    if (character === '*') {
      if (nodes.at(-1)?.type !== 'star') nodes.push({ type: 'star' });
    } else if (character === '?') {
      nodes.push({ type: 'any' });
    } else if (character === '\\' && at < pattern.length) {
      nodes.push({ type: 'literal', value: pattern[at++] as string });
    } else if (character === '[' && pattern.indexOf(']', at) !== -1) {
      const end = pattern.indexOf(']', at + 1);
      nodes.push(parseClass(pattern.slice(at, end === -1 ? at : end)));
      at = end === -1 ? at : end + 1;
    } else if (character === '{' && depth < maximumDepth) {
      const branches: Node[][] = [];
      do {
        const [branch, next] = parseSequence(pattern, at, true, depth + 1);
        branches.push(branch);
        at = next + 1;
      } while (pattern[at - 1] === ',');
      nodes.push({ type: 'choice', branches });
    } else {
      nodes.push({ type: 'literal', value: character });
    }
  }
  return [nodes, at];
}

function parseClass(characters: readonly string[]): Node {
  const negated = characters[0] === '!' || characters[0] === '^';
  const rest = negated ? characters.slice(1) : characters;
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < rest.length; at++) {
    const from = rest[at] as string;
    const isRange = rest[at + 1] === '-' && at + 2 < rest.length;
    ranges.push([from, isRange ? (rest[at + 2] as string) : from]);
    if (isRange) at += 2;
  }
  return { type: 'class', negated, ranges };
}

function advance(nodes: readonly Node[], text: readonly string[], from: ReadonlySet<number>): ReadonlySet<number> {
  let positions = from;
  for (const node of nodes) {
    if (positions.size === 0) return positions;
    positions = step(node, text, positions);
  }
  return positions;
}

function step(node: Node, text: readonly string[], positions: ReadonlySet<number>): ReadonlySet<number> {
  const next = new Set<number>();
  if (node.type === 'star') {
    for (let at = Math.min(...positions); at <= text.length; at++) next.add(at);
    return next;
  }
  if (node.type === 'choice') {
    for (const branch of node.branches) for (const at of advance(branch, text, positions)) next.add(at);
    return next;
  }
  for (const at of positions) {
    const character = text[at];
    if (character !== undefined && fits(node, character)) next.add(at + 1);
  }
  return next;
}

function fits(node: Node, character: string): boolean {
  if (node.type === 'literal') return node.value === character;
  if (node.type === 'class')
    return node.ranges.some(([from, to]) => from <= character && character <= to) !== node.negated;
  return node.type === 'any';
}
