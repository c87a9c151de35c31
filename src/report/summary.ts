import { counts } from '../core/counts.ts';
import type { Finding, GateReport, Impact, NotEvaluated, ResourceChange, Severity, Verdict } from '../core/model.ts';
import { severities } from '../core/model.ts';

/** What every report for people tells first. Pure counting, nothing is judged here. */
export interface Summary {
  readonly added: readonly ResourceChange[];
  readonly changed: readonly ResourceChange[];
  readonly removed: readonly ResourceChange[];
  readonly renamed: readonly ResourceChange[];
  readonly moved: readonly ResourceChange[];
  /** Ids of targets with a change. */
  readonly targets: readonly string[];
  /** Changed objects whose pods are replaced. */
  readonly restarts: readonly ResourceChange[];
  /** Changed objects that lose availability while the change rolls out. */
  readonly disruptions: readonly ResourceChange[];
  /** Changed objects that have to be deleted and created again. */
  readonly replaced: readonly ResourceChange[];
  /** Changes that destroy data. */
  readonly dataLoss: readonly ResourceChange[];
  readonly willNotApply: readonly Finding[];
  /** New or worsened, neither waived nor approved: what the verdict rests on. By severity, highest score first. */
  readonly counted: readonly Finding[];
  readonly waived: readonly Finding[];
  /** Somebody answers for them by a comment or a record. */
  readonly approved: readonly Finding[];
  /** There before this change; they never gate. */
  readonly preexisting: readonly Finding[];
  readonly severityCounts: Readonly<Record<Severity, number>>;
  readonly incomplete: readonly NotEvaluated[];
  readonly notes: readonly NotEvaluated[];
  readonly unaffected: number;
  readonly rendered: number;
  readonly notRendered: number;
}

const weight = (severity: Severity): number => severities.indexOf(severity);

function bySeverity(a: Finding, b: Finding): number {
  return weight(a.severity) - weight(b.severity) || b.score - a.score;
}

/** Counts what the reports for people print. */
export function summarize(report: GateReport): Summary {
  const own = report.changes;
  const ofAction = (action: ResourceChange['action']) => own.filter((change) => change.action === action);
  const ofImpact = (impact: Impact) =>
    own.filter((change) => (change.action === 'changed' || change.action === 'renamed') && change.impact === impact);
  const live = report.findings.filter(({ waived, approved }) => waived === undefined && approved === undefined);
  const counted = live.filter(counts).toSorted(bySeverity);
  const severityCounts: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0 };
  for (const finding of counted) severityCounts[finding.severity] += 1;
  const targets = report.coverage.targets;
  return {
    added: ofAction('added'),
    changed: ofAction('changed').filter((change) => change.movedFrom === undefined),
    removed: ofAction('removed'),
    renamed: ofAction('renamed'),
    moved: own.filter((change) => change.movedFrom !== undefined),
    targets: [...new Set(own.map((change) => change.target))],
    restarts: ofImpact('restart'),
    disruptions: ofImpact('disruption'),
    replaced: ofImpact('replace'),
    dataLoss: own.filter((change) => change.impact === 'data-loss'),
    willNotApply: counted.filter((finding) => finding.willNotApply),
    counted,
    waived: report.findings.filter((finding) => finding.waived !== undefined).toSorted(bySeverity),
    approved: report.findings.filter((finding) => finding.approved !== undefined).toSorted(bySeverity),
    preexisting: live.filter((finding) => finding.novelty.endsWith('preexisting')).toSorted(bySeverity),
    severityCounts,
    incomplete: report.coverage.notEvaluated.filter((entry) => entry.weight === 'incomplete'),
    notes: report.coverage.notEvaluated.filter((entry) => entry.weight === 'note'),
    rendered: targets.filter((target) => target.status === 'rendered').length,
    unaffected: targets.filter((target) => target.status === 'unaffected').length,
    notRendered: targets.filter((target) => target.status === 'not-evaluated').length,
  };
}

/** A run that came to no judgement at all: it must not say that nothing changes. */
export function isBlank({ verdict, coverage, changes, findings }: GateReport): boolean {
  return verdict === 'incomplete' && coverage.targets.length + changes.length + findings.length === 0;
}

/** `risk 47.3 of 100`; of a part of the change it is a lower bound. */
export function riskText(report: GateReport): string {
  if (isBlank(report)) return 'risk not judged';
  return `risk ${report.verdict === 'incomplete' ? 'at least ' : ''}${report.score.total.toFixed(1)} of 100`;
}

/** What a verdict asks of the reader, in a few words. */
export const verdictMeaning: Readonly<Record<Verdict, string>> = {
  pass: 'may merge',
  comment: 'may merge; read the findings first',
  approval: 'a code owner has to approve it',
  block: 'must not merge as it is',
  incomplete: 'could not be judged completely',
};

/** Says that the cluster was not looked at, or which snapshot was and how old it is. For use after `Cluster: `. */
export function clusterSentence(report: GateReport, age: (seconds: number) => string): string {
  if (report.clusters.length === 0) return 'no evidence; what runs now was not looked at';
  return report.clusters.map((cluster) => oneCluster(cluster, age)).join('; ');
}

function oneCluster(cluster: GateReport['clusters'][number], age: (seconds: number) => string): string {
  const version = cluster.kubernetesVersion === undefined ? '' : ` (Kubernetes ${cluster.kubernetesVersion})`;
  if (cluster.source === 'live') return `${cluster.name}${version}, read live`;
  if (cluster.takenAt === undefined) return `${cluster.name}${version}; the snapshot does not say when it was taken`;
  const old = cluster.ageSeconds === undefined ? '' : `, ${age(cluster.ageSeconds)} old`;
  return `${cluster.name}${version}, snapshot of ${cluster.takenAt}${old}`;
}

/** What the API servers answered to a dry run; undefined when they were not asked. For use after `Dry run: `. */
export function dryRunSentence({ dryRun }: GateReport): string | undefined {
  if (dryRun === undefined) return undefined;
  const { asked, accepted, rejected, unknown } = dryRun;
  if (asked + unknown === 0) return 'nothing of this change could be sent';
  const open = unknown === 0 ? '' : `, ${unknown} without a judgement (listed as not evaluated)`;
  return `${asked} sent, ${accepted} accepted, ${rejected} refused${open}`;
}

/** Words for the marks of a finding. */
export const confidenceText: Readonly<Record<Finding['confidence'], string>> = {
  proven: 'proven by live evidence',
  determined: 'follows from both sides',
  likely: 'likely',
  hint: 'a hint only',
};

export const reversibilityText: Readonly<Record<Finding['reversibility'], string>> = {
  instant: 'a revert undoes it at once',
  slow: 'a revert undoes it slowly',
  hard: 'hard to undo',
  irreversible: 'cannot be undone',
};

export const noveltyText: Readonly<Record<Finding['novelty'], string>> = {
  introduced: 'new in this change',
  worsened: 'made worse by this change',
  'touched-preexisting': 'there before, and touched by this change',
  'untouched-preexisting': 'there before, not touched',
};
