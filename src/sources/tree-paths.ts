import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from '../core/ports.ts';

/** The input path that stands for the whole tree: a directory input like any other, so it ends in `/`. */
export const wholeTree = './';

/**
 * Resolves `path` against the directory `base` inside a tree. Both use `/`; '' or '.' is the root.
 * Returns the normalised path ('' for the root), or undefined when it is absolute or leaves the tree.
 */
export function resolveInTree(base: string, path: string): string | undefined {
  if (path.startsWith('/') || path.includes('\0')) return undefined;
  const parts: string[] = [];
  for (const part of [...base.split('/'), ...path.split('/')]) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else {
      parts.push(part);
    }
  }
  return parts.join('/');
}

/** The directory part of a tree path; '' for a file in the root. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

/** The last segment of a tree path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A directory as an input: with a trailing `/`, the root as {@link wholeTree}. */
export function directoryInput(path: string): string {
  const clean = path.replace(/\/+$/u, '');
  return clean === '' || clean === '.' ? wholeTree : `${clean}/`;
}

/** Does the directory `directory` ('' is the root) hold `path`, at any depth? */
export function isInside(directory: string, path: string): boolean {
  return directory === '' || directory === '.' || path.startsWith(`${directory}/`);
}

/**
 * Sorted and without duplicates and without paths below a listed directory.
 * @param inputs tree paths, directories with a trailing `/`
 */
export function tidyInputs(inputs: Iterable<string>): readonly string[] {
  const sorted = [...new Set(inputs)].sort();
  if (sorted.includes(wholeTree)) return [wholeTree];
  const directories = new Set(sorted.filter((path) => path.endsWith('/')));
  return sorted.filter((path) => {
    for (let slash = path.indexOf('/'); slash !== -1 && slash < path.length - 1; slash = path.indexOf('/', slash + 1)) {
      if (directories.has(path.slice(0, slash + 1))) return false;
    }
    return true;
  });
}

const linksOfTree = new WeakMap<Tree, readonly string[]>();

/** Paths of all symbolic links of the tree, sorted. */
export function symlinksOf(tree: Tree): readonly string[] {
  let links = linksOfTree.get(tree);
  if (links === undefined) {
    links = [...tree.files.values()]
      .filter((entry) => entry.type === 'symlink')
      .map((entry) => entry.path)
      .sort();
    linksOfTree.set(tree, links);
  }
  return links;
}

/**
 * Follows the symbolic links in `path` (in any segment).
 * Returns the real path and the links passed on the way; `path` is undefined when a link leaves the tree,
 * cannot be read, or goes round in a circle.
 */
export function followLinks(tree: Tree, path: string): { path: string | undefined; links: readonly string[] } {
  const all = symlinksOf(tree);
  if (all.length === 0) return { path, links: [] };
  const known = new Set(all);
  const passed: string[] = [];
  let rest = path.split('/').filter((part) => part !== '' && part !== '.');
  let done = '';
  while (rest.length > 0) {
    const next = done === '' ? rest[0]! : `${done}/${rest[0]!}`;
    rest = rest.slice(1);
    if (!known.has(next)) {
      done = next;
      continue;
    }
    passed.push(next);
    // More hops than any sane layout needs: a circle (the kernel's own limit is 40).
    if (passed.length > 40) return { path: undefined, links: passed };
    const target = linkTarget(tree, next);
    const resolved = target === undefined ? undefined : resolveInTree(directoryOf(next), target);
    if (resolved === undefined) return { path: undefined, links: passed };
    rest = [...resolved.split('/').filter((part) => part !== ''), ...rest];
    done = '';
  }
  return { path: done, links: passed };
}

/** Links into folders with links again: deeper than any sane layout. */
const maximumRounds = 4;
const maximumSeen = 50_000;

/**
 * The names under which changed files are also reached through symbolic links of the tree: `prod.yaml` when that is a link
 * to a changed `shared/prod.yaml`, `env/common/a.yaml` when `env/common` is a link to a folder with a changed `a.yaml`.
 */
export function changedThroughLinks(tree: Tree, changed: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const links = symlinksOf(tree).flatMap((link) => {
    const { path } = followLinks(tree, link);
    return path === undefined ? [] : [{ link, path }];
  });
  let added = links.length === 0 ? [] : [...changed];
  for (let round = 0; round < maximumRounds && added.length > 0; round += 1) {
    const more: string[] = [];
    for (const { link, path } of links) {
      for (const file of added) {
        const name =
          file === path
            ? link
            : isInside(path, file)
              ? `${link}/${path === '' ? file : file.slice(path.length + 1)}`
              : '';
        if (name === '' || seen.has(name) || seen.size >= maximumSeen) continue;
        seen.add(name);
        more.push(name);
      }
    }
    added = more;
  }
  return [...seen];
}

function linkTarget(tree: Tree, path: string): string | undefined {
  try {
    return readlinkSync(join(tree.root, path));
  } catch {
    // A link out of the tree is not materialised (Tree.problems lists it).
    return undefined;
  }
}
