import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteLength, cutToBytes, cutToLength, githubLength, sendable } from '../../src/forge/limits.ts';

describe('the length of a body', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['…', 1],
    ['日本', 2],
    ['🌈', 1],
    // Family: three people and two joiners.
    ['👩‍👩‍👧', 5],
    ['e\u0301', 2],
    ['\uD83C', 1],
    ['\uDF08\uD83C', 2],
  ])('%j is %d', (text, length) => {
    expect(githubLength(text)).toBe(length);
  });

  it('is the number of code points of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(githubLength(text)).toBe(Array.from(text).length);
      }),
    );
  });

  it('65,536 are never more than the 262,144 bytes that GitHub also counts', () => {
    expect(byteLength('🌈'.repeat(65_536))).toBe(262_144);
  });
});

describe('cutting plain text', () => {
  it('never exceeds, never breaks a character, and keeps what fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }).map(sendable), fc.integer({ min: 3, max: 40 }), (text, max) => {
        const cut = cutToBytes(text, max);
        expect(byteLength(cut)).toBeLessThanOrEqual(max);
        expect(cut.isWellFormed()).toBe(true);
        expect(text.startsWith(cut.replace(/\.\.\.$/, ''))).toBe(true);
        if (byteLength(text) <= max) expect(cut).toBe(text);
        expect(githubLength(cutToLength(text, max))).toBeLessThanOrEqual(max);
      }),
    );
  });
});

it('what is sent has no half characters and no NUL', () => {
  expect(sendable('a\0b\uD800c')).toBe('ab\uFFFDc');
});
