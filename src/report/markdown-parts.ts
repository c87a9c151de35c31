import type { Finding, GateReport, NotEvaluated, Severity, Verdict } from '../core/model.ts';
import { formatLocation } from '../core/errors.ts';
import type { LiveBlock } from './drift.ts';
import { changeTitle, type DiffGroup } from './hunks.ts';
import { codeBlock, codeSpan, mdText } from './markdown-text.ts';
import { approvedText, voidDecisions } from './approvals.ts';
import { evidenceLines, marks, type Happening } from './sentences.ts';
import type { Summary } from './summary.ts';
import { count, refText, shorten, someOf } from './text.ts';

/** Pieces of Markdown that the report and the review comment share. Every outside string is escaped here. */

export const verdictMark: Readonly<Record<Verdict, string>> = {
  pass: '✅ pass',
  comment: '💬 comment',
  approval: '✋ approval',
  block: '⛔ block',
  incomplete: '❔ incomplete',
};

export const severityMark: Readonly<Record<Severity, string>> = {
  critical: '🔴 critical',
  high: '🟠 high',
  medium: '🟡 medium',
  low: '⚪ low',
};

/** Names and sentences are shorter than this; whatever is longer fills a page for nothing. */
const long = 1_000;
const text = (value: string, max = long): string => mdText(shorten(value, max));
const code = (value: string, max = long): string => codeSpan(shorten(value, max));

/** `1 critical, 2 high`; '' when there is none. */
export function severityCounts(summary: Summary): string {
  return Object.entries(summary.severityCounts)
    .filter(([, number]) => number > 0)
    .map(([severity, number]) => `${number} ${severity}`)
    .join(', ');
}

/** @param listed objects of a line, the rest is counted */
export function happeningLines(happenings: readonly Happening[], listed: number): string[] {
  return happenings.flatMap(({ label, items, grave }) => [
    `- ${grave ? `**${mdText(label)}**` : mdText(label)}`,
    ...items.slice(0, listed).map((item) => `  - ${mdText(shorten(item, 400))}`),
    ...(items.length > listed ? [`  - and ${items.length - listed} more`] : []),
  ]);
}

/**
 * @param max characters of one text of the finding, before escaping
 * @param fold facts and arithmetic are behind a click
 */
export function findingText(finding: Finding, max = Number.POSITIVE_INFINITY, fold = false): string {
  const said = (value: string) => text(value, max);
  const named = (value: string) => code(value, max);
  const refused = finding.willNotApply ? ' (the API server will refuse it)' : '';
  const where = finding.location === undefined ? '' : ` · ${named(formatLocation(finding.location))}`;
  const environment = finding.environment === undefined ? '' : ` · ${said(finding.environment)}`;
  const lines = evidenceLines(finding);
  const values = lines
    .filter(({ label }) => label !== '-')
    .map(({ label, text: value }) => `- ${label.replace(':', '').trim()}: ${named(value)}`);
  const facts = lines.filter(({ label }) => label === '-').map(({ text: value }) => `- ${said(value)}`);
  const marked = `<sub>${codeSpan(finding.ruleId)} · ${marks(finding)} · ${said(finding.arithmetic)}</sub>`;
  const folding = fold && facts.length > 0;
  const others = (finding.alsoIn ?? []).map((target) => named(target));
  return [
    `#### ${severityMark[finding.severity]}: ${said(finding.title)}${refused}`,
    `${named(refText(finding.resource))} · ${named(finding.target === '' ? 'no target' : finding.target)}${environment}${where}`,
    said(finding.message),
    [...values, ...(folding ? [] : facts)].join('\n'),
    `**Fix:** ${said(finding.fix)}`,
    others.length === 0 ? '' : `The same in ${count(others.length, 'more target')}: ${someOf(others, 6)}`,
    folding ? folded(`Evidence: ${count(facts.length, 'fact')}`, `${facts.join('\n')}\n\n${marked}`) : marked,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** `🟡 medium: Image pull policy is Always: Deployment shop/api`. Plain text. */
export function findingTitle({ severity, title, resource }: Finding): string {
  return `${severityMark[severity]}: ${shorten(title, 200)}: ${shorten(refText(resource), 200)}`;
}

/** One line of a list. */
export function findingLine(finding: Finding, max = Number.POSITIVE_INFINITY): string {
  const resource = codeSpan(shorten(refText(finding.resource), max));
  return `- ${mdText(shorten(finding.title, max))}: ${resource} (${finding.severity}, ${codeSpan(finding.ruleId)})`;
}

/** Findings that somebody answers for, then the decisions that do not help. @param limit of each */
export function approvalLines(report: GateReport, summary: Summary, limit: number): string[] {
  const approved = summary.approved.slice(0, limit).flatMap((finding) => {
    if (finding.approved === undefined) return [];
    const { url } = finding.approved;
    return [
      `${findingLine(finding, long)}: ${text(approvedText(finding.approved))}${url === undefined ? '' : ` (${code(url)})`}`,
    ];
  });
  const none = voidDecisions(report);
  const lines = none.slice(0, limit).map((said) => `- not in force: ${text(said)}`);
  const left = Math.max(0, summary.approved.length - limit) + Math.max(0, none.length - limit);
  return [...approved, ...lines, ...(left === 0 ? [] : [`- and ${left} more`])];
}

export function waiverLines(report: GateReport, summary: Summary): string[] {
  return report.waiversInForce.map((waiver) => {
    const used = summary.waived.filter(
      ({ waived }) =>
        waived?.rule === waiver.rule && waived.resource === waiver.resource && waived.reason === waiver.reason,
    ).length;
    const effect = used === 0 ? 'matches nothing here' : `covers ${count(used, 'finding')}`;
    return `- ${code(waiver.rule)} on ${code(waiver.resource)} until ${text(waiver.expires)}, by ${text(waiver.owner)}: ${text(waiver.reason)} (${effect})`;
  });
}

/** Note, then the list. */
export function liveText(block: LiveBlock): string {
  const lines = block.items.flatMap((item) => [
    `- ${code(item.title)} (${code(item.target)})${item.remark === undefined ? '' : `: ${text(item.remark)}`}`,
    ...item.fields.map((field) => `  - ${code(field.path)}: ${text(field.text)}`),
    ...(item.more > 0 ? [`  - and ${count(item.more, 'more field')}`] : []),
  ]);
  if (block.more > 0) lines.push(`- and ${block.more.toLocaleString('en-US')} more`);
  return `${block.note}\n\n${lines.join('\n')}`;
}

export function coverageSentence(summary: Summary): string {
  return `${count(summary.rendered, 'target')} rendered, ${summary.unaffected} not reachable by this change, ${summary.notRendered} not evaluated.`;
}

/** @param max characters of one text of the entry, before escaping */
export function notEvaluatedLine(entry: NotEvaluated, max = Number.POSITIVE_INFINITY): string {
  const said = (value: string) => text(value, max);
  const where = entry.location === undefined ? '' : ` (${code(formatLocation(entry.location), max)})`;
  const next = entry.next === undefined ? '' : ` ${said(entry.next)}`;
  const what = entry.weight === 'incomplete' ? `**${said(entry.what)}**` : said(entry.what);
  const stop = next === '' || /[.!?]$/.test(entry.reason) ? '' : '.';
  return `- ${what}${where}: ${said(entry.reason)}${stop}${next}`;
}

export function targetTable({ coverage }: GateReport, limit: number): string {
  const { targets } = coverage;
  const rows = targets
    .slice(0, limit)
    .map(
      (target) =>
        `| ${text(target.name)} | ${text(target.environment ?? '')} | ${target.status} | ${text(target.reason)} |`,
    );
  if (targets.length > limit) rows.push(`| and ${targets.length - limit} more | | | |`);
  return ['| target | environment | status | why |', '|---|---|---|---|', ...rows].join('\n');
}

/** `changed Deployment shop/api, the same in 12 objects of 12 targets`. Plain text. */
export function groupTitle({ first, members, targets }: DiffGroup): string {
  const more =
    members.length === 1 ? '' : `, the same in ${members.length} objects of ${count(targets.length, 'target')}`;
  return `${shorten(changeTitle(first.change), long)}${more}`;
}

/**
 * The lines of a group as a code block.
 * @param width characters of one line
 */
export function groupBody({ first }: DiffGroup, max = 200, width = Number.POSITIVE_INFINITY): string {
  const lines = first.lines.slice(0, max).map((line) => shorten(line, width));
  if (first.lines.length > max) lines.push(`# and ${first.lines.length - max} more lines`);
  return lines.length === 0
    ? 'Nothing but checksums or the order of lists differs.'
    : codeBlock('diff', lines.join('\n'));
}

/** @param title plain text */
export function folded(title: string, body: string): string {
  return `<details><summary>${text(title)}</summary>\n\n${body}\n\n</details>`;
}
