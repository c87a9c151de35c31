import type { GateReport } from '../core/model.ts';
import { approvalsTitle, decideText, noFindings } from './approvals.ts';
import type { CommentContext, Detail } from './comment.ts';
import { driftBlock, overwriteBlock } from './drift.ts';
import { changeTitle, type DiffGroup } from './hunks.ts';
import {
  approvalLines,
  coverageSentence,
  findingLine,
  findingText,
  findingTitle,
  folded,
  groupBody,
  groupTitle,
  happeningLines,
  liveText,
  notEvaluatedLine,
  severityCounts,
  targetTable,
  verdictMark,
  waiverLines,
} from './markdown-parts.ts';
import { codeBlock, codeSpan, mdText } from './markdown-text.ts';
import { runText, whatHappens } from './sentences.ts';
import {
  clusterSentence,
  dryRunSentence,
  isBlank,
  riskText,
  summarize,
  verdictMeaning,
  type Summary,
} from './summary.ts';
import { count, durationText, shorten, someOf } from './text.ts';

/** Findings that stand open; the others are folded, so that a page shows what matters. */
const openFindings = 5;
/** Characters of a line of a diff. */
const maxWidth = 400;

const title = (report: GateReport, { name }: CommentContext): string => {
  const of = name === undefined ? '' : ` · ${mdText(shorten(name, 100))}`;
  return `## ${verdictMark[report.verdict]}: ${verdictMeaning[report.verdict]}${of}`;
};

/** Verdict, why, and the figures that people look for first, one line each. */
export function head(report: GateReport, summary: Summary, context: CommentContext): string {
  const { score } = report;
  const tried = dryRunSentence(report);
  const found = severityCounts(summary) || 'nothing new or worse';
  const lines = [
    `- **${capital(riskText(report))}**${isBlank(report) ? '' : `, ${found}`}`,
    ...(score.total === 0 ? [] : [`  <br><sub>${mdText(shorten(score.arithmetic, 300))}</sub>`]),
    ...score.notes.map((note) => `  - ${mdText(shorten(note, 300))}`),
    `- **Compared:** ${side(report.sides.before)} → ${side(report.sides.after)}`,
    `- **Cluster:** ${mdText(shorten(clusterSentence(report, durationText), 500))}`,
    ...(tried === undefined ? [] : [`- **Dry run:** ${tried}`]),
  ];
  if (summary.incomplete.length > 0) {
    const names = summary.incomplete.map((entry) => mdText(shorten(entry.what, 100)));
    lines.push(`- **Not looked at:** ${someOf(names, 3)} (see the coverage below)`);
  }
  return [title(report, context), `**${mdText(shorten(report.reason, 500))}**`, lines.join('\n')].join('\n\n');
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const side = (label: string) => codeSpan(shorten(label, 200));

export function sections(report: GateReport, summary: Summary, context: CommentContext, detail: Detail): string[] {
  if (isBlank(report)) return [coverage(report, summary, detail)];
  return [
    environmentTable(context, detail),
    cluster(report, summary, detail),
    findings(report, summary, detail),
    approvals(report, summary, detail),
    waivers(report, summary, detail),
    live(report, detail),
    coverage(report, summary, detail),
  ];
}

/** One row per environment; one environment needs no table. */
function environmentTable({ environments }: CommentContext, detail: Detail): string {
  if (environments.length < 2) return '';
  const rows = environments.slice(0, detail.rows).map(({ name, report }) => {
    const part = summarize(report);
    const gaps = part.incomplete.length === 0 ? '' : `, ${part.incomplete.length} gaps`.replace(/\b1 gaps/, '1 gap');
    return `| ${[
      mdText(shorten(name, 60)),
      verdictMark[report.verdict],
      report.score.total.toFixed(1),
      `${severityCounts(part) || 'none'}${gaps}`,
      String(report.changes.length),
      String(part.restarts.length),
      String(part.removed.length),
    ].join(' | ')} |`;
  });
  if (environments.length > detail.rows) rows.push(`| and ${environments.length - detail.rows} more | | | | | | |`);
  return [
    '| environment | verdict | risk | findings | changed | restarted | removed |',
    '|---|---|--:|---|--:|--:|--:|',
    ...rows,
  ].join('\n');
}

function cluster(report: GateReport, summary: Summary, detail: Detail): string {
  const lines = happeningLines(whatHappens(report, summary), Math.min(10, detail.rows));
  const text = lines.length === 0 ? 'No rendered object changes in the targets that were looked at.' : lines.join('\n');
  return `### What the cluster will do\n\n${text}`;
}

function findings(report: GateReport, summary: Summary, detail: Detail): string {
  const { counted, preexisting } = summary;
  const full = counted.slice(0, detail.findings).map((finding, index) => {
    const command = decideText(report.verdict, finding);
    const said = findingText(finding, detail.text, true);
    const text = command === undefined ? said : `${said}\n\n${codeBlock('', command)}`;
    const grave = finding.severity === 'critical' || finding.severity === 'high';
    if (grave && index < openFindings) return text;
    const [, ...body] = text.split('\n\n');
    return folded(findingTitle(finding), body.join('\n\n'));
  });
  const short = counted.slice(detail.findings);
  const lines = (list: typeof counted) => {
    const shown = list.slice(0, detail.rows).map((finding) => findingLine(finding, 200));
    if (list.length > detail.rows) shown.push(`- and ${(list.length - detail.rows).toLocaleString('en-US')} more`);
    return shown.join('\n');
  };
  return [
    `### Findings: ${severityCounts(summary) || noFindings(summary)}`,
    ...full,
    ...(short.length === 0 ? [] : [lines(short)]),
    ...(preexisting.length === 0
      ? []
      : [folded(`There before this change, not counted: ${preexisting.length}`, lines(preexisting))]),
  ].join('\n\n');
}

/** Who answers for what, and which decisions do not help: part of the verdict, so it stands open. */
function approvals(report: GateReport, summary: Summary, detail: Detail): string {
  const named = approvalsTitle(report, summary);
  if (named === undefined) return '';
  return `### ${named}\n\n${approvalLines(report, summary, Math.min(20, detail.rows)).join('\n')}`;
}

function waivers(report: GateReport, summary: Summary, detail: Detail): string {
  const lines = waiverLines(report, summary);
  if (lines.length === 0) return '';
  if (lines.length > detail.rows) {
    const more = lines.length - detail.rows;
    lines.length = detail.rows;
    lines.push(`- and ${more.toLocaleString('en-US')} more`);
  }
  return folded(`Waivers in force: ${report.waiversInForce.length}`, lines.join('\n'));
}

/** What this change overwrites stands open; drift that was there before is folded, in its own block. */
function live(report: GateReport, detail: Detail): string {
  const overwritten = overwriteBlock(report, Math.min(15, detail.rows));
  const drift = driftBlock(report, Math.min(25, detail.rows));
  return [
    ...(overwritten === undefined ? [] : [`### ${overwritten.title}\n\n${liveText(overwritten)}`]),
    ...(drift === undefined ? [] : [folded(drift.title, liveText(drift))]),
  ].join('\n\n');
}

function coverage(report: GateReport, summary: Summary, detail: Detail): string {
  const { targets } = report.coverage;
  const gaps = summary.incomplete.map((entry) => notEvaluatedLine(entry, detail.text));
  const notes = summary.notes.map((entry) => notEvaluatedLine(entry, detail.text));
  const cut = (lines: readonly string[]) =>
    lines.length <= detail.rows
      ? lines.join('\n')
      : [...lines.slice(0, detail.rows), `- and ${lines.length - detail.rows} more`].join('\n');
  return [
    `### What was looked at\n\n${isBlank(report) ? 'Nothing.' : coverageSentence(summary)}`,
    ...(gaps.length === 0 ? [] : [`Not evaluated, so the verdict cannot be trusted without it:\n\n${cut(gaps)}`]),
    ...(notes.length === 0 ? [] : [folded(`Also not evaluated: ${count(notes.length, 'note')}`, cut(notes))]),
    ...(targets.length === 0 ? [] : [folded(count(targets.length, 'target'), targetTable(report, detail.rows))]),
  ].join('\n\n');
}

/** @param compared objects that were compared at most */
export function changesSection(
  report: GateReport,
  groups: readonly DiffGroup[],
  detail: Detail,
  compared: number,
): string {
  const { changes } = report;
  if (changes.length === 0 || detail.diffs === 'none') return '';
  const heading = `### Changes: ${count(changes.length, 'object')}`;
  if (detail.diffs === 'names') {
    const lines = changes
      .slice(0, detail.rows * 5)
      .map((change) => `- ${mdText(shorten(changeTitle(change), 200))} in ${codeSpan(shorten(change.target, 200))}`);
    if (changes.length > lines.length)
      lines.push(`- and ${(changes.length - lines.length).toLocaleString('en-US')} more`);
    return `${heading}\n\n${folded('Names of the objects', lines.join('\n'))}`;
  }
  const rest =
    changes.length > compared
      ? [`${count(changes.length - compared, 'more changed object')}: see the full report.`]
      : [];
  if (detail.diffs === 'each object')
    return [
      heading,
      ...groups.map((group) => folded(groupTitle(group), groupBody(group, 200, maxWidth))),
      ...rest,
    ].join('\n\n');
  const perTarget = Map.groupBy(groups, ({ targets }) => targets[0] ?? '');
  const blocks = [...perTarget].map(([target, own]) => {
    const first = own.slice(0, 5).map((group) => `${mdText(groupTitle(group))}\n\n${groupBody(group, 30, maxWidth)}`);
    const more = own.slice(5, 30).map((group) => `- ${mdText(groupTitle(group))}`);
    if (own.length > 30) more.push(`- and ${own.length - 30} more`);
    const body = [...first, ...(more.length === 0 ? [] : [more.join('\n')])].join('\n\n');
    return folded(`${shorten(target, 200)}: ${count(own.length, 'difference')}`, body);
  });
  return [heading, ...blocks, ...rest].join('\n\n');
}

export function footer(report: GateReport, context: CommentContext, shortened: boolean): string {
  const { headSha, commitUrl, runUrl } = context;
  const commit =
    commitUrl === undefined ? `\`${headSha.slice(0, 10)}\`` : `[\`${headSha.slice(0, 10)}\`](${commitUrl})`;
  const full =
    runUrl === undefined ? '' : ` · [${shortened ? 'full report in the' : 'run:'} summary and artifacts](${runUrl})`;
  return `---\n<sub>gate judged commit ${commit}${full} · ${mdText(shorten(runText(report), 400))}</sub>`;
}

/** The last step of the ladder: bounded whatever the tree holds. */
export function smallest(report: GateReport, summary: Summary, context: CommentContext): string {
  const top = summary.counted.slice(0, 5).map((finding) => findingLine(finding, 100));
  const left = summary.counted.length - top.length;
  if (left > 0) top.push(`- and ${left.toLocaleString('en-US')} more`);
  const gaps = summary.incomplete.slice(0, 3).map((entry) => notEvaluatedLine(entry, 150));
  return [
    title(report, context),
    `**${mdText(shorten(report.reason, 500))}**`,
    isBlank(report)
      ? 'Nothing was judged.'
      : `${capital(riskText(report))}, ${severityCounts(summary) || 'nothing new or worse'}. ${count(report.changes.length, 'object')} changed in ${count(summary.targets.length, 'target')}. ${coverageSentence(summary)}`,
    ...(top.length === 0 ? [] : [top.join('\n')]),
    ...(gaps.length === 0 ? [] : [`Not evaluated:\n\n${gaps.join('\n')}`]),
    'This is the summary: the report is too long for a comment.',
    footer(report, context, true),
  ].join('\n\n');
}
