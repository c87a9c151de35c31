import { counts } from '../core/counts.ts';
import { severities, type Approval, type ApprovalOutcome, type Decisions, type Finding } from '../core/model.ts';

/** Days that a waiver given by a comment can last: longer ones are reviewed as code, in gate.yaml. */
const longestWaiver = 30;
const day = 24 * 60 * 60 * 1000;

/**
 * Marks the findings that somebody answers for. They stay in the report and no longer count.
 *
 * An approval answers the verdict `approval` only: while the findings that are left make a `block`, approvals are listed
 * and not in force, because a block asks for a fix or for the way around it, a waiver (rules.md 4.2). Both are bound to
 * the state of the object: what was not looked at was not approved.
 *
 * Pure.
 * @param blocks whether these findings make a `block`
 * @returns the findings in their order, and what became of every approval
 */
export function applyApprovals(input: {
  readonly findings: readonly Finding[];
  readonly decisions: Decisions;
  readonly now: Date;
  readonly blocks: (findings: readonly Finding[]) => boolean;
}): { readonly findings: readonly Finding[]; readonly outcomes: readonly ApprovalOutcome[] } {
  const { decisions, now, blocks } = input;
  const byFingerprint = new Map(input.findings.map((finding) => [finding.fingerprint, finding]));
  const judged = decisions.approvals.map((approval) => ({
    approval,
    why: problemOf(approval, byFingerprint.get(approval.finding), decisions.author, now),
  }));
  const valid = judged.filter(({ why }) => why === undefined).map(({ approval }) => approval);
  const waived = mark(
    input.findings,
    valid.filter(({ kind }) => kind === 'waive'),
  );
  const blocked = blocks(waived);
  const findings = blocked
    ? waived
    : mark(
        waived,
        valid.filter(({ kind }) => kind === 'approve'),
      );
  const outcomes = judged.map(({ approval, why }) =>
    outcomeOf(approval, why ?? (blocked && approval.kind === 'approve' ? heldByBlock : undefined)),
  );
  return { findings, outcomes: [...outcomes, ...decisions.refused] };
}

const heldByBlock = 'the verdict is block: it asks for a fix or a waiver (/gate waive), not for an approval';

/** Undefined: it is in force as far as it alone can tell. */
function problemOf(
  approval: Approval,
  finding: Finding | undefined,
  author: string | undefined,
  now: Date,
): string | undefined {
  if (finding === undefined) return 'no finding of this run has this id';
  // Logins of forges are the same in any letter case.
  if (author !== undefined && author.toLowerCase() === approval.by.toLowerCase())
    return 'the author of the change cannot decide about it';
  if (!counts(finding)) return 'the finding does not count, so there is nothing to decide';
  const late = approval.kind === 'waive' ? expiryProblem(approval.expires, approval.at, now) : undefined;
  if (late !== undefined) return late;
  if (finding.objectDigest === undefined)
    return 'the state of the object is not known, because its target did not render';
  if (finding.objectDigest !== approval.digest) return 'approved for another state of the object';
  if (severities.indexOf(finding.severity) < severities.indexOf(approval.severity))
    return `the finding was ${approval.severity} when it was approved and is ${finding.severity} now`;
  return undefined;
}

/**
 * Whether a waiver by a comment may end on that day, and has not ended. Undefined: it is in force.
 * @param expires YYYY-MM-DD @param at ISO time of the decision
 */
function expiryProblem(expires: string | undefined, at: string, now: Date): string | undefined {
  const end = Date.parse(`${expires ?? ''}T23:59:59.999Z`);
  const given = Date.parse(at);
  if (Number.isNaN(end) || Number.isNaN(given)) return 'a waiver needs the day on which it ends';
  if (end - given > (longestWaiver + 1) * day)
    return `a waiver lasts ${longestWaiver} days at most; a longer one belongs into gate.yaml`;
  return now.getTime() > end ? `expired on ${expires}` : undefined;
}

/** The first decision about a finding is the one that is shown. */
function mark(findings: readonly Finding[], approvals: readonly Approval[]): readonly Finding[] {
  return findings.map((finding) => {
    const approved = approvals.find((approval) => approval.finding === finding.fingerprint);
    return approved === undefined || finding.approved !== undefined ? finding : { ...finding, approved };
  });
}

function outcomeOf(approval: Approval, why: string | undefined): ApprovalOutcome {
  const { kind, finding, by, at, reason, expires, url } = approval;
  return {
    kind,
    finding,
    by,
    at,
    reason,
    ...(expires === undefined ? {} : { expires }),
    ...(url === undefined ? {} : { url }),
    inForce: why === undefined,
    ...(why === undefined ? {} : { why }),
  };
}
