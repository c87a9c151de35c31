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
  const problem = (approval: Approval, finding: Finding) => problemOf(approval, finding, decisions.author, now);
  const given = (kind: Approval['kind'], findings: readonly Finding[]) => {
    const some = decisions.approvals.filter((approval) => approval.kind === kind);
    return findings.map((finding) => {
      if (finding.approved !== undefined) return finding;
      // The first decision about a finding is the one that is shown.
      const approved = some.find((one) => one.finding === finding.fingerprint && problem(one, finding) === undefined);
      return approved === undefined ? finding : { ...finding, approved };
    });
  };
  const waived = given('waive', input.findings);
  const blocked = blocks(waived);
  const outcomes = decisions.approvals.map((approval) => {
    // Two findings of one rule at one place share a fingerprint.
    const problems = input.findings
      .filter(({ fingerprint }) => fingerprint === approval.finding)
      .map((finding) => problem(approval, finding));
    const why =
      problems.length === 0
        ? 'no finding of this run has this id'
        : problems.includes(undefined)
          ? undefined
          : problems[0];
    return outcomeOf(approval, why ?? (blocked && approval.kind === 'approve' ? heldByBlock : undefined));
  });
  return {
    findings: blocked ? waived : given('approve', waived),
    outcomes: [...outcomes, ...decisions.refused],
  };
}

const heldByBlock = 'the verdict is block: it asks for a fix or a waiver (/gate waive), not for an approval';

/** Undefined: it is in force as far as it alone can tell. */
function problemOf(approval: Approval, finding: Finding, author: string | undefined, now: Date): string | undefined {
  // Logins of forges are the same in any letter case.
  if (author !== undefined && author.toLowerCase() === approval.by.toLowerCase())
    return 'the author of the change cannot decide about it';
  if (!counts(finding)) return 'the finding does not count, so there is nothing to decide';
  // A day for clocks that differ; more would make a waiver longer than it may be.
  if (Date.parse(approval.at) - now.getTime() > day) return 'it is dated in the future';
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
