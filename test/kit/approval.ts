import type { Approval, Finding } from '../../src/core/model.ts';
import { finding } from './finding.ts';

/** The digest of some object. */
export const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** A finding that can be approved. */
export function approvable(over: Partial<Finding> = {}): Finding {
  return finding({ objectDigest: digest('a'), ...over });
}

/** An approval of `approvable()`; name only what the test is about. */
export function approval(over: Partial<Approval> = {}): Approval {
  const { fingerprint, ruleId, resource, target, severity } = approvable();
  return {
    kind: 'approve',
    finding: fingerprint,
    ruleId,
    resource,
    target,
    digest: digest('a'),
    severity,
    by: 'mia',
    reason: 'The node pool is drained by hand.',
    at: '2026-11-20T10:00:00Z',
    ...over,
  };
}
