import { copyFile, stat, utimes } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GateError } from '../core/errors.ts';
import type { GitRunner } from './simple-git.ts';

export interface RepositoryFolders {
  /** Absolute. For a linked worktree: its own folder below the main one. */
  readonly gitDirectory: string;
  /** Absolute folder of the object database. */
  readonly objects: string;
}

/**
 * Makes a tree object of the working tree: tracked and untracked files, not the ignored ones.
 * The index is a copy and new objects go to a folder of ours, so that nothing is written into the repository.
 *
 * @param filters names of the configured filter drivers. The tree chooses filters through .gitattributes, so each of them is
 *   set to nothing: an empty command passes the content on unchanged (apply_filter in git's convert.c).
 * @param scratch folder for the index copy and the objects
 * @returns id of the tree, and the environment in which its objects can be read
 * @throws GateError git.conflicted
 */
export async function writeWorkingTree(
  git: GitRunner,
  folders: RepositoryFolders,
  filters: readonly string[],
  scratch: string,
): Promise<{ readonly tree: string; readonly env: Readonly<Record<string, string>> }> {
  const index = join(scratch, 'index');
  const objects = join(scratch, 'objects');
  mkdirSync(objects, { recursive: true });
  try {
    const original = join(folders.gitDirectory, 'index');
    await copyFile(original, index);
    // A file as young as the index is compared by content, since its time proves nothing (git's racy-git.adoc). A copy with
    // a later time would hide such a change; an earlier one only makes git read a few files more.
    const { atime, mtimeMs } = await stat(original);
    await utimes(index, atime, (Math.floor(mtimeMs) - 1) / 1000);
  } catch (error) {
    // A repository without index: nothing was ever added.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const env = { GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoteAlternate(folders.objects) };
  const options = { env: { ...env, GIT_INDEX_FILE: index }, config: addConfig(filters) };

  // -v, because simple-git waits 50 ms after a process that printed nothing; for the same reason side by side.
  const [unmerged] = await Promise.all([
    git.run(['ls-files', '--unmerged', '-z', '--full-name', '--', ':/']),
    git.run(['add', '--all', '--verbose'], options),
  ]);
  if (unmerged !== '') throw conflicted(unmerged);
  const tree = await git.run(['write-tree'], options);
  return { tree: tree.trim(), env };
}

function addConfig(filters: readonly string[]): readonly (readonly [string, string])[] {
  return [
    ...filters.flatMap((name) => [
      [`filter.${name}.clean`, ''] as const,
      [`filter.${name}.smudge`, ''] as const,
      [`filter.${name}.process`, ''] as const,
      [`filter.${name}.required`, 'false'] as const,
    ]),
    ['core.safecrlf', 'false'],
    ['core.splitIndex', 'false'],
    ['core.untrackedCache', 'false'],
    ['diff.ignoreSubmodules', 'dirty'],
    ['advice.addEmbeddedRepo', 'false'],
  ];
}

/** `:` separates entries; an entry in double quotes is C-quoted (git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES). */
function quoteAlternate(path: string): string {
  return /[:;"\\]/.test(path) && process.platform !== 'win32'
    ? `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    : path;
}

function conflicted(unmerged: string): GateError {
  const paths = [...new Set(unmerged.split('\0').flatMap((record) => record.split('\t')[1] ?? []))];
  const [first = ''] = paths;
  return new GateError({
    code: 'git.conflicted',
    message: `the working tree has unmerged files: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}`,
    fault: 'user',
    location: { file: first },
    next: 'Resolve the conflict and git add the files, or judge a commit with --head.',
  });
}

/** Names of the filter drivers in the output of `git config --null --get-regexp`. */
export function filterNames(settings: readonly (readonly [string, string])[]): readonly string[] {
  const names = settings.flatMap(([key]) => /^filter\.([\s\S]+)\.[^.]+$/.exec(key)?.[1] ?? []);
  return [...new Set(names)];
}
