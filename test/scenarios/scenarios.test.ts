import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runScenario, type ScenarioResult } from './run-scenario.ts';

const root = new URL('../../fixtures/scenarios/', import.meta.url).pathname;

/**
 * What a scenario expects. `findings` lists every new or worsened finding (nothing else may be reported);
 * a quiet twin has an empty list.
 */
interface Expectation {
  /** One sentence: the story. */
  readonly story: string;
  readonly verdict: string;
  readonly findings: readonly {
    readonly rule: string;
    /** `Kind/namespace/name` or `Kind/name`. */
    readonly resource: string;
    readonly path?: string;
    readonly severity: string;
  }[];
  /** Texts that must occur in `coverage.notEvaluated`. */
  readonly notEvaluated?: readonly string[];
}

const names = existsSync(root) ? readdirSync(root).sort() : [];

describe.each(names)('%s', (name) => {
  const folder = join(root, name);
  const expected = JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8')) as Expectation;
  let result: ScenarioResult;
  beforeAll(async () => {
    result = await runScenario(folder);
  }, 120_000);

  test('verdict, findings and what was not looked at', () => {
    const seen = result.findings.map((finding, index) => ({
      rule: finding.ruleId,
      resource: finding.resource,
      ...(expected.findings[index]?.path === undefined ? {} : { path: finding.path }),
      severity: finding.severity,
    }));
    expect({ verdict: result.verdict, findings: seen, reason: result.reason }).toEqual({
      verdict: expected.verdict,
      findings: expected.findings,
      reason: result.reason,
    });
    for (const text of expected.notEvaluated ?? []) expect(result.notEvaluated.join('\n')).toContain(text);
  });
});
