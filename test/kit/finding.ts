import type { Finding } from '../../src/core/model.ts';

export const severitiesList = ['critical', 'high', 'medium', 'low'] as const;
export const confidences = ['proven', 'determined', 'likely', 'hint'] as const;
export const reversibilities = ['instant', 'slow', 'hard', 'irreversible'] as const;

/** A finding with unremarkable values; name only what the test is about. */
export function finding(over: Partial<Finding> = {}): Finding {
  return {
    ruleId: 'pdb-blocks-all-evictions',
    title: 'Disruption budget blocks all evictions',
    severity: 'high',
    novelty: 'introduced',
    confidence: 'determined',
    reversibility: 'instant',
    score: 33.1,
    arithmetic: '33.1 = 100 x high 0.7 x blast 0.70 x determined 0.9 x instant 0.75',
    blast: { value: 0.4, reason: 'one application' },
    resource: {
      group: 'policy',
      version: 'v1',
      kind: 'PodDisruptionBudget',
      namespace: 'shop',
      name: 'api',
    },
    target: 'argocd:argocd/shop',
    path: '/spec/minAvailable',
    message: 'No pod of api can be evicted.',
    evidence: {},
    fingerprint: '0123456789abcdef',
    fix: 'Set maxUnavailable: 1.',
    willNotApply: false,
    group: over.fingerprint ?? 'group',
    ...over,
  };
}
