import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { GateError } from '../core/errors.ts';
import type { OverlayLimits, Tree, TreeEntry, TreeOverlay } from '../core/ports.ts';
import { makeTemporaryDirectory } from './cleanup.ts';
import { hashBlob } from './directories.ts';
import { followLinks, isSafePath, linkProblem } from './links.ts';
import { createTree } from './tree.ts';

/** Trees with more links than this are not followed by hand. */
const maximumLinks = 2_000;

/**
 * Copies what some paths of a tree hold, following its symbolic links, so that variants of it can be rendered.
 * Files that the tree does not have on disk are left out.
 * @param paths files, or folders with a trailing slash; `./` for all
 * @returns undefined when there is more than the limits allow
 */
export function copyTree(tree: Tree, paths: readonly string[], limits: OverlayLimits): TreeOverlay | undefined {
  const links = linksOf(tree);
  const entries = links === undefined ? undefined : entriesAt(tree, paths, links, limits.files);
  if (links === undefined || entries === undefined) return undefined;
  const sizes = entries.map(({ path, type }) => (type === 'file' ? sizeOf(join(tree.root, path)) : undefined));
  if (sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) > limits.bytes) return undefined;

  const folder = makeTemporaryDirectory('causes');
  const base = join(folder.path, 'base');
  const files = entries.filter(({ type }, index) => type !== 'file' || sizes[index] !== undefined);
  fill(base, files, links, (path) => copyFileSync(join(tree.root, path), join(base, path), constants.COPYFILE_FICLONE));
  const parts = { label: tree.label, links, problems: [] };
  let variants = 0;
  return {
    tree: createTree({ ...parts, root: base, entries: files }),
    with(contents) {
      for (const path of contents.keys()) refuseUnsafe(path, links);
      const root = join(folder.path, `variant-${variants++}`);
      const kept = files.filter(({ path }) => !contents.has(path));
      // Nothing writes to a tree, so its variants can share the files.
      fill(root, kept, links, (path) => linkSync(join(base, path), join(root, path)));
      const written: TreeEntry[] = [];
      for (const [path, text] of contents) {
        if (text === undefined) continue;
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text, { flag: 'wx' });
        const executable = files.find((entry) => entry.path === path)?.executable ?? false;
        written.push({ path, hash: hashBlob(Buffer.from(text)), type: 'file', executable });
      }
      return createTree({ ...parts, root, entries: [...kept, ...written] });
    },
    close: () => folder.remove(),
  };
}

/** Undefined: too many. Links that lead out of the tree are none of its entries, and are looked at once more here. */
function linksOf(tree: Tree): ReadonlyMap<string, string> | undefined {
  const paths = [...tree.files.values()].filter(({ type }) => type === 'symlink').map(({ path }) => path);
  if (paths.length > maximumLinks) return undefined;
  const links = new Map<string, string>();
  for (const path of paths) {
    try {
      links.set(path, readlinkSync(join(tree.root, path)));
    } catch {
      // It is not on disk, or no longer a link: then nothing is read through it.
    }
  }
  for (const path of links.keys()) if (linkProblem(path, links) !== undefined) links.delete(path);
  return links;
}

/** The files at the paths, and those that links among them mean. Undefined: too many. */
function entriesAt(
  tree: Tree,
  paths: readonly string[],
  links: ReadonlyMap<string, string>,
  limit: number,
): TreeEntry[] | undefined {
  const found = new Map<string, TreeEntry>();
  const seen = new Set<string>();
  const todo = [...paths];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const actual = followLinks(path, links);
    if (actual === undefined || seen.has(actual)) continue;
    seen.add(actual);
    for (const file of tree.list(actual)) {
      const entry = tree.files.get(file);
      if (entry === undefined || entry.type === 'symlink') {
        if (links.has(file)) todo.push(file);
        continue;
      }
      found.set(file, entry);
      if (found.size > limit) return undefined;
    }
  }
  // A link on the way to a file is needed as well as the file; links are small.
  for (const path of links.keys()) {
    const entry = tree.files.get(path);
    if (entry !== undefined) found.set(path, entry);
  }
  return [...found.values()];
}

/** Undefined: not on disk as a file. */
function sizeOf(file: string): number | undefined {
  const status = lstatSync(file, { throwIfNoEntry: false });
  return status?.isFile() === true ? status.size : undefined;
}

function fill(
  root: string,
  entries: readonly TreeEntry[],
  links: ReadonlyMap<string, string>,
  place: (path: string) => void,
): void {
  const made = new Set<string>();
  mkdirSync(root);
  for (const { path, type } of entries) {
    const parent = dirname(join(root, path));
    if (!made.has(parent)) {
      mkdirSync(parent, { recursive: true });
      made.add(parent);
    }
    if (type === 'file') place(path);
    else if (type === 'submodule') mkdirSync(join(root, path), { recursive: true });
  }
  for (const { path, type } of entries) {
    const target = type === 'symlink' ? links.get(path) : undefined;
    if (target !== undefined) symlinkSync(target, join(root, path));
  }
}

function refuseUnsafe(path: string, links: ReadonlyMap<string, string>): void {
  if (isSafePath(path) && followLinks(path, links) === path) return;
  throw new GateError({
    code: 'tree.not-overlaid',
    message: `${path} is no file of the tree itself, so it cannot be replaced`,
    fault: 'gate',
    location: { file: path },
  });
}
