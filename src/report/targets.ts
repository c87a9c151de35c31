import type { GateReport, TargetCoverage } from '../core/model.ts';

const words: Readonly<Record<TargetCoverage['status'], string>> = {
  rendered: 'render',
  unaffected: 'skip',
  'not-evaluated': 'not evaluated',
};

/** What `gate check --list-targets` prints: each target, whether it is rendered, and why. Tab-free, aligned columns. */
export function toTargetList(report: GateReport): string {
  const rows = report.coverage.targets.map((target) => [
    words[target.status],
    target.id,
    target.environment ?? '-',
    target.cluster ?? '-',
    target.reason,
  ]);
  const header = ['', 'TARGET', 'ENVIRONMENT', 'CLUSTER', 'WHY'];
  const widths = header.map((title, column) =>
    Math.min(70, Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  const lines = [line(header), ...rows.map(line)];
  const counts = Map.groupBy(report.coverage.targets, (target) => target.status);
  const summary = (['rendered', 'unaffected', 'not-evaluated'] as const)
    .map((status) => `${counts.get(status)?.length ?? 0} ${words[status]}`)
    .join(', ');
  lines.push('', `${report.coverage.targets.length} targets: ${summary}.`);
  for (const entry of report.coverage.notEvaluated) lines.push(`not evaluated: ${entry.what}: ${entry.reason}`);
  return `${lines.map(printable).join('\n')}\n`;
}

/** Names come from the tree: control characters must not reach the terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?');
}
