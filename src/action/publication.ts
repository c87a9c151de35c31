import type { CheckAnnotation, CheckRun, LabelChange, Publication, Revision } from '../core/forge.ts';
import { counts } from '../core/counts.ts';
import type { Finding, GateReport } from '../core/model.ts';
import { commentDigest, toComment, type CommentContext } from '../report/comment.ts';
import { severities } from '../core/model.ts';
import { isBlank, riskText, summarize } from '../report/summary.ts';
import { severityCounts } from '../report/markdown-parts.ts';
import { clean, cleanLine, shorten } from '../report/text.ts';
import { exitCode } from '../verdict/verdict.ts';
import { rooms } from '../wire/forge.ts';
import type { Occasion } from './event.ts';
import type { Inputs } from './inputs.ts';

/** More checks than these are requests for nothing: one check for all of them then. */
const mostChecks = 10;
/** Annotations of one request. */
const mostAnnotations = 50;

export interface ToPublish {
  readonly report: GateReport;
  readonly context: CommentContext;
  readonly inputs: Inputs;
  readonly occasion: Occasion;
  /** `[run number, attempt]`. */
  readonly order: readonly number[];
}

/** What a run has to say: the first with comment and labels, the others are further checks. */
export function publications(run: ToPublish): readonly [Publication, ...Publication[]] {
  const { occasion, inputs } = run;
  const [first, ...more] = checks(run);
  const { pullRequest } = occasion;
  if (pullRequest === undefined) return [{ check: first }, ...more.map((check) => ({ check }))];
  const main: Publication = {
    pullRequest,
    check: first,
    ...(inputs.comment === 'false' ? {} : { comment: comment(run) }),
    ...(inputs.labels ? { labels: labels(run) } : {}),
  };
  return [main, ...more.map((check) => ({ check }))];
}

/** True when a comment would only say that there is nothing to say. */
export function isQuiet({ verdict, findings, changes, coverage, drift }: GateReport): boolean {
  const said = findings.length + changes.length + drift.length;
  return verdict === 'pass' && said === 0 && coverage.notEvaluated.every(({ weight }) => weight === 'note');
}

/** Name of this gate among several of one pull request. */
export function instanceOf({ name, environment }: Inputs): string {
  return name ?? environment ?? 'default';
}

function comment({ report, context, inputs, occasion, order }: ToPublish): NonNullable<Publication['comment']> {
  const instance = instanceOf(inputs);
  const revision: Revision = { headSha: occasion.headSha, order };
  const digest = commentDigest(report, context);
  const bodies = toComment(report, context, rooms.comment(instance, revision, digest));
  return { instance, revision, bodies, digest };
}

/** `gate / <environment>`, one for each environment of the repository; `gate` when none has a name. */
function checks(run: ToPublish): [CheckRun, ...CheckRun[]] {
  const { report, context, inputs } = run;
  const own = inputs.name ?? inputs.environment;
  const { environments } = context;
  if (own !== undefined) return [checkOf(run, `gate / ${cleanLine(own)}`, report)];
  const [first, ...rest] = environments.map(({ name, report: part }) =>
    checkOf(run, `gate / ${cleanLine(name)}`, part),
  );
  // Names come from the tree: one that only looks like `production` must not overwrite the check of production.
  const names = new Set([first, ...rest].map((check) => check?.name));
  if (first === undefined || names.size > mostChecks || names.size <= rest.length)
    return [checkOf(run, 'gate', report)];
  return [first, ...rest];
}

function checkOf({ context, inputs, occasion }: ToPublish, name: string, report: GateReport): CheckRun {
  const found = severityCounts(summarize(report)) || 'nothing new or worse';
  const room = rooms.check;
  return {
    name: shorten(name, 100),
    externalId: `gitops-gate:${shorten(name, 100)}`,
    headSha: occasion.headSha,
    conclusion: exitCode(report.verdict, inputs.failOn) === 0 ? 'success' : 'failure',
    title: `${report.verdict}: ${riskText(report)}${isBlank(report) ? '' : `, ${found}`}`,
    summaries: toComment(report, { ...context, environments: [] }, room, { diffs: false }),
    annotations: report.findings.filter(counts).flatMap(annotation).slice(0, mostAnnotations),
    ...(context.runUrl === undefined ? {} : { detailsUrl: context.runUrl }),
  };
}

const levels = { critical: 'failure', high: 'failure', medium: 'warning', low: 'notice' } as const;

/** Findings without a line of a file have no place to be shown at. */
export function annotation(finding: Finding): CheckAnnotation[] {
  const { location, severity } = finding;
  if (location === undefined) return [];
  const line = location.line ?? 1;
  return [
    {
      path: location.file,
      startLine: line,
      endLine: line,
      level: levels[severity],
      title: `${severity}: ${cleanLine(finding.title)}`,
      message: clean(`${shorten(finding.message, 2_000)}\n\nFix: ${shorten(finding.fix, 1_000)}`),
    },
  ];
}

const colors = { critical: 'b60205', high: 'd93f0b', medium: 'fbca04', low: '0e8a16' } as const;

function labels({ report, inputs }: ToPublish): LabelChange {
  const own = inputs.name ?? inputs.environment;
  // GitHub takes 50 characters.
  const suffix = own === undefined ? '' : ` (${shorten(cleanLine(own), 30)})`;
  const level = riskLevel(report);
  const label = (of: string) => `risk: ${of}${suffix}`;
  return {
    add: { name: label(level), color: colors[level] },
    remove: severities.filter((other) => other !== level).map(label),
  };
}

/** The bands of the verdict. What could not be judged is not low. */
export function riskLevel({ verdict, score }: GateReport): keyof typeof colors {
  if (verdict === 'block' || score.total >= 60) return 'critical';
  if (verdict === 'approval' || verdict === 'incomplete' || score.total >= 30) return 'high';
  return verdict === 'comment' || score.total >= 10 ? 'medium' : 'low';
}
