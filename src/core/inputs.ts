import type { Target } from './model.ts';

/**
 * Does rendering the target read this file of the tree?
 * @returns undefined when the inputs of the target are not known
 */
export function readsPath(target: Pick<Target, 'inputs'>, path: string): boolean | undefined {
  if (target.inputs === 'unknown') return undefined;
  return target.inputs.some((input) => covers(input, path));
}

/** An input is a file, a folder with a trailing slash, or `./` for the whole tree. */
function covers(input: string, path: string): boolean {
  if (!input.endsWith('/')) return path === input;
  return input === './' || path.startsWith(input);
}
