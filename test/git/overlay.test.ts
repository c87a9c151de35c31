import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDirectories } from '../../src/git/directories.ts';
import { copyTree } from '../../src/git/overlay.ts';
import { tempTree } from '../kit/tmp.ts';

const limits = { files: 100, bytes: 1_000_000 };
const open = (root: string) => openDirectories(root, root).after;

describe('copyTree', () => {
  it('copies what the paths hold, with the same identity, and nothing else', async () => {
    const tree = open(tempTree({ 'a/x.yaml': 'x', 'a/y.yaml': 'y', 'b.yaml': 'b', 'c.yaml': 'c' }));
    const copy = copyTree(tree, ['a/', 'b.yaml', 'missing.yaml'], limits);
    expect([...(copy?.tree.files.keys() ?? [])]).toStrictEqual(['a/x.yaml', 'a/y.yaml', 'b.yaml']);
    expect(copy?.tree.hashOf('a')).toBe(tree.hashOf('a'));
    await copy?.close();
    expect(existsSync(copy?.tree.root ?? '')).toBe(false);
  });

  it('makes variants that share nothing that they change', async () => {
    const root = tempTree({ 'a/x.yaml': 'x', 'b.yaml': 'b' });
    const copy = copyTree(open(root), ['./'], limits);
    const variant = copy?.with(
      new Map<string, string | undefined>([
        ['a/x.yaml', 'other'],
        ['b.yaml', undefined],
        ['new/z.yaml', 'z'],
      ]),
    );
    expect(variant?.list('')).toStrictEqual(['a/x.yaml', 'new/z.yaml']);
    expect(variant?.readText('a/x.yaml')).toBe('other');
    expect(copy?.tree.readText('a/x.yaml')).toBe('x');
    expect(readFileSync(join(root, 'a/x.yaml'), 'utf8')).toBe('x');
    await copy?.close();
    expect(existsSync(join(root, 'a/x.yaml'))).toBe(true);
  });

  it('takes the files that links mean along, and writes through none', async () => {
    const root = tempTree({ 'shared/x.yaml': 'x', 'env/own.yaml': 'own' });
    symlinkSync('../shared', join(root, 'env/common'));
    symlinkSync('/etc', join(root, 'env/out'));
    const copy = copyTree(open(root), ['env/'], limits);
    expect(copy?.tree.readText('env/common/x.yaml')).toBe('x');
    expect(copy?.tree.files.has('env/out')).toBe(false);
    for (const path of ['env/common/x.yaml', '../x.yaml', '/etc/x.yaml', '.git/config']) {
      expect(() => copy?.with(new Map([[path, 'y']]))).toThrow(/cannot be replaced/);
    }
    await copy?.close();
  });

  it('refuses more than the limits', () => {
    const tree = open(tempTree({ a: 'aaaa', b: 'bbbb', c: 'cccc' }));
    expect(copyTree(tree, ['./'], { files: 2, bytes: 100 })).toBeUndefined();
    expect(copyTree(tree, ['./'], { files: 3, bytes: 11 })).toBeUndefined();
  });
});
