/** Adds to a count. */
export function count<Key>(into: Map<Key, number>, key: Key, by = 1): void {
  into.set(key, (into.get(key) ?? 0) + by);
}

export function addCounts<Key>(into: Map<Key, number>, from: ReadonlyMap<Key, number>): void {
  for (const [key, by] of from) count(into, key, by);
}

/** Counts as a plain object, sorted by key; a key such as `__proto__` stays data. */
export function recordOf<Value>(map: ReadonlyMap<string, Value>): Record<string, Value> {
  return Object.fromEntries([...map].toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** The key with the highest count; of equals the first in order. */
export function mostFrequent(counts: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  for (const [key, value] of counts) {
    const known = best === undefined ? -1 : (counts.get(best) ?? 0);
    if (best === undefined || value > known || (value === known && key < best)) best = key;
  }
  return best;
}

/**
 * The value below which a share of all lies (nearest rank).
 * @param counts how often each value occurred
 * @param share 0.95 for the 95th percentile
 */
export function percentile(counts: ReadonlyMap<number, number>, share: number): number | undefined {
  const total = [...counts.values()].reduce((sum, value) => sum + value, 0);
  let seen = 0;
  for (const [value, times] of [...counts].toSorted(([left], [right]) => left - right)) {
    seen += times;
    if (seen >= share * total) return value;
  }
  return undefined;
}

/** A text that one of many pods has; which one does not depend on the order in which they come. */
export interface FirstText {
  readonly pod: string;
  readonly text: string;
}

export function earliest(left: FirstText | undefined, right: FirstText | undefined): FirstText | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return right.pod < left.pod ? right : left;
}
