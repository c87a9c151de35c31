import type { CauseSummary, Finding, GateReport, ResourceChange } from '../core/model.ts';
import { clean, cleanLine, count, refId, refText, valueText } from './text.ts';
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

/**
 * What becomes of an object that left the render. Prune decides, unless the declaration of its target goes too:
 * then Argo CD's resources finalizer and the like decide (`ApplySemantics.onRemoval`).
 */
function removalFate(removed: readonly ResourceChange[]): (change: ResourceChange) => 'deleted' | 'kept' | 'unknown' {
  const gone = new Set(removed.map((change) => `${change.ref.group}/${refId(change.ref)}`));
  return ({ before }) => {
    if (before === undefined) return 'unknown';
    const { declaredBy, apply } = before.target;
    if (declaredBy !== undefined && gone.has(`${declaredBy.group}/${refId(declaredBy)}`)) {
      if (apply.onRemoval === undefined) return 'unknown';
      return apply.onRemoval === 'deletes-objects' ? 'deleted' : 'kept';
    }
    if (apply.prune === 'unknown') return 'unknown';
    return apply.prune ? 'deleted' : 'kept';
  };
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
  add(
    added.filter(({ live }) => live !== undefined),
    'New in Git and already in the cluster',
  );
  add(summary.restarts, 'Pods are replaced (rolling restart)');
  add(
    summary.disruptions.filter((change) => change.action !== 'removed'),
    'Service is disturbed while it rolls out',
    true,
  );
  add(renamed, 'Renamed: the old object is deleted, a new one is made');
  add(summary.replaced, 'Must be deleted and made again', true);
  const fate = removalFate(removed);
  add(
    removed.filter((change) => fate(change) === 'deleted'),
    'Deleted',
    true,
  );
  add(
    removed.filter((change) => fate(change) === 'unknown'),
    'Deleted, if the engine prunes',
    true,
  );
  add(
    removed.filter((change) => fate(change) === 'kept'),
    'Left behind in the cluster: the engine does not delete them',
  );
  add(summary.dataLoss, 'Data is lost', true);
  if (summary.willNotApply.length > 0) {
    const byObject = Map.groupBy(
      summary.willNotApply,
      (finding) => `${finding.target}\u0000${refId(finding.resource)}`,
    );
    const items = [...byObject.values()].map((findings) => {
      const [first] = findings as [Finding, ...Finding[]];
      const titles = [...new Set(findings.map((finding) => cleanLine(finding.title)))];
      return `${refText(first.resource)}: ${titles.join(', ')}`;
    });
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
  const cause = causeText(finding);
  if (cause !== undefined) lines.push(cause);
  else if (finding.changedIn !== undefined)
    lines.push({ label: 'Changed in:', text: finding.changedIn.map(cleanLine).join(', ') });
  if (finding.path !== '') lines.push({ label: 'Field: ', text: cleanLine(finding.path) });
  if (before !== undefined || after !== undefined) {
    lines.push({ label: 'Before:', text: valueText(before) }, { label: 'After: ', text: valueText(after) });
  }
  if (live !== undefined) lines.push({ label: 'Now:   ', text: valueText(live) });
  for (const fact of facts ?? []) lines.push({ label: '-', text: clean(fact) });
  if (wouldChange !== undefined) lines.push({ label: '-', text: clean(wouldChange) });
  return lines;
}

/** `Caused by: envs/prod.yaml:12-14`; undefined: not known. */
function causeText({ cause }: Finding): EvidenceLine | undefined {
  if (cause === undefined) return undefined;
  const { file, line, endLine, how } = cause;
  const text = cleanLine(`${file}:${line}${endLine === undefined ? '' : `-${endLine}`}`);
  return { label: how === 'nearest' ? 'Nearest changed line:' : 'Caused by:', text };
}

/** How new, how sure, how reversible: `new in this change, proven by live evidence, hard to undo`. */
export function marks(finding: Finding): string {
  return [
    noveltyText[finding.novelty],
    confidenceText[finding.confidence],
    reversibilityText[finding.reversibility],
  ].join(', ');
}

function causesText({ findings, found, renders, seconds, complete }: CauseSummary): string {
  const limit = complete ? '' : ', then the limit was reached';
  return `changed lines named for ${found} of ${count(findings, 'finding')} (${seconds.toFixed(1)} s, ${count(renders, 'more render')}${limit})`;
}

/** `4.2 s, 6 helm runs, 12 results from the cache · helm 3.19.5 · policy 5f0c1a2b3c4d`. */
export function runText(report: GateReport): string {
  const { work } = report;
  const runs = [
    `${report.durationSeconds.toFixed(1)} s`,
    ...(work.helmRuns === 0 ? [] : [count(work.helmRuns, 'helm run')]),
    ...(work.kustomizeRuns === 0 ? [] : [count(work.kustomizeRuns, 'kustomize run')]),
    ...(work.cacheHits === 0 ? [] : [`${count(work.cacheHits, 'result')} from the cache`]),
    ...(work.causes === undefined ? [] : [causesText(work.causes)]),
  ].join(', ');
  const tools = report.tools.map((tool) => cleanLine(`${tool.name} ${tool.version}`)).join(', ');
  return [
    runs,
    ...(tools === '' ? [] : [tools]),
    `policy ${cleanLine(report.policyDigest)
      .replace(/^sha256:/, '')
      .slice(0, 12)}`,
  ].join(' · ');
}
