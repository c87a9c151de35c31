import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownerRule, parseCodeowners } from '../../src/forge/codeowners.ts';

/** Whether a pattern owns a path. */
function owns(pattern: string, path: string): boolean {
  return ownerRule(parseCodeowners(`${pattern} @mia`), path) !== undefined;
}

describe('a pattern', () => {
  it.each([
    ['*', 'a/b/c.yaml', true],
    ['*.js', 'app.js', true],
    ['*.js', 'src/deep/app.js', true],
    ['*.js', 'app.jsx', false],
    // Tied to the root, with everything below.
    ['/build/logs/', 'build/logs/today/a.log', true],
    ['/build/logs/', 'src/build/logs/a.log', false],
    ['/build/logs/', 'build/logs', false],
    // Direct children only.
    ['docs/*', 'docs/getting-started.md', true],
    ['docs/*', 'docs/build-app/troubleshooting.md', false],
    ['docs/*', 'src/docs/a.md', false],
    ['/*', 'README.md', true],
    ['/*', 'src/README.md', false],
    // A directory anywhere.
    ['apps/', 'apps/a.yaml', true],
    ['apps/', 'clusters/eu/apps/shop/a.yaml', true],
    ['apps/', 'clusters/apps', false],
    ['apps', 'clusters/apps', true],
    ['apps', 'clusters/apps/shop/a.yaml', true],
    ['apps', 'clusters/myapps/a.yaml', false],
    ['/apps/shop', 'apps/shop/values.yaml', true],
    ['/apps/shop', 'apps/shopping/values.yaml', false],
    ['**/logs', 'logs/a', true],
    ['**/logs', 'deeply/nested/logs/a', true],
    ['**/logs', 'deeply/nested/logs', true],
    ['/apps/**/prod/*.yaml', 'apps/prod/a.yaml', true],
    ['/apps/**/prod/*.yaml', 'apps/x/y/prod/a.yaml', true],
    ['/apps/**/prod/*.yaml', 'apps/x/stage/a.yaml', false],
    ['/apps/**', 'apps/a/b', true],
    ['/apps/**', 'apps', false],
    ['/apps/*/values.yaml', 'apps/shop/values.yaml', true],
    ['/apps/*/values.yaml', 'apps/a/b/values.yaml', false],
    ['app?.yaml', 'app1.yaml', true],
    ['app?.yaml', 'app.yaml', false],
    ['with\\ space/a\\ b.md', 'with space/a b.md', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['Apps/', 'apps/a', false],
    ['a.b', 'axb', false],
    ['*a*a*a*b', 'aaaaaaaaaaaaaaaaaaab', true],
  ])('%s owns %s: %s', (pattern, path, expected) => {
    expect(owns(pattern, path)).toBe(expected);
  });
});

describe('a file', () => {
  const file = parseCodeowners(
    [
      '\uFEFF# Owners of the platform.',
      '*            @acme/platform',
      '*.go         go@example.org   # tools',
      '/apps/       @mia @acme/shop-team',
      '/apps/demo',
      '!/apps/x     @tom',
      '\\#notes     @tom',
      'app[12].yaml @tom',
      '/secrets/    tom',
      '',
      '   # indented comment',
      'bot/  @renovate[bot]',
    ].join('\r\n'),
  );

  it('is decided by the last line that matches', () => {
    expect(ownerRule(file, 'README.md')?.owners).toEqual(['@acme/platform']);
    expect(ownerRule(file, 'cmd/main.go')?.owners).toEqual(['go@example.org']);
    expect(ownerRule(file, 'apps/main.go')).toMatchObject({ line: 4, owners: ['@mia', '@acme/shop-team'] });
    expect(ownerRule(file, 'bot/x')?.owners).toEqual(['@renovate[bot]']);
  });

  it('may belong to nobody', () => {
    expect(ownerRule(file, 'apps/demo/values.yaml')?.owners).toEqual([]);
    expect(ownerRule(parseCodeowners('/apps/ @mia'), 'README.md')).toBeUndefined();
  });

  it('names the lines that GitHub skips', () => {
    expect(file.problems.map(({ line }) => line)).toEqual([6, 7, 8, 9]);
    expect(ownerRule(file, 'app1.yaml')?.owners).toEqual(['@acme/platform']);
    expect(ownerRule(file, 'secrets/a')?.owners).toEqual(['@acme/platform']);
  });

  it('of more than 3 MB is not loaded', () => {
    const large = parseCodeowners(`* @mia\n${'#'.repeat(3_000_000)}`);
    expect(large).toMatchObject({ rules: [], problems: [{ line: 1 }] });
  });
});

describe('hostile input', () => {
  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, path) => {
        expect(ownerRule(parseCodeowners(text), path)?.line ?? 1).toBeGreaterThan(0);
      }),
    );
  });

  it('takes no long time for many stars', () => {
    const start = performance.now();
    expect(owns(`/${'**/'.repeat(500)}x`, `${'a/'.repeat(500)}y`)).toBe(false);
    expect(owns(`${'*a'.repeat(2_000)}b`, 'a'.repeat(4_000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
