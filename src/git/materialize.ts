import { chmodSync, linkSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TreeEntry } from '../core/ports.ts';
import type { GitRunner } from './simple-git.ts';
import { isSafePath, linkProblem } from './links.ts';
import { isLfsPointer, lfsReason } from '../core/lfs.ts';
import { maximumFileBytes, type TreeProblem } from './tree.ts';

/** Bytes of blobs that one `git cat-file --batch` prints. */
const batchBytes = 24 * 1024 * 1024;
const batchObjects = 4000;

/** One tree as `git ls-tree` lists it, before anything is on disk. */
export interface Listing {
  readonly entries: readonly TreeEntry[];
  /** Blob id -> bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly problems: readonly TreeProblem[];
}

export interface Materialized {
  readonly entries: readonly TreeEntry[];
  readonly links: ReadonlyMap<string, string>;
  readonly problems: readonly TreeProblem[];
}

/** Reads the output of `git ls-tree -r -l -z --full-tree`: `<mode> SP <type> SP <id> SP+ <size|-> TAB <path> NUL`. */
export function parseListing(output: string): Listing {
  const entries: TreeEntry[] = [];
  const sizes = new Map<string, number>();
  const problems: TreeProblem[] = [];
  for (const record of output.split('\0')) {
    const tab = record.indexOf('\t');
    if (tab === -1) continue;
    const path = record.slice(tab + 1);
    const [mode = '', , hash = '', size = ''] = record.slice(0, tab).split(/ +/);
    if (!isSafePath(path)) {
      problems.push({ path, reason: 'the file name is not safe or not UTF-8; the file was left out' });
    } else if (mode === '160000') {
      entries.push({ path, hash, type: 'submodule', executable: false });
      problems.push({ path, reason: `submodule at ${hash.slice(0, 12)}: its content is not fetched` });
    } else if (Number(size) > maximumFileBytes) {
      problems.push({
        path,
        reason: `file of ${Math.round(Number(size) / 1024 / 1024)} MB: files over 50 MB are left out`,
      });
      entries.push({ path, hash, type: 'file', executable: false });
    } else {
      entries.push({ path, hash, type: mode === '120000' ? 'symlink' : 'file', executable: mode === '100755' });
      sizes.set(hash, Number(size));
    }
  }
  return { entries, sizes, problems };
}

/**
 * Writes the files of several listings, each into its own empty folder. The content is read with `git cat-file`, which
 * knows no attributes: no smudge filter, no line-ending conversion, no export-ignore, no hook can take part.
 * A blob that several listings share is read once. Files first, links last, so that no file is written through a link.
 */
export async function materialize(
  git: GitRunner,
  jobs: readonly { readonly listing: Listing; readonly root: string }[],
): Promise<readonly Materialized[]> {
  const wanted = new Map<string, { readonly job: number; readonly entry: TreeEntry }[]>();
  const sizes = new Map<string, number>();
  const links = jobs.map(() => new Map<string, string>());
  const problems = jobs.map(({ listing }) => [...listing.problems]);
  const failed = jobs.map(() => new Set<string>());
  for (const [job, { listing, root }] of jobs.entries()) {
    makeDirectories(root, listing.entries, problems[job] ?? []);
    for (const entry of listing.entries) {
      const size = listing.sizes.get(entry.hash);
      if (size === undefined) continue;
      sizes.set(entry.hash, size);
      const places = wanted.get(entry.hash);
      if (places === undefined) wanted.set(entry.hash, [{ job, entry }]);
      else places.push({ job, entry });
    }
  }

  for (const batch of batches(sizes)) {
    const output = await git.readObjects(batch);
    for (const { id, content } of parseBatch(output)) {
      const copies = new Map<boolean, string>();
      for (const { job, entry } of wanted.get(id) ?? []) {
        if (entry.type === 'symlink') {
          links[job]?.set(entry.path, content.toString('utf8'));
          continue;
        }
        const file = join(jobs[job]?.root ?? '', entry.path);
        const written = copies.get(entry.executable);
        const linked = written !== undefined && linkFile(written, file);
        const reason = linked ? undefined : writeFile(file, content, entry.executable);
        if (reason === undefined) copies.set(entry.executable, file);
        if (reason !== undefined) {
          failed[job]?.add(entry.path);
          problems[job]?.push({ path: entry.path, reason });
        } else if (
          content.length < 1024 &&
          mattersToDeployment.test(entry.path) &&
          isLfsPointer(content.toString('latin1'))
        ) {
          problems[job]?.push({ path: entry.path, reason: lfsReason });
        }
      }
      wanted.delete(id);
    }
  }
  for (const [id, places] of wanted) {
    for (const { job, entry } of places) {
      failed[job]?.add(entry.path);
      problems[job]?.push({ path: entry.path, reason: `object ${id.slice(0, 12)} is missing from the repository` });
    }
  }

  return jobs.map(({ listing, root }, job) => {
    const own = links[job] ?? new Map<string, string>();
    const left = failed[job] ?? new Set<string>();
    const kept = new Map<string, string>();
    for (const [path, target] of own) {
      const reason = linkProblem(path, own) ?? writeLink(join(root, path), target);
      if (reason === undefined) kept.set(path, target);
      else {
        left.add(path);
        problems[job]?.push({ path, reason });
      }
    }
    return {
      entries: listing.entries.filter((entry) => !left.has(entry.path)),
      links: kept,
      problems: problems[job] ?? [],
    };
  });
}

/** Pointers are named ahead of reading only where a tool would take them for content. */
const mattersToDeployment = /\.(ya?ml|json|tpl|tgz|txt|toml|cfg)$|(^|\/)(Dockerfile|Containerfile)[^/]*$/i;

function makeDirectories(root: string, entries: readonly TreeEntry[], problems: TreeProblem[]): void {
  const made = new Set<string>(['.']);
  // Parents first, each made once: a recursive mkdir looks at every level again, and there are thousands.
  const make = (directory: string): void => {
    if (made.has(directory)) return;
    made.add(directory);
    make(dirname(directory));
    try {
      mkdirSync(join(root, directory));
    } catch (error) {
      if (codeOf(error) === 'EEXIST' && lstatSync(join(root, directory)).isDirectory()) return;
      problems.push({ path: directory, reason: `folder cannot be made (${codeOf(error)})` });
    }
  };
  for (const { path, type } of entries) make(type === 'submodule' ? path : dirname(path));
}

/** Exclusive, so that a tree with the same path twice cannot write through what is already there. */
function writeFile(file: string, content: Buffer, executable: boolean): string | undefined {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    if (executable) chmodSync(file, 0o755);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EMFILE') throw error;
    return `file cannot be written (${code})`;
  }
}

/** One file under two names: making a file is the slow part of a large tree. The trees are read-only for all who use them. */
function linkFile(existing: string, file: string): boolean {
  try {
    linkSync(existing, file);
    return true;
  } catch {
    // No hard links here, or too many of them: the caller writes the file, which also reports what is wrong with its path.
    return false;
  }
}

function writeLink(file: string, target: string): string | undefined {
  try {
    symlinkSync(target, file);
    return undefined;
  } catch (error) {
    return `link cannot be made (${codeOf(error)})`;
  }
}

function* batches(sizes: ReadonlyMap<string, number>): Generator<readonly string[]> {
  let ids: string[] = [];
  let bytes = 0;
  for (const [id, size] of sizes) {
    if (ids.length > 0 && (ids.length >= batchObjects || bytes + size > batchBytes)) {
      yield ids;
      ids = [];
      bytes = 0;
    }
    ids.push(id);
    bytes += size;
  }
  if (ids.length > 0) yield ids;
}

/** `<id> SP blob SP <size> LF <content> LF` for each object, or `<id> SP missing LF` (git-cat-file(1), "BATCH OUTPUT"). */
function* parseBatch(output: Buffer): Generator<{ readonly id: string; readonly content: Buffer }> {
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0x0a, at);
    if (end === -1) return;
    const [id = '', type = '', size = ''] = output.toString('latin1', at, end).split(' ');
    at = end + 1;
    if (type !== 'blob') continue;
    yield { id, content: output.subarray(at, at + Number(size)) };
    at += Number(size) + 1;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
