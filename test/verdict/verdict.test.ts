import { describe, expect, test } from 'vitest';
import { exitCode, judge } from '../../src/verdict/verdict.ts';
import { finding } from '../kit/finding.ts';

const score = (total: number) => ({ total, arithmetic: '', version: '1', notes: [] });
const missing = { what: 'target shop', reason: 'helm failed', weight: 'incomplete' } as const;

describe('verdict', () => {
  test.each([
    [0, 'pass'],
    [9.9, 'pass'],
    [10, 'comment'],
    [29.9, 'comment'],
    [30, 'approval'],
    [59.9, 'approval'],
    [60, 'block'],
    [100, 'block'],
  ] as const)('%d is %s', (total, expected) => {
    const findings = [finding({ score: total })];
    expect(judge({ score: score(total), findings, notEvaluated: [], onIncomplete: 'fail' }).verdict).toBe(expected);
  });

  test('what the API server refuses blocks whatever the score is', () => {
    const findings = [finding({ score: 5, willNotApply: true })];
    expect(judge({ score: score(5), findings, notEvaluated: [], onIncomplete: 'fail' }).verdict).toBe('block');
  });

  test('an object that two rules say it of is one object', () => {
    const one = finding({ score: 5, willNotApply: true });
    const other = { ...one, target: 'elsewhere' };
    const reason = (...findings: readonly (typeof one)[]): string =>
      judge({ score: score(5), findings, notEvaluated: [], onIncomplete: 'fail' }).reason;
    expect(reason(one, { ...one, ruleId: 'rejected-by-api' })).toContain('will refuse an object of this change');
    expect(reason(one, other)).toContain('will refuse 2 objects of this change');
  });

  test('a refusal that was there before does not block', () => {
    const findings = [finding({ score: 5, willNotApply: true, novelty: 'touched-preexisting' })];
    expect(judge({ score: score(0), findings, notEvaluated: [], onIncomplete: 'fail' }).verdict).toBe('pass');
  });

  test('what was not looked at is never a pass', () => {
    const judgement = judge({
      score: score(0),
      findings: [],
      notEvaluated: [missing],
      onIncomplete: 'fail',
    });
    expect(judgement.verdict).toBe('incomplete');
    expect(judgement.reason).toContain('target shop');
  });

  test('a note does not make it incomplete, and warn opens it explicitly', () => {
    const note = { ...missing, weight: 'note' } as const;
    expect(judge({ score: score(0), findings: [], notEvaluated: [note], onIncomplete: 'fail' }).verdict).toBe('pass');
    expect(judge({ score: score(0), findings: [], notEvaluated: [missing], onIncomplete: 'warn' }).verdict).toBe(
      'pass',
    );
  });
});

test.each([
  ['pass', 'approval', 0],
  ['comment', 'approval', 0],
  ['approval', 'approval', 1],
  ['approval', 'block', 0],
  ['block', 'block', 1],
  ['block', 'never', 0],
  ['incomplete', 'never', 3],
] as const)('%s with --fail-on %s exits %d', (verdict, failOn, expected) => {
  expect(exitCode(verdict, failOn)).toBe(expected);
});
