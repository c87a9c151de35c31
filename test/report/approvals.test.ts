import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { findingId } from '../../src/core/finding-id.ts';
import type { ApprovalOutcome, GateReport, Verdict } from '../../src/core/model.ts';
import { toHtml } from '../../src/report/html.ts';
import { toJson } from '../../src/report/json.ts';
import { toJunit } from '../../src/report/junit.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { toSarif } from '../../src/report/sarif.ts';
import { gateReportSchema } from '../../src/report/schema.ts';
import { toTerminal } from '../../src/report/terminal.ts';
import { approvable, approval } from '../kit/approval.ts';
import { sampleReport } from '../kit/report.ts';

const evil = '<img src=x> @acme/all `x` [a](http://evil.example) \u202E\u001B[31m';

function reportWith(reason: string, why = 'approved for another state of the object'): GateReport {
  const approved = approval({ reason, url: 'https://github.com/acme/shop-gitops/pull/7#issuecomment-1' });
  const refused: ApprovalOutcome = {
    kind: 'invalid',
    finding: '',
    by: 'eve',
    at: '2026-11-20T11:00:00Z',
    inForce: false,
    why,
  };
  return sampleReport({ verdict: 'pass', findings: [approvable({ approved })], approvals: [refused] });
}

const terminal = (report: GateReport) => toTerminal(report, { color: false, width: 200 });

describe('approvals in reports', () => {
  it.each([
    ['terminal', terminal],
    ['markdown', toMarkdown],
    ['html', toHtml],
  ])('%s: who, when, why, and what is not in force', (_name, print) => {
    const text = print(reportWith('load was measured'));
    expect(text).toContain('Approvals: 1 in force, 1 not');
    expect(text).toContain('approved on 2026-11-20 by mia: load was measured');
    expect(text).toMatch(/not in force:.*command by eve on 2026-11-20: approved for another state of the object/i);
    expect(text).toContain('none that counts');
    expect(text).not.toContain('none that is new or worse');
  });

  it('JSON is what the schema describes; SARIF and JUnit suppress it', () => {
    const report = reportWith('load was measured');
    const json = JSON.parse(toJson(report)) as object;
    const validate = new Ajv({ strict: true }).compile(gateReportSchema);
    validate(json);
    expect(validate.errors).toBeNull();
    const sarif = toSarif(report, []);
    expect(sarif).toContain('"suppressions"');
    expect(sarif).toContain('approved on 2026-11-20 by mia: load was measured');
    expect(toJunit(report)).toContain('<skipped message="approved on 2026-11-20 by mia: load was measured"');
  });

  it('escapes what people write', () => {
    const report = reportWith(evil, evil);
    expect(toHtml(report)).not.toContain('<img');
    expect(toMarkdown(report)).not.toMatch(/<img|(?<!\\)\[a\]\(http|[^\u200B]@acme\/all/u);
    for (const text of [terminal(report), toMarkdown(report), toHtml(report)]) {
      expect(text).not.toContain('\u001B');
      expect(text).not.toContain('\u202E');
    }
  });

  it.each<[Verdict, string | undefined]>([
    ['approval', '/gate approve ID REASON'],
    ['block', '/gate waive ID until YYYY-MM-DD REASON'],
    ['comment', undefined],
    ['incomplete', undefined],
  ])('with the verdict %s each finding says what to write: %s', (verdict, command) => {
    const finding = approvable();
    const report = sampleReport({ verdict, findings: [finding] });
    for (const text of [terminal(report), toMarkdown(report), toHtml(report)]) {
      if (command === undefined) expect(text).not.toContain('/gate ');
      else expect(text).toContain(command.replace('ID', findingId(finding) ?? ''));
    }
  });
});
