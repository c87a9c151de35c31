import type { Finding, GateReport, Verdict } from '../core/model.ts';
import { formatLocation } from '../core/errors.ts';
import { approvalsTitle, approvedText, decideText, noFindings, voidDecisions } from './approvals.ts';
import { changeTitle, groupedDiffs, type DiffGroup } from './hunks.ts';
import { htmlStyle } from './html-style.ts';
import { evidenceLines, marks, runText, whatHappens } from './sentences.ts';
import { clusterSentence, dryRunSentence, summarize, verdictMeaning, type Summary } from './summary.ts';
import { clean, cleanLine, count, durationText, refText, someOf } from './text.ts';
import { driftBlock, type LiveBlock, overwriteBlock } from './drift.ts';

const comparedChanges = 2_000;
const linesPerDiff = 500;

/** Outside text in HTML, in an element or a quoted attribute. */
function h(text: string): string {
  return clean(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const list = (items: readonly string[]): string =>
  items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;

const folded = (title: string, body: string): string => `<details><summary>${title}</summary>${body}</details>`;

/** One self-contained page: no scripts, nothing is loaded; light and dark as the reader's system wants it. */
export function toHtml(report: GateReport): string {
  const summary = summarize(report);
  const title = `gate: ${report.verdict}, risk ${report.score.total.toFixed(1)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${h(title)}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
${[
  verdictPart(report, summary),
  happensPart(report, summary),
  findingsPart(report, summary),
  approvalsPart(report, summary),
  waiversPart(report, summary),
  livePart(overwriteBlock(report, 200)),
  livePart(driftBlock(report, 200)),
  coveragePart(report, summary),
  changesPart(report),
]
  .filter((part) => part !== '')
  .join('\n')}
<footer>${h(runText(report))}</footer>
</main>
</body>
</html>
`;
}

function verdictPart(report: GateReport, summary: Summary): string {
  const { verdict, score } = report;
  const tried = dryRunSentence(report);
  const missing =
    summary.incomplete.length === 0
      ? ''
      : `<dt>Missing</dt><dd class="incomplete">${h(
          someOf(
            summary.incomplete.map((entry) => cleanLine(entry.what)),
            3,
          ),
        )} could not be looked at.</dd>`;
  return `<header class="${verdict}">
<h1><span class="verdict">${verdict}</span> ${h(verdictMeaning[verdict])}</h1>
<p class="reason">${h(report.reason)}</p>
<dl>
<dt>Score</dt><dd><strong>${score.total.toFixed(1)}</strong> of 100<br><code>${h(score.arithmetic)}</code>${list(score.notes.map(h))}</dd>
<dt>Compared</dt><dd>${h(report.sides.before)} → ${h(report.sides.after)}</dd>
<dt>Cluster</dt><dd>${h(clusterSentence(report, durationText))}</dd>${
    tried === undefined
      ? ''
      : `
<dt>Dry run</dt><dd>${h(tried)}</dd>`
  }
${missing}</dl>
</header>`;
}

function happensPart(report: GateReport, summary: Summary): string {
  const lines = whatHappens(report, summary).map(({ label, items, grave }) => {
    const body = grave ? `<strong>${h(label)}</strong>` : h(label);
    return items.length > 20 ? `${body}${folded('show', list(items.map(h)))}` : `${body}${list(items.map(h))}`;
  });
  const body =
    lines.length === 0 ? '<p>No rendered object changes in the targets that were looked at.</p>' : list(lines);
  return `<section><h2>What happens in the cluster</h2>${body}</section>`;
}

function findingsPart({ verdict }: GateReport, summary: Summary): string {
  const counts = Object.entries(summary.severityCounts)
    .filter(([, number]) => number > 0)
    .map(([severity, number]) => `${number} ${severity}`);
  const old = summary.preexisting.map(
    (finding) =>
      `${h(finding.title)}: <code>${h(refText(finding.resource))}</code> (${finding.severity}, <code>${h(finding.ruleId)}</code>)`,
  );
  return `<section><h2>Findings: ${counts.length === 0 ? noFindings(summary) : counts.join(', ')}</h2>
${summary.counted.map((finding) => findingPart(finding, verdict)).join('\n')}
${old.length === 0 ? '' : folded(`There before this change, not counted: ${old.length}`, list(old))}</section>`;
}

function findingPart(finding: Finding, verdict: Verdict): string {
  const where = [
    `<code>${h(refText(finding.resource))}</code>`,
    h(finding.target === '' ? 'no target' : finding.target),
    ...(finding.environment === undefined ? [] : [h(finding.environment)]),
    ...(finding.location === undefined ? [] : [`<code>${h(formatLocation(finding.location))}</code>`]),
  ].join(' · ');
  const lines = evidenceLines(finding);
  const values = lines
    .filter(({ label }) => label !== '-')
    .map(({ label, text }) => `<dt>${h(label.replace(':', '').trim())}</dt><dd><code>${h(text)}</code></dd>`);
  const facts = lines.filter(({ label }) => label === '-').map(({ text }) => h(text));
  const others = (finding.alsoIn ?? []).map(cleanLine);
  const decide = decideText(verdict, finding);
  return `<article class="${finding.severity}">
<h3><span class="severity">${finding.severity}</span> ${h(finding.title)}${finding.willNotApply ? ' <em>the API server will refuse it</em>' : ''}</h3>
<p class="where">${where}</p>
<p>${h(finding.message)}</p>
<dl>${values.join('')}</dl>${list(facts)}
<p class="fix"><strong>Fix:</strong> ${h(finding.fix)}</p>
${others.length === 0 ? '' : `<p>The same in ${count(others.length, 'more target')}: ${h(someOf(others, 10))}</p>`}
<p class="marks"><code>${h(finding.ruleId)}</code> · ${h(marks(finding))} · ${h(finding.arithmetic)}</p>${
    decide === undefined
      ? ''
      : `
<p class="marks"><code>${h(decide)}</code></p>`
  }
</article>`;
}

function approvalsPart(report: GateReport, summary: Summary): string {
  const title = approvalsTitle(report, summary);
  if (title === undefined) return '';
  const items = summary.approved.map(({ title: what, resource, severity, ruleId, approved }) => {
    const finding = `${h(what)}: <code>${h(refText(resource))}</code> (${severity}, <code>${h(ruleId)}</code>)`;
    if (approved === undefined) return finding;
    const where = approved.url === undefined ? '' : ` (${h(approved.url)})`;
    return `${finding}<br>${h(approvedText(approved))}${where}`;
  });
  const none = voidDecisions(report).map((text) => `Not in force: ${h(text)}`);
  return `<section><h2>${h(title)}</h2>${list([...items, ...none])}</section>`;
}

function waiversPart(report: GateReport, summary: Summary): string {
  if (report.waiversInForce.length === 0) return '';
  const items = report.waiversInForce.map(
    (waiver) =>
      `<code>${h(waiver.rule)}</code> on <code>${h(waiver.resource)}</code> until ${h(waiver.expires)}, by ${h(waiver.owner)}: ${h(waiver.reason)}`,
  );
  return `<section><h2>Waivers in force: ${items.length}</h2><p>They cover ${count(summary.waived.length, 'finding')} of this change.</p>${list(items)}</section>`;
}

function livePart(block: LiveBlock | undefined): string {
  if (block === undefined) return '';
  const items = block.items.map((item) => {
    const fields = item.fields.map(({ path, text }) => `<code>${h(path)}</code>: ${h(text)}`);
    if (item.more > 0) fields.push(`and ${count(item.more, 'more field')}`);
    const remark = item.remark === undefined ? '' : `: ${h(item.remark)}`;
    return `<code>${h(item.title)}</code> (${h(item.target)})${remark}${list(fields)}`;
  });
  if (block.more > 0) items.push(`and ${block.more.toLocaleString('en-US')} more`);
  return `<section><h2>${h(block.title)}</h2>
<p>${h(block.note)}</p>${list(items)}</section>`;
}

function coveragePart(report: GateReport, summary: Summary): string {
  const { targets } = report.coverage;
  const missing = [...summary.incomplete, ...summary.notes].map((entry) => {
    const where = entry.location === undefined ? '' : ` (<code>${h(formatLocation(entry.location))}</code>)`;
    const what = entry.weight === 'incomplete' ? `<strong class="incomplete">${h(entry.what)}</strong>` : h(entry.what);
    return `${what}${where}: ${h(entry.reason)}${entry.next === undefined ? '' : `<br>${h(entry.next)}`}`;
  });
  const rows = targets.map(
    (target) =>
      `<tr><td>${h(target.name)}</td><td>${h(target.environment ?? '')}</td><td>${target.status}</td><td>${h(target.reason)}</td></tr>`,
  );
  const table = `<table><thead><tr><th>Target</th><th>Environment</th><th>Status</th><th>Why</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<section><h2>What was looked at</h2>
<p>${count(summary.rendered, 'target')} rendered, ${summary.unaffected} not reachable by this change, ${summary.notRendered} not evaluated.</p>
${missing.length === 0 ? '' : `<p>Not evaluated:</p>${list(missing)}`}
${rows.length === 0 ? '' : folded(count(targets.length, 'target'), table)}</section>`;
}

function changesPart(report: GateReport): string {
  if (report.changes.length === 0) return '';
  const rest = report.changes.length - Math.min(report.changes.length, comparedChanges);
  const more = rest > 0 ? `<p>${count(rest, 'more changed object')}: see <code>gate diff</code>.</p>` : '';
  return `<section><h2>Changes</h2>${groupedDiffs(report, comparedChanges).map(diffPart).join('\n')}${more}</section>`;
}

function diffPart({ first, members, targets }: DiffGroup): string {
  const more =
    members.length === 1 ? '' : `, the same in ${members.length} objects of ${count(targets.length, 'target')}`;
  const lines = first.lines.slice(0, linesPerDiff).map((line) => {
    const mark = line.startsWith('@@') ? 'range' : line.startsWith('+') ? 'plus' : line.startsWith('-') ? 'minus' : '';
    return mark === '' ? h(line) : `<span class="${mark}">${h(line)}</span>`;
  });
  if (first.lines.length > linesPerDiff) lines.push(`and ${first.lines.length - linesPerDiff} more lines`);
  const body =
    lines.length === 0
      ? '<p>Nothing but checksums or the order of lists differs.</p>'
      : `<pre>${lines.join('\n')}</pre>`;
  return folded(h(`${changeTitle(first.change)}${more}`), body);
}
