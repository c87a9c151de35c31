import { diffArrays } from 'diff';

/** Lines of one side: `count` lines from `start` (1-based). None: they would stand in front of `start`. */
export interface LineRange {
  readonly start: number;
  readonly count: number;
}

/** Neighbouring lines of a text file that a change replaces, adds or removes. */
export interface Hunk {
  readonly path: string;
  readonly before: LineRange;
  readonly after: LineRange;
  /** The old lines with their line ends, to put them back. */
  readonly old: readonly string[];
  /** The new lines. */
  readonly text: string;
  /** The file is there on one side only: the hunk is all of it. */
  readonly whole?: 'added' | 'removed';
}

/** Beyond these a file is no values file, and comparing it costs seconds. */
const maxCharacters = 1_000_000;
const maxEdits = 2_000;

/**
 * What a change does to one text file. Pure.
 * @param before undefined: the file is new; `after` undefined: it is removed
 * @returns in the order of the file; undefined when it is too large or too different to be compared
 */
export function changedHunks(
  path: string,
  before: string | undefined,
  after: string | undefined,
): readonly Hunk[] | undefined {
  if ((before?.length ?? 0) + (after?.length ?? 0) > maxCharacters) return undefined;
  const [old, current] = [linesOf(before), linesOf(after)];
  if (before === undefined || after === undefined) {
    const whole = before === undefined ? 'added' : 'removed';
    const range = (lines: readonly string[]) => ({ start: 1, count: lines.length });
    return [{ path, before: range(old), after: range(current), old, text: current.join(''), whole }];
  }
  const parts = diffArrays(old, current, { maxEditLength: maxEdits });
  if (parts === undefined) return undefined;
  const hunks: Hunk[] = [];
  let [oldLine, newLine] = [1, 1];
  for (let at = 0; at < parts.length;) {
    const start = { before: oldLine, after: newLine };
    for (let part = parts[at]; part?.added === true || part?.removed === true; part = parts[++at]) {
      if (part.added) newLine += part.value.length;
      else oldLine += part.value.length;
    }
    if (oldLine > start.before || newLine > start.after) {
      hunks.push(hunkOf(path, old, current, start, { before: oldLine, after: newLine }));
    }
    const same = parts[at++]?.value.length ?? 0;
    oldLine += same;
    newLine += same;
  }
  return hunks;
}

interface Position {
  readonly before: number;
  readonly after: number;
}

function hunkOf(path: string, old: readonly string[], current: readonly string[], from: Position, to: Position): Hunk {
  return {
    path,
    before: { start: from.before, count: to.before - from.before },
    after: { start: from.after, count: to.after - from.after },
    old: old.slice(from.before - 1, to.before - 1),
    text: current.slice(from.after - 1, to.after - 1).join(''),
  };
}

/** Lines with their ends, so that joining them gives the text. */
function linesOf(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(/(?<=\n)/);
}

/**
 * The new text of a file without some of its hunks.
 * @param after undefined: the file is removed
 * @returns undefined: without these hunks there is no such file
 */
export function revert(after: string | undefined, hunks: readonly Hunk[]): string | undefined {
  const [first] = hunks;
  if (first?.whole === 'added') return undefined;
  if (first?.whole === 'removed') return first.old.join('');
  const lines = linesOf(after);
  // From the end, so that the line numbers of the others stay right.
  for (const { after: range, old } of hunks.toSorted((left, right) => right.after.start - left.after.start)) {
    const before = lines[range.start - 2];
    // Lines behind a last line without an end would be glued to it.
    if (old.length > 0 && before !== undefined && !before.endsWith('\n')) lines[range.start - 2] = `${before}\n`;
    lines.splice(range.start - 1, range.count, ...old.map((line) => (line.endsWith('\n') ? line : `${line}\n`)));
  }
  return lines.join('');
}

const maxParts = 8;

/**
 * The single lines of a hunk, where they can be left out one by one: as many new lines as old ones, or new ones only.
 * @returns the hunk alone when it cannot be told which lines belong together
 */
export function linesOfHunk(hunk: Hunk): readonly Hunk[] {
  const { before, after, old, whole } = hunk;
  const paired = before.count === after.count;
  if (whole !== undefined || after.count < 2 || after.count > maxParts || !(paired || before.count === 0))
    return [hunk];
  return linesOf(hunk.text).map((text, index) => ({
    path: hunk.path,
    before: { start: before.start + (paired ? index : 0), count: paired ? 1 : 0 },
    after: { start: after.start + index, count: 1 },
    old: paired ? old.slice(index, index + 1) : [],
    text,
  }));
}

/** The lines of the new side that a remark on a hunk names; removed lines are where the next line stands now. */
export function placeOf({ after, whole }: Hunk, lines: number): { line: number; endLine?: number } | undefined {
  if (whole === 'removed' || lines === 0) return undefined;
  const line = Math.min(Math.max(after.start, 1), lines);
  return after.count < 2 ? { line } : { line, endLine: after.start + after.count - 1 };
}

/** Number of lines of a text, an empty one behind the last line end not counted. */
export function countLines(text: string | undefined): number {
  return linesOf(text).length;
}
