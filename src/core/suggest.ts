/**
 * The closest of the known words to one that was mistyped, for "did you mean". Letter case counts as half a difference.
 * @returns undefined when nothing is near enough (more than a third of the letters differ)
 */
export function closest(word: string, known: Iterable<string>): string | undefined {
  return closestAll(word, known, 1)[0];
}

/** Like {@link closest}: up to `limit` words, nearest first, at equal distance in the order given. */
export function closestAll(word: string, known: Iterable<string>, limit: number): readonly string[] {
  if (word.length === 0 || word.length > maximumLength) return [];
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const near: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > allowed || candidate.length > maximumLength) continue;
    const distance = editDistance(word, candidate);
    if (distance <= allowed) near.push({ candidate, distance });
  }
  return near
    .toSorted((left, right) => left.distance - right.distance)
    .slice(0, limit)
    .map((entry) => entry.candidate);
}

const maximumLength = 200;

/** Levenshtein distance where two neighbouring letters that changed places count once, and a change of case counts half. */
export function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const a = left[row - 1] ?? '';
      const b = right[column - 1] ?? '';
      const replaced = (previous[column - 1] ?? 0) + (a === b ? 0 : a.toLowerCase() === b.toLowerCase() ? 0.5 : 1);
      let best = Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      if (row > 1 && column > 1 && a === right[column - 2] && b === left[row - 2]) {
        best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
