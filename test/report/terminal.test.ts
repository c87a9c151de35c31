import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { GateReport } from '../../src/core/model.ts';
import { columns } from '../../src/report/text.ts';
import { toTerminal } from '../../src/report/terminal.ts';
import { reportChange, reportTarget, sampleReport, hostileReport } from '../kit/report.ts';

const plain = (width = 100, report = sampleReport()) => toTerminal(report, { color: false, width });

describe('toTerminal', () => {
  it('says verdict, score and its arithmetic first', () => {
    const [first, second, , fourth] = plain().split('\n');
    expect(first).toBe('BLOCK  must not merge as it is. Risk 95.2 of 100.');
    expect(second).toContain('no Pod can be created anywhere');
    expect(fourth).toBe('Score:    95.2 = 95.0 + (100 - 95.0) x (1 - (1 - 0.15 x 0.341))');
  });

  it('has no escape sequence without colour, and the same text with it', () => {
    const colored = toTerminal(sampleReport(), { color: true, width: 100 });
    expect(plain()).not.toContain('\u001B');
    expect(colored).toContain('\u001B[');
    expect(stripVTControlCharacters(colored)).toBe(plain());
  });

  it.each([40, 60, 80, 140])('keeps to %d columns', (width) => {
    for (const report of [sampleReport(), hostileReport('日本'.repeat(40))]) {
      for (const line of plain(width, report).split('\n')) expect(columns(line), line).toBeLessThanOrEqual(width);
    }
  });

  it('lists findings by severity, not by order, and apart from what was there before', () => {
    const text = plain();
    const at = (part: string) => text.indexOf(part);
    expect(at('CRITICAL')).toBeLessThan(at('HIGH  Immutable'));
    expect(at('HIGH  Immutable')).toBeLessThan(at('HIGH  Quota'));
    expect(text).toContain('Findings: 1 critical, 2 high\n');
    expect(text).toContain('There before this change, not counted: 1');
    expect(text).not.toContain('MEDIUM  Image pull policy');
    expect(text).toContain('image-pull-policy-always on Deployment/shop/*, until 2026-12-31, by team-shop');
  });

  it('prints the evidence, the fix and where else it is', () => {
    const text = plain(200);
    expect(text).toContain('Before: Ignore');
    expect(text).toContain('After:  Fail');
    expect(text).toContain('Now:    {"readyEndpoints":0,"nodes":0}');
    expect(text).toContain('- With 2 ready endpoints on 2 nodes this becomes high.');
    expect(text).toContain('Fix: Raise requests.memory');
    expect(text).toContain('The same in 2 more targets: argocd:argocd/shop-eu, argocd:argocd/shop-us');
  });

  it('names what was not looked at and how old the snapshot is', () => {
    const text = plain(200);
    expect(text).toContain('Cluster:  eu-1 (Kubernetes v1.34.3), snapshot of 2026-11-20T10:00:00Z, 5 hours old');
    expect(text).toContain('! not evaluated: target legacy (clusters/eu-1/legacy.yaml:3): the chart repository');
    expect(text).toContain('not reachable: pinned: pinned to tag v1.2.0 of this repository');
  });

  it('never says that nothing was found in a cluster that was not looked at', () => {
    const offline = { ...sampleReport(), clusters: [] };
    expect(plain(100, offline)).toContain('Cluster:  no evidence; what runs now was not looked at');
  });

  it('tells a deletion from an object that stays because prune is off', () => {
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'old', namespace: 'shop' } };
    const target = reportTarget('shop');
    const of = (prune: boolean | 'unknown') =>
      plain(
        100,
        sampleReport({ changes: [reportChange({ ...target, apply: { ...target.apply, prune } }, object, undefined)] }),
      );
    expect(of(true)).toContain('  Deleted: 1\n    - Service shop/old');
    expect(of('unknown')).toContain('  Deleted, if the engine prunes: 1');
    expect(of(false)).toContain('  Left behind in the cluster: the engine does not delete them: 1');
  });

  it('stays short for hundreds of targets with one reason', () => {
    const report = sampleReport();
    const [first] = report.coverage.targets;
    if (first === undefined) throw new Error('the sample has targets');
    const targets = Array.from({ length: 300 }, (_, i) => ({ ...first, id: `t${i}`, name: `t${i}` }));
    const text = plain(100, { ...report, coverage: { ...report.coverage, targets } });
    expect(text).toContain('t0, t1, t2, t3, t4 and 295 more: charts/shop/values.yaml changed');
    expect(text.split('\n').length).toBeLessThan(100);
  });
});

describe('dry run', () => {
  const of = (dryRun: GateReport['dryRun']) =>
    toTerminal({ ...sampleReport(), ...(dryRun === undefined ? {} : { dryRun }) }, { color: false, width: 100 });

  it('says what the API server answered, and of what nothing is known', () => {
    expect(of({ asked: 5, accepted: 3, rejected: 1, unknown: 1, seconds: 0.4 })).toContain(
      'Dry run:  5 sent, 3 accepted, 1 refused, 1 without a judgement (listed as not evaluated)',
    );
  });

  it('is not mentioned when nobody asked for it', () => {
    expect(of(undefined)).not.toContain('Dry run');
  });
});
