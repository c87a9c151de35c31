import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedHunks, countLines, linesOfHunk, placeOf, revert } from '../../../src/pipeline/cause/hunks.ts';

const file = 'values.yaml';

describe('changedHunks', () => {
  it.each([
    ['a replaced line', 'a\nb\nc\n', 'a\nB\nc\n', [[2, 1, 2, 1]]],
    ['an added line', 'a\nc\n', 'a\nb\nc\n', [[2, 0, 2, 1]]],
    ['a removed line', 'a\nb\nc\n', 'a\nc\n', [[2, 1, 2, 0]]],
    ['a removed last line', 'a\nb\n', 'a\n', [[2, 1, 2, 0]]],
    ['an added first line', 'b\n', 'a\nb\n', [[1, 0, 1, 1]]],
    [
      'two places',
      'a\nb\nc\nd\n',
      'A\nb\nc\nD\nE\n',
      [
        [1, 1, 1, 1],
        [4, 1, 4, 2],
      ],
    ],
    ['the end of the last line', 'a\nb', 'a\nb\n', [[2, 1, 2, 1]]],
    ['other line ends', 'a\r\nb\r\n', 'a\r\nB\r\n', [[2, 1, 2, 1]]],
    ['nothing', 'a\n', 'a\n', []],
  ])('%s', (_, before, after, expected) => {
    const hunks = changedHunks(file, before, after) ?? [];
    expect(
      hunks.map((hunk) => [hunk.before.start, hunk.before.count, hunk.after.start, hunk.after.count]),
    ).toStrictEqual(expected);
  });

  it('takes a new and a removed file as one hunk', () => {
    expect(changedHunks(file, undefined, 'a\nb\n')).toMatchObject([{ whole: 'added', after: { start: 1, count: 2 } }]);
    expect(changedHunks(file, 'a\n', undefined)).toMatchObject([{ whole: 'removed', old: ['a\n'] }]);
  });

  it('does not compare what is too large or has nothing in common', () => {
    expect(changedHunks(file, 'a'.repeat(600_000), 'b'.repeat(600_000))).toBeUndefined();
    const lines = (prefix: string) => Array.from({ length: 5_000 }, (_, index) => `${prefix}${index}`).join('\n');
    expect(changedHunks(file, lines('a'), lines('b'))).toBeUndefined();
  });
});

describe('revert', () => {
  const text = fc
    .array(fc.constantFrom('a: 1', 'b: 2', '', '  c: 3', '# d'), { maxLength: 30 })
    .map((lines) => lines.map((line) => `${line}\n`).join(''));

  it('of all hunks gives the old text, of none the new one, of each changes that hunk only', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const hunks = changedHunks(file, before, after) ?? [];
        expect(revert(after, hunks)).toBe(before);
        expect(revert(after, [])).toBe(after);
        for (const hunk of hunks) {
          const left = changedHunks(file, revert(after, [hunk]), after) ?? [];
          const changed = (list: typeof hunks) => list.reduce((sum, { before: old }) => sum + old.count, 0);
          expect(changed(left)).toBeLessThanOrEqual(hunk.before.count);
        }
      }),
    );
  });

  it('does not glue a line to a last line without an end', () => {
    const [hunk] = changedHunks(file, 'a\nb\nc\n', 'a\nb') ?? [];
    expect(hunk === undefined ? '' : revert('a\nb', [hunk])).toBe('a\nb\nc\n');
  });

  it('takes a new file away and brings a removed one back', () => {
    expect(revert('a\n', changedHunks(file, undefined, 'a\n') ?? [])).toBeUndefined();
    expect(revert(undefined, changedHunks(file, 'a\n', undefined) ?? [])).toBe('a\n');
  });
});

describe('linesOfHunk', () => {
  const parts = (before: string, after: string) => {
    const [hunk] = changedHunks(file, before, after) ?? [];
    return hunk === undefined ? [] : linesOfHunk(hunk).map((part) => revert(after, [part]));
  };

  it('leaves single lines out where old and new ones pair', () => {
    expect(parts('a: 1\nb: 1\n', 'a: 2\nb: 2\n')).toStrictEqual(['a: 1\nb: 2\n', 'a: 2\nb: 1\n']);
    expect(parts('x\n', 'x\na: 1\nb: 1\n')).toStrictEqual(['x\nb: 1\n', 'x\na: 1\n']);
  });

  it('keeps together what does not pair', () => {
    expect(parts('a: 1\n', 'a: 2\nb: 2\n')).toStrictEqual(['a: 1\n']);
  });
});

describe('placeOf', () => {
  const place = (before: string, after: string) => {
    const [hunk] = changedHunks(file, before, after) ?? [];
    return hunk === undefined ? undefined : placeOf(hunk, countLines(after));
  };

  it('names the new lines, and for removed ones the line that stands there now', () => {
    expect(place('a\nb\n', 'a\nB\n')).toStrictEqual({ line: 2 });
    expect(place('a\n', 'a\nb\nc\n')).toStrictEqual({ line: 2, endLine: 3 });
    expect(place('a\nb\nc\n', 'a\nc\n')).toStrictEqual({ line: 2 });
    expect(place('a\nb\n', 'a\n')).toStrictEqual({ line: 1 });
    expect(place('a\n', '')).toBeUndefined();
  });
});
