import { gzipSync } from 'node:zlib';
import { counts } from '../core/counts.ts';
import type { Finding, GateReport, Severity } from '../core/model.ts';
import { formatLocation, type SourceLocation } from '../core/errors.ts';
import type { Rule } from '../core/rule.ts';
import { clean, cleanLine, refId, shorten } from './text.ts';
import { approvedText } from './approvals.ts';
import { evidenceLines } from './sentences.ts';

/** What a rule says about itself, for the help that code scanning shows beside a result. */
export type RuleText = Pick<Rule, 'id' | 'title' | 'severity' | 'family' | 'summary' | 'docs' | 'references'>;

/** What one upload to GitHub code scanning may hold (docs.github.com, "SARIF support for code scanning"). */
export const sarifLimits = { results: 25_000, gzipBytes: 10_000_000 } as const;

/** Characters of one message. A longer one is evidence that nobody reads in a list of results. */
const longestMessage = 8_000;

const level: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
};

/** GitHub reads this number of rules: over 9.0 critical, 7.0 high, 4.0 medium. */
const securitySeverity: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.0',
  low: '2.0',
};

/** `introduced` is new, `worsened` changed an existing result, the rest was there before (SARIF 2.1.0, 3.27.24). */
const baselineState: Readonly<Record<Finding['novelty'], 'new' | 'updated' | 'unchanged'>> = {
  introduced: 'new',
  worsened: 'updated',
  'touched-preexisting': 'unchanged',
  'untouched-preexisting': 'unchanged',
};

/**
 * Findings as a SARIF 2.1.0 log, for code scanning and for Jenkins. The weightiest come first, because GitHub shows the
 * first 5,000; what does not fit into one upload is left out, and a notification says so.
 * @param catalogue the rules there are; for one that is missing the finding itself has to do
 */
export function toSarif(report: GateReport, catalogue: readonly RuleText[] = []): string {
  const findings = report.findings.toSorted(byWeight);
  let kept = findings.slice(0, sarifLimits.results);
  let text = logText(report, kept, catalogue);
  while (kept.length > 0 && tooLarge(text)) {
    kept = kept.slice(0, Math.floor(kept.length / 2));
    text = logText(report, kept, catalogue);
  }
  return text;
}

/** Counted before waived and old ones, then by score. */
function byWeight(left: Finding, right: Finding): number {
  return Number(counts(right)) - Number(counts(left)) || right.score - left.score;
}

/** Compresses only what could be too large at all. */
function tooLarge(text: string): boolean {
  return Buffer.byteLength(text) > sarifLimits.gzipBytes && gzipSync(text).length > sarifLimits.gzipBytes;
}

function logText(report: GateReport, findings: readonly Finding[], catalogue: readonly RuleText[]): string {
  const known = new Map(catalogue.map((rule) => [rule.id, rule]));
  const first = new Map<string, Finding>();
  for (const finding of findings) if (!first.has(finding.ruleId)) first.set(finding.ruleId, finding);
  const index = new Map([...first.keys()].map((id, position) => [id, position]));
  const left = report.findings.length - findings.length;
  const origins = originsOf(report);
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'gate',
            rules: [...first].map(([id, finding]) => ruleOf(finding, known.get(id))),
          },
        },
        columnKind: 'unicodeCodePoints',
        automationDetails: { id: 'gate/' },
        originalUriBaseIds: { '%SRCROOT%': { description: { text: 'The root of the repository.' } } },
        invocations: [
          {
            executionSuccessful: report.verdict !== 'incomplete',
            toolExecutionNotifications: [
              ...(left === 0 ? [] : [leftOut(left, report.findings.length)]),
              ...report.coverage.notEvaluated.map(notification),
            ],
          },
        ],
        results: findings.map((finding) =>
          resultOf(finding, index.get(finding.ruleId) ?? 0, origins.get(finding.target)),
        ),
        properties: { verdict: report.verdict, score: report.score.total },
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf(finding: Finding, rule: RuleText | undefined): object {
  const id = finding.ruleId;
  const { title, severity, summary } = rule ?? { ...finding, summary: finding.title };
  return {
    id,
    shortDescription: { text: plain(cleanLine(title)) },
    fullDescription: { text: plain(cleanLine(summary)) },
    help: rule === undefined ? { text: plain(`${cleanLine(title)}. Details: gate explain ${id}`) } : helpOf(rule),
    defaultConfiguration: { level: level[severity] },
    properties: {
      'security-severity': securitySeverity[severity],
      'problem.severity': { error: 'error', warning: 'warning', note: 'recommendation' }[level[severity]],
      // GitHub keeps 10.
      tags: ['kubernetes', 'gitops', ...(rule === undefined ? [] : [rule.family])],
    },
  };
}

/** Why, fix, when to ignore: our own words, so Markdown may stay Markdown. */
function helpOf({ id, summary, docs, references }: RuleText): object {
  const parts = [
    ['Why', docs.why],
    ['What to do', docs.fix],
    ['When to ignore it', docs.ignoreWhen],
  ].filter(([, words = '']) => words.trim() !== '');
  const sources = references.map((reference) => `- ${reference}`).join('\n');
  const more = `gate explain ${id}`;
  return {
    text: plain([summary, ...parts.map(([head, words]) => `${head}: ${words}`), `Details: ${more}`].join('\n\n')),
    markdown: [
      summary,
      ...parts.map(([head, words]) => `## ${head}\n\n${words}`),
      ...(sources === '' ? [] : [`## Sources\n\n${sources}`]),
      `Examples: \`${more}\``,
    ].join('\n\n'),
  };
}

function leftOut(left: number, all: number): object {
  const text = `${left} of ${all} findings, those that weigh least, are not in this file: one upload holds no more. The JSON report has all.`;
  return { level: 'warning', message: { text } };
}

function notification(entry: GateReport['coverage']['notEvaluated'][number]): object {
  const text = shorten(`Not evaluated: ${cleanLine(entry.what)}: ${clean(entry.reason)}`, longestMessage);
  return {
    level: entry.weight === 'incomplete' ? 'error' : 'note',
    message: { text: plain(text) },
    ...(entry.location === undefined || !inTree(entry.location.file)
      ? {}
      : { locations: [{ physicalLocation: physical(entry.location) }] }),
  };
}

/** `[text](target)` is a link in every SARIF message, also in a plain one (SARIF 2.1.0, 3.11.6). Text of a tree has none. */
function plain(text: string): string {
  return text.replaceAll('](', '] (');
}

/** A path of the tree as a relative URI reference (SARIF 2.1.0, 3.4.3). */
function uri(path: string): string {
  return clean(path).split('/').map(encodeURIComponent).join('/');
}

/** An operator's gate.yaml may lie outside of the tree. Where it lies is nobody's business. */
function inTree(file: string): boolean {
  return !/^([/\\]|[A-Za-z]:)/.test(file) && !file.split('/').includes('..');
}

interface Place extends SourceLocation {
  readonly endLine?: number;
}

/**
 * Where a result is shown. Code scanning shows an alert in a pull request only on lines that it changes, so the line that
 * causes the finding comes before the line of the template, then what changed, then where the target is declared. It has to
 * be somewhere: an upload with a result that stands nowhere is refused as a whole.
 */
function placeOf({ cause, location, changedIn }: Finding, origin: SourceLocation | undefined): Place {
  const changed = changedIn?.[0];
  const places: (Place | undefined)[] = [
    cause,
    location,
    changed === undefined ? undefined : { file: changed },
    origin,
  ];
  return places.find((place) => place !== undefined && inTree(place.file)) ?? { file: 'gate.yaml' };
}

/** Where the targets of changed objects are declared, by their id. */
function originsOf(report: GateReport): ReadonlyMap<string, SourceLocation> {
  return new Map(
    report.changes.flatMap(({ target, before, after }) => {
      const origin = (after ?? before)?.target.origin;
      return origin === undefined ? [] : [[target, origin] as const];
    }),
  );
}

/** Without a line: the first, because code scanning asks for one (rule GH1003 of the SARIF SDK). */
function physical({ file, line = 1, column, endLine }: Place): object {
  return {
    artifactLocation: { uri: uri(file), uriBaseId: '%SRCROOT%' },
    region: {
      startLine: Math.max(1, line),
      ...(column === undefined ? {} : { startColumn: column }),
      ...(endLine === undefined ? {} : { endLine }),
    },
  };
}

function messageOf(finding: Finding): string {
  const evidence = evidenceLines(finding).map(({ label, text }) => (label === '-' ? text : `${label.trim()} ${text}`));
  const fix = `Fix: ${clean(finding.fix)}`;
  const room = Math.max(200, longestMessage - fix.length - 1);
  return shorten([shorten([clean(finding.message), ...evidence].join('\n'), room), fix].join('\n'), longestMessage);
}

function resultOf(finding: Finding, ruleIndex: number, origin: SourceLocation | undefined): object {
  const place = placeOf(finding, origin);
  const { location } = finding;
  return {
    ruleId: finding.ruleId,
    ruleIndex,
    level: level[finding.severity],
    rank: finding.score,
    baselineState: baselineState[finding.novelty],
    message: { text: plain(messageOf(finding)) },
    locations: [
      {
        physicalLocation: physical(place),
        logicalLocations: [
          {
            name: cleanLine(finding.resource.name),
            fullyQualifiedName: cleanLine(`${finding.target}/${refId(finding.resource)}${finding.path}`),
            kind: 'resource',
          },
        ],
      },
    ],
    ...(location === undefined || location === place || !inTree(location.file)
      ? {}
      : {
          relatedLocations: [
            { id: 1, physicalLocation: physical(location), message: { text: 'Here it is rendered from.' } },
          ],
        }),
    partialFingerprints: { 'gateFinding/v1': finding.fingerprint },
    ...suppressed(finding),
    properties: {
      severity: finding.severity,
      confidence: finding.confidence,
      reversibility: finding.reversibility,
      target: cleanLine(finding.target),
      ...(finding.environment === undefined ? {} : { environment: cleanLine(finding.environment) }),
      willNotApply: finding.willNotApply,
      ...(location === undefined || !inTree(location.file) ? {} : { source: cleanLine(formatLocation(location)) }),
    },
  };
}

function suppressed({ waived, approved }: Finding): object {
  const justification =
    waived !== undefined
      ? `${waived.reason} (${waived.owner}, until ${waived.expires})`
      : approved === undefined
        ? undefined
        : approvedText(approved);
  if (justification === undefined) return {};
  return { suppressions: [{ kind: 'external', status: 'accepted', justification: cleanLine(justification) }] };
}
