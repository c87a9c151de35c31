import type { Finding, GateReport, Severity } from '../core/model.ts';
import { formatLocation } from '../core/errors.ts';
import { clean, cleanLine, refId } from './text.ts';
import { evidenceLines } from './sentences.ts';

const level: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
};

/** GitHub sorts by this number: over 9.0 critical, 7.0 high, 4.0 medium. */
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

/** A path of the tree as a relative URI reference (SARIF 2.1.0, 3.4.3). */
function uri(path: string): string {
  return clean(path).split('/').map(encodeURIComponent).join('/');
}

/** Findings as a SARIF 2.1.0 log, for code scanning. Text only: no Markdown of the tree is passed on. */
export function toSarif(report: GateReport): string {
  const rules = [...Map.groupBy(report.findings, (finding) => finding.ruleId)].map(([id, findings]) => ({
    id,
    findings,
  }));
  const index = new Map(rules.map(({ id }, position) => [id, position]));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'gate',
            rules: rules.flatMap(({ id, findings: [first] }) => (first === undefined ? [] : [ruleOf(id, first)])),
          },
        },
        columnKind: 'unicodeCodePoints',
        automationDetails: { id: 'gate/' },
        invocations: [
          {
            executionSuccessful: report.verdict !== 'incomplete',
            toolExecutionNotifications: report.coverage.notEvaluated.map(notification),
          },
        ],
        results: report.findings.map((finding) => resultOf(finding, index.get(finding.ruleId) ?? 0)),
        properties: { verdict: report.verdict, score: report.score.total },
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf(id: string, finding: Finding): object {
  const title = cleanLine(finding.title);
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: title },
    help: { text: `${title}. Details: gate explain ${id}` },
    defaultConfiguration: { level: level[finding.severity] },
    properties: { 'security-severity': securitySeverity[finding.severity], tags: ['kubernetes', 'gitops'] },
  };
}

function notification(entry: GateReport['coverage']['notEvaluated'][number]): object {
  return {
    level: entry.weight === 'incomplete' ? 'error' : 'note',
    message: { text: `Not evaluated: ${cleanLine(entry.what)}: ${clean(entry.reason)}` },
    ...(entry.location === undefined ? {} : { locations: [{ physicalLocation: physical(entry.location) }] }),
  };
}

function physical(location: NonNullable<Finding['location']>): object {
  const { line, column } = location;
  const region = { startLine: line, ...(column === undefined ? {} : { startColumn: column }) };
  return {
    artifactLocation: { uri: uri(location.file), uriBaseId: '%SRCROOT%' },
    ...(line === undefined ? {} : { region }),
  };
}

function resultOf(finding: Finding, ruleIndex: number): object {
  const evidence = evidenceLines(finding).map(({ label, text }) => (label === '-' ? text : `${label.trim()} ${text}`));
  const message = [clean(finding.message), ...evidence, `Fix: ${clean(finding.fix)}`].join('\n');
  return {
    ruleId: finding.ruleId,
    ruleIndex,
    level: level[finding.severity],
    rank: finding.score,
    baselineState: baselineState[finding.novelty],
    message: { text: message },
    locations: [
      {
        ...(finding.location === undefined ? {} : { physicalLocation: physical(finding.location) }),
        logicalLocations: [
          {
            name: cleanLine(finding.resource.name),
            fullyQualifiedName: cleanLine(`${finding.target}/${refId(finding.resource)}${finding.path}`),
            kind: 'resource',
          },
        ],
      },
    ],
    partialFingerprints: { 'gateFinding/v1': finding.fingerprint },
    ...(finding.waived === undefined
      ? {}
      : {
          suppressions: [
            {
              kind: 'external',
              status: 'accepted',
              justification: cleanLine(
                `${finding.waived.reason} (${finding.waived.owner}, until ${finding.waived.expires})`,
              ),
            },
          ],
        }),
    properties: {
      severity: finding.severity,
      confidence: finding.confidence,
      reversibility: finding.reversibility,
      target: cleanLine(finding.target),
      ...(finding.environment === undefined ? {} : { environment: cleanLine(finding.environment) }),
      willNotApply: finding.willNotApply,
      ...(finding.location === undefined ? {} : { source: cleanLine(formatLocation(finding.location)) }),
    },
  };
}
