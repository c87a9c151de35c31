import type { Confidence, Reversibility, Severity } from '../core/model.ts';

/** Version of the weights below; printed with every score so that two reports can be compared. */
export const scoreVersion = '1';

export const severityWeight: Readonly<Record<Severity, number>> = {
  critical: 1,
  high: 0.7,
  medium: 0.4,
  low: 0.15,
};

export const confidenceWeight: Readonly<Record<Confidence, number>> = {
  proven: 1,
  determined: 0.9,
  likely: 0.6,
  hint: 0.35,
};

export const reversibilityWeight: Readonly<Record<Reversibility, number>> = {
  irreversible: 1,
  hard: 0.95,
  slow: 0.85,
  instant: 0.75,
};

/** Below this a finding adds nothing to the total besides being the maximum. */
export const additiveFrom = 10;
/** Share of a further finding that enters the total. */
export const additiveShare = 0.15;
/** Findings with confidence `hint` never lift the total above this, alone or together. */
export const hintCap = 29;
/** A critical, irreversible finding that is at least determined. */
export const irreversibleFloor = 60;

/** Lower bounds of the verdicts on the total. */
export const thresholds = { comment: 10, approval: 30, block: 60 } as const;
