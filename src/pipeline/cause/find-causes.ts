import { counts } from '../../core/counts.ts';
import { readsPath } from '../../core/inputs.ts';
import type { Cause, CauseSummary, Finding, ResourceChange, Target } from '../../core/model.ts';
import type { Clock, OverlayLimits, Renderer, Tree, TreeOverlay, TreePair } from '../../core/ports.ts';
import { readQuietly } from '../read-quietly.ts';
import { declaresTarget, openDeclaration, type Declared } from './declared.ts';
import { exactLine, nearestLine } from './direct.ts';
import { changedHunks, countLines, linesOfHunk, placeOf, type Hunk } from './hunks.ts';
import type { CauseLimits } from './limits.ts';
import type { Rediscover } from './rediscover.ts';
import type { Judged } from './rejudge.ts';
import { explain } from './search.ts';
import { startTrials, type Budget, type TargetTrials } from './trials.ts';

export interface CauseRequest {
  /** Most important first: they are looked at in this order while the limits last. */
  readonly findings: readonly Finding[];
  readonly trees: TreePair;
  readonly judged: Judged;
  readonly renderer: Renderer;
  /** Absent: nothing is rendered again. */
  readonly copyTree?: (tree: Tree, paths: readonly string[], limits: OverlayLimits) => TreeOverlay | undefined;
  /** Absent: only files that rendering reads are looked at, not the declarations of targets. */
  readonly rediscover?: Rediscover;
  readonly limits: CauseLimits;
  readonly clock: Clock;
}

export interface Causes {
  /** By the fingerprint of the finding. */
  readonly found: ReadonlyMap<string, Cause>;
  readonly summary: CauseSummary;
}

/** Inputs of one target that are copied; more is no chart of a pull request that somebody reads line by line. */
const overlayLimits: OverlayLimits = { files: 2_000, bytes: 64 * 1024 * 1024 };
/** All files of the tree, when values stand in what declares the target. */
const wholeLimits: OverlayLimits = { files: 5_000, bytes: 64 * 1024 * 1024 };
const maximumFiles = 100;
const maximumHunks = 500;

/**
 * Finds the lines that cause the findings of this change: by provenance where a finding names a line that the change wrote,
 * else by leaving parts of the change out and rendering the target again, else the nearest changed line of the file that
 * the finding names. A finding that none of these explains gets no line. Never throws.
 */
export async function findCauses(request: CauseRequest): Promise<Causes> {
  const { findings, trees, limits, clock } = request;
  const started = clock.now().getTime();
  const hunksOf = memoHunks(trees);
  const wanted = findings.filter((finding) => counts(finding) && finding.waived === undefined);
  const found = new Map<string, Cause>();
  const open: Finding[] = [];
  for (const finding of wanted) {
    const { location } = finding;
    const cause =
      location === undefined
        ? undefined
        : exactLine(location, hunksOf(location.file), objectStart(finding, request.judged));
    if (cause === undefined) open.push(finding);
    else found.set(finding.fingerprint, cause);
  }
  const budget: Budget = {
    left: limits.renders,
    deadline: Math.min(started + limits.seconds * 1000, limits.until ?? Number.POSITIVE_INFINITY),
    used: 0,
    exhausted: false,
  };
  for (const [id, ofTarget] of Map.groupBy(open, (finding) => finding.target)) {
    for (const [key, cause] of await explainTarget(id, ofTarget, request, hunksOf, budget)) found.set(key, cause);
  }
  for (const finding of open) {
    if (finding.location === undefined || found.has(finding.fingerprint)) continue;
    const cause = nearestLine(finding.location, hunksOf(finding.location.file));
    if (cause !== undefined) found.set(finding.fingerprint, cause);
  }
  return {
    found,
    summary: {
      findings: wanted.length,
      found: found.size,
      renders: budget.used,
      seconds: (clock.now().getTime() - started) / 1000,
      complete: !budget.exhausted,
    },
  };
}

/** Hunks of changed text files; none of a file that did not change or cannot be compared. */
function memoHunks({ before, after, changed }: TreePair): (path: string) => readonly Hunk[] {
  const paths = new Set(changed);
  const memo = new Map<string, readonly Hunk[]>();
  return (path) => {
    let hunks = memo.get(path);
    if (hunks === undefined) {
      const sides = [before, after].map((tree) => ({
        type: tree.files.get(path)?.type,
        text: readQuietly(tree, path),
      }));
      const readable = sides.every(({ type, text }) => type === undefined || (type === 'file' && text !== undefined));
      const isText = paths.has(path) && readable;
      // What a link means is judged where it lies.
      const [old, current] = sides.map(({ type, text }) => (type === undefined ? undefined : text));
      hunks = isText ? (changedHunks(path, old, current) ?? []) : [];
      memo.set(path, hunks);
    }
    return hunks;
  };
}

/** Does the location only say where the object begins, and is that object new? */
function objectStart({ location, target, resource }: Finding, { context }: Judged): 'new' | 'known' | undefined {
  const isObject = ({ provenance }: NonNullable<ResourceChange['after']>) =>
    provenance.file === location?.file && provenance.line === location?.line;
  if (!context.after.entries.some((entry) => entry.target.id === target && isObject(entry))) return undefined;
  const change = context.changes.find(
    ({ ref, target: of }) =>
      of === target && ref.kind === resource.kind && ref.name === resource.name && ref.namespace === resource.namespace,
  );
  return change?.action === 'added' ? 'new' : 'known';
}

async function explainTarget(
  id: string,
  findings: readonly Finding[],
  request: CauseRequest,
  hunksOf: (path: string) => readonly Hunk[],
  budget: Budget,
): Promise<ReadonlyMap<string, Cause>> {
  const { trees, judged, renderer, clock } = request;
  const { before, after } = { before: judged.results.before.get(id), after: judged.results.after.get(id) };
  const causes = new Map<string, Cause>();
  if (before?.ok !== true || after?.ok !== true) return causes;
  const { target } = after;
  if (budget.left === 0 || clock.now().getTime() >= budget.deadline) {
    budget.exhausted = true;
    return causes;
  }
  const overlay = copied(target.inputs === 'unknown' ? ['./'] : target.inputs, overlayLimits, request);
  if (overlay === undefined) return causes;
  let declared: Declared | undefined;
  try {
    declared = await declaredOf(target, request, budget);
    const isCandidate = (path: string) =>
      overlay.tree.files.has(path) || readsPath(before.target, path) === true || declared?.by(path) === true;
    const hunks = candidates(trees.changed.filter(isCandidate), hunksOf);
    if (hunks.length === 0) return causes;
    const trials = await startTrials({
      target,
      ruleIds: new Set(findings.map(({ ruleId }) => ruleId)),
      overlay,
      ...(declared === undefined ? {} : { declared }),
      after: trees.after,
      renderer,
      judged,
      budget,
      clock,
    });
    const explained = new Map<Finding, Hunk>();
    for (const finding of findings) {
      if (!trials.reproduced(finding)) continue;
      const hunk = await explain(hunks, trials.of(finding));
      if (hunk !== undefined) explained.set(finding, hunk);
    }
    for (const [finding, hunk] of explained) {
      const line = await narrowed(finding, hunk, trials);
      const place = placeOf(line, countLines(readQuietly(trees.after, hunk.path)));
      if (place !== undefined) causes.set(finding.fingerprint, { file: hunk.path, ...place, how: 'counterfactual' });
    }
  } finally {
    await Promise.all([overlay.close(), declared?.overlay.close()]);
  }
  return causes;
}

/** The one line of the hunk that does it, when there is one. */
async function narrowed(finding: Finding, hunk: Hunk, trials: TargetTrials): Promise<Hunk> {
  const lines = linesOfHunk(hunk);
  return lines.length === 1 ? hunk : ((await explain(lines, trials.of(finding))) ?? hunk);
}

/** Undefined: the change does not touch what declares the target, or that cannot be told apart. */
async function declaredOf(target: Target, request: CauseRequest, budget: Budget): Promise<Declared | undefined> {
  const { trees, judged, rediscover, clock } = request;
  const targets = judged.targets.after;
  if (rediscover === undefined || !trees.changed.some(declaresTarget(target, targets))) return undefined;
  const copy = (paths: readonly string[]) => copied(paths, wholeLimits, request);
  const limits = { msLeft: () => budget.deadline - clock.now().getTime() };
  return openDeclaration({ target, targets, copy, rediscover, limits });
}

function copied(
  paths: readonly string[],
  limits: OverlayLimits,
  { trees, copyTree }: CauseRequest,
): TreeOverlay | undefined {
  try {
    return copyTree?.(trees.after, paths, limits);
  } catch {
    // A full disk: the findings stand, only without their lines.
    return undefined;
  }
}

/** None when they are too many to look at. */
function candidates(files: readonly string[], hunksOf: (path: string) => readonly Hunk[]): readonly Hunk[] {
  if (files.length > maximumFiles) return [];
  const hunks = files.flatMap(hunksOf);
  return hunks.length > maximumHunks ? [] : hunks;
}
