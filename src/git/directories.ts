import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { GateError } from '../core/errors.ts';
import type { Tree, TreeEntry, TreePair } from '../core/ports.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from './cleanup.ts';
import { linkProblem } from './links.ts';
import { changedPaths, createTree, maximumFileBytes, type TreeProblem } from './tree.ts';

/** Folders that are never part of what is deployed. */
const skipped = new Set(['.git', 'node_modules']);

/**
 * Compares two folders without git. A folder is used where it is; only one with a link that leaves it is copied, without that link.
 * @throws GateError tree.not-a-directory
 */
export function openDirectories(before: string, after: string): TreePair {
  const temporary: TemporaryDirectory[] = [];
  const sides = [before, after].map((directory) => openDirectory(directory, temporary));
  const [left, right] = sides as [Tree, Tree];
  return {
    before: left,
    after: right,
    changed: changedPaths(left, right),
    remotes: [],
    branches: [],
    async close() {
      await Promise.all(temporary.map((folder) => folder.remove()));
    },
  };
}

function openDirectory(directory: string, temporary: TemporaryDirectory[]): Tree {
  const root = realDirectory(directory);
  const { entries, links, problems } = walk(root);
  const outside = new Map<string, string>();
  for (const path of links.keys()) {
    const reason = linkProblem(path, links);
    if (reason !== undefined) outside.set(path, reason);
  }
  if (outside.size === 0) return createTree({ root, label: labelOf(directory), entries, links, problems });

  const folder = makeTemporaryDirectory('tree');
  temporary.push(folder);
  const kept = entries.filter((entry) => !outside.has(entry.path));
  const keptLinks = new Map([...links].filter(([path]) => !outside.has(path)));
  copy(root, folder.path, kept, keptLinks);
  const all = [...problems, ...[...outside].map(([path, reason]) => ({ path, reason }))];
  return createTree({ root: folder.path, label: labelOf(directory), entries: kept, links: keptLinks, problems: all });
}

function realDirectory(directory: string): string {
  try {
    const root = realpathSync(resolve(directory));
    if (lstatSync(root).isDirectory()) return root;
  } catch (error) {
    throw notADirectory(directory, error);
  }
  throw notADirectory(directory);
}

function notADirectory(directory: string, cause?: unknown): GateError {
  return new GateError({
    code: 'tree.not-a-directory',
    message: `${directory} is not a folder that can be read`,
    fault: 'user',
    next: 'Give --before and --after two existing folders.',
    cause,
  });
}

interface Walked {
  readonly entries: TreeEntry[];
  readonly links: Map<string, string>;
  readonly problems: TreeProblem[];
}

function walk(root: string): Walked {
  const found: Walked = { entries: [], links: new Map(), problems: [] };
  const todo = [''];
  for (let directory = todo.pop(); directory !== undefined; directory = todo.pop()) {
    const prefix = directory === '' ? '' : `${directory}/`;
    try {
      for (const item of readdirSync(join(root, directory), { withFileTypes: true })) {
        if (skipped.has(item.name)) continue;
        const path = prefix + item.name;
        if (item.isDirectory()) todo.push(path);
        else addEntry(root, path, found);
      }
    } catch (error) {
      found.problems.push({ path: directory || '.', reason: `folder cannot be read (${codeOf(error)})` });
    }
  }
  return found;
}

function addEntry(root: string, path: string, found: Walked): void {
  const file = join(root, path);
  try {
    const status = lstatSync(file);
    if (status.isSymbolicLink()) {
      const target = readlinkSync(file);
      found.links.set(path, target);
      found.entries.push({ path, hash: hashBlob(Buffer.from(target)), type: 'symlink', executable: false });
    } else if (status.isFile()) {
      if (status.size > maximumFileBytes) {
        found.problems.push({
          path,
          reason: `file of ${Math.round(status.size / 1024 / 1024)} MB: files over 50 MB are not looked at`,
        });
      }
      const executable = (status.mode & 0o100) !== 0;
      found.entries.push({ path, hash: hashFile(file, status.size), type: 'file', executable });
    } else {
      found.problems.push({ path, reason: 'neither a file, a folder nor a link' });
    }
  } catch (error) {
    found.problems.push({ path, reason: `cannot be read (${codeOf(error)})` });
  }
}

/** The id that git gives a blob: sha-1 over `blob <size>\0` and the content (gitformat-loose(5)). */
export function hashBlob(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function hashFile(file: string, size: number): string {
  const hash = createHash('sha1').update(`blob ${size}\0`);
  const buffer = Buffer.allocUnsafe(Math.min(Math.max(size, 1), 4 * 1024 * 1024));
  const handle = openSync(file, constants.O_RDONLY);
  try {
    for (let count = readSync(handle, buffer); count > 0; count = readSync(handle, buffer))
      hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(handle);
  }
  return hash.digest('hex');
}

function copy(from: string, to: string, entries: readonly TreeEntry[], links: ReadonlyMap<string, string>): void {
  const made = new Set<string>();
  for (const { path, type } of entries) {
    const target = join(to, path);
    const parent = dirname(target);
    if (!made.has(parent)) {
      mkdirSync(parent, { recursive: true });
      made.add(parent);
    }
    if (type === 'file') copyFileSync(join(from, path), target, constants.COPYFILE_FICLONE);
  }
  for (const [path, target] of links) symlinkSync(target, join(to, path));
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** The folder as a person in the current directory would name it. */
function labelOf(directory: string): string {
  const near = relative(process.cwd(), directory);
  return near === '' ? '.' : near.startsWith('..') ? directory : near;
}
