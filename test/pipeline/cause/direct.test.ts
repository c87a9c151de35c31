import { describe, expect, it } from 'vitest';
import { exactLine, nearestLine } from '../../../src/pipeline/cause/direct.ts';
import { changedHunks } from '../../../src/pipeline/cause/hunks.ts';

const file = 'app/Dockerfile';
/** Lines 2 and 6 to 7 are new, line 9 of the old text is gone. */
const hunks = changedHunks(file, '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n', '1\nA\n3\n4\n5\nB\nC\n8\n10\n') ?? [];

describe('exactLine', () => {
  it.each([
    [2, true],
    [3, false],
    [6, true],
    [7, true],
    [8, false],
    [9, false],
  ])('line %i is part of the change: %s', (line, expected) => {
    const cause = exactLine({ file, line }, hunks, undefined);
    expect(cause).toStrictEqual(expected ? { file, line, how: 'exact' } : undefined);
  });

  it('says nothing where the place is only the beginning of an object that was there before', () => {
    expect(exactLine({ file, line: 2 }, hunks, 'known')).toBeUndefined();
    expect(exactLine({ file, line: 2 }, hunks, 'new')).toMatchObject({ line: 2 });
    expect(exactLine({ file }, hunks, undefined)).toBeUndefined();
  });
});

describe('nearestLine', () => {
  it.each([
    [1, 2],
    [3, 2],
    // As far from 2 as from 6: the earlier one.
    [4, 2],
    [5, 6],
    [9, 7],
  ])('of line %i is %i', (line, expected) => {
    expect(nearestLine({ file, line }, hunks)).toStrictEqual({ file, line: expected, how: 'nearest' });
  });

  it('needs a line that was written, and without a place the only one', () => {
    const removed = changedHunks(file, 'a\nb\n', 'a\n') ?? [];
    expect(nearestLine({ file, line: 1 }, removed)).toBeUndefined();
    expect(nearestLine({ file }, hunks)).toBeUndefined();
    expect(nearestLine({ file }, hunks.slice(0, 1))).toMatchObject({ line: 2 });
    expect(nearestLine({ file, line: 1 }, [])).toBeUndefined();
  });
});
