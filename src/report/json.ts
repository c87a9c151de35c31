import type { GateReport, ResourceChange } from '../core/model.ts';

/** A change without the objects themselves: they would make a report of one chart bump many megabytes. */
function printedChange(change: ResourceChange): object {
  const { action, ref, previousRef, movedFrom, target, impact, because, fields } = change;
  return { action, ref, previousRef, movedFrom, target, impact, because, fields };
}

/** The report as JSON, as `docs/schema/gate-report.schema.json` describes it. Values are the true ones: escaping is the reader's. */
export function toJson(report: GateReport): string {
  return `${JSON.stringify({ ...report, changes: report.changes.map(printedChange) }, null, 2)}\n`;
}
