import { counts } from '../core/counts.ts';
import type { Finding, NotEvaluated, Score, Verdict } from '../core/model.ts';

/** Lower bounds on the total (rules.md 4.2). */
const bounds: readonly { readonly verdict: Verdict; readonly from: number }[] = [
  { verdict: 'block', from: 60 },
  { verdict: 'approval', from: 30 },
  { verdict: 'comment', from: 10 },
];

export interface Judgement {
  readonly verdict: Verdict;
  /** One sentence: why. */
  readonly reason: string;
}

/**
 * May it merge, may it sync?
 * @param onIncomplete `warn` opens the gate explicitly for what could not be evaluated; it stays listed in the report
 */
export function judge(input: {
  readonly score: Score;
  readonly findings: readonly Finding[];
  readonly notEvaluated: readonly NotEvaluated[];
  readonly onIncomplete: 'fail' | 'warn';
}): Judgement {
  const byScore = judgeScore(input.score, input.findings);
  const missing = input.notEvaluated.filter((entry) => entry.weight === 'incomplete');
  const [first] = missing;
  if (first === undefined || input.onIncomplete === 'warn') return byScore;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  const held = byScore.verdict === 'block' || byScore.verdict === 'approval';
  return {
    verdict: 'incomplete',
    reason:
      `Could not evaluate ${first.what}${more}: ${sentence(firstLine(first.reason))}` +
      (held ? ` What was evaluated already asks for: ${byScore.verdict}.` : ''),
  };
}

function judgeScore(score: Score, findings: readonly Finding[]): Judgement {
  const rejected = findings.filter((finding) => counts(finding) && finding.willNotApply);
  if (rejected.length > 0) {
    // Several rules may say so of one object.
    const objects = new Set(rejected.map(({ target, resource }) => JSON.stringify([target, resource]))).size;
    return {
      verdict: 'block',
      reason: `The API server will refuse ${objects === 1 ? 'an object' : `${objects} objects`} of this change, so the sync fails: ${rejected[0]?.title}.`,
    };
  }
  const top = findings.filter(counts).sort((a, b) => b.score - a.score)[0];
  const bound = bounds.find((entry) => score.total >= entry.from);
  if (bound === undefined) {
    return {
      verdict: 'pass',
      reason: top === undefined ? quiet(findings) : 'Only minor findings.',
    };
  }
  return {
    verdict: bound.verdict,
    reason: top === undefined ? '' : `${top.title}: ${firstLine(top.message)}`,
  };
}

/** Nothing counts. */
function quiet(findings: readonly Finding[]): string {
  const approved = findings.filter((finding) => finding.approved !== undefined);
  const rest = 'new or worsened risk was found in what was looked at.';
  if (approved.length === 0) return `No ${rest}`;
  const people = [...new Set(approved.map((finding) => finding.approved?.by))].join(', ');
  return `${approved.length === 1 ? 'One finding is' : `${approved.length} findings are`} approved or waived by ${people}; no other ${rest}`;
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Enough of a message for one sentence: up to the last clause that fits. */
function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  if (line.length <= 220) return line;
  const cut = line.slice(0, 220);
  const end = Math.max(cut.lastIndexOf('. '), cut.lastIndexOf('; '), cut.lastIndexOf(', '), cut.lastIndexOf(': '));
  return `${cut.slice(0, end > 80 ? end : cut.lastIndexOf(' '))} ...`;
}

/** Exit code of `gate check` (architecture.md section 4). */
export function exitCode(verdict: Verdict, failOn: 'approval' | 'block' | 'never'): 0 | 1 | 3 {
  if (verdict === 'incomplete') return 3;
  if (failOn === 'never') return 0;
  if (verdict === 'block') return 1;
  return verdict === 'approval' && failOn === 'approval' ? 1 : 0;
}
