import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangedFile } from '../../src/core/forge.ts';
import { diffLines, placeOnDiff } from '../../src/forge/patch.ts';

const patch = [
  '@@ -1,4 +1,5 @@ spec:',
  ' replicas: 2',
  '-memory: 1Gi',
  '+memory: 2Gi',
  '+cpu: 500m',
  ' port: 80',
  ' name: api',
  '@@ -40,2 +41,3 @@',
  ' probes:',
  '+  path: /healthz',
  ' end: true',
  '\\ No newline at end of file',
].join('\n');
const files: ChangedFile[] = [
  { path: 'values.yaml', status: 'modified', patch },
  { path: 'logo.png', status: 'modified' },
  { path: 'gone.yaml', status: 'modified', patch: '@@ -3,2 +2,0 @@\n-a: 1\n-b: 2' },
];

describe('lines of a patch', () => {
  it('are those of the new file', () => {
    const lines = diffLines(patch);
    expect([...lines.added]).toEqual([2, 3, 42]);
    expect([...lines.context]).toEqual([1, 4, 5, 41, 43]);
  });

  it.each([
    ['values.yaml', 3, { line: 3, exact: true }],
    ['values.yaml', 5, { line: 5, exact: true }],
    ['values.yaml', 12, { line: 3, exact: false }],
    ['values.yaml', 1000, { line: 42, exact: false }],
    ['logo.png', 1, undefined],
    ['gone.yaml', 3, undefined],
    ['other.yaml', 1, undefined],
  ])('%s:%d is shown at %j', (path, line, expected) => {
    expect(placeOnDiff(files, path, line)).toEqual(expected);
  });

  it('takes the earlier one of two lines as near', () => {
    const two = [{ path: 'a', status: 'modified', patch: '@@ -0,0 +10 @@\n+x\n@@ -0,0 +20 @@\n+y' }] as const;
    expect(placeOnDiff(two, 'a', 15)).toEqual({ line: 10, exact: false });
  });

  it('reads anything without an exception, and every place is an added or shown line', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), (text, line) => {
        const file: ChangedFile = { path: 'a', status: 'modified', patch: text };
        const place = placeOnDiff([file], 'a', line);
        const { added, context } = diffLines(text);
        expect(place === undefined || added.has(place.line) || context.has(place.line)).toBe(true);
      }),
    );
  });
});
