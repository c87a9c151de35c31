import type { Finding, GateReport, Severity, TargetCoverage, Verdict } from '../core/model.ts';
import { formatLocation } from '../core/errors.ts';
import { stripVTControlCharacters } from 'node:util';
import { clean, cleanLine, columns, count, durationText, painter, refText, someOf, wrap, type Style } from './text.ts';
import { evidenceLines, marks, runText, whatHappens } from './sentences.ts';
import { clusterSentence, dryRunSentence, summarize, verdictMeaning, type Summary } from './summary.ts';
import { approvalsTitle, approvedText, decideText, noFindings, voidDecisions } from './approvals.ts';
import { driftBlock, type LiveBlock, overwriteBlock } from './drift.ts';

export interface TerminalOptions {
  readonly color: boolean;
  /** Columns; lines are wrapped to it. */
  readonly width: number;
}

const verdictStyle: Readonly<Record<Verdict, Style>> = {
  pass: 'green',
  comment: 'green',
  approval: 'yellow',
  block: 'red',
  incomplete: 'magenta',
};

const severityStyle: Readonly<Record<Severity, Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
};

/** Lines of a long list that are shown before it is cut with a count. */
const listed = 12;
const listedFindings = 50;

interface Page {
  readonly paint: (style: Style, text: string) => string;
  /** Adds text wrapped to the width, with a first prefix (`  Fix: `) and hanging indentation. */
  add(prefix: string, text: string, style?: Style): void;
  heading(text: string): void;
  gap(): void;
  text(): string;
}

function page(options: TerminalOptions): Page {
  const paint = painter(options.color);
  const lines: string[] = [];
  return {
    paint,
    add(prefix, text, style) {
      const indent = ' '.repeat(columns(stripVTControlCharacters(prefix)));
      wrap(clean(text), options.width - indent.length).forEach((line, index) => {
        const start = index === 0 ? prefix : indent;
        lines.push((start + (style === undefined ? line : paint(style, line))).trimEnd());
      });
    },
    heading(text) {
      lines.push('', ...wrap(text, options.width).map((line) => paint('bold', line)));
    },
    gap() {
      lines.push('');
    },
    text: () => `${lines.join('\n')}\n`,
  };
}

/** The report for a terminal: verdict first, then what happens, findings, drift, and what was not looked at. */
export function toTerminal(report: GateReport, options: TerminalOptions): string {
  const summary = summarize(report);
  const out = page(options);
  verdictBlock(out, report, summary);
  changesBlock(out, report, summary);
  findingsBlock(out, report, summary);
  approvalsBlock(out, report, summary);
  waivedBlock(out, report, summary);
  liveBlock(out, overwriteBlock(report, listed));
  liveBlock(out, driftBlock(report, listed));
  coverageBlock(out, report, summary);
  out.gap();
  out.add('', runText(report), 'dim');
  return out.text();
}

function verdictBlock(out: Page, report: GateReport, summary: Summary): void {
  const { verdict, score } = report;
  const style = verdictStyle[verdict];
  const word = out.paint('bold', out.paint(style, verdict.toUpperCase()));
  out.add(`${word}  `, `${verdictMeaning[verdict]}. Risk ${score.total.toFixed(1)} of 100.`);
  out.add('', cleanLine(report.reason));
  out.gap();
  out.add('Score:    ', cleanLine(score.arithmetic));
  for (const note of score.notes) out.add('          ', cleanLine(note));
  out.add('Compared: ', cleanLine(`${report.sides.before} -> ${report.sides.after}`));
  out.add(
    'Cluster:  ',
    cleanLine(clusterSentence(report, durationText)),
    report.clusters.length === 0 ? 'yellow' : undefined,
  );
  const tried = dryRunSentence(report);
  if (tried !== undefined) out.add('Dry run:  ', tried);
  if (summary.incomplete.length > 0) {
    const names = someOf(
      summary.incomplete.map((entry) => cleanLine(entry.what)),
      3,
    );
    out.add('Missing:  ', `${count(summary.incomplete.length, 'thing')} could not be looked at: ${names}.`, 'magenta');
  }
}

function changesBlock(out: Page, report: GateReport, summary: Summary): void {
  out.heading('What happens in the cluster');
  const lines = whatHappens(report, summary);
  if (lines.length === 0) out.add('  ', 'No rendered object changes in the targets that were looked at.');
  for (const line of lines) {
    out.add('  ', line.label, line.grave ? 'red' : undefined);
    for (const item of line.items.slice(0, listed)) out.add('    - ', item);
    if (line.items.length > listed) out.add('    - ', `and ${line.items.length - listed} more`);
  }
}

function findingsBlock(out: Page, report: GateReport, summary: Summary): void {
  const counts = Object.entries(summary.severityCounts)
    .filter(([, number]) => number > 0)
    .map(([severity, number]) => `${number} ${severity}`);
  out.heading(`Findings: ${counts.length === 0 ? noFindings(summary) : counts.join(', ')}`);
  for (const finding of summary.counted.slice(0, listedFindings)) findingBlock(out, finding, report.verdict);
  if (summary.counted.length > listedFindings) {
    out.gap();
    const rest = count(summary.counted.length - listedFindings, 'more finding');
    out.add('  ', `${rest} of the same or lower severity; --output json lists all.`);
  }
  const { preexisting } = summary;
  if (preexisting.length === 0) return;
  out.gap();
  out.add('  ', `There before this change, not counted: ${preexisting.length}`);
  for (const finding of preexisting.slice(0, listed)) {
    out.add(
      '    - ',
      `${cleanLine(finding.title)}: ${refText(finding.resource)} (${finding.severity}, ${finding.ruleId})`,
      'dim',
    );
  }
  if (preexisting.length > listed) out.add('    - ', `and ${preexisting.length - listed} more`, 'dim');
}

function findingBlock(out: Page, finding: Finding, verdict: Verdict): void {
  const severity = finding.severity.toUpperCase();
  out.gap();
  out.add(
    `  ${out.paint('bold', out.paint(severityStyle[finding.severity], severity))}  `,
    `${cleanLine(finding.title)}${finding.willNotApply ? ' - the API server will refuse it' : ''}`,
    'bold',
  );
  const where = finding.location === undefined ? '' : ` · ${cleanLine(formatLocation(finding.location))}`;
  const environment = finding.environment === undefined ? '' : ` · ${cleanLine(finding.environment)}`;
  out.add(
    '    ',
    `${refText(finding.resource)} · ${cleanLine(finding.target) || 'no target'}${environment}${where}`,
    'cyan',
  );
  out.add('    ', clean(finding.message));
  for (const { label, text } of evidenceLines(finding)) out.add(`    ${label} `, text);
  out.add('    Fix: ', clean(finding.fix), 'green');
  const others = (finding.alsoIn ?? []).map(cleanLine);
  if (others.length > 0) out.add('    ', `The same in ${count(others.length, 'more target')}: ${someOf(others, 6)}`);
  out.add('    ', `${finding.ruleId} · ${marks(finding)} · ${cleanLine(finding.arithmetic)}`, 'dim');
  const decide = decideText(verdict, finding);
  if (decide !== undefined) out.add('    ', decide, 'dim');
}

function approvalsBlock(out: Page, report: GateReport, summary: Summary): void {
  const title = approvalsTitle(report, summary);
  if (title === undefined) return;
  out.heading(title);
  for (const { title: what, resource, severity, ruleId, approved } of summary.approved) {
    out.add('  - ', `${cleanLine(what)}: ${refText(resource)} (${severity}, ${ruleId})`);
    if (approved === undefined) continue;
    const where = approved.url === undefined ? '' : ` (${approved.url})`;
    out.add('    ', cleanLine(`${approvedText(approved)}${where}`));
  }
  const none = voidDecisions(report);
  for (const text of none.slice(0, listed)) out.add('  - not in force: ', cleanLine(text), 'yellow');
  if (none.length > listed) out.add('  - ', `and ${none.length - listed} more not in force`);
}

function waivedBlock(out: Page, report: GateReport, summary: Summary): void {
  if (report.waiversInForce.length === 0 && summary.waived.length === 0) return;
  out.heading(`Waivers in force: ${report.waiversInForce.length}`);
  for (const waiver of report.waiversInForce) {
    const used = summary.waived.filter(
      ({ waived }) =>
        waived?.rule === waiver.rule && waived.resource === waiver.resource && waived.reason === waiver.reason,
    ).length;
    out.add(
      '  - ',
      cleanLine(`${waiver.rule} on ${waiver.resource}, until ${waiver.expires}, by ${waiver.owner}: ${waiver.reason}`) +
        ` (${used === 0 ? 'matches nothing here' : `covers ${count(used, 'finding')}`})`,
    );
  }
}

function liveBlock(out: Page, block: LiveBlock | undefined): void {
  if (block === undefined) return;
  out.heading(block.title);
  out.add('  ', block.note);
  for (const item of block.items) {
    const remark = item.remark === undefined ? '' : `: ${item.remark}`;
    out.add('  - ', `${item.title} (${cleanLine(item.target)})${remark}`);
    for (const { path, text } of item.fields) out.add('      ', `${path}: ${text}`);
    if (item.more > 0) out.add('      ', `and ${count(item.more, 'more field')}`);
  }
  if (block.more > 0) out.add('  - ', `and ${block.more.toLocaleString('en-US')} more`);
}

function coverageBlock(out: Page, report: GateReport, summary: Summary): void {
  const { targets } = report.coverage;
  out.heading('What was looked at');
  const objects = targets.reduce((sum, target) => sum + (target.objects ?? 0), 0);
  out.add(
    '  ',
    `${count(summary.rendered, 'target')} rendered (${count(objects, 'object')}), ${summary.unaffected} not reachable by this change, ${summary.notRendered} not evaluated.`,
  );
  groupedTargets(out, targets, 'rendered', 'rendered');
  groupedTargets(out, targets, 'unaffected', 'not reachable');
  const explained = new Set(report.coverage.notEvaluated.map((entry) => entry.target));
  groupedTargets(
    out,
    targets.filter((target) => !explained.has(target.id)),
    'not-evaluated',
    'not evaluated',
  );
  for (const entry of [...summary.incomplete, ...summary.notes]) {
    const grave = entry.weight === 'incomplete';
    const where = entry.location === undefined ? '' : ` (${cleanLine(formatLocation(entry.location))})`;
    out.add(
      `  ${grave ? '!' : '-'} not evaluated: `,
      `${cleanLine(entry.what)}${where}: ${clean(entry.reason)}`,
      grave ? 'magenta' : undefined,
    );
    if (entry.next !== undefined) out.add('      ', clean(entry.next));
  }
}

/** Targets with the same status and reason on one line: 200 applications must not fill 200 lines. */
function groupedTargets(
  out: Page,
  targets: readonly TargetCoverage[],
  status: TargetCoverage['status'],
  word: string,
): void {
  const groups = Map.groupBy(
    targets.filter((target) => target.status === status),
    (target) => cleanLine(target.reason),
  );
  const shown = [...groups].toSorted(([, a], [, b]) => b.length - a.length);
  for (const [reason, members] of shown.slice(0, listed)) {
    const names = someOf(
      members.map((target) => cleanLine(target.name)),
      5,
    );
    out.add(`  - ${word}: `, `${names}: ${reason}`);
  }
  if (shown.length > listed) {
    const rest = shown.slice(listed).reduce((sum, [, members]) => sum + members.length, 0);
    out.add(`  - ${word}: `, `and ${count(rest, 'more target')} for other reasons`);
  }
}
