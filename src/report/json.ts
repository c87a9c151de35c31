import type { GateReport, ResourceChange } from '../core/model.ts';

/** A change without the objects themselves: they would make a report of one chart bump many megabytes. */
function printedChange(change: ResourceChange): object {
  const { action, ref, previousRef, movedFrom, target, impact, because, fields } = change;
  return { action, ref, previousRef, movedFrom, target, impact, because, fields };
}

/** Characters that JSON may hold as they are, but that change what a terminal shows. */
const invisible = /[\u007F-\u009F\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/g;

/**
 * The report as JSON, as `docs/schema/gate-report.schema.json` describes it. Values are the true ones; invisible and
 * bidirectional characters are written as `\uXXXX`, which is the same value.
 */
export function toJson(report: GateReport): string {
  const text = JSON.stringify({ ...report, changes: report.changes.map(printedChange) }, null, 2);
  return `${text.replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
