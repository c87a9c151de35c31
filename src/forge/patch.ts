import type { ChangedFile } from '../core/forge.ts';

/** Lines of the new file that a review comment may name, by what they are. */
export interface DiffLines {
  readonly added: ReadonlySet<number>;
  /** Unchanged lines that the diff shows. */
  readonly context: ReadonlySet<number>;
}

const hunkHead = /^@@ -\d{1,9}(?:,\d{1,9})? \+(\d{1,9})(?:,\d{1,9})? @@/;

/** Reads the hunks of a patch as GitHub's API gives them (no file headers). Without a patch: no lines. */
export function diffLines(patch: string | undefined): DiffLines {
  const added = new Set<number>();
  const context = new Set<number>();
  let line: number | undefined;
  for (const text of (patch ?? '').split('\n')) {
    const head = hunkHead.exec(text);
    if (head !== null) {
      line = Number(head[1]);
    } else if (line !== undefined) {
      if (text.startsWith('+')) added.add(line++);
      else if (text.startsWith(' ')) context.add(line++);
    }
  }
  return { added, context };
}

export interface Placement {
  readonly line: number;
  /** False: the nearest changed line of the file, because the wanted one is not part of the diff. */
  readonly exact: boolean;
}

/**
 * Where a remark on a line of a file can stand: the line itself when the diff shows it, else the nearest added line of the
 * same file (the earlier one of two as near). Undefined: the file is not in the diff, or only loses lines.
 */
export function placeOnDiff(files: readonly ChangedFile[], path: string, line: number): Placement | undefined {
  const { added, context } = diffLines(files.find((file) => file.path === path)?.patch);
  if (added.has(line) || context.has(line)) return { line, exact: true };
  let nearest: number | undefined;
  for (const candidate of added)
    if (nearest === undefined || Math.abs(candidate - line) < Math.abs(nearest - line)) nearest = candidate;
  return nearest === undefined ? undefined : { line: nearest, exact: false };
}
