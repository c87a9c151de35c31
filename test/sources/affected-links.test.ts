import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Tree } from '../../src/core/ports.ts';
import { openDirectories } from '../../src/git/directories.ts';
import { changedThroughLinks } from '../../src/sources/tree-paths.ts';
import { tempTree } from '../kit/tmp.ts';

function tree(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>): Tree {
  const root = tempTree(files);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return openDirectories(root, root).after;
}

describe('changed files seen through links', () => {
  it('a link to a changed file counts as changed', () => {
    const of = tree({ 'shared/prod.yaml': 'a: 1\n' }, { 'envs/prod/web.yaml': '../../shared/prod.yaml' });
    expect(changedThroughLinks(of, ['shared/prod.yaml'])).toStrictEqual(['envs/prod/web.yaml']);
    expect(changedThroughLinks(of, ['other.yaml'])).toStrictEqual([]);
  });

  it('so does what is below a link to a folder, also through a second link', () => {
    const of = tree(
      { 'shared/a.yaml': 'a: 1\n', 'base/x.yaml': 'x: 1\n' },
      { 'base/a.yaml': '../shared/a.yaml', 'envs/prod': '../base' },
    );
    expect(changedThroughLinks(of, ['shared/a.yaml'])).toStrictEqual(['base/a.yaml', 'envs/prod/a.yaml']);
    expect(changedThroughLinks(of, ['base/x.yaml'])).toStrictEqual(['envs/prod/x.yaml']);
  });

  it('ends with links that lead into themselves', () => {
    const of = tree({ 'a/x.yaml': 'x: 1\n' }, { 'a/self': '.', 'a/root': '..', loop: 'loop' });
    const names = changedThroughLinks(of, ['a/x.yaml']);
    expect(names).toContain('a/self/x.yaml');
    expect(names).toContain('a/root/a/x.yaml');
    expect(names.length).toBeLessThan(200);
  });
});
