import { describe, expect, it } from 'vitest';
import { toMarkdown } from '../../src/report/markdown.ts';
import { deployment, reportChange, reportTarget, sampleReport } from '../kit/report.ts';

describe('toMarkdown', () => {
  it('has the sections in the order of the reader’s questions', () => {
    const headings = toMarkdown(sampleReport())
      .split('\n')
      .filter((line) => /^#{2,3} /.test(line));
    expect(headings).toEqual([
      '## ⛔ block: must not merge as it is (risk 95.2 of 100)',
      '### What happens in the cluster',
      '### Findings: 1 critical, 2 high',
      '### Waivers in force: 1',
      '### What was looked at',
      '### Changes',
    ]);
  });

  it('holds score, evidence, fix, coverage and folded diffs', () => {
    const text = toMarkdown(sampleReport());
    expect(text).toContain('Score: 95.2 = 95.0 +');
    expect(text).toContain('- Before: `Ignore`\n- After: `Fail`\n- Now: `{"readyEndpoints":0,"nodes":0}`');
    expect(text).toContain('**Fix:** Set failurePolicy: Ignore');
    expect(text).toContain('**Not looked at:** target legacy.');
    expect(text).toContain('<details><summary>changed Deployment shop/api</summary>\n\n```diff\n@@');
  });

  it('keeps to the length of a comment: verdict, findings and coverage stay, diffs go', () => {
    const changes = Array.from({ length: 400 }, (_, i) =>
      reportChange(reportTarget(`t${i}`), undefined, deployment(`app-${i}`, `registry.example.org/app:${i}`)),
    );
    const text = toMarkdown(sampleReport({ changes }), { maxLength: 20_000 });
    expect(text.length).toBeLessThanOrEqual(20_000);
    expect(text).toContain('Webhook fails closed');
    expect(text).toContain('**target legacy**');
    expect(text).toMatch(/Shortened: \d+ parts of this report did not fit/);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });

  it('keeps the most severe findings when there is no room for all', () => {
    const report = sampleReport();
    const [worst] = report.findings;
    if (worst === undefined) throw new Error('the sample has findings');
    const low = Array.from({ length: 200 }, (_, i) => ({
      ...worst,
      severity: 'low' as const,
      title: `Low ${i}`,
      score: 1,
    }));
    const text = toMarkdown({ ...report, findings: [...low, worst] }, { maxLength: 8_000 });
    expect(text).toContain('🔴 critical: Webhook fails closed');
    expect(text).toContain('Shortened');
  });
});
