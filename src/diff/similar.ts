import type { Entry } from '../core/model.ts';
import { isFields } from './defaults/fill.ts';
import type { Pair } from './match.ts';

/** Share of equal leaves from which two objects count as one that was renamed (rules.md, object-identity-change). */
const threshold = 0.8;
/** Objects with fewer leaves than this outside of their name say too little. */
const minLeaves = 4;
const maxLeaves = 1500;
/** Up to this many comparisons in one bucket each is made; beyond, only objects that share a rare leaf are compared. */
const maxComparisons = 400;
/** A leaf that more objects of a bucket share than this says nothing. */
const rare = 8;

interface Candidate {
  readonly entry: Entry;
  readonly leaves: ReadonlySet<string>;
}

/**
 * Pairs removed and added objects of one kind, namespace and target whose content is nearly equal, the best first.
 * Bounded: buckets by kind and namespace; in big buckets only objects that share a rare leaf.
 */
export function pairSimilar(removed: readonly Entry[], added: readonly Entry[]): Pair[] {
  const buckets = new Map<string, { removed: Entry[]; added: Entry[] }>();
  for (const entry of removed) bucket(buckets, entry).removed.push(entry);
  for (const entry of added) bucket(buckets, entry).added.push(entry);
  const pairs: Pair[] = [];
  for (const entries of buckets.values()) {
    if (entries.removed.length > 0 && entries.added.length > 0) pairs.push(...pairBucket(entries));
  }
  return pairs;
}

function bucket(
  buckets: Map<string, { removed: Entry[]; added: Entry[] }>,
  entry: Entry,
): { removed: Entry[]; added: Entry[] } {
  const { group, kind, namespace } = entry.ref;
  const key = [entry.target.id, group, kind, namespace ?? '', entry.hook?.length ?? 0].join('\0');
  let found = buckets.get(key);
  if (found === undefined) {
    found = { removed: [], added: [] };
    buckets.set(key, found);
  }
  return found;
}

function pairBucket(entries: { removed: readonly Entry[]; added: readonly Entry[] }): Pair[] {
  const left = entries.removed.map(candidate).filter((item) => item.leaves.size >= minLeaves);
  const right = entries.added.map(candidate).filter((item) => item.leaves.size >= minLeaves);
  const scored: { before: Entry; after: Entry; similarity: number }[] = [];
  const partners = left.length * right.length > maxComparisons ? sharingRareLeaf(right) : () => right;
  for (const before of left) {
    for (const after of partners(before)) {
      const similarity = jaccard(before.leaves, after.leaves);
      if (similarity >= threshold) scored.push({ before: before.entry, after: after.entry, similarity });
    }
  }
  scored.sort((a, b) => b.similarity - a.similarity || compareNames(a.after, b.after));
  const used = new Set<Entry>();
  const pairs: Pair[] = [];
  for (const { before, after, similarity } of scored) {
    if (used.has(before) || used.has(after)) continue;
    used.add(before).add(after);
    pairs.push({ before, after, by: 'similarity', similarity });
  }
  return pairs;
}

function compareNames(a: Entry, b: Entry): number {
  return a.ref.name < b.ref.name ? -1 : a.ref.name > b.ref.name ? 1 : 0;
}

function sharingRareLeaf(right: readonly Candidate[]): (before: Candidate) => Iterable<Candidate> {
  const index = new Map<string, Candidate[]>();
  for (const item of right) {
    for (const leaf of item.leaves) {
      const list = index.get(leaf);
      if (list === undefined) index.set(leaf, [item]);
      else list.push(item);
    }
  }
  return (before) => {
    const found = new Set<Candidate>();
    for (const leaf of before.leaves) {
      const list = index.get(leaf);
      if (list !== undefined && list.length <= rare) for (const item of list) found.add(item);
      if (found.size >= rare * 4) break;
    }
    return found;
  };
}

function jaccard(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const [small, large] = left.size < right.size ? [left, right] : [right, left];
  if (small.size / large.size < threshold) return 0;
  let common = 0;
  for (const leaf of small) if (large.has(leaf)) common++;
  return common / (left.size + right.size - common);
}

/** The leaves of an object outside of its metadata, with its own name blanked out wherever it is repeated. */
function candidate(entry: Entry): Candidate {
  const leaves = new Set<string>();
  for (const [key, value] of Object.entries(entry.object)) {
    if (key !== 'apiVersion' && key !== 'kind' && key !== 'metadata' && key !== 'status') {
      collect(value, key, entry.ref.name, leaves, 0);
    }
  }
  return { entry, leaves };
}

function collect(value: unknown, path: string, name: string, into: Set<string>, depth: number): void {
  if (into.size >= maxLeaves || depth > 60) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, path, name, into, depth + 1);
  } else if (isFields(value)) {
    for (const [key, inner] of Object.entries(value)) collect(inner, `${path}/${key}`, name, into, depth + 1);
  } else {
    const text = typeof value === 'string' ? value.replaceAll(name, '\0') : String(value);
    into.add(`${path}=${text}`);
  }
}
