import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain, type Outcome } from '../../../src/pipeline/cause/search.ts';

/** @param gone is the finding gone without these items? */
function trials(renders: number, gone: (items: ReadonlySet<number>) => Outcome) {
  const tried = new Map<string, Outcome>();
  return {
    tried,
    affordable: (items: readonly number[]) =>
      items.filter((item) => !tried.has(`${item}`)).length <= renders - tried.size,
    test(items: readonly number[]) {
      const key = items.join(',');
      if (!tried.has(key) && tried.size >= renders) return Promise.resolve(undefined);
      const outcome = gone(new Set(items));
      tried.set(key, outcome);
      return Promise.resolve(outcome);
    },
  };
}

const items = (length: number) => Array.from({ length }, (_, index) => index);

describe('explain', () => {
  it('finds the only part without which the finding is gone', async () => {
    const all = trials(20, (left) => (left.has(3) ? 'gone' : 'stays'));
    expect(await explain(items(5), all)).toBe(3);
    expect(all.tried.size).toBe(5);
  });

  it('halves when there are more parts than renders', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 21, max: 500 }), fc.nat(), async (length, seed) => {
        const cause = seed % length;
        const all = trials(20, (left) => (left.has(cause) ? 'gone' : 'stays'));
        expect(await explain(items(length), all)).toBe(cause);
        expect(all.tried.size).toBeLessThanOrEqual(20);
      }),
    );
  });

  it.each([
    ['two that only together cause it', (left: ReadonlySet<number>) => left.has(1) || left.has(30)],
    ['two of which each causes it', (left: ReadonlySet<number>) => left.has(1) && left.has(30)],
    ['something else', () => false],
  ])('gives nothing for %s', async (_, isGone) => {
    for (const renders of [20, 50]) {
      const all = trials(renders, (left) => (isGone(left) ? 'gone' : 'stays'));
      expect(await explain(items(40), all)).toBeUndefined();
    }
  });

  it('passes over a part without which nothing renders, but not over half of the change', async () => {
    const outcome = (left: ReadonlySet<number>): Outcome => (left.has(0) ? 'unknown' : left.has(30) ? 'gone' : 'stays');
    expect(await explain(items(40), trials(50, outcome))).toBe(30);
    expect(await explain(items(40), trials(20, outcome))).toBeUndefined();
  });

  it('gives nothing when the renders are used up', async () => {
    const all = trials(3, (left) => (left.has(3) ? 'gone' : 'stays'));
    expect(await explain(items(16), all)).toBeUndefined();
    expect(all.tried.size).toBe(3);
    expect(await explain([], all)).toBeUndefined();
  });
});
