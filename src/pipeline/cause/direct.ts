import type { SourceLocation } from '../../core/errors.ts';
import type { Cause } from '../../core/model.ts';
import type { Hunk } from './hunks.ts';

/** Is this line of the new side part of a hunk? */
function holds({ after }: Hunk, line: number): boolean {
  return line >= after.start && line < after.start + after.count;
}

/**
 * The line that a finding is about, when the change wrote it.
 * @param hunks of the file that `location` names
 * @param objectStart the location is only where the object begins: it says nothing about the line, unless all of the object
 *   is new
 */
export function exactLine(
  location: SourceLocation,
  hunks: readonly Hunk[],
  objectStart: 'new' | 'known' | undefined,
): Cause | undefined {
  const { file, line } = location;
  if (line === undefined || objectStart === 'known') return undefined;
  return hunks.some((hunk) => hunk.whole !== 'removed' && holds(hunk, line)) ? { file, line, how: 'exact' } : undefined;
}

/**
 * The changed line nearest to the one that a finding is about, in the same file; the earlier one of two as near. Without a
 * line: that of the only hunk. Lines that were only removed have no line of their own.
 */
export function nearestLine({ file, line }: SourceLocation, hunks: readonly Hunk[]): Cause | undefined {
  const written = hunks.filter(({ after, whole }) => after.count > 0 && whole !== 'removed');
  const [only] = written;
  if (line === undefined) {
    return only === undefined || hunks.length > 1 ? undefined : { file, line: only.after.start, how: 'nearest' };
  }
  let nearest: number | undefined;
  for (const { after } of written) {
    const candidate = Math.min(Math.max(line, after.start), after.start + after.count - 1);
    if (nearest === undefined || Math.abs(candidate - line) < Math.abs(nearest - line)) nearest = candidate;
  }
  return nearest === undefined ? undefined : { file, line: nearest, how: 'nearest' };
}
