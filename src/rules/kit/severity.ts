import { severities, type Confidence, type Severity } from '../../core/model.ts';

/** One step less severe; `low` stays. */
export function stepDown(severity: Severity): Severity {
  return severities[Math.min(severities.indexOf(severity) + 1, severities.length - 1)]!;
}

/** One step more severe; `critical` stays. */
export function stepUp(severity: Severity): Severity {
  return severities[Math.max(severities.indexOf(severity) - 1, 0)]!;
}

const order: readonly Confidence[] = ['proven', 'determined', 'likely', 'hint'];

/** The weaker of two confidences. */
export function weaker(a: Confidence, b: Confidence): Confidence {
  return order.indexOf(a) > order.indexOf(b) ? a : b;
}
