import type { Finding, GateReport, ResourceChange } from '../core/model.ts';
import { clean, cleanLine, count, refText, valueText } from './text.ts';
import { confidenceText, noveltyText, reversibilityText, type Summary } from './summary.ts';

/** One line of "what happens in the cluster" with the objects that it is about. Plain, cleaned text. */
export interface Happening {
  readonly label: string;
  readonly items: readonly string[];
  /** Something goes away or is refused. */
  readonly grave: boolean;
}

function named(changes: readonly ResourceChange[]): string[] {
  return changes.map((change) => {
    const because = change.because?.[0] === undefined ? '' : `: ${cleanLine(change.because[0])}`;
    const previous = change.previousRef === undefined ? '' : ` (was ${refText(change.previousRef)})`;
    return `${refText(change.ref)}${previous}${because}`;
  });
}

/** What a sync of this change does, most harmless first. Empty: nothing changes in what was looked at. */
export function whatHappens(report: GateReport, summary: Summary): Happening[] {
  if (report.changes.length === 0 && summary.willNotApply.length === 0) return [];
  const { added, changed, removed, renamed, moved, targets } = summary;
  const parts = [
    `${count(added.length, 'object')} added`,
    `${changed.length} changed`,
    `${removed.length} removed`,
    ...(renamed.length === 0 ? [] : [`${renamed.length} renamed`]),
    ...(moved.length === 0 ? [] : [`${moved.length} moved to another target`]),
  ];
  const lines: Happening[] = [
    { label: `${parts.join(', ')}, in ${count(targets.length, 'target')}.`, items: [], grave: false },
  ];
  const add = (changes: readonly ResourceChange[], label: string, grave = false) => {
    if (changes.length > 0) lines.push({ label: `${label}: ${changes.length}`, items: named(changes), grave });
  };
  add(summary.restarts, 'Pods are replaced (rolling restart)');
  add(
    summary.disruptions.filter((change) => change.action !== 'removed'),
    'Service is disturbed while it rolls out',
    true,
  );
  add(renamed, 'Renamed: the old object is deleted, a new one is made');
  add(summary.replaced, 'Must be deleted and made again', true);
  const pruned = (change: ResourceChange) => change.before?.target.apply.prune ?? 'unknown';
  add(
    removed.filter((change) => pruned(change) === true),
    'Deleted',
    true,
  );
  add(
    removed.filter((change) => pruned(change) === 'unknown'),
    'Deleted, if the engine prunes',
    true,
  );
  add(
    removed.filter((change) => pruned(change) === false),
    'Left behind in the cluster: prune is off',
  );
  add(summary.dataLoss, 'Data is lost', true);
  if (summary.willNotApply.length > 0) {
    const items = summary.willNotApply.map((finding) => `${refText(finding.resource)}: ${cleanLine(finding.title)}`);
    lines.push({ label: `Refused by the API server: ${items.length}`, items, grave: true });
  }
  return lines;
}

export interface EvidenceLine {
  /** With colon: `Before:`. */
  readonly label: string;
  readonly text: string;
}

/** The evidence of a finding, cleaned: before, after and live values, then facts. */
export function evidenceLines(finding: Finding): EvidenceLine[] {
  const { before, after, live, facts, wouldChange } = finding.evidence;
  const lines: EvidenceLine[] = [];
  if (finding.path !== '') lines.push({ label: 'Field: ', text: cleanLine(finding.path) });
  if (before !== undefined || after !== undefined) {
    lines.push({ label: 'Before:', text: valueText(before) }, { label: 'After: ', text: valueText(after) });
  }
  if (live !== undefined) lines.push({ label: 'Now:   ', text: valueText(live) });
  for (const fact of facts ?? []) lines.push({ label: '-', text: clean(fact) });
  if (wouldChange !== undefined) lines.push({ label: '-', text: clean(wouldChange) });
  return lines;
}

/** How new, how sure, how reversible: `new in this change, proven by live evidence, hard to undo`. */
export function marks(finding: Finding): string {
  return [
    noveltyText[finding.novelty],
    confidenceText[finding.confidence],
    reversibilityText[finding.reversibility],
  ].join(', ');
}
