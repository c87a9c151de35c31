/**
 * What a finding does when a part of the change is left out. `unknown`: without it nothing can be said, for example because
 * the target does not render then.
 */
export type Outcome = 'gone' | 'stays' | 'unknown';

export interface Trials<Item> {
  /** Leaves the items out. Undefined: the limits of the run are reached. The same items again cost nothing. */
  test(items: readonly Item[]): Promise<Outcome | undefined>;
  /** How many of these can be tested, each for itself? */
  affordable(items: readonly Item[]): boolean;
}

/**
 * Finds the one part of a change that explains a finding: the finding goes away without it, and stays without any other.
 * Parts are left out one by one, and by halves when there are too many. Undefined when no part or several explain it (each
 * of two that only together cause something makes it go away): what is left would be a guess.
 */
export async function explain<Item>(items: readonly Item[], trials: Trials<Item>): Promise<Item | undefined> {
  if (items.length === 0) return undefined;
  const single = trials.affordable(items);
  if (!single && items.length === 1) return undefined;
  const middle = Math.ceil(items.length / 2);
  const parts = single ? items.map((item) => [item]) : [items.slice(0, middle), items.slice(middle)];
  const outcomes = await Promise.all(parts.map((part) => trials.test(part)));
  if (outcomes.includes(undefined)) return undefined;
  // A half that does not render without its lines may hold the cause as well.
  if (parts.some((part, index) => part.length > 1 && outcomes[index] === 'unknown')) return undefined;
  const [part, ...others] = parts.filter((_, index) => outcomes[index] === 'gone');
  if (part === undefined || others.length > 0) return undefined;
  return part.length === 1 ? part[0] : explain(part, trials);
}
