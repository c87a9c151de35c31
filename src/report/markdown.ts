import type { Finding, GateReport, Severity, Verdict } from '../core/model.ts';
import { formatLocation } from '../core/errors.ts';
import { changeTitle, groupedDiffs, type DiffGroup } from './hunks.ts';
import { codeBlock, codeSpan, mdText } from './markdown-text.ts';
import { evidenceLines, marks, runText, whatHappens } from './sentences.ts';
import { clusterSentence, dryRunSentence, summarize, verdictMeaning, type Summary } from './summary.ts';
import { count, durationText, refText, someOf } from './text.ts';
import { driftBlock, type LiveBlock, overwriteBlock } from './drift.ts';

export interface MarkdownOptions {
  /** Characters; GitHub takes comments of 65,536. What does not fit is left out, last sections first, and named. */
  readonly maxLength?: number;
}

const verdictMark: Readonly<Record<Verdict, string>> = {
  pass: '✅ pass',
  comment: '💬 comment',
  approval: '✋ approval',
  block: '⛔ block',
  incomplete: '❔ incomplete',
};

const severityMark: Readonly<Record<Severity, string>> = {
  critical: '🔴 critical',
  high: '🟠 high',
  medium: '🟡 medium',
  low: '⚪ low',
};

const listed = 15;
/** Comparing objects that do not fit into a comment anyway would cost seconds on a large change. */
const comparedChanges = 500;

/** A section, and how it may be shortened: whole, or part by part from the end. */
interface Section {
  readonly head: string;
  readonly parts: readonly string[];
}

/** The report as a pull request comment: verdict first; every outside string is escaped. */
export function toMarkdown(report: GateReport, options: MarkdownOptions = {}): string {
  const summary = summarize(report);
  const sections = [
    verdictSection(report, summary),
    clusterSection(report, summary),
    ...findingSections(summary),
    waiverSection(report, summary),
    liveSection(overwriteBlock(report, listed), 'open'),
    liveSection(driftBlock(report, listed), 'folded'),
    coverageSection(report, summary),
    diffSection(report),
  ].filter((section) => section.head !== '' || section.parts.length > 0);
  const footer = `<sub>${mdText(runText(report))}</sub>`;
  return `${assemble(sections, (options.maxLength ?? 60_000) - footer.length - 200)}\n\n${footer}\n`;
}

/** Joins sections as far as there is room. */
function assemble(sections: readonly Section[], room: number): string {
  const out: string[] = [];
  let used = 0;
  let left = 0;
  for (const { head, parts } of sections) {
    let first = true;
    for (const part of parts.length === 0 ? [''] : parts) {
      const text = [first ? head : '', part].filter((piece) => piece !== '').join('\n\n');
      if (used + text.length > room) {
        left += 1;
        continue;
      }
      out.push(text);
      used += text.length + 2;
      first = false;
    }
  }
  if (left > 0)
    out.push(
      `_Shortened: ${count(left, 'part')} of this report did not fit into a comment. The JSON report has everything._`,
    );
  return out.join('\n\n');
}

function verdictSection(report: GateReport, summary: Summary): Section {
  const { score, verdict } = report;
  const tried = dryRunSentence(report);
  const lines = [
    `**${mdText(report.reason)}**`,
    `Score: ${mdText(score.arithmetic)}`,
    ...score.notes.map((note) => `- ${mdText(note)}`),
    `Compared: ${mdText(report.sides.before)} → ${mdText(report.sides.after)}. Cluster: ${mdText(clusterSentence(report, durationText))}.${tried === undefined ? '' : ` Dry run: ${tried}.`}`,
  ];
  if (summary.incomplete.length > 0) {
    const names = someOf(
      summary.incomplete.map((entry) => mdText(entry.what)),
      3,
    );
    lines.push(`**Not looked at:** ${names}. See the coverage below.`);
  }
  return {
    head: `## ${verdictMark[verdict]}: ${verdictMeaning[verdict]} (risk ${score.total.toFixed(1)} of 100)`,
    parts: [lines.join('\n\n')],
  };
}

function clusterSection(report: GateReport, summary: Summary): Section {
  const happenings = whatHappens(report, summary);
  const lines = happenings.flatMap(({ label, items, grave }) => [
    `- ${grave ? `**${mdText(label)}**` : mdText(label)}`,
    ...items.slice(0, listed).map((item) => `  - ${mdText(item)}`),
    ...(items.length > listed ? [`  - and ${items.length - listed} more`] : []),
  ]);
  return {
    head: '### What happens in the cluster',
    parts: [lines.length === 0 ? 'No rendered object changes in the targets that were looked at.' : lines.join('\n')],
  };
}

function findingSections(summary: Summary): Section[] {
  const counts = Object.entries(summary.severityCounts)
    .filter(([, number]) => number > 0)
    .map(([severity, number]) => `${number} ${severity}`);
  const head = `### Findings: ${counts.length === 0 ? 'none that is new or worse' : counts.join(', ')}`;
  const { preexisting } = summary;
  const old = preexisting
    .slice(0, 50)
    .map(
      (finding) =>
        `- ${mdText(finding.title)}: ${codeSpan(refText(finding.resource))} (${finding.severity}, ${codeSpan(finding.ruleId)})`,
    );
  if (preexisting.length > 50) old.push(`- and ${preexisting.length - 50} more`);
  return [
    { head, parts: summary.counted.map(findingText) },
    {
      head: '',
      parts:
        old.length === 0
          ? []
          : [folded(`There before this change, not counted: ${preexisting.length}`, old.join('\n'))],
    },
  ];
}

function findingText(finding: Finding): string {
  const refused = finding.willNotApply ? ' (the API server will refuse it)' : '';
  const where = finding.location === undefined ? '' : ` · ${codeSpan(formatLocation(finding.location))}`;
  const environment = finding.environment === undefined ? '' : ` · ${mdText(finding.environment)}`;
  const evidence = evidenceLines(finding).map(({ label, text }) => {
    if (label === '-') return `- ${mdText(text)}`;
    return `- ${label.replace(':', '').trim()}: ${codeSpan(text)}`;
  });
  const others = (finding.alsoIn ?? []).map((target) => codeSpan(target));
  return [
    `#### ${severityMark[finding.severity]}: ${mdText(finding.title)}${refused}`,
    `${codeSpan(refText(finding.resource))} · ${codeSpan(finding.target === '' ? 'no target' : finding.target)}${environment}${where}`,
    mdText(finding.message),
    evidence.join('\n'),
    `**Fix:** ${mdText(finding.fix)}`,
    others.length === 0 ? '' : `The same in ${count(others.length, 'more target')}: ${someOf(others, 6)}`,
    `<sub>${codeSpan(finding.ruleId)} · ${marks(finding)} · ${mdText(finding.arithmetic)}</sub>`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function waiverSection(report: GateReport, summary: Summary): Section {
  if (report.waiversInForce.length === 0) return { head: '', parts: [] };
  const lines = report.waiversInForce.map((waiver) => {
    const used = summary.waived.filter(
      ({ waived }) =>
        waived?.rule === waiver.rule && waived.resource === waiver.resource && waived.reason === waiver.reason,
    ).length;
    const effect = used === 0 ? 'matches nothing here' : `covers ${count(used, 'finding')}`;
    return `- ${codeSpan(waiver.rule)} on ${codeSpan(waiver.resource)} until ${mdText(waiver.expires)}, by ${mdText(waiver.owner)}: ${mdText(waiver.reason)} (${effect})`;
  });
  return { head: `### Waivers in force: ${lines.length}`, parts: [lines.join('\n')] };
}

function liveSection(block: LiveBlock | undefined, as: 'open' | 'folded'): Section {
  if (block === undefined) return { head: '', parts: [] };
  const lines = block.items.flatMap((item) => [
    `- ${codeSpan(item.title)} (${codeSpan(item.target)})${item.remark === undefined ? '' : `: ${mdText(item.remark)}`}`,
    ...item.fields.map(({ path, text }) => `  - ${codeSpan(path)}: ${mdText(text)}`),
    ...(item.more > 0 ? [`  - and ${count(item.more, 'more field')}`] : []),
  ]);
  if (block.more > 0) lines.push(`- and ${block.more.toLocaleString('en-US')} more`);
  const text = `${block.note}\n\n${lines.join('\n')}`;
  return as === 'open'
    ? { head: `### ${block.title}`, parts: [text] }
    : { head: '', parts: [folded(block.title, text)] };
}

function coverageSection(report: GateReport, summary: Summary): Section {
  const { targets } = report.coverage;
  const missing = [...summary.incomplete, ...summary.notes].map((entry) => {
    const where = entry.location === undefined ? '' : ` (${codeSpan(formatLocation(entry.location))})`;
    const next = entry.next === undefined ? '' : ` ${mdText(entry.next)}`;
    const what = entry.weight === 'incomplete' ? `**${mdText(entry.what)}**` : mdText(entry.what);
    return `- ${what}${where}: ${mdText(entry.reason)}${next}`;
  });
  const rows = targets
    .slice(0, 100)
    .map(
      (target) =>
        `| ${mdText(target.name)} | ${mdText(target.environment ?? '')} | ${target.status} | ${mdText(target.reason)} |`,
    );
  if (targets.length > 100) rows.push(`| and ${targets.length - 100} more | | | |`);
  const table = ['| target | environment | status | why |', '|---|---|---|---|', ...rows].join('\n');
  return {
    head: `### What was looked at\n\n${count(summary.rendered, 'target')} rendered, ${summary.unaffected} not reachable by this change, ${summary.notRendered} not evaluated.`,
    parts: [
      ...(missing.length === 0 ? [] : [`Not evaluated:\n\n${missing.join('\n')}`]),
      ...(rows.length === 0 ? [] : [folded(count(targets.length, 'target'), table)]),
    ],
  };
}

function diffSection(report: GateReport): Section {
  const groups = groupedDiffs(report, comparedChanges);
  const rest = report.changes.length - Math.min(report.changes.length, comparedChanges);
  const parts = groups.map(diffText);
  if (rest > 0) parts.push(`${count(rest, 'more changed object')}: see ${codeSpan('gate diff')}.`);
  return { head: groups.length === 0 ? '' : '### Changes', parts };
}

function diffText({ first, members, targets }: DiffGroup): string {
  const more =
    members.length === 1 ? '' : `, the same in ${members.length} objects of ${count(targets.length, 'target')}`;
  const lines = first.lines.slice(0, 200);
  if (first.lines.length > 200) lines.push(`# and ${first.lines.length - 200} more lines`);
  const body =
    lines.length === 0 ? 'Nothing but checksums or the order of lists differs.' : codeBlock('diff', lines.join('\n'));
  return folded(`${changeTitle(first.change)}${more}`, body);
}

function folded(title: string, body: string): string {
  return `<details><summary>${mdText(title)}</summary>\n\n${body}\n\n</details>`;
}
