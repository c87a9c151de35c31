import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashBlob } from '../../src/git/directories.ts';
import { createRepository, temporary, useRepository } from './repository.ts';

/** Everything below .git with its content, to show that nothing was written. (git renews the time of an object that it needs.) */
function gitFolderState(path: string): string[] {
  return readdirSync(join(path, '.git'), { recursive: true, encoding: 'utf8' })
    .map((file) => {
      const status = statSync(join(path, '.git', file));
      return `${file} ${status.isFile() ? hashBlob(readFileSync(join(path, '.git', file))) : ''}`;
    })
    .toSorted();
}

describe('the working tree against a commit', () => {
  it('sees modified, untracked, deleted and executable files, not ignored ones, and writes nothing into the repository', async () => {
    const repository = createRepository();
    repository.write({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n', 'c.sh': 'echo\n', '.gitignore': 'secret.env\n' });
    repository.commit();
    repository.write({ 'a.yaml': 'a: 2\n', 'new/d.yaml': 'd: 1\n', 'secret.env': 'x\n' });
    rmSync(join(repository.path, 'b.yaml'));
    chmodSync(join(repository.path, 'c.sh'), 0o755);
    const state = gitFolderState(repository.path);

    const pair = await repository.open();
    expect(pair.changed).toEqual(['a.yaml', 'b.yaml', 'c.sh', 'new/d.yaml']);
    expect(statSync(join(pair.after.root, 'c.sh')).mode & 0o100).toBe(0o100);
    expect(pair.after.readText('a.yaml')).toBe('a: 2\n');
    expect(pair.before.readText('a.yaml')).toBe('a: 1\n');
    expect(pair.after.isFile('b.yaml')).toBe(false);
    expect(pair.after.isFile('secret.env')).toBe(false);
    expect(readFileSync(join(pair.after.root, 'new/d.yaml'), 'utf8')).toBe('d: 1\n');
    expect(pair.before.label).toContain('only what is not committed is judged');
    expect(gitFolderState(repository.path)).toEqual(state);
    await pair.close();
    expect(existsSync(pair.after.root)).toBe(false);
  });

  it('works from a folder inside the repository', async () => {
    const repository = createRepository();
    repository.write({ 'apps/shop/x.yaml': 'x: 1\n', 'top.yaml': 't: 1\n' });
    repository.commit();
    repository.write({ 'top.yaml': 't: 2\n' });
    const pair = await repository.open({ directory: join(repository.path, 'apps/shop') });
    expect(pair.changed).toEqual(['top.yaml']);
    expect(pair.after.list('apps')).toEqual(['apps/shop/x.yaml']);
    await pair.close();
  });

  it('takes a repository without a commit as all new', async () => {
    const repository = createRepository();
    repository.write({ 'a.yaml': 'a: 1\n' });
    const pair = await repository.open();
    expect(pair.changed).toEqual(['a.yaml']);
    expect(pair.before.files.size).toBe(0);
    expect(pair.before.label).toBe('empty (no commit yet)');
    await pair.close();
  });

  it('says when nothing differs and writes the files once', async () => {
    const repository = createRepository();
    repository.write({ 'a.yaml': 'a: 1\n' });
    repository.commit();
    const pair = await repository.open();
    expect(pair.changed).toEqual([]);
    expect(pair.after.label).toBe('working tree of main, nothing differs');
    expect(pair.before.root).toBe(pair.after.root);
    await pair.close();
  });

  it('refuses a conflicted index and names the file', async () => {
    const repository = createRepository();
    repository.write({ 'a.yaml': 'a: 1\n' });
    repository.commit();
    repository.git('checkout', '-q', '-b', 'other');
    repository.write({ 'a.yaml': 'a: 2\n' });
    repository.commit();
    repository.git('checkout', '-q', 'main');
    repository.write({ 'a.yaml': 'a: 3\n' });
    repository.commit();
    expect(() => repository.git('merge', 'other')).toThrow(/conflict/i);
    await expect(repository.open()).rejects.toMatchObject({ code: 'git.conflicted', location: { file: 'a.yaml' } });
    const pair = await repository.open({ base: 'main', head: 'other' });
    expect(pair.changed).toEqual(['a.yaml']);
    await pair.close();
  });
});

describe('which base', () => {
  function branched(): ReturnType<typeof createRepository> {
    const repository = createRepository();
    repository.write({ 'a.yaml': 'a: 1\n' });
    repository.commit('one');
    repository.git('checkout', '-q', '-b', 'feature');
    repository.write({ 'feature.yaml': 'f: 1\n' });
    repository.commit('two');
    repository.git('checkout', '-q', 'main');
    repository.write({ 'main.yaml': 'm: 1\n' });
    repository.commit('three');
    repository.git('checkout', '-q', 'feature');
    return repository;
  }

  it('is the merge-base with the default branch, so that what others merged is not judged', async () => {
    const repository = branched();
    const pair = await repository.open();
    expect(pair.changed).toEqual(['feature.yaml']);
    expect(pair.branches).toEqual(['main']);
    expect(pair.before.revision).toBe(repository.git('rev-parse', 'main~1'));
    expect(pair.before.label).toMatch(/^merge-base with main \([0-9a-f]{7}\)$/);
    expect(pair.after.revision).toBeUndefined();
    await pair.close();
  });

  it('is exactly the commit that was named', async () => {
    const repository = branched();
    const pair = await repository.open({ base: 'main', head: 'feature' });
    expect(pair.changed).toEqual(['feature.yaml', 'main.yaml']);
    expect(pair.after.revision).toBe(repository.git('rev-parse', 'feature'));
    expect(pair.before.label).toMatch(/^main \(/);
    await pair.close();
  });

  it('is the branch of GITHUB_BASE_REF in CI, with a detached HEAD', async () => {
    const origin = branched();
    const clone = useRepository(temporary());
    clone.git('clone', '-q', origin.path, '.');
    clone.git('checkout', '-q', '--detach', 'origin/feature');
    const pair = await clone.open({ ciBase: 'main' });
    expect(pair.changed).toEqual(['feature.yaml']);
    expect(pair.branches).toEqual(['main']);
    expect(pair.remotes).toEqual([origin.path]);
    await pair.close();
    await expect(clone.open({ ciBase: 'release-9' })).rejects.toMatchObject({
      code: 'git.unknown-ref',
      next: expect.stringContaining('git fetch origin release-9'),
    });
    const named = await clone.open({ base: 'feature' });
    expect(named.changed).toEqual([]);
    await named.close();
  });

  it('on the default branch is what the remote has', async () => {
    const origin = branched();
    origin.git('checkout', '-q', 'main');
    const clone = useRepository(temporary());
    clone.git('clone', '-q', origin.path, '.');
    clone.write({ 'pushed-not.yaml': 'x: 1\n' });
    clone.commit();
    clone.write({ 'committed-not.yaml': 'x: 1\n' });
    const pair = await clone.open();
    expect(pair.changed).toEqual(['committed-not.yaml', 'pushed-not.yaml']);
    expect(pair.before.label).toContain('what is not pushed is judged');
    await pair.close();
  });

  it('needs the history in a shallow clone, and says how to get it', async () => {
    const origin = branched();
    const clone = useRepository(temporary());
    clone.git('clone', '-q', '--depth=1', '--no-single-branch', `file://${origin.path}`, '.');
    await expect(clone.open({ ciBase: 'main' })).rejects.toMatchObject({
      code: 'git.shallow',
      next: expect.stringContaining('git fetch --unshallow'),
    });
    await expect(clone.open({ base: origin.git('rev-parse', 'main~1') })).rejects.toMatchObject({
      code: 'git.shallow',
    });
  });

  it('must have a commit in common', async () => {
    const repository = branched();
    repository.git('checkout', '-q', '--orphan', 'other');
    repository.commit();
    await expect(repository.open()).rejects.toMatchObject({ code: 'git.no-merge-base' });
  });

  it('must exist; near names are suggested and a dash is not an option', async () => {
    const repository = branched();
    await expect(repository.open({ base: 'featrue' })).rejects.toMatchObject({
      code: 'git.unknown-ref',
      next: 'Did you mean feature?',
    });
    await expect(repository.open({ base: '--all' })).rejects.toMatchObject({ code: 'git.unknown-ref' });
    await expect(repository.open({ base: 'main', head: 'a..b' })).rejects.toMatchObject({ code: 'git.unknown-ref' });
  });

  it('works in a linked worktree and in a bare repository', async () => {
    const repository = branched();
    const path = join(temporary(), 'tree');
    repository.git('worktree', 'add', '-q', path, '-b', 'second', 'feature');
    const worktree = useRepository(path);
    worktree.write({ 'second.yaml': 's: 1\n' });
    const pair = await worktree.open();
    expect(pair.changed).toEqual(['feature.yaml', 'second.yaml']);
    await pair.close();

    const bare = useRepository(temporary());
    bare.git('clone', '-q', '--bare', repository.path, '.');
    const refs = await bare.open({ base: 'main', head: 'feature' });
    expect(refs.changed).toEqual(['feature.yaml', 'main.yaml']);
    await refs.close();
    await expect(bare.open()).rejects.toMatchObject({ code: 'git.bare-repository' });
  });

  it('is not looked for outside of a repository', async () => {
    const path = temporary();
    await expect(useRepository(path).open()).rejects.toMatchObject({ code: 'git.not-a-repository', fault: 'user' });
    await expect(useRepository(path).open({ directory: join(path, 'missing') })).rejects.toMatchObject({
      code: 'git.no-directory',
    });
  });
});

describe('a hostile tree', () => {
  it('cannot make a configured filter or hook run, nor hide or rewrite files through attributes', async () => {
    const repository = createRepository();
    const proof = join(repository.path, '.git', 'proof');
    const touch = `sh -c 'echo ran >> ${proof}; cat'`;
    repository.write({ 'a.yaml': 'a: 1\n', 'hidden.yaml': 'h: $Id$\n' });
    const base = repository.commit();
    for (const name of ['evil', 'a=b', 'lfs']) {
      for (const use of ['clean', 'smudge']) repository.git('config', `filter.${name}.${use}`, touch);
      repository.git('config', `filter.${name}.required`, 'true');
    }
    repository.git('config', 'filter.process.process', touch);
    repository.git('config', 'core.fsmonitor', touch);
    repository.write({
      '.gitattributes':
        'a.yaml filter=evil\nb.yaml filter=a=b\nc.yaml filter=lfs\nd.yaml filter=process\nhidden.yaml export-ignore ident\ncrlf.yaml eol=crlf\n',
      'a.yaml': 'a: 2\n',
      'b.yaml': 'b: 2\n',
      'c.yaml': 'c: 2\n',
      'd.yaml': 'd: 2\n',
      'crlf.yaml': 'x: 1\n',
      '.git/hooks/post-index-change': `#!/bin/sh\necho ran >> ${proof}\n`,
    });
    chmodSync(join(repository.path, '.git/hooks/post-index-change'), 0o755);
    const pair = await repository.open({ base });
    expect(pair.changed).toEqual(['.gitattributes', 'a.yaml', 'b.yaml', 'c.yaml', 'crlf.yaml', 'd.yaml']);
    expect(pair.after.readText('a.yaml')).toBe('a: 2\n');
    expect(pair.after.readText('hidden.yaml')).toBe('h: $Id$\n');
    expect(pair.after.readText('crlf.yaml')).toBe('x: 1\n');
    expect(existsSync(proof)).toBe(false);
    await pair.close();
  });

  it('keeps links inside the tree and leaves out those that leave it', async () => {
    const repository = createRepository();
    repository.write({ 'common/values.yaml': 'v: 1\n' });
    mkdirSync(join(repository.path, 'envs'));
    symlinkSync('../common', join(repository.path, 'envs/prod'));
    symlinkSync('/etc', join(repository.path, 'absolute'));
    symlinkSync('../../../etc/passwd', join(repository.path, 'envs/outside'));
    symlinkSync('prod/../../absolute/passwd', join(repository.path, 'envs/through'));
    symlinkSync('loop', join(repository.path, 'loop'));
    symlinkSync('nowhere.yaml', join(repository.path, 'dangling'));
    repository.commit();
    const pair = await repository.open();
    const { after } = pair;
    expect(after.problems.map((problem) => problem.path).toSorted()).toEqual([
      'absolute',
      'envs/outside',
      'envs/through',
      'loop',
    ]);
    expect([...after.files.keys()]).toEqual(['common/values.yaml', 'dangling', 'envs/prod']);
    expect(readdirSync(join(after.root, 'envs'))).toEqual(['prod']);
    expect(lstatSync(join(after.root, 'envs/prod')).isSymbolicLink()).toBe(true);
    expect(after.readText('envs/prod/values.yaml')).toBe('v: 1\n');
    expect(after.isDirectory('envs/prod')).toBe(true);
    expect(after.isFile('dangling')).toBe(false);
    expect(after.list('envs/prod')).toEqual(['envs/prod/values.yaml']);
    expect(after.readText('../../etc/passwd')).toBeUndefined();
    await pair.close();
  });

  it('cannot write outside through names or a link and a folder of the same name', async () => {
    const repository = createRepository();
    const outside = temporary();
    const blob = execHash(repository, 'stolen\n');
    const link = execHash(repository, outside);
    const inner = tree(repository, [`100644 blob ${blob}\tescaped.yaml`]);
    const up = tree(repository, [`040000 tree ${inner}\t..`]);
    const root = tree(repository, [
      `120000 blob ${link}\ta`,
      `040000 tree ${inner}\ta`,
      `040000 tree ${up}\tb`,
      `040000 tree ${inner}\t.git`,
      `100644 blob ${blob}\tok.yaml`,
    ]);
    const commit = repository.git('commit-tree', root, '-m', 'hostile');
    repository.write({ 'a.yaml': 'a: 1\n' });
    repository.commit();
    const pair = await repository.open({ base: 'HEAD', head: commit });
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync(join(tmpdir(), 'escaped.yaml'))).toBe(false);
    expect(pair.after.readText('ok.yaml')).toBe('stolen\n');
    expect(pair.after.problems.map((problem) => problem.path)).toEqual(
      expect.arrayContaining(['b/../escaped.yaml', '.git/escaped.yaml']),
    );
    await pair.close();
  });

  function execHash(repository: ReturnType<typeof createRepository>, content: string): string {
    const file = join(temporary(), 'blob');
    useRepository(join(file, '..')).write({ blob: content });
    return repository.git('hash-object', '-w', '--no-filters', file);
  }

  /** `git mktree` takes any name, also those that an index refuses. */
  function tree(repository: ReturnType<typeof createRepository>, lines: string[]): string {
    return repository.gitInput(`${lines.join('\n')}\n`, 'mktree');
  }
});

describe('unusual content', () => {
  it('keeps file names with spaces, quotes, umlauts and line breaks', async () => {
    const repository = createRepository();
    const names = [
      ' lead',
      'Größe ß.yaml',
      'a\nb.yaml',
      'sp ace/x y.yaml',
      '"q".yaml',
      'tab\t.yaml',
      '-dash.yaml',
      '😀.yaml',
    ];
    repository.write({ 'x.yaml': 'x\n' });
    repository.commit();
    repository.write(Object.fromEntries(names.map((name) => [name, `${JSON.stringify(name)}\n`])));
    const pair = await repository.open();
    expect(pair.changed.toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(pair.after.readText(name)).toBe(`${JSON.stringify(name)}\n`);
    await pair.close();
  });

  it('reads text without its byte order mark and refuses what is not text', async () => {
    const repository = createRepository();
    repository.write({
      'bom.yaml': '\uFEFFa: 1\n',
      'nul.yaml': 'a: 1\nb: \0\n',
      'utf16.yaml': Buffer.from('\uFEFFa: 1\n', 'utf16le'),
      'latin.yaml': Buffer.from('a: gr\xfcn\n', 'latin1'),
      'values.yaml': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n',
      'data.bin': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n',
    });
    repository.commit();
    const pair = await repository.open();
    const { after } = pair;
    expect(after.readText('bom.yaml')).toBe('a: 1\n');
    expect(() => after.readText('nul.yaml')).toThrow(
      expect.objectContaining({ code: 'tree.not-text', location: { file: 'nul.yaml', line: 2, column: 4 } }),
    );
    expect(() => after.readText('utf16.yaml')).toThrow(/UTF-16/);
    expect(() => after.readText('latin.yaml')).toThrow(/not valid UTF-8/);
    expect(after.problems.map((problem) => problem.path)).toEqual(['values.yaml']);
    after.readText('data.bin');
    expect(after.problems.map((problem) => problem.path)).toEqual(['values.yaml', 'data.bin']);
    await pair.close();
  });

  it('lists a submodule and does not fetch it', async () => {
    const repository = createRepository();
    repository.write({ 'a.yaml': 'a: 1\n' });
    const commit = repository.commit();
    repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},vendor/charts`);
    repository.git('commit', '-q', '-m', 'submodule');
    const pair = await repository.open({ base: commit, head: 'HEAD' });
    expect(pair.changed).toEqual(['vendor/charts']);
    expect(pair.after.files.get('vendor/charts')?.type).toBe('submodule');
    expect(pair.after.isDirectory('vendor/charts')).toBe(true);
    expect(pair.after.problems[0]?.reason).toMatch(/submodule/);
    await pair.close();
  });

  it('changes the hash of a folder when what its link points at changes', async () => {
    const repository = createRepository();
    repository.write({ 'common/values.yaml': 'v: 1\n', 'app/x.yaml': 'x: 1\n' });
    symlinkSync('../common/values.yaml', join(repository.path, 'app/values.yaml'));
    repository.commit();
    repository.write({ 'common/values.yaml': 'v: 2\n' });
    const pair = await repository.open();
    expect(pair.after.hashOf('app')).not.toBe(pair.before.hashOf('app'));
    expect(pair.after.hashOf('app/x.yaml')).toBe(pair.before.hashOf('app/x.yaml'));
    expect(pair.after.hashOf('missing')).toBeUndefined();
    await pair.close();
  });

  it('gives remote addresses without credentials', async () => {
    const repository = createRepository();
    repository.commit();
    repository.git('remote', 'add', 'origin', 'https://user:token@example.org/shop/deploy.git');
    repository.git('remote', 'add', 'other', 'git@example.org:shop/deploy.git');
    const pair = await repository.open();
    expect(pair.remotes).toEqual(['https://example.org/shop/deploy.git', 'git@example.org:shop/deploy.git']);
    await pair.close();
  });
});
