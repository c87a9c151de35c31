/**
 * Remembers the result per key object, so that several rules can share an index over one world.
 * @param build pure; called once per key
 */
export function memo<K extends object, V>(build: (key: K) => V): (key: K) => V {
  const results = new WeakMap<K, V>();
  return (key) => {
    if (results.has(key)) return results.get(key)!;
    const value = build(key);
    results.set(key, value);
    return value;
  };
}

/** The value of a key, made when it is not there yet. */
export function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = make();
  map.set(key, value);
  return value;
}
