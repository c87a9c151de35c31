import { existsSync, mkdirSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRepository, gitPort, temporary, useRepository } from './repository.ts';

describe('two folders', () => {
  it('are compared by content, with the same ids as git gives', async () => {
    const [before, after] = [createRepository(), useRepository(temporary())];
    before.write({ 'same.yaml': 's: 1\n', 'a.yaml': 'a: 1\n', 'gone.yaml': 'g: 1\n', 'node_modules/x/y.yaml': 'y\n' });
    before.commit();
    after.write({ 'same.yaml': 's: 1\n', 'a.yaml': 'a: 2\n', 'sub/new.yaml': 'n: 1\n' });
    const pair = await gitPort().open({ kind: 'directories', before: before.path, after: after.path });
    expect(pair.changed).toEqual(['a.yaml', 'gone.yaml', 'sub/new.yaml']);
    expect(pair.before.files.get('same.yaml')?.hash).toBe(before.git('rev-parse', 'HEAD:same.yaml'));
    expect([...pair.before.files.keys()]).toEqual(['a.yaml', 'gone.yaml', 'same.yaml']);
    expect(pair.after.root).toBe(after.path);
    expect(pair.after.isDirectory('sub')).toBe(true);
    expect(pair.after.list('.')).toEqual(['a.yaml', 'same.yaml', 'sub/new.yaml']);
    await pair.close();
    expect(existsSync(join(after.path, 'a.yaml'))).toBe(true);
  });

  it('are copied when a link leaves them, without that link', async () => {
    const [before, after, outside] = [temporary(), useRepository(temporary()), useRepository(temporary())];
    outside.write({ 'secret.yaml': 's: 1\n' });
    after.write({ 'charts/a/values.yaml': 'a: 1\n' });
    symlinkSync(outside.path, join(after.path, 'charts/a/templates'));
    symlinkSync('a', join(after.path, 'charts/b'));
    const pair = await gitPort().open({ kind: 'directories', before, after: after.path });
    expect(pair.after.root).not.toBe(after.path);
    expect(existsSync(join(pair.after.root, 'charts/a/templates'))).toBe(false);
    expect(pair.after.readText('charts/b/values.yaml')).toBe('a: 1\n');
    expect(pair.after.problems).toEqual([
      { path: 'charts/a/templates', reason: expect.stringContaining('leaves the tree') },
    ]);
    expect(pair.before.files.size).toBe(0);
    await pair.close();
    expect(existsSync(pair.after.root)).toBe(false);
    expect(existsSync(after.path)).toBe(true);
  });

  it('list a file over 50 MB and do not read it', async () => {
    const side = useRepository(temporary());
    side.write({ 'large.yaml': '' });
    truncateSync(join(side.path, 'large.yaml'), 50 * 1024 * 1024 + 1);
    const pair = await gitPort().open({ kind: 'directories', before: temporary(), after: side.path });
    expect(pair.after.problems[0]).toMatchObject({ path: 'large.yaml', reason: expect.stringContaining('50 MB') });
    expect(() => pair.after.readText('large.yaml')).toThrow(expect.objectContaining({ code: 'tree.file-too-large' }));
    await pair.close();
  });

  it('must exist and be folders', async () => {
    const side = useRepository(temporary());
    side.write({ file: 'x' });
    mkdirSync(join(side.path, 'folder'));
    const open = (before: string): Promise<unknown> =>
      gitPort().open({ kind: 'directories', before, after: join(side.path, 'folder') });
    await expect(open(join(side.path, 'missing'))).rejects.toMatchObject({ code: 'tree.not-a-directory' });
    await expect(open(join(side.path, 'file'))).rejects.toMatchObject({ code: 'tree.not-a-directory' });
  });
});
