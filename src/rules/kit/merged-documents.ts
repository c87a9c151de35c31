import type { Entry } from '../../core/model.ts';

/** Two documents without a `---` line between them: `apiVersion` and `kind` stand twice, and the second object wins. */
export function isMerged(entry: Entry): boolean {
  const paths = new Set(entry.duplicateKeys?.map(({ path }) => path) ?? []);
  return paths.has('/apiVersion') && paths.has('/kind');
}
