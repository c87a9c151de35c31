import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import type { Cause } from '../../src/core/model.ts';
import { toJson } from '../../src/report/json.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { gateReportSchema } from '../../src/report/schema.ts';
import { evidenceLines, runText } from '../../src/report/sentences.ts';
import { toTerminal } from '../../src/report/terminal.ts';
import { finding } from '../kit/finding.ts';
import { sampleReport as report } from '../kit/report.ts';

const cause = (over: Partial<Cause> = {}): Cause => ({
  file: 'envs/prod.yaml',
  line: 12,
  how: 'counterfactual',
  ...over,
});

describe('the line that causes a finding', () => {
  it.each([
    [cause(), 'Caused by:', 'envs/prod.yaml:12'],
    [cause({ endLine: 14, how: 'exact' }), 'Caused by:', 'envs/prod.yaml:12-14'],
    [cause({ how: 'nearest' }), 'Nearest changed line:', 'envs/prod.yaml:12'],
  ])('%o', (of, label, text) => {
    const lines = evidenceLines(finding({ cause: of, changedIn: ['envs/prod.yaml'] }));
    expect(lines[0]).toStrictEqual({ label, text });
    expect(lines.some((line) => line.label === 'Changed in:')).toBe(false);
  });

  it('is in the reports for people, without control characters and markup of the file name', () => {
    const hostile = report({ findings: [finding({ cause: cause({ file: 'a\u001b[31m/`@team`/<img>.yaml' }) })] });
    expect(toTerminal(hostile, { color: false, width: 100 })).toContain('Caused by: a');
    expect(toTerminal(hostile, { color: false, width: 100 })).not.toContain('\u001b');
    const markdown = toMarkdown(hostile);
    expect(markdown).toContain('- Caused by: ``');
    expect(markdown.includes('\u001b')).toBe(false);
  });

  it('is in the JSON as the schema says', () => {
    const causes = { findings: 1, found: 1, renders: 3, seconds: 0.1, complete: true };
    const work = { helmRuns: 5, kustomizeRuns: 0, cacheHits: 0, causes };
    const printed: unknown = JSON.parse(
      toJson(report({ work, findings: [finding({ cause: cause({ endLine: 13 }) })] })),
    );
    expect([...Value.Errors(gateReportSchema, printed)]).toStrictEqual([]);
    expect(printed).toMatchObject({
      findings: [{ cause: { line: 12, endLine: 13 } }],
      work: { causes: { renders: 3 } },
    });
  });

  it('has its cost in the last line', () => {
    const work = { helmRuns: 12, kustomizeRuns: 0, cacheHits: 0 };
    const causes = { findings: 3, found: 2, renders: 10, seconds: 0.44, complete: true };
    expect(runText(report({ work: { ...work, causes } }))).toContain(
      'changed lines named for 2 of 3 findings (0.4 s, 10 more renders)',
    );
    expect(runText(report({ work: { ...work, causes: { ...causes, complete: false } } }))).toContain(
      '10 more renders, then the limit was reached)',
    );
    expect(runText(report({ work }))).not.toContain('changed lines');
  });
});
