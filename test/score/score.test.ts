import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blastRadius } from '../../src/score/blast.ts';
import { scoreFinding, scoreFindings } from '../../src/score/score.ts';
import { confidences, finding, reversibilities, severitiesList } from '../kit/finding.ts';

describe('f, the worked examples of the catalogue', () => {
  test.each([
    ['Fail webhook on pods, offline', 'critical', 1, 'determined', 'hard', 85.5],
    ['same, live backend has no endpoints', 'critical', 1, 'proven', 'hard', 95],
    ['PVC pruned, live bound', 'critical', 0.5, 'proven', 'irreversible', 75],
    ['PVC pruned, engine prune unknown', 'critical', 0.5, 'likely', 'irreversible', 45],
    ['PDB 80% on 4 replicas', 'high', 0.4, 'determined', 'instant', 33.1],
    ['same PDB with 0/4 ready and an upgrade running', 'critical', 0.5, 'proven', 'slow', 63.8],
    ['Always on a web app', 'medium', 0.4, 'determined', 'instant', 18.9],
    ['Always on a 4,000-node DaemonSet', 'high', 1, 'proven', 'slow', 59.5],
    ['memory 2Gi to 1Gi, offline', 'high', 0.4, 'hint', 'instant', 12.9],
    ['memory 2Gi to 1Gi, live p99 1.6Gi', 'critical', 0.4, 'proven', 'instant', 52.5],
    ['Deployment selector change', 'high', 0.3, 'proven', 'instant', 34.1],
    ['dev replicas 3 to 2', 'low', 0.2, 'determined', 'instant', 6.1],
  ] as const)('%s', (_name, severity, blast, confidence, reversibility, expected) => {
    expect(scoreFinding({ severity, blast, confidence, reversibility }).score).toBeCloseTo(expected, 1);
  });
});

describe('T', () => {
  const total = (scores: readonly number[]) =>
    scoreFindings(scores.map((score, index) => finding({ score, group: `g${index}` }))).total;

  test.each([
    ['the 72-hour outage', [85.5, 42.3, 22, 20, 18.9], 87.6],
    ['20 trivial lows', Array.from({ length: 20 }, () => 6.1), 6.1],
    ['6 mediums', Array.from({ length: 6 }, () => 18.9), 29.8],
    ['3 likely highs', [22.05, 22.05, 22.05], 27.1],
    ['nothing', [], 0],
  ])('%s', (_name, scores, expected) => {
    expect(total(scores)).toBe(expected);
  });

  test('one root cause counts once', () => {
    expect(scoreFindings([finding({ score: 40, group: 'a' }), finding({ score: 38, group: 'a' })]).total).toBe(40);
  });

  test('hints never exceed 29, alone or together, and never lower a sure total', () => {
    const hints = Array.from({ length: 8 }, (_, index) =>
      finding({ score: 35, confidence: 'hint', group: `h${index}` }),
    );
    expect(scoreFindings(hints).total).toBe(29);
    expect(scoreFindings([...hints, finding({ score: 50, group: 'sure' })]).total).toBe(50);
  });

  test('critical and irreversible is at least 60 when determined, not when likely', () => {
    const base = { severity: 'critical', reversibility: 'irreversible', score: 45 } as const;
    expect(scoreFindings([finding({ ...base, confidence: 'determined' })]).total).toBe(60);
    expect(scoreFindings([finding({ ...base, confidence: 'likely' })]).total).toBe(45);
  });

  test('what was there before, and what is waived, does not count', () => {
    const waiver = { rule: 'r', resource: '*', reason: 'x', owner: 'y', expires: '2999-01-01' };
    expect(
      scoreFindings([
        finding({ score: 80, novelty: 'touched-preexisting' }),
        finding({ score: 80, novelty: 'untouched-preexisting' }),
        finding({ score: 80, waived: waiver }),
      ]).total,
    ).toBe(0);
  });

  test('is monotone: a further finding never lowers it, and it stays within 0..100', () => {
    const arbitrary = fc.array(
      fc.record({
        severity: fc.constantFrom(...severitiesList),
        confidence: fc.constantFrom(...confidences),
        reversibility: fc.constantFrom(...reversibilities),
        blast: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(arbitrary, (inputs) => {
        const findings = inputs.map((input, index) =>
          finding({
            ...input,
            blast: { value: input.blast, reason: '' },
            score: scoreFinding(input).score,
            group: `g${index}`,
          }),
        );
        const all = scoreFindings(findings).total;
        const fewer = scoreFindings(findings.slice(1)).total;
        expect(all).toBeGreaterThanOrEqual(fewer);
        expect(all).toBeLessThanOrEqual(100);
      }),
    );
  });
});

describe('blast radius', () => {
  const base = { target: undefined, production: true, clusters: 1, namespaces: 1 };
  const ref = (kind: string, namespace?: string) =>
    namespace === undefined
      ? { group: '', version: 'v1', kind, name: 'x' }
      : { group: '', version: 'v1', kind, namespace, name: 'x' };

  test.each([
    ['webhook configuration', ref('ValidatingWebhookConfiguration'), {}, 1],
    ['kube-system', ref('Deployment', 'kube-system'), {}, 1],
    ['ingress', ref('Deployment', 'ingress-nginx'), {}, 0.8],
    ['stateful set', ref('StatefulSet', 'shop'), {}, 0.5],
    ['one application', ref('Deployment', 'shop'), {}, 0.4],
    ['not production', ref('Deployment', 'shop'), { production: false }, 0.2],
    ['four clusters', ref('Deployment', 'shop'), { clusters: 4 }, 0.6],
    ['three namespaces', ref('Deployment', 'shop'), { namespaces: 3 }, 0.6],
    ['1,024 clusters', ref('Deployment', 'shop'), { clusters: 1024 }, 1],
  ])('%s', (_name, resource, rest, expected) => {
    expect(blastRadius({ ...base, resource, ...rest }).value).toBe(expected);
  });
});
