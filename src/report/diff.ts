import type { GateReport, Impact } from '../core/model.ts';
import { changeTitle, groupedDiffs, targetsByKind, type DiffGroup } from './hunks.ts';
import { cleanLine, count, painter, refText, someOf } from './text.ts';

export interface DiffOptions {
  readonly color: boolean;
}

const impactText: Readonly<Record<Impact, string>> = {
  none: '',
  metadata: 'labels or annotations only',
  configuration: 'configuration',
  restart: 'pods are replaced',
  disruption: 'service is disturbed while it rolls out',
  replace: 'must be deleted and made again',
  'data-loss': 'data is lost',
};

/**
 * What `gate diff` prints: unified hunks of YAML per object, the same change of many objects only once.
 * Named lists and keys stand in one order on both sides; checksum annotations and Secret values are left out.
 */
export function toDiff(report: GateReport, options: DiffOptions): string {
  const paint = painter(options.color);
  const byKind = targetsByKind(report);
  const blocks = groupedDiffs(report).map((group) => {
    const { change, lines } = group.first;
    const was = change.action === 'added' ? '/dev/null' : header(group, change.previousRef);
    const is = change.action === 'removed' ? '/dev/null' : header(group, undefined);
    const impact = change.action === 'added' ? '' : impactText[change.impact];
    const about = [impact, ...(change.because ?? []).map(cleanLine)].filter((text) => text !== '');
    return [
      paint('bold', `# ${changeTitle(change)}${about.length === 0 ? '' : `: ${about.join('; ')}`}`),
      ...foldLines(group, byKind).map((line) => paint('cyan', `# ${line}`)),
      paint('bold', `--- ${was}`),
      paint('bold', `+++ ${is}`),
      ...(lines.length === 0
        ? ['# Nothing but checksums or the order of lists differs.']
        : lines.map((line) => paintLine(line, paint))),
    ].join('\n');
  });
  if (blocks.length === 0) return 'No rendered object differs in the targets that were looked at.\n';
  return `${blocks.join('\n\n')}\n\n${footer(report)}\n`;
}

function header(group: DiffGroup, previous: DiffGroup['first']['change']['previousRef']): string {
  const { change } = group.first;
  const ref = previous ?? change.ref;
  const parts = [change.target, ref.group, ref.kind, ref.namespace ?? '_', ref.name];
  return cleanLine(parts.filter((part) => part !== '').join('/'));
}

/** `The same 3 lines in 48 of 50 targets that change a Deployment; 2 differ: a, b`. */
function foldLines(group: DiffGroup, byKind: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const { first, members, targets } = group;
  if (members.length === 1) return [];
  const { ref } = first.change;
  const lines = first.changedLines === 1 ? 'The same line' : `The same ${first.changedLines} lines`;
  if (targets.length === 1) {
    return [
      `${lines} in ${members.length} objects: ${someOf(
        members.map((member) => refText(member.ref)),
        8,
      )}`,
    ];
  }
  const kind = cleanLine(ref.kind);
  const all = byKind.get(`${ref.group}/${ref.kind}`) ?? new Set();
  const others = [...all].filter((target) => !targets.includes(target)).map(cleanLine);
  // Naming the majority as the exception would help nobody.
  const rest =
    others.length === 0 || others.length > targets.length
      ? ''
      : `; ${others.length} ${others.length === 1 ? 'differs' : 'differ'}: ${someOf(others, 8)}`;
  return [
    `${lines} in ${targets.length} of ${all.size} targets that change a ${kind}${rest}`,
    `Targets: ${someOf(targets.map(cleanLine), 8)}`,
  ];
}

function paintLine(line: string, paint: ReturnType<typeof painter>): string {
  if (line.startsWith('@@')) return paint('cyan', line);
  if (line.startsWith('+')) return paint('green', line);
  return line.startsWith('-') ? paint('red', line) : line;
}

function footer(report: GateReport): string {
  const missing = report.coverage.notEvaluated.filter((entry) => entry.weight === 'incomplete');
  const total = `# ${count(report.changes.length, 'object')} in ${count(new Set(report.changes.map((change) => change.target)).size, 'target')}.`;
  if (missing.length === 0) return total;
  return `${total} Not looked at: ${someOf(
    missing.map((entry) => cleanLine(entry.what)),
    8,
  )}.`;
}
