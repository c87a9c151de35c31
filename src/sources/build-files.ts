import { isGateError } from '../core/errors.ts';
import type { BuildFile } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';

/** Beyond this a Dockerfile or a dependency list is not one that people wrote. */
export const maximumBuildFileBytes = 1024 * 1024;
export const maximumBuildFiles = 3000;

/** Folders of other people's code. */
const foreign = /(^|\/)(node_modules|vendor|third_party|site-packages|\.tox|\.venv|venv|__pycache__)\//;

export function isForeign(path: string): boolean {
  return foreign.test(path);
}

/** The file as text; undefined when it is not text or too large. What the tree refuses to read is in its `problems`. */
export function readBuildFile(
  tree: Tree,
  path: string,
  type: BuildFile['type'],
  maximum = maximumBuildFileBytes,
): BuildFile | undefined {
  try {
    const text = tree.readText(path);
    return text === undefined || text.length > maximum ? undefined : { path, type, text };
  } catch (error) {
    if (isGateError(error)) return undefined;
    throw error;
  }
}
