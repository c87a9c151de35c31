import type { Entry } from '../core/model.ts';
import { identityOf } from './identity.ts';
import { pairSimilar } from './similar.ts';

/** What belongs together on the two sides. One of them is absent for added and removed objects. */
export interface Pair {
  readonly before?: Entry;
  readonly after?: Entry;
  /** How the two were recognised; `identity` also for unpaired ones. */
  readonly by: 'identity' | 'moved' | 'generated-name' | 'similarity';
  /** 0..1, for `similarity`. */
  readonly similarity?: number;
}

/**
 * Pairs the objects of two sides: by identity within a target (version changes keep the identity), by identity across
 * targets of one scope (moved), by the prefix of a generated name, and last by content. Linear in the number of objects.
 * @param before objects of targets that rendered on both sides, or exist on this side only
 */
export function matchSides(before: readonly Entry[], after: readonly Entry[]): readonly Pair[] {
  const pairs: Pair[] = [];
  // The last of two equal identities in one target is what the cluster ends up with.
  const left = new Map(before.map((entry) => [within(entry), entry]));
  const right = new Map(after.map((entry) => [within(entry), entry]));
  let removed: Entry[] = [];
  let added: Entry[] = [];
  for (const [key, entry] of left) {
    const other = right.get(key);
    if (other === undefined) removed.push(entry);
    else pairs.push({ before: entry, after: other, by: 'identity' });
  }
  for (const [key, entry] of right) if (!left.has(key)) added.push(entry);
  if (removed.length > 0 && added.length > 0) {
    for (const pass of [pairMoved, pairGeneratedNames, pairSimilar]) {
      const result = pass(removed, added);
      pairs.push(...result);
      const used = new Set(result.flatMap((pair) => [pair.before, pair.after]));
      removed = removed.filter((entry) => !used.has(entry));
      added = added.filter((entry) => !used.has(entry));
    }
  }
  for (const entry of removed) pairs.push({ before: entry, by: 'identity' });
  for (const entry of added) pairs.push({ after: entry, by: 'identity' });
  return pairs;
}

function within(entry: Entry): string {
  return `${isHook(entry) ? 'hook' : ''}\0${entry.target.id}\0${identityOf(entry.ref)}`;
}

export function isHook(entry: Entry): boolean {
  return entry.hook !== undefined && entry.hook.length > 0;
}

/** The same object, declared by another target of the same cluster. */
function pairMoved(removed: readonly Entry[], added: readonly Entry[]): Pair[] {
  return pairByKey(removed, added, (entry) => `${entry.target.scope}\0${identityOf(entry.ref)}`, 'moved');
}

/** Kustomize appends ten characters of this alphabet (kustomize api/hasher/hasher.go `encode`). */
const kustomizeSuffix = /^(.+)-[bcdfghkmt2456789]{10}$/;
/** Helm charts and other generators append shortened digests. */
const digestSuffix = /^(.+)-[0-9a-f]{6,64}$/;

/** ConfigMaps and Secrets whose name ends in a digest of their content: the old and the new one of the same prefix. */
function pairGeneratedNames(removed: readonly Entry[], added: readonly Entry[]): Pair[] {
  const key = (entry: Entry): string | undefined => {
    const { group, kind, name, namespace } = entry.ref;
    if (group !== '' || (kind !== 'ConfigMap' && kind !== 'Secret')) return undefined;
    const prefix = generatedPrefix(name);
    return prefix === undefined ? undefined : [entry.target.id, kind, namespace ?? '', prefix].join('\0');
  };
  return pairByKey(removed, added, key, 'generated-name');
}

/** The part of a name before a digest; undefined when it has none. */
export function generatedPrefix(name: string): string | undefined {
  return (kustomizeSuffix.exec(name) ?? digestSuffix.exec(name))?.[1];
}

/** Pairs what has the same key, when the key is unique on each side. */
function pairByKey(
  removed: readonly Entry[],
  added: readonly Entry[],
  keyOf: (entry: Entry) => string | undefined,
  by: Pair['by'],
): Pair[] {
  const index = new Map<string, Entry | null>();
  for (const entry of added) {
    const key = isHook(entry) ? undefined : keyOf(entry);
    if (key !== undefined) index.set(key, index.has(key) ? null : entry);
  }
  const seen = new Map<string, Entry | null>();
  for (const entry of removed) {
    const key = isHook(entry) ? undefined : keyOf(entry);
    if (key !== undefined) seen.set(key, seen.has(key) ? null : entry);
  }
  const pairs: Pair[] = [];
  for (const [key, before] of seen) {
    const after = index.get(key);
    if (before !== null && after !== undefined && after !== null) pairs.push({ before, after, by });
  }
  return pairs;
}
