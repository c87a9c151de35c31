import { describe, expect, it } from 'vitest';
import type { GateReport } from '../../src/core/model.ts';
import { toDiff } from '../../src/report/diff.ts';
import { toHtml } from '../../src/report/html.ts';
import { toJson } from '../../src/report/json.ts';
import { toJunit } from '../../src/report/junit.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { toSarif } from '../../src/report/sarif.ts';
import { toTargetList } from '../../src/report/targets.ts';
import { toTerminal } from '../../src/report/terminal.ts';
import { hostileReport, reportChange, reportTarget, sampleReport } from '../kit/report.ts';

const reporters: Readonly<Record<string, (report: GateReport) => string>> = {
  terminal: (report) => toTerminal(report, { color: false, width: 100 }),
  diff: (report) => toDiff(report, { color: false }),
  targets: toTargetList,
  markdown: (report) => toMarkdown(report),
  json: toJson,
  sarif: toSarif,
  junit: toJunit,
  html: toHtml,
};

const tricks = '\u001B[2J\u001B]0;owned\u0007\u202E\u2066\u200B\u0000\u009B31m';

describe.each(Object.entries(reporters))('%s', (_, format) => {
  it('prints no escape sequence, control or bidirectional character of the tree', () => {
    const text = format(hostileReport(`<${tricks}>`));
    const forbidden = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/;
    expect(text).not.toMatch(forbidden);
  });

  it('never prints the value of a Secret', () => {
    const canary = 'c4n4ry-0f-a-s3cret';
    const secret = (value: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'db', namespace: 'shop' },
      data: { password: value },
      stringData: { token: `${value}-token` },
    });
    const target = reportTarget('shop');
    const changes = [
      reportChange(target, secret('old'), secret(canary)),
      reportChange(target, undefined, secret(canary)),
      reportChange(target, secret(canary), undefined),
    ];
    expect(format({ ...sampleReport(), changes })).not.toContain(canary);
  });

  it('is the same text every time', () => {
    expect(format(sampleReport())).toBe(format(sampleReport()));
  });
});

describe('HTML', () => {
  it('holds no element of the tree and loads nothing', () => {
    const page = toHtml(hostileReport(`"'><script>alert(1)</script><img src=x onerror=alert(1)>`));
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<img');
    expect(page).not.toMatch(/(?:src|href)="/);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('closes what it opens', () => {
    const page = toHtml(hostileReport('</details></section>'));
    for (const tag of ['details', 'section', 'article', 'ul', 'li', 'dl', 'table', 'pre', 'header']) {
      const opened = page.match(new RegExp(`<${tag}[ >]`, 'g'))?.length ?? 0;
      expect(page.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0, tag).toBe(opened);
    }
  });
});

describe('Markdown', () => {
  it('lets no outside text act', () => {
    const text = toMarkdown(hostileReport('| @octocat ``` <img src=x> ![i](http://e/x) #12 </details>'));
    const outsideCode = text.replace(/(`{3,})diff\n[\s\S]*?\n\1/g, '').replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
    expect(outsideCode).not.toMatch(/@octocat|<img|!\[|#12\b|http:\/\//);
    expect(outsideCode.match(/<details>/g)?.length).toBe(outsideCode.match(/<\/details>/g)?.length);
  });

  it('keeps to the cells of its tables', () => {
    const text = toMarkdown(hostileReport('a | b\n| c'));
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    expect(rows.length).toBeGreaterThan(3);
    for (const row of rows) expect(row.split('|')).toHaveLength(6);
  });
});
