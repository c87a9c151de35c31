import { structuredPatch } from 'diff';
import type { GateReport, ResourceChange } from '../core/model.ts';
import { sidesText } from './object-text.ts';
import { refText } from './text.ts';

/** The text of one change: lines with ` `, `-`, `+` or `@@` in front, without file headers. */
export interface ObjectDiff {
  readonly change: ResourceChange;
  readonly lines: readonly string[];
  /** Lines that are new or gone, a replaced line counted once. */
  readonly changedLines: number;
}

/** The same changed lines in several objects. `members` has at least one entry; the first one is printed. */
export interface DiffGroup {
  readonly first: ObjectDiff;
  readonly members: readonly ResourceChange[];
  /** Ids of the targets of the members. */
  readonly targets: readonly string[];
}

/** Beyond so many edits the sides have nothing to do with each other, and comparing costs seconds. */
const maxEdits = 4_000;

/** An empty side starts at line 0, as in `diff -u`. */
function range(start: number, lines: number): string {
  return `${lines === 0 && start === 1 ? 0 : start},${lines}`;
}

function diffLines(before: string, after: string): string[] {
  const patch = structuredPatch('', '', before, after, undefined, undefined, { context: 3, maxEditLength: maxEdits });
  const whole = (text: string, sign: string) =>
    text === ''
      ? []
      : text
          .trimEnd()
          .split('\n')
          .map((line) => sign + line);
  if (patch === undefined) return [...whole(before, '-'), ...whole(after, '+')];
  return patch.hunks.flatMap((hunk) => [
    `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`,
    ...hunk.lines.filter((line) => !line.startsWith('\\')),
  ]);
}

/** The unified hunks of one change. No lines: only something that is not printed differs (a checksum). */
export function objectDiff(change: ResourceChange): ObjectDiff {
  const { before, after } = sidesText(change);
  const lines = diffLines(before, after);
  const starting = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  return { change, lines, changedLines: Math.max(starting('-'), starting('+')) };
}

/** Two changes with the same key say the same: same kind, same action, same changed lines. */
function keyOf({ change, lines }: ObjectDiff): string {
  return [change.ref.group, change.ref.kind, change.action, ...lines.filter((line) => /^[-+]/.test(line))].join('\n');
}

/**
 * The changes of a report, folded: the same change of several objects is one group.
 * In the order of the report; `limit` changes at most are compared.
 */
export function groupedDiffs(report: GateReport, limit = Number.POSITIVE_INFINITY): readonly DiffGroup[] {
  const groups = new Map<string, { first: ObjectDiff; members: ResourceChange[] }>();
  for (const change of report.changes.slice(0, limit)) {
    const diff = objectDiff(change);
    const key = keyOf(diff);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: diff, members: [change] });
    else group.members.push(change);
  }
  return [...groups.values()].map(({ first, members }) => ({
    first,
    members,
    targets: [...new Set(members.map((member) => member.target))],
  }));
}

/** Targets in which an object of that kind changes. */
export function targetsByKind(report: GateReport): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const change of report.changes) {
    const kind = `${change.ref.group}/${change.ref.kind}`;
    const targets = found.get(kind) ?? new Set();
    targets.add(change.target);
    found.set(kind, targets);
  }
  return found;
}

const actionText: Readonly<Record<ResourceChange['action'], string>> = {
  added: 'added',
  removed: 'removed',
  changed: 'changed',
  renamed: 'renamed',
};

/** `changed Deployment shop/api`, `renamed ConfigMap shop/b (was ConfigMap shop/a)`. */
export function changeTitle(change: ResourceChange): string {
  const previous = change.previousRef === undefined ? '' : ` (was ${refText(change.previousRef)})`;
  return `${actionText[change.action]} ${refText(change.ref)}${previous}`;
}
