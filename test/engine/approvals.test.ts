import { describe, expect, it } from 'vitest';
import { counts } from '../../src/core/counts.ts';
import type { Approval, Finding } from '../../src/core/model.ts';
import { applyApprovals } from '../../src/engine/approvals.ts';
import { scoreFindings } from '../../src/score/score.ts';
import { judge } from '../../src/verdict/verdict.ts';
import { approvable, approval, digest } from '../kit/approval.ts';

const verdictOf = (findings: readonly Finding[]) =>
  judge({ score: scoreFindings(findings), findings, notEvaluated: [], onIncomplete: 'fail' });

function apply(
  findings: readonly Finding[],
  approvals: readonly Approval[],
  { author, now = '2026-11-21T12:00:00Z' }: { author?: string; now?: string } = {},
) {
  return applyApprovals({
    findings,
    decisions: { approvals, refused: [], ...(author === undefined ? {} : { author }) },
    now: new Date(now),
    blocks: (some) => verdictOf(some).verdict === 'block',
  });
}

const waiver = (over: Partial<Approval> = {}) => approval({ kind: 'waive', expires: '2026-11-30', ...over });
const grave = (over: Partial<Finding> = {}) =>
  approvable({ severity: 'critical', score: 80, fingerprint: 'f'.repeat(16), ...over });

describe('applyApprovals', () => {
  it('an approved finding stays, with who and why, and no longer holds the verdict', () => {
    const findings = [approvable()];
    expect(verdictOf(findings).verdict).toBe('approval');
    const { findings: approved, outcomes } = apply(findings, [approval()]);
    expect(approved).toEqual([{ ...findings[0], approved: approval() }]);
    expect(approved.some(counts)).toBe(false);
    expect(outcomes).toMatchObject([{ kind: 'approve', by: 'mia', inForce: true }]);
    expect(verdictOf(approved)).toEqual({
      verdict: 'pass',
      reason:
        'One finding is approved or waived by mia; no other new or worsened risk was found in what was looked at.',
    });
    expect(scoreFindings(approved).notes).toEqual(['1 approved or waived finding is left out']);
  });

  it('approves one finding and not its neighbour', () => {
    const other = approvable({ fingerprint: 'b'.repeat(16), score: 40 });
    const { findings } = apply([approvable(), other], [approval()]);
    expect(findings.filter(counts)).toEqual([other]);
    expect(verdictOf(findings).verdict).toBe('approval');
  });

  it.each([
    [
      'another state',
      [approvable({ objectDigest: digest('b') })],
      approval(),
      'approved for another state of the object',
    ],
    ['an unknown state', [approvableWithoutState()], approval(), 'the state of the object is not known'],
    ['an unknown finding', [], approval(), 'no finding of this run has this id'],
    [
      'a finding that grew',
      [approvable({ severity: 'critical' })],
      approval(),
      'was high when it was approved and is critical now',
    ],
    [
      'one that does not count',
      [approvable({ novelty: 'touched-preexisting' })],
      approval(),
      'the finding does not count',
    ],
    ['the author', [approvable()], approval({ by: 'DEV' }), 'the author of the change cannot decide'],
    ['a waiver that ended', [approvable()], waiver({ expires: '2026-11-20' }), 'expired on 2026-11-20'],
    ['a waiver without end', [approvable()], approval({ kind: 'waive' }), 'needs the day on which it ends'],
    ['one of the future', [approvable()], approval({ at: '2026-11-23T10:00:00Z' }), 'dated in the future'],
    ['a long waiver', [approvable()], waiver({ expires: '2026-12-21' }), 'lasts 30 days at most'],
  ] as const)('void: %s', (_what, findings, given, why) => {
    const result = apply(findings, [given], { author: 'dev' });
    expect(result.findings).toEqual(findings);
    expect(result.outcomes).toMatchObject([{ inForce: false, why: expect.stringContaining(why) }]);
  });

  it('a finding that became less grave stays approved', () => {
    expect(apply([approvable({ severity: 'low' })], [approval()]).outcomes).toMatchObject([{ inForce: true }]);
  });

  it('a waiver ends with its day, UTC', () => {
    const inForce = (now: string) =>
      apply([grave()], [waiver({ finding: 'f'.repeat(16), severity: 'critical' })], { now }).outcomes[0]?.inForce;
    expect(inForce('2026-11-30T23:59:59Z')).toBe(true);
    expect(inForce('2026-12-01T00:00:00Z')).toBe(false);
    expect(apply([approvable()], [waiver({ expires: '2026-12-20' })]).outcomes).toMatchObject([{ inForce: true }]);
  });

  it.each([
    ['by its score', grave()],
    ['because the API server refuses the object', approvable({ willNotApply: true, score: 5 })],
    [
      'by its floor',
      approvable({ severity: 'critical', reversibility: 'irreversible', confidence: 'proven', score: 35 }),
    ],
  ])('a block %s is opened by a waiver and not by an approval', (_why, finding) => {
    const given = { finding: finding.fingerprint, severity: finding.severity };
    const approved = apply([finding], [approval(given)]);
    expect(verdictOf(approved.findings).verdict).toBe('block');
    expect(approved.outcomes).toMatchObject([{ inForce: false, why: expect.stringContaining('/gate waive') }]);
    const waived = apply([finding], [waiver(given)]);
    expect(verdictOf(waived.findings).verdict).toBe('pass');
    expect(waived.outcomes).toMatchObject([{ inForce: true }]);
  });

  it('approvals do not take a block of many findings apart', () => {
    const many = Array.from({ length: 4 }, (_, index) =>
      approvable({ fingerprint: String(index).repeat(16), group: String(index), score: 52 }),
    );
    expect(verdictOf(many).verdict).toBe('block');
    const each = many.map(({ fingerprint }) => approval({ finding: fingerprint }));
    expect(verdictOf(apply(many, each).findings).verdict).toBe('block');
    // With one of them waived it is an approval, and the approvals of the others count.
    const [first = approval(), ...others] = each;
    expect(
      verdictOf(apply(many, [{ ...first, kind: 'waive', expires: '2026-11-30' }, ...others]).findings).verdict,
    ).toBe('pass');
  });

  it('two findings of one rule at one place share an id: both are meant, as far as the approval fits', () => {
    const graver = approvable({ message: 'Another.', severity: 'critical' });
    expect(apply([approvable(), approvable({ message: 'Another.' })], [approval()]).findings.some(counts)).toBe(false);
    const { findings, outcomes } = apply([graver, approvable()], [approval()]);
    expect(findings.filter(counts)).toEqual([graver]);
    expect(outcomes).toMatchObject([{ inForce: true }]);
  });

  it('lists what was refused before', () => {
    const refused = {
      kind: 'invalid',
      finding: '',
      by: 'eve',
      at: '2026-11-20T10:00:00Z',
      inForce: false,
      why: 'x',
    } as const;
    const { outcomes } = applyApprovals({
      findings: [],
      decisions: { approvals: [], refused: [refused] },
      now: new Date(),
      blocks: () => false,
    });
    expect(outcomes).toEqual([refused]);
  });
});

function approvableWithoutState(): Finding {
  const { objectDigest: _none, ...rest } = approvable();
  return rest;
}
