import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../src/sources/globs.ts';
import type { GlobDialect } from '../../src/sources/globs.ts';

describe('compileGlob', () => {
  // go-path and doublestar: Go's path.Match and doublestar v4; pathspec: git ls-files.
  const table: readonly (readonly [GlobDialect, string, string, boolean])[] = [
    ['go-path', 'apps/*', 'apps/shop', true],
    ['go-path', 'apps/*', 'apps/shop/sub', false],
    ['go-path', 'apps/*', 'apps', false],
    ['go-path', '*', 'apps', true],
    ['go-path', 'a*c', 'abbc', true],
    ['go-path', 'a?c', 'a/c', false],
    ['go-path', '[a-c]x', 'bx', true],
    ['go-path', '[^a-c]x', 'bx', false],
    ['go-path', 'a\\*', 'a*', true],
    ['go-path', 'a\\*', 'ab', false],
    ['go-path', '[a', 'a', false],
    ['go-path', 'a\\', 'a', false],
    ['go-path', 'apps/**', 'apps/shop', true],
    ['go-path', 'apps/**', 'apps/shop/sub', false],
    ['go-path', '{a,b}', 'a', false],
    ['doublestar', 'apps/**', 'apps/shop/sub', true],
    ['doublestar', '**/config.json', 'config.json', true],
    ['doublestar', '**/config.json', 'a/b/config.json', true],
    ['doublestar', '**/config.json', 'a/xconfig.json', false],
    ['doublestar', 'a/**/b', 'a/b', true],
    ['doublestar', 'a/**/b', 'a/x/y/b', true],
    ['doublestar', 'a**b', 'axxb', true],
    ['doublestar', 'a**b', 'ax/xb', false],
    ['doublestar', '*.{yaml,yml}', 'a.yml', true],
    ['doublestar', '{a,{b,c}}/x', 'c/x', true],
    ['doublestar', 'a/*', 'a/.hidden', true],
    ['pathspec', 'apps/*/config.json', 'apps/a/b/config.json', true],
    ['pathspec', 'apps/*/config.json', 'apps/config.json', false],
    ['pathspec', 'apps/**/config.json', 'apps/a/b/config.json', true],
    ['pathspec', 'apps', 'apps/a/b', true],
    ['pathspec', 'apps', 'apps2/a', false],
    ['pathspec', 'apps/a.json', 'apps/a.json', true],
    ['pathspec', './apps/*.json', 'apps/a.json', true],
    ['pathspec', '', 'anything', true],
    ['go-path', 'a[^b]c', 'a/c', true],
    ['doublestar', '****', 'a/b', false],
    ['pathspec', 'apps/', 'apps', false],
    ['pathspec', 'apps/', 'apps/a', true],
    ['pathspec', 'ap*/', 'apps/a', false],
  ];
  it.each(table)('%s %s on %s: %s', (dialect, pattern, path, expected) => {
    expect(compileGlob(pattern, dialect)(path)).toBe(expected);
  });

  it('takes no exponential time on hostile patterns', () => {
    const started = performance.now();
    for (const dialect of ['go-path', 'doublestar', 'pathspec'] as const) {
      expect(compileGlob(`${'*a'.repeat(200)}b`, dialect)('a'.repeat(2000))).toBe(false);
      expect(compileGlob('**/'.repeat(100) + 'x', dialect)('a/'.repeat(500))).toBe(false);
    }
    compileGlob('{a,b}'.repeat(60), 'doublestar')('a'.repeat(60));
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
