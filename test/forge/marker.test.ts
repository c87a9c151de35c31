import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commentRoom,
  isUntouched,
  readCommentMarker,
  readFindingMarker,
  withCommentMarker,
  withFindingMarker,
} from '../../src/forge/marker.ts';
import { githubLength, maxComment } from '../../src/forge/limits.ts';
import { headSha } from '../kit/github/state.ts';

const revision = { headSha, order: [12, 3] };

describe('the marker of the comment', () => {
  it('comes back as it went, whatever instance, digest and text are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.string({ maxLength: 60 }),
        fc.string({ unit: 'grapheme' }),
        (instance, digest, body) => {
          const text = withCommentMarker(instance, revision, body, digest);
          const marker = readCommentMarker(text);
          expect(marker).toMatchObject({ instance, digest, revision });
          expect(isUntouched(text, marker!)).toBe(true);
          // One HTML comment on the first line, and nothing of the instance outside of it.
          expect(text.split('\n')[0]).toMatch(/^<!-- [^<>]* -->$/);
        },
      ),
    );
  });

  it('counts at the very beginning only', () => {
    const text = withCommentMarker('production', revision, 'pass', undefined);
    for (const prefix of [' ', '\n', '> ', '```\n', '\uFEFF']) expect(readCommentMarker(prefix + text)).toBeUndefined();
  });

  it.each([
    '',
    '<!-- gitops-gate:comment -->',
    '<!-- gitops-gate:comment instance=%E0%A4%A head=abcdef1 order= digest= text=0123456789abcdef -->\n',
  ])('is not %j', (body) => {
    expect(readCommentMarker(body)).toBeUndefined();
  });

  it('takes its share of the room', () => {
    const room = commentRoom('production', revision, undefined);
    expect(githubLength(withCommentMarker('production', revision, 'x'.repeat(room), undefined))).toBe(maxComment);
  });

  it('reads a huge hostile body at once', () => {
    const start = performance.now();
    expect(readCommentMarker(`<!-- gitops-gate:comment instance=${'%'.repeat(200_000)}`)).toBeUndefined();
    expect(readFindingMarker(`<!-- gitops-gate:finding instance=${'a'.repeat(200_000)}`)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(100);
  });
});

it('the marker of a finding comes back as it went', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (instance, fingerprint) => {
      expect(readFindingMarker(withFindingMarker(instance, fingerprint, 'text'))).toEqual({ instance, fingerprint });
    }),
  );
});
