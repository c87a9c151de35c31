import type { DriftEntry, FieldChange, GateReport } from '../core/model.ts';
import { cleanLine, count, refText, someOf, valueText } from './text.ts';

/** One item of a list about the cluster: an object, or several that have the same to be said of them. */
export interface LiveItem {
  /** `Deployment shop/api`, or a sentence of several objects. */
  readonly title: string;
  /** Id of the target. */
  readonly target: string;
  readonly fields: readonly { readonly path: string; readonly text: string }[];
  /** Fields beyond the limit. */
  readonly more: number;
  /** What else there is to know, a sentence without full stop. */
  readonly remark?: string;
}

export interface LiveBlock {
  readonly title: string;
  readonly note: string;
  readonly items: readonly LiveItem[];
  /** Objects beyond the limit. */
  readonly more: number;
}

const maxFields = 5;

/**
 * What the clusters hold otherwise than Git does, apart from this change; undefined when nothing.
 * Objects that are missing or belong to somebody else are one item per target.
 * @param limit items
 */
export function driftBlock(report: GateReport, limit: number): LiveBlock | undefined {
  const { drift } = report;
  if (drift.length === 0) return undefined;
  const items = [
    ...drift.filter(({ kind }) => kind === 'fields').map(fieldsItem),
    ...drift.filter(({ kind }) => kind === 'deleting').map((entry) => item(entry, entry.reason)),
    ...grouped(drift, 'missing', 'in Git and not in the cluster'),
    ...grouped(drift, 'foreign', "somebody else's"),
  ];
  return {
    title: `Drift: ${count(drift.length, 'object')} already different in the cluster`,
    note: 'The cluster against Git before this change. Not caused by this change and not counted; a sync may undo it.',
    items: items.slice(0, limit),
    more: Math.max(0, items.length - limit),
  };
}

/** Fields of this change that somebody changed in the cluster meanwhile, and fields that it already holds. */
export function overwriteBlock(report: GateReport, limit: number): LiveBlock | undefined {
  const items: LiveItem[] = [];
  for (const change of report.changes) {
    const fields = change.fields.filter(({ conflict }) => conflict === true);
    if (fields.length === 0) continue;
    items.push({
      title: refText(change.ref),
      target: change.target,
      fields: fields.slice(0, maxFields).map((field) => ({
        path: cleanLine(field.path),
        text: `${valueText(field.before, 80)} becomes ${valueText(field.after, 80)}, the cluster has ${valueText(field.live, 80)}${by(field)}`,
      })),
      more: Math.max(0, fields.length - maxFields),
    });
  }
  if (items.length === 0) return undefined;
  return {
    title: `Edited in the cluster: this change overwrites fields of ${count(items.length, 'object')}`,
    note: 'The cluster holds neither the old nor the new value. Applying this change undoes what somebody set there.',
    items: items.slice(0, limit),
    more: Math.max(0, items.length - limit),
  };
}

function item(entry: DriftEntry, remark?: string): LiveItem {
  const said = remark === undefined ? {} : { remark: cleanLine(remark) };
  return { title: refText(entry.ref), target: entry.target, fields: [], more: 0, ...said };
}

function fieldsItem(entry: DriftEntry): LiveItem {
  const { mayBe = [] } = entry;
  const remark = mayBe.length === 0 ? undefined : `may be the work of ${someOf(mayBe.map(cleanLine), 3)}`;
  return {
    ...item(entry, remark),
    fields: entry.fields.slice(0, maxFields).map((field) => ({ path: cleanLine(field.path), text: fieldText(field) })),
    more: Math.max(0, entry.fields.length - maxFields),
  };
}

function fieldText(field: FieldChange): string {
  const git = field.before === undefined ? 'not in Git' : `in Git ${valueText(field.before, 80)}`;
  const live = field.live === undefined ? 'not in the cluster' : `in the cluster ${valueText(field.live, 80)}`;
  return `${git}, ${live}${by(field)}`;
}

function by(field: FieldChange): string {
  return field.by === undefined ? '' : ` (${cleanLine(field.by)})`;
}

function grouped(drift: readonly DriftEntry[], kind: DriftEntry['kind'], what: string): LiveItem[] {
  const groups = Map.groupBy(
    drift.filter((entry) => entry.kind === kind),
    (entry) => `${entry.target}\0${entry.reason ?? ''}`,
  );
  return [...groups.values()].map((entries) => {
    const [first] = entries;
    const said = first!.reason ?? what;
    if (entries.length === 1) return item(first!, said);
    const names = someOf(
      entries.map(({ ref }) => refText(ref)),
      5,
    );
    const sentence = said.replace(/^it belongs/, 'they belong');
    return { title: names, target: first!.target, fields: [], more: 0, remark: cleanLine(sentence) };
  });
}
