import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { GateError, messageOf } from '../core/errors.ts';
import { isLfsPointer, lfsReason } from '../core/lfs.ts';
import type { Tree, TreeEntry } from '../core/ports.ts';
import { followLinks } from './links.ts';

/** Larger files are neither materialised nor read: no manifest, chart or values file is that large. */
export const maximumFileBytes = 50 * 1024 * 1024;

export interface TreeProblem {
  readonly path: string;
  readonly reason: string;
}

export interface TreeParts {
  /** Absolute path of the folder that holds the files. */
  readonly root: string;
  readonly label: string;
  readonly revision?: string;
  readonly entries: Iterable<TreeEntry>;
  /** Path of each kept symbolic link -> its target as stored. */
  readonly links: ReadonlyMap<string, string>;
  readonly problems: readonly TreeProblem[];
}

/** A {@link Tree} over files that are on disk below `root`. Links are followed through the recorded targets, never through the disk. */
export function createTree(parts: TreeParts): Tree {
  const { root, links } = parts;
  const entries = [...parts.entries].toSorted((left, right) => compareText(left.path, right.path));
  const files = new Map(entries.map((entry) => [entry.path, entry]));
  const paths = entries.map((entry) => entry.path);
  const directories = directoriesOf(entries);
  const problems = [...parts.problems];
  const hashes = new Map<string, string | undefined>();

  function resolve(path: string): string | undefined {
    return followLinks(path, links);
  }

  function below(directory: string): readonly string[] {
    return directory === '' ? paths : pathsBelow(paths, `${directory}/`);
  }

  function list(directory: string): readonly string[] {
    const named = posix.normalize(directory).replace(/^(\.\/)+|^\.$|\/+$/g, '');
    const actual = resolve(directory);
    if (actual === undefined) return [];
    if (files.has(actual)) return [named];
    const found = below(actual);
    if (actual === named) return found;
    const prefix = named === '' ? '' : `${named}/`;
    const cut = actual === '' ? 0 : actual.length + 1;
    return found.map((path) => `${prefix}${path.slice(cut)}`);
  }

  function readText(path: string): string | undefined {
    const actual = resolve(path);
    if (actual === undefined || files.get(actual)?.type !== 'file') return undefined;
    const text = readTextFile(join(root, actual), path, problems.find((problem) => problem.path === actual)?.reason);
    if (isLfsPointer(text) && !problems.some((problem) => problem.path === actual)) {
      problems.push({ path: actual, reason: lfsReason });
    }
    return text;
  }

  /** `seen` holds the link targets on the way, so that links among each other's folders end. */
  function computeHash(actual: string, seen: ReadonlySet<string>): string | undefined {
    const entry = files.get(actual);
    if (entry !== undefined && entry.type !== 'symlink') return entry.hash;
    const found = below(actual);
    if (found.length === 0 && !directories.has(actual)) return undefined;
    const hash = createHash('sha1');
    for (const path of found) {
      const item = files.get(path);
      if (item === undefined) continue;
      hash.update(`${path.slice(actual.length)}\0${item.type}\0${item.executable ? 'x' : '-'}\0${item.hash}\0`);
      if (item.type !== 'symlink') continue;
      const target = resolve(path);
      if (target === undefined || seen.has(target)) continue;
      hash.update(`-> ${target}\0${computeHash(target, new Set([...seen, target])) ?? 'nothing'}\0`);
    }
    return hash.digest('hex');
  }

  function hashOf(path: string): string | undefined {
    const actual = resolve(path);
    if (actual === undefined) return undefined;
    if (!hashes.has(actual)) hashes.set(actual, computeHash(actual, new Set([actual])));
    return hashes.get(actual);
  }

  return {
    root,
    label: parts.label,
    ...(parts.revision === undefined ? {} : { revision: parts.revision }),
    files,
    readText,
    list,
    isFile(path) {
      const actual = resolve(path);
      return actual !== undefined && files.get(actual)?.type === 'file';
    },
    isDirectory(path) {
      const actual = resolve(path);
      return actual !== undefined && directories.has(actual);
    },
    hashOf,
    problems,
  };
}

/** Paths whose content, type, executable bit or existence differs, sorted. */
export function changedPaths(before: Tree, after: Tree): readonly string[] {
  const changed: string[] = [];
  for (const [path, entry] of after.files) {
    const old = before.files.get(path);
    if (old === undefined || old.hash !== entry.hash || old.type !== entry.type || old.executable !== entry.executable)
      changed.push(path);
  }
  for (const path of before.files.keys()) if (!after.files.has(path)) changed.push(path);
  return changed.toSorted(compareText);
}

/**
 * Text of a file on disk.
 * @param file absolute path
 * @param shown path for messages
 * @param known why the file may not be on disk
 * @throws GateError tree.file-too-large, tree.not-text, tree.unreadable
 */
function readTextFile(file: string, shown: string, known: string | undefined): string {
  let content: Buffer;
  try {
    const { size } = statSync(file);
    if (size > maximumFileBytes) {
      throw new GateError({
        code: 'tree.file-too-large',
        message: `${shown} has ${Math.round(size / 1024 / 1024)} MB; files over 50 MB are not read`,
        fault: 'user',
        location: { file: shown },
        next: 'Keep large data out of the folders that are deployed, or exclude the target in gate.yaml.',
      });
    }
    content = readFileSync(file);
  } catch (error) {
    if (error instanceof GateError) throw error;
    const reason = known ?? messageOf(error);
    throw new GateError({
      code: 'tree.unreadable',
      message: `${shown} cannot be read: ${reason}`,
      fault: 'user',
      location: { file: shown },
      cause: error,
    });
  }
  return decodeText(content, shown);
}

const gitCrypt = Buffer.from('\0GITCRYPT\0', 'latin1');

/**
 * UTF-8 text without its byte order mark.
 * @throws GateError tree.encrypted, or tree.not-text with the line and column of the first byte that is not text
 */
export function decodeText(content: Buffer, file: string): string {
  const utf16 = (content[0] === 0xff && content[1] === 0xfe) || (content[0] === 0xfe && content[1] === 0xff);
  if (utf16) throw notText(file, 'is UTF-16', { file, line: 1, column: 1 });
  // What git-crypt leaves in the work tree of a reader without the key starts so (git-crypt, commands.cpp).
  if (content.subarray(0, gitCrypt.length).equals(gitCrypt)) {
    throw new GateError({
      code: 'tree.encrypted',
      message: `${file} is encrypted by git-crypt`,
      fault: 'user',
      location: { file },
      next: 'Unlock the repository, if gate shall see what the file holds.',
    });
  }
  const nul = content.indexOf(0);
  if (nul !== -1) throw notText(file, 'holds a NUL byte', position(content, nul, file));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (error) {
    throw notText(file, 'is not valid UTF-8', { file }, error);
  }
}

function notText(
  file: string,
  what: string,
  location: { file: string; line?: number; column?: number },
  cause?: unknown,
): GateError {
  return new GateError({
    code: 'tree.not-text',
    message: `${file} ${what}, so it is not read as text`,
    fault: 'user',
    location,
    next: 'Save the file as UTF-8.',
    cause,
  });
}

function position(content: Buffer, offset: number, file: string): { file: string; line: number; column: number } {
  const before = content.subarray(0, offset);
  const lastBreak = before.lastIndexOf(0x0a);
  let line = 1;
  for (let at = before.indexOf(0x0a); at !== -1; at = before.indexOf(0x0a, at + 1)) line += 1;
  return { file, line, column: offset - lastBreak };
}

function directoriesOf(entries: readonly TreeEntry[]): ReadonlySet<string> {
  const directories = new Set(['']);
  for (const { path, type } of entries) {
    if (type === 'submodule') directories.add(path);
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      const directory = path.slice(0, cut);
      if (directories.has(directory)) break;
      directories.add(directory);
    }
  }
  return directories;
}

/** The part of a sorted list that begins with `prefix`. */
function pathsBelow(sorted: readonly string[], prefix: string): readonly string[] {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < sorted.length && sorted[end]?.startsWith(prefix) === true) end += 1;
  return sorted.slice(low, end);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
