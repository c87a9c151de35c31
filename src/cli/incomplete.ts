import type { GateReport } from '../core/model.ts';
import { cleanLine, withoutJobCommands } from '../report/text.ts';

/**
 * Says on stderr what could not be evaluated, why, and what to do. For commands whose output has no place for it.
 * @param ofTargets also targets that did not render
 * @returns whether there was anything to say: the command then exits with 3
 */
export function sayIncomplete(report: GateReport, ofTargets: boolean): boolean {
  const open = report.coverage.notEvaluated.filter(
    (entry) => entry.weight === 'incomplete' && (ofTargets || entry.target === undefined),
  );
  for (const { what, reason, next } of open) {
    const lines = [
      `gate: not evaluated: ${cleanLine(`${what}: ${reason}`)}`,
      ...(next ? [`  ${cleanLine(next)}`] : []),
    ];
    process.stderr.write(withoutJobCommands(`${lines.join('\n')}\n`));
  }
  return open.length > 0;
}
