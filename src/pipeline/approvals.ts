import { isGateError } from '../core/errors.ts';
import { readsPath } from '../core/inputs.ts';
import type { ApprovalOutcome, Decisions, Finding, NotEvaluated, Target } from '../core/model.ts';
import type { TreePair } from '../core/ports.ts';
import { applyApprovals } from '../engine/approvals.ts';
import { scoreFindings } from '../score/score.ts';
import { judge } from '../verdict/verdict.ts';

/** What somebody who looks for decisions has to know of a run. */
export interface DecisionsInput {
  /** With `objectDigest` where it is known. */
  readonly findings: readonly Finding[];
  /** Changed files that a finding comes from, relative to the root; the file it points at where nothing is nearer. */
  readonly affected: (finding: Finding) => readonly string[];
  /** Text of a file on the base side, which the change cannot touch; undefined: there is none. */
  readonly readBase: (path: string) => string | undefined;
}

export interface Approved {
  readonly findings: readonly Finding[];
  readonly outcomes: readonly ApprovalOutcome[];
  readonly notEvaluated: readonly NotEvaluated[];
}

/**
 * Asks for decisions about the findings and applies them. A forge that does not answer approves nothing: that is listed,
 * and the findings count.
 */
export async function withApprovals(
  findings: readonly Finding[],
  ask: (input: DecisionsInput) => Promise<Decisions>,
  run: { readonly trees: TreePair; readonly targets: (id: string) => readonly Target[]; readonly now: Date },
): Promise<Approved> {
  try {
    const decisions = await ask({
      findings,
      affected: affectedFiles(run.trees.changed, run.targets),
      readBase: (path) => run.trees.before.readText(path),
    });
    return { ...applyApprovals({ findings, decisions, now: run.now, blocks }), notEvaluated: [] };
  } catch (error) {
    if (!isGateError(error)) throw error;
    const { message, next } = error;
    return {
      findings,
      outcomes: [],
      notEvaluated: [
        {
          what: 'approvals',
          reason: `they could not be read, so none is in force: ${message}`,
          weight: 'note',
          ...(next === undefined ? {} : { next }),
        },
      ],
    };
  }
}

function blocks(findings: readonly Finding[]): boolean {
  return (
    judge({ score: scoreFindings(findings), findings, notEvaluated: [], onIncomplete: 'warn' }).verdict === 'block'
  );
}

/**
 * The line that causes a finding knows best which file it comes from, then the place it points at when that changed,
 * then every changed file that its targets read.
 */
function affectedFiles(
  changed: readonly string[],
  targets: (id: string) => readonly Target[],
): DecisionsInput['affected'] {
  const all = new Set(changed);
  return ({ cause, location, target, alsoIn = [] }) => {
    if (cause !== undefined) return [cause.file];
    if (location !== undefined && all.has(location.file)) return [location.file];
    const sides = [target, ...alsoIn].flatMap(targets);
    const read = changed.filter((path) => sides.some((side) => readsPath(side, path) === true));
    return read.length > 0 || location === undefined ? read : [location.file];
  };
}
