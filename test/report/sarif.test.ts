import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/model.ts';
import { sarifLimits, toSarif, type RuleText } from '../../src/report/sarif.ts';
import { rules } from '../../src/rules/index.generated.ts';
import { hostileReport, sampleReport } from '../kit/report.ts';
import { sarifValidator } from '../kit/sarif-schema.ts';

interface Location {
  physicalLocation?: {
    artifactLocation: { uri: string; uriBaseId: string };
    region: { startLine: number; endLine?: number };
  };
}

interface Log {
  runs: {
    tool: {
      driver: {
        rules: {
          id: string;
          help: { text: string; markdown?: string };
          defaultConfiguration: { level: string };
          properties: { tags: string[] };
        }[];
      };
    };
    originalUriBaseIds: Record<string, { uri?: string }>;
    invocations: {
      executionSuccessful: boolean;
      toolExecutionNotifications: { level: string; message: { text: string }; locations?: Location[] }[];
    }[];
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      rank: number;
      baselineState: string;
      message: { text: string };
      suppressions?: object[];
      locations: Location[];
      relatedLocations?: Location[];
      partialFingerprints: Record<string, string>;
    }[];
  }[];
}

const validate = sarifValidator();
const log = (report = sampleReport(), catalogue: readonly RuleText[] = rules) =>
  JSON.parse(toSarif(report, catalogue)) as Log;
const run = (...args: Parameters<typeof log>) => {
  const [first] = log(...args).runs;
  if (first === undefined) throw new Error('no run');
  return first;
};
const [template] = sampleReport().findings;
if (template === undefined) throw new Error('the sample has no finding');
const finding = (more: Partial<Finding>): Finding => ({ ...template, ...more });
const placeOf = (more: Partial<Finding>) => {
  const { location: _none, ...bare } = template;
  const { results } = run(sampleReport({ findings: [{ ...bare, ...more }] }));
  return results[0]?.locations[0]?.physicalLocation;
};

describe('toSarif', () => {
  it.skipIf(validate === undefined)('is valid by the OASIS schema of SARIF 2.1.0', () => {
    const reports = [sampleReport(), hostileReport('a b\\c%2e/../<x>[y](z)'), sampleReport({ findings: [] })];
    for (const report of reports) {
      validate?.(log(report));
      expect(validate?.errors ?? null).toBeNull();
      validate?.(log(report, []));
      expect(validate?.errors ?? null).toBeNull();
    }
    // It can say no.
    expect(validate?.({ version: '2.1.0', runs: [{ results: [] }] })).toBe(false);
  });

  it('points each result to its rule', () => {
    const { results, tool } = run();
    for (const result of results) expect(tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
    expect(tool.driver.rules.map((rule) => rule.id)).toHaveLength(5);
  });

  it('puts what counts first, then waived and old findings, each by weight', () => {
    expect(
      run().results.map((result) => [result.level, result.rank, result.baselineState, result.suppressions?.length]),
    ).toEqual([
      ['error', 95, 'new', undefined],
      ['error', 34.1, 'new', undefined],
      ['error', 33.1, 'updated', undefined],
      ['warning', 18.9, 'new', 1],
      ['warning', 18.9, 'unchanged', undefined],
    ]);
  });

  it('says that the run was not complete, and why', () => {
    const [invocation] = run(sampleReport({ verdict: 'incomplete' })).invocations;
    expect(invocation?.executionSuccessful).toBe(false);
    expect(invocation?.toolExecutionNotifications.map((entry) => entry.level)).toEqual(['error', 'note']);
  });

  it('takes the help from the documentation of the rule', () => {
    const rule = rules.find(({ id }) => id === 'pdb-blocks-all-evictions');
    if (rule === undefined) throw new Error('no such rule');
    const described = run().tool.driver.rules.find(({ id }) => id === rule.id);
    expect(described?.help.markdown).toContain(rule.docs.why);
    expect(described?.help.markdown).toContain(rule.docs.fix);
    expect(described?.help.text).toContain(rule.docs.why.replaceAll('](', '] ('));
    expect(described?.properties.tags).toEqual(['kubernetes', 'gitops', rule.family]);
    const severities = { critical: 'error', high: 'error', medium: 'warning', low: 'note' };
    expect(described?.defaultConfiguration.level).toBe(severities[rule.severity]);
  });

  it('describes every rule without an error of the schema, with at most 10 tags', () => {
    const all = log(sampleReport({ findings: rules.map(({ id }) => finding({ ruleId: id })) }));
    validate?.(all);
    expect(validate?.errors ?? null).toBeNull();
    for (const rule of all.runs[0]?.tool.driver.rules ?? []) expect(rule.properties.tags.length).toBeLessThan(10);
  });

  it('shows a finding on the line that causes it, and names the template beside it', () => {
    const location = { file: 'charts/shop/templates/api.yaml', line: 9 };
    const cause = { file: 'envs/prod/shop.yaml', line: 12, endLine: 14, how: 'counterfactual' as const };
    expect(placeOf({ location, cause })).toEqual({
      artifactLocation: { uri: 'envs/prod/shop.yaml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 12, endLine: 14 },
    });
    const [result] = run(sampleReport({ findings: [finding({ location, cause })] })).results;
    expect(result?.relatedLocations?.[0]?.physicalLocation?.artifactLocation.uri).toBe(location.file);
    expect(placeOf({ location })?.region).toEqual({ startLine: 9 });
  });

  it('gives every result a place in the tree, because an upload without one is refused', () => {
    expect(placeOf({ changedIn: ['envs/prod/a b.yaml'] })).toEqual({
      artifactLocation: { uri: 'envs/prod/a%20b.yaml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 1 },
    });
    // The target is declared there.
    expect(placeOf({ target: 'argocd:argocd/shop' })?.artifactLocation.uri).toBe('apps/shop.yaml');
    expect(placeOf({ target: 'argocd:argocd/other' })?.artifactLocation.uri).toBe('gate.yaml');
  });

  it('names no path of the machine', () => {
    const findings = ['/etc/gate/gate.yaml', 'C:\\gate\\gate.yaml', '../../home/me/gate.yaml'].map((file) =>
      finding({ location: { file, line: 3 } }),
    );
    const { coverage } = sampleReport();
    const notEvaluated = findings.map(({ location }) => ({
      what: 'waiver',
      reason: 'it has ended',
      weight: 'note' as const,
      ...(location === undefined ? {} : { location }),
    }));
    const text = toSarif(sampleReport({ findings, coverage: { ...coverage, notEvaluated } }), rules);
    expect(text).not.toMatch(/etc\/gate|C:|home\/me|file:/);
    expect(run().originalUriBaseIds['%SRCROOT%']?.uri).toBeUndefined();
  });

  it('makes no links of text from the tree', () => {
    const { results } = run(sampleReport({ findings: [finding({ message: 'see [this](https://evil.example.org)' })] }));
    expect(results[0]?.message.text).toMatch(/^see \[this\] \(https:/);
  });

  it('keeps the weightiest 25,000 results and says how many are left out', () => {
    const many = Array.from({ length: sarifLimits.results + 10 }, (_, number) =>
      finding({ fingerprint: String(number), score: number / 1000 }),
    );
    const { results, invocations } = run(sampleReport({ findings: many }));
    expect(results).toHaveLength(sarifLimits.results);
    expect(results[0]?.partialFingerprints).toEqual({ 'gateFinding/v1': String(many.length - 1) });
    expect(invocations[0]?.toolExecutionNotifications[0]?.message.text).toMatch(/^10 of 25010 findings/);
  });

  it('stays within 10 MB compressed, whatever the evidence holds', () => {
    let seed = 1;
    const noise = (length: number) =>
      Array.from({ length }, () => {
        seed = (seed * 48_271) % 2_147_483_647;
        return String.fromCodePoint(0x4e00 + (seed % 20_000));
      }).join('');
    const many = Array.from({ length: 1_500 }, () => finding({ message: noise(9_000) }));
    const text = toSarif(sampleReport({ findings: many }), rules);
    expect(gzipSync(text).length).toBeLessThanOrEqual(sarifLimits.gzipBytes);
    const [first] = (JSON.parse(text) as Log).runs;
    expect(first?.results.length).toBeGreaterThan(100);
    expect(first?.results[0]?.message.text.length).toBeLessThanOrEqual(8_000);
    expect(first?.results[0]?.message.text).toMatch(/Fix: /);
  });
});
