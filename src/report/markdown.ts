import type { Finding, GateReport } from '../core/model.ts';
import { approvalsTitle, decideText, noFindings } from './approvals.ts';
import { driftBlock, overwriteBlock, type LiveBlock } from './drift.ts';
import { groupedDiffs } from './hunks.ts';
import {
  approvalLines,
  coverageSentence,
  findingLine,
  findingText,
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
import { clusterSentence, dryRunSentence, summarize, verdictMeaning, type Summary } from './summary.ts';
import { count, durationText, someOf } from './text.ts';

export interface MarkdownOptions {
  /** Characters; GitHub takes comments of 65,536. What does not fit is left out, last sections first, and named. */
  readonly maxLength?: number;
}

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
    ...findingSections(report, summary),
    approvalSection(report, summary),
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
  const lines = happeningLines(happenings, listed);
  return {
    head: '### What happens in the cluster',
    parts: [lines.length === 0 ? 'No rendered object changes in the targets that were looked at.' : lines.join('\n')],
  };
}

function findingSections(report: GateReport, summary: Summary): Section[] {
  const head = `### Findings: ${severityCounts(summary) || noFindings(summary)}`;
  const { preexisting } = summary;
  const old = preexisting.slice(0, 50).map((finding) => findingLine(finding));
  if (preexisting.length > 50) old.push(`- and ${preexisting.length - 50} more`);
  return [
    { head, parts: summary.counted.map((finding) => withCommand(report, finding)) },
    {
      head: '',
      parts:
        old.length === 0
          ? []
          : [folded(`There before this change, not counted: ${preexisting.length}`, old.join('\n'))],
    },
  ];
}

function withCommand({ verdict }: GateReport, finding: Finding): string {
  const command = decideText(verdict, finding);
  return command === undefined ? findingText(finding) : `${findingText(finding)}\n\n${codeBlock('', command)}`;
}

function approvalSection(report: GateReport, summary: Summary): Section {
  const title = approvalsTitle(report, summary);
  if (title === undefined) return { head: '', parts: [] };
  return { head: `### ${title}`, parts: [approvalLines(report, summary, listed).join('\n')] };
}

function waiverSection(report: GateReport, summary: Summary): Section {
  if (report.waiversInForce.length === 0) return { head: '', parts: [] };
  const lines = waiverLines(report, summary);
  return { head: `### Waivers in force: ${lines.length}`, parts: [lines.join('\n')] };
}

function liveSection(block: LiveBlock | undefined, as: 'open' | 'folded'): Section {
  if (block === undefined) return { head: '', parts: [] };
  const text = liveText(block);
  return as === 'open'
    ? { head: `### ${block.title}`, parts: [text] }
    : { head: '', parts: [folded(block.title, text)] };
}

function coverageSection(report: GateReport, summary: Summary): Section {
  const { targets } = report.coverage;
  const missing = [...summary.incomplete, ...summary.notes].map((entry) => notEvaluatedLine(entry));
  return {
    head: `### What was looked at\n\n${coverageSentence(summary)}`,
    parts: [
      ...(missing.length === 0 ? [] : [`Not evaluated:\n\n${missing.join('\n')}`]),
      ...(targets.length === 0 ? [] : [folded(count(targets.length, 'target'), targetTable(report, 100))]),
    ],
  };
}

function diffSection(report: GateReport): Section {
  const groups = groupedDiffs(report, comparedChanges);
  const rest = report.changes.length - Math.min(report.changes.length, comparedChanges);
  const parts = groups.map((group) => folded(groupTitle(group), groupBody(group)));
  if (rest > 0) parts.push(`${count(rest, 'more changed object')}: see ${codeSpan('gate diff')}.`);
  return { head: groups.length === 0 ? '' : '### Changes', parts };
}
