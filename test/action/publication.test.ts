import { describe, expect, it } from 'vitest';
import { publications, riskLevel } from '../../src/action/publication.ts';
import { readInputs } from '../../src/action/inputs.ts';
import { byEnvironment } from '../../src/pipeline/by-environment.ts';
import type { GateReport } from '../../src/core/model.ts';
import { sampleReport } from '../kit/report.ts';

const headSha = 'a'.repeat(40);

/** The sample with its findings known to be of production only. */
function report(more: Partial<GateReport> = {}): GateReport {
  const sample = sampleReport(more);
  const findings = sample.findings.map(({ alsoIn: _also, ...finding }) => finding);
  return { ...sample, findings };
}

/** The sample with another name for the environment of its target `legacy`. */
function named(environment: string, sample = report()): GateReport {
  const targets = sample.coverage.targets.map((target) =>
    target.environment === 'staging' ? { ...target, environment } : target,
  );
  return { ...sample, coverage: { targets, notEvaluated: [] } };
}

function checks(of: GateReport, inputs: Record<string, string> = {}) {
  const read = readInputs(Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name}`, value])));
  const context = { headSha, environments: byEnvironment(of, 'fail') };
  return publications({ report: of, context, inputs: read, occasion: { headSha }, order: [1, 1] }).map(
    ({ check }) => check,
  );
}
const conclusions = (...args: Parameters<typeof checks>) =>
  Object.fromEntries(checks(...args).map((check) => [check.name, check.conclusion]));

describe('checks', () => {
  it('one for each environment, by what reaches it', () => {
    expect(conclusions(named('staging'))).toEqual({ 'gate / production': 'failure', 'gate / staging': 'success' });
  });

  it('a name that only looks like another one does not overwrite it', () => {
    expect(conclusions(named('production\u200B'))).toEqual({ gate: 'failure' });
    expect(conclusions(named('production\n'))).toEqual({ gate: 'failure' });
  });

  it('one named like the gate when it has a name', () => {
    expect(conclusions(named('staging'), { NAME: 'eu-1' })).toEqual({ 'gate / eu-1': 'failure' });
  });

  it('one when no target has an environment, and for a run without targets', () => {
    const sample = report({ coverage: { targets: [], notEvaluated: [] } });
    expect(conclusions(sample)).toEqual({ gate: 'failure' });
  });

  it('end in success or failure, as the job does', () => {
    for (const verdict of ['pass', 'comment', 'approval', 'block', 'incomplete'] as const) {
      const sample = report({ verdict, coverage: { targets: [], notEvaluated: [] } });
      const held = verdict !== 'pass' && verdict !== 'comment';
      expect(conclusions(sample)).toEqual({ gate: held ? 'failure' : 'success' });
      expect(conclusions(sample, { 'FAIL-ON': 'never' })).toEqual({
        gate: verdict === 'incomplete' ? 'failure' : 'success',
      });
    }
  });

  it('annotate the lines of findings that count', () => {
    const [check] = checks(named('staging'));
    expect(check?.annotations.map(({ path, startLine, level }) => [path, startLine, level])).toEqual([
      ['charts/policies/templates/webhook.yaml', 14, 'failure'],
      ['envs/prod/shop.yaml', 7, 'failure'],
    ]);
  });
});

describe('what counts in an environment', () => {
  const verdicts = (of: GateReport) =>
    Object.fromEntries(byEnvironment(of, 'fail').map((part) => [part.name, part.report.verdict]));

  it('a finding that stands for a target of another environment, too', () => {
    const sample = named('staging');
    const [first, ...rest] = sample.findings;
    const folded = { ...sample, findings: [{ ...first!, alsoIn: ['flux:flux-system/legacy'] }, ...rest] };
    expect(verdicts(folded)).toEqual({ production: 'block', staging: 'block' });
  });

  it('a finding of no target counts everywhere', () => {
    const sample = named('staging');
    const [{ environment: _environment, ...first }] = sample.findings as [GateReport['findings'][number]];
    expect(verdicts({ ...sample, findings: [{ ...first, target: '' }] })).toEqual({
      production: 'block',
      staging: 'block',
    });
  });

  it('a gap counts where its target is, and everywhere when it has none', () => {
    const gap = { what: 'x', reason: 'y', weight: 'incomplete' as const };
    const sample = { ...named('staging'), findings: [] };
    const withGap = (target?: string) => ({
      ...sample,
      coverage: { ...sample.coverage, notEvaluated: [target === undefined ? gap : { ...gap, target }] },
    });
    expect(verdicts(withGap('flux:flux-system/legacy'))).toEqual({ production: 'pass', staging: 'incomplete' });
    expect(verdicts(withGap())).toEqual({ production: 'incomplete', staging: 'incomplete' });
  });
});

describe('labels', () => {
  it.each([
    ['pass', 0, 'low'],
    ['comment', 12, 'medium'],
    ['approval', 31, 'high'],
    ['block', 61, 'critical'],
    ['incomplete', 0, 'high'],
    ['incomplete', 70, 'critical'],
    ['block', 20, 'critical'],
  ] as const)('%s with %i: %s', (verdict, total, level) => {
    const sample = sampleReport();
    expect(riskLevel({ ...sample, verdict, score: { ...sample.score, total } })).toBe(level);
  });
});
