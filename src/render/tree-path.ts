import { isAbsolute, join, posix } from 'node:path';
import type { Tree } from '../core/ports.ts';
import { fail } from './failure.ts';

/**
 * A path relative to the root of the tree in its shortest form, `''` for the root itself.
 * Ends the rendering when it leads out of the tree.
 */
export function insideTree(path: string, what: string): string {
  const normal = posix.normalize(path).replace(/\/+$/, '');
  if (isAbsolute(path) || normal === '..' || normal.startsWith('../') || path.includes('\0')) {
    fail({
      kind: 'render',
      message: `${what} "${path}" leads out of the repository`,
      next: 'Only files of the repository are rendered.',
    });
  }
  return normal === '.' ? '' : normal;
}

/** An address without the slashes at its end. Linear, whatever a hostile file writes. */
export function withoutEndSlash(url: string): string {
  let end = url.length;
  while (end > 0 && url.charCodeAt(end - 1) === 47) end--;
  return url.slice(0, end);
}

/** The absolute path of something in the tree. */
export function onDisk(tree: Tree, path: string): string {
  return join(tree.root, insideTree(path, 'The path'));
}

/** Joins and shortens, for paths written relative to a folder of the tree. */
export function relativeTo(folder: string, path: string, what: string): string {
  return insideTree(posix.join(folder === '' ? '.' : folder, path), what);
}
