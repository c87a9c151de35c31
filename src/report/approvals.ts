import { findingId } from '../core/finding-id.ts';
import type { Approval, ApprovalOutcome, Finding, GateReport, Verdict } from '../core/model.ts';
import type { Summary } from './summary.ts';

/** `approved on 2026-11-21 by mia: load was measured`, `waived until 2026-11-30 by tom: ...`. Plain text. */
export function approvedText({ kind, by, at, reason, expires }: Approval): string {
  const until = kind === 'waive' ? `waived until ${expires} (on ${day(at)})` : `approved on ${day(at)}`;
  return `${until} by ${by}: ${reason}`;
}

/** Decisions that do not help, each with its reason. Outside text as it is: escape it. */
export function voidDecisions({ approvals = [] }: GateReport): string[] {
  return approvals.filter(({ inForce }) => !inForce).map(voidText);
}

function voidText({ kind, finding, by, at, url, why = '' }: ApprovalOutcome): string {
  const what =
    kind === 'invalid' ? 'command' : `${kind === 'approve' ? 'approval' : 'waiver'} of ${finding.slice(0, 16)}`;
  return `${what} by ${by} on ${day(at)}: ${why}${url === undefined ? '' : ` (${url})`}`;
}

/** `Approvals: 1 in force, 2 not`; undefined: there are none. */
export function approvalsTitle(report: GateReport, { approved }: Summary): string | undefined {
  const none = voidDecisions(report).length;
  if (approved.length === 0 && none === 0) return undefined;
  return `Approvals: ${approved.length} in force${none === 0 ? '' : `, ${none} not`}`;
}

/** `none that is new or worse`; with findings that somebody answers for that would not be true. */
export function noFindings({ approved, waived }: Summary): string {
  return approved.length + waived.length === 0 ? 'none that is new or worse' : 'none that counts';
}

/** What to write to answer for a finding; undefined: the verdict asks for nobody, or the state is not known. */
export function decideText(verdict: Verdict, finding: Finding): string | undefined {
  const id = findingId(finding);
  if (id === undefined || finding.approved !== undefined || finding.waived !== undefined) return undefined;
  if (verdict === 'approval') return `/gate approve ${id} REASON`;
  return verdict === 'block' ? `/gate waive ${id} until YYYY-MM-DD REASON` : undefined;
}

function day(time: string): string {
  return time.slice(0, 10);
}
