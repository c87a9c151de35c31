import type { Tree } from '../core/ports.ts';

/** Text of a file, undefined also when it cannot be read: unreadable files are named by `unclaimedChanges`. */
export function readQuietly(tree: Tree, path: string): string | undefined {
  try {
    return tree.readText(path);
  } catch {
    return undefined;
  }
}
