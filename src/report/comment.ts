import { createHash } from 'node:crypto';
import type { GateReport } from '../core/model.ts';
import { changesSection, footer, head, sections, smallest } from './comment-sections.ts';
import { groupedDiffs } from './hunks.ts';
import { summarize } from './summary.ts';

export interface CommentContext {
  /** Full commit id that was judged. */
  readonly headSha: string;
  /** Web page of that commit. */
  readonly commitUrl?: string;
  /** Web page of the run: its summary and artifacts hold the full report. */
  readonly runUrl?: string;
  /** The environments judged by themselves, for the table. */
  readonly environments: readonly { readonly name: string; readonly report: GateReport }[];
  /** Which of several gates of one pull request: `production`. */
  readonly name?: string;
}

/** How long a text may be, in the unit of who limits it. */
export interface Room {
  readonly limit: number;
  readonly length: (text: string) => number;
}

/** What a step of the ladder shows. */
export interface Detail {
  readonly diffs: 'each object' | 'each target' | 'names' | 'none';
  /** Findings with evidence and fix; further ones have a line each. */
  readonly findings: number;
  /** Lines of the long lists: objects, targets, gaps, drift. */
  readonly rows: number;
  /** Characters of one text of the tree, before escaping. */
  readonly text: number;
}

/** From the fullest on. */
const ladder: readonly Detail[] = [
  { diffs: 'each object', findings: 60, rows: 100, text: 2_000 },
  { diffs: 'each target', findings: 40, rows: 60, text: 1_200 },
  { diffs: 'names', findings: 25, rows: 40, text: 700 },
  { diffs: 'names', findings: 8, rows: 15, text: 300 },
  { diffs: 'none', findings: 3, rows: 5, text: 200 },
];

/** Comparing objects that do not fit into a comment anyway would cost seconds on a large change. */
const comparedChanges = 500;

/**
 * The review comment of a pull request in Markdown, fullest first: diffs of each object, diffs folded per target, names of
 * objects, and a summary that fits into a comment whatever is in the tree. Each one is built for its size and never cut, so
 * fences, tables and `<details>` are closed. Every outside string is escaped. The first one fits into `room`, and the
 * smaller ones follow, should the forge count in another way.
 * @param options.diffs false: names of objects at most
 */
export function toComment(
  report: GateReport,
  context: CommentContext,
  room: Room,
  options: { readonly diffs?: boolean } = {},
): [string, ...string[]] {
  const summary = summarize(report);
  const wantsDiffs = options.diffs !== false;
  const groups = wantsDiffs ? groupedDiffs(report, comparedChanges) : [];
  const steps = wantsDiffs ? ladder : ladder.slice(2);
  const found: string[] = [];
  for (const [index, detail] of steps.entries()) {
    const text = [
      head(report, summary, context),
      ...sections(report, summary, context, detail),
      changesSection(report, groups, detail, comparedChanges),
      footer(report, context, index > 0 || !wantsDiffs),
    ]
      .filter((part) => part !== '')
      .join('\n\n');
    if (room.length(text) <= room.limit) found.push(text);
  }
  const last = smallest(report, summary, context);
  const [first, ...rest] = found;
  return first === undefined ? [last] : [first, ...rest, last];
}

/** Identity of what a comment says, without what differs every time: seconds taken, results from the cache, age of a snapshot. */
export function commentDigest(report: GateReport, context: CommentContext): string {
  const { durationSeconds: _seconds, work: _work, clusters, dryRun, changes, ...rest } = report;
  const { runUrl: _run, ...place } = context;
  const environments = context.environments.map(({ name, report: part }) => ({ name, verdict: part.verdict }));
  const text = JSON.stringify([
    rest,
    clusters.map(({ ageSeconds: _age, ...cluster }) => cluster),
    dryRun === undefined ? null : { ...dryRun, seconds: 0 },
    changes.map((change) => [
      { ...change, before: null, after: null, live: null },
      change.before?.object ?? null,
      change.after?.object ?? null,
    ]),
    { ...place, environments },
  ]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
