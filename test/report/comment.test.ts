import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GateReport } from '../../src/core/model.ts';
import { incompleteReport } from '../../src/action/incomplete.ts';
import { githubLength, maxComment } from '../../src/forge/limits.ts';
import { byEnvironment } from '../../src/pipeline/by-environment.ts';
import { commentDigest, toComment, type CommentContext } from '../../src/report/comment.ts';
import { markdownProblems, renderMarkdown } from '../kit/markdown.ts';
import { deployment, hostileReport, reportChange, reportTarget, sampleReport } from '../kit/report.ts';

const place = 'https://github.example/acme/shop-gitops';
const room = { limit: maxComment - 300, length: githubLength };

function context(report: GateReport, more: Partial<CommentContext> = {}): CommentContext {
  return {
    headSha: '9b1d7e0c52a1446b8f0d3e7a9c5b1f2e4d6a8c0b',
    commitUrl: `${place}/commit/9b1d7e0c52a1446b8f0d3e7a9c5b1f2e4d6a8c0b`,
    runUrl: `${place}/actions/runs/7`,
    environments: byEnvironment(report, 'fail'),
    ...more,
  };
}

const bodies = (report: GateReport, more: Partial<CommentContext> = {}) =>
  toComment(report, context(report, more), room);
const problems = (text: string) => markdownProblems(text, [place]);

/** A report of that many changed objects in targets of 20, and findings. */
function large(objects: number, findings: number): GateReport {
  const report = sampleReport();
  const [worst] = report.findings;
  return {
    ...report,
    changes: Array.from({ length: objects }, (_, i) => {
      const target = reportTarget(`app-${Math.floor(i / 20)}`);
      const image = (tag: number) => `registry.example.org/team/app-${i}:${tag}`;
      return reportChange(target, deployment(`app-${i}`, image(1), 1 + (i % 7)), deployment(`app-${i}`, image(2)));
    }),
    findings: Array.from({ length: findings }, (_, i) => ({ ...worst!, title: `Finding ${i}`, fingerprint: `f${i}` })),
  };
}

describe('the review comment', () => {
  it('answers in the order of the reader’s questions', () => {
    const [text] = bodies(sampleReport());
    const heads = text.split('\n').filter((line) => /^#{2,3} /.test(line));
    expect(heads).toEqual([
      '## ⛔ block: must not merge as it is',
      '### What the cluster will do',
      '### Findings: 1 critical, 2 high',
      '### What was looked at',
      '### Changes: 3 objects',
    ]);
  });

  it('says score and arithmetic, evidence, fix, drift apart, waivers, coverage, snapshot age, dry run, time and commit', () => {
    const [text] = bodies(sampleReport({ dryRun: { asked: 12, accepted: 11, rejected: 1, unknown: 0, seconds: 1.5 } }));
    for (const said of [
      '**Risk 95.2 of 100**, 1 critical, 2 high',
      '95.2 = 95.0 + (100 - 95.0)',
      '- Before: `Ignore`\n- After: `Fail`\n- Now: `{"readyEndpoints":0,"nodes":0}`',
      '**Fix:** Set failurePolicy: Ignore',
      '<details><summary>Drift: 1 object already different in the cluster</summary>',
      '<details><summary>Waivers in force: 1</summary>',
      '**target legacy** (`clusters/eu-1/legacy.yaml:3`)',
      'snapshot of 2026-11-20T10:00:00Z, 5 hours old',
      '**Dry run:** 12 sent, 11 accepted, 1 refused',
      '4.2 s, 6 helm runs',
      `[\`9b1d7e0c52\`](${place}/commit/9b1d7e0c52`,
    ])
      expect(text).toContain(said);
  });

  it('has a row per environment when there are several', () => {
    const [text] = bodies(sampleReport());
    expect(text).toMatch(/^\| production \| ⛔ block \|/m);
    expect(text).toMatch(/^\| staging \| ❔ incomplete \|/m);
    const [one] = bodies(sampleReport(), { environments: [] });
    expect(one).not.toContain('| environment | verdict |');
  });

  it('says of an incomplete judgement that the risk is at least that', () => {
    expect(bodies(sampleReport({ verdict: 'incomplete' }))[0]).toContain(
      '**Risk at least 95.2 of 100**, 1 critical, 2 high',
    );
  });

  it('never says that nothing changes when nothing was looked at', () => {
    const report = incompleteReport('the whole change', 'gate.yaml:1:1: unknown key', {
      headSha: 'a'.repeat(40),
      seconds: 1,
    });
    for (const text of bodies(report)) {
      expect(text).not.toMatch(/\b0\.0 of 100|No rendered object|none that is new|\b0 (?:targets|objects)\b/);
      expect(text).toContain('unknown key');
      expect(problems(text)).toEqual([]);
    }
  });

  it('speaks of the change and not of its author', () => {
    for (const text of bodies(sampleReport())) expect(text).not.toMatch(/\b(you|your|yours|please|sorry|bad|wrong)\b/i);
  });
});

describe('the size ladder', () => {
  it('gives a small report whole, and smaller forms after it', () => {
    const found = bodies(sampleReport());
    expect(found).toHaveLength(6);
    const lengths = found.map((text) => text.length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
    for (const text of found) expect(problems(text)).toEqual([]);
  });

  it.each([
    [60, 3, '<details><summary>changed Deployment shop/app-0'],
    [500, 3, '<details><summary>Names of the objects</summary>'],
    [20_000, 5_000, 'Findings: 5000 critical'],
  ])('%i objects, %i findings: the fullest form that fits', (objects, findings, shown) => {
    const found = bodies(large(objects, findings));
    expect(found[0]).toContain(shown);
    for (const text of found) {
      expect(githubLength(text)).toBeLessThanOrEqual(room.limit);
      expect(problems(text)).toEqual([]);
    }
  });

  it('folds diffs per target before it leaves them out', () => {
    const report = large(240, 3);
    const [text] = bodies(report);
    expect(text).toContain('<details><summary>argocd:argocd/app-0: 20 differences</summary>');
    expect(text).toContain('```diff');
  });

  it('ends in a form that fits whatever the tree holds', () => {
    const text = '@*[`|<&#1 :x: '.repeat(20_000);
    const found = bodies(hostileReport(text), { name: text });
    expect(githubLength(found[0])).toBeLessThanOrEqual(room.limit);
    expect(problems(found[0])).toEqual([]);
  });

  it('never leaves a fence, a table or a <details> open, and lets no text of the tree act', () => {
    const piece = fc.constantFrom(
      '```',
      '~~~',
      '`',
      '\n',
      '\r\n',
      '</details>',
      '<details>',
      '</summary>',
      '<img src=x onerror=y>',
      '<!--',
      '-->',
      '@everyone',
      '@acme/team',
      '#123',
      'GH-1',
      'acme/shop#1',
      '9b1d7e0c52a1446b8f0d3e7a9c5b1f2e4d6a8c0b',
      'deadbee',
      'https://evil.example/x',
      'www.evil.example',
      'a@evil.example',
      '![i](https://evil.example/i.png)',
      '[l](javascript:x)',
      '|',
      '\\|',
      '\\',
      '---',
      '===',
      '# ',
      '> ',
      '- [ ] ',
      '1. ',
      '    ',
      '\t',
      '&lt;',
      '&#64;',
      '&commat;',
      '[^1]',
      '$$',
      ':tada:',
      '\u001B[31m',
      '\u202E',
      '\u200B',
      '\u0000',
      '\uD83D',
      '<b>',
      '*',
      '_',
      '**',
      '~~',
      '<script>',
      'xmpp:a@b.c',
      '.',
      'é',
      '🔥',
    );
    const text = fc
      .array(fc.oneof(piece, fc.string({ maxLength: 8 })), { maxLength: 30 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (hostile) => {
        for (const body of bodies(hostileReport(hostile), { name: hostile })) expect(problems(body)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('shows a mention as text', () => {
    expect(renderMarkdown(bodies(hostileReport('@everyone'))[0])).toContain('@\u200Beveryone');
  });
});

describe('the identity of a comment', () => {
  it('does not change with time taken, cache, age of the snapshot or the run', () => {
    const report = sampleReport();
    const later: GateReport = {
      ...report,
      durationSeconds: 99,
      work: { helmRuns: 0, kustomizeRuns: 0, cacheHits: 18 },
      clusters: report.clusters.map((cluster) => ({ ...cluster, ageSeconds: 99_999 })),
    };
    expect(commentDigest(later, context(later, { runUrl: `${place}/actions/runs/8` }))).toBe(
      commentDigest(report, context(report)),
    );
  });

  it.each<[string, Partial<GateReport>]>([
    ['verdict', { verdict: 'pass' }],
    ['findings', { findings: [] }],
    ['changes', { changes: [] }],
    ['drift', { drift: [] }],
  ])('changes with the %s', (_, more) => {
    const report = sampleReport();
    expect(commentDigest(sampleReport(more), context(report))).not.toBe(commentDigest(report, context(report)));
  });
});
