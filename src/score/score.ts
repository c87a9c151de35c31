import { counts } from '../core/counts.ts';
import type { Confidence, Finding, Reversibility, Score, Severity } from '../core/model.ts';
import {
  additiveFrom,
  additiveShare,
  confidenceWeight,
  hintCap,
  irreversibleFloor,
  reversibilityWeight,
  scoreVersion,
  severityWeight,
} from './weights.ts';

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

/** f of one finding with its arithmetic in words (rules.md 4.1). */
export function scoreFinding(input: {
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly reversibility: Reversibility;
  /** b, 0..1 */
  readonly blast: number;
}): { readonly score: number; readonly arithmetic: string } {
  const severity = severityWeight[input.severity];
  const blast = 0.5 + 0.5 * input.blast;
  const confidence = confidenceWeight[input.confidence];
  const reversibility = reversibilityWeight[input.reversibility];
  const score = Math.round(10_000 * severity * blast * confidence * reversibility) / 100;
  const arithmetic =
    `${round1(score).toFixed(1)} = 100 x ${input.severity} ${severity} x blast ${blast.toFixed(2)}` +
    ` x ${input.confidence} ${confidence} x ${input.reversibility} ${reversibility}`;
  return { score, arithmetic };
}

/** One score per root cause: the highest of the group. */
function groupMaxima(findings: readonly Finding[]): number[] {
  const byGroup = new Map<string, number>();
  for (const finding of findings) {
    byGroup.set(finding.group, Math.max(byGroup.get(finding.group) ?? 0, finding.score));
  }
  return [...byGroup.values()].sort((a, b) => b - a);
}

/** T = m + (100 - m) x (1 - prod(1 - 0.15 f/100)) over the other groups with f >= 10. */
function combine(scores: readonly number[]): number {
  const [maximum = 0, ...others] = scores;
  const remaining = others
    .filter((score) => score >= additiveFrom)
    .reduce((product, score) => product * (1 - (additiveShare * score) / 100), 1);
  return maximum + (100 - maximum) * (1 - remaining);
}

/** The total of rules.md 4.1 with the caps and floors of 4.2. Pure; the order of findings does not matter. */
export function scoreFindings(findings: readonly Finding[]): Score {
  const counted = findings.filter(counts);
  const all = groupMaxima(counted);
  const sure = groupMaxima(counted.filter((finding) => finding.confidence !== 'hint'));
  const notes: string[] = [];
  const withHints = combine(all);
  const withoutHints = combine(sure);
  let total = withHints;
  if (withHints > withoutHints && withHints > hintCap) {
    total = Math.max(withoutHints, hintCap);
    if (total < withHints) notes.push(`hints alone never lift the score above ${hintCap}`);
  }
  const irreversible = counted.some(
    (finding) =>
      finding.severity === 'critical' &&
      finding.reversibility === 'irreversible' &&
      (finding.confidence === 'determined' || finding.confidence === 'proven'),
  );
  if (irreversible && total < irreversibleFloor) {
    notes.push(`raised from ${round1(total)}: critical and irreversible is at least ${irreversibleFloor}`);
    total = irreversibleFloor;
  }
  const approved = findings.filter((finding) => finding.approved !== undefined).length;
  if (approved > 0)
    notes.push(`${approved} approved or waived ${approved === 1 ? 'finding is' : 'findings are'} left out`);
  const rounded = round1(total);
  return {
    total: rounded,
    arithmetic: totalArithmetic(all, rounded),
    version: scoreVersion,
    notes,
  };
}

function totalArithmetic(scores: readonly number[], total: number): string {
  const [maximum, ...others] = scores;
  if (maximum === undefined) return '0: no new or worsened finding';
  const added = others.filter((score) => score >= additiveFrom);
  const sum =
    added.length === 0
      ? `${maximum.toFixed(1)}: the highest finding`
      : `${total.toFixed(1)}: ${maximum.toFixed(1)} for the highest finding, the rest for ${added.length} more (${added
          .slice(0, 6)
          .map((score) => score.toFixed(1))
          .join(', ')}${added.length > 6 ? ', ...' : ''}) at ${additiveShare * 100} % each of what is left to 100`;
  return sum;
}
