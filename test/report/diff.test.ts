import { describe, expect, it } from 'vitest';
import { applyPatch } from 'diff';
import { parse } from 'yaml';
import type { GateReport, KubeObject, ResourceChange } from '../../src/core/model.ts';
import { toDiff } from '../../src/report/diff.ts';
import { objectDiff } from '../../src/report/hunks.ts';
import { sidesText } from '../../src/report/object-text.ts';
import { deployment, reportChange, reportTarget, sampleReport } from '../kit/report.ts';

const shop = reportTarget('shop');
const printed = (changes: readonly ResourceChange[]) => toDiff(sampleReport({ changes }), { color: false });
const bump = (app: string, image: string, name = app) =>
  reportChange(reportTarget(app), deployment(name, 'r/x:1'), deployment(name, image), { impact: 'restart' });

describe('toDiff', () => {
  it('prints unified hunks that turn the old YAML into the new one', () => {
    const change = reportChange(shop, deployment('api', 'r/api:1'), deployment('api', 'r/api:2', 5));
    const { before, after } = sidesText(change);
    const patch = ['--- a', '+++ b', ...objectDiff(change).lines, ''].join('\n');
    expect(applyPatch(before, patch)).toBe(after);
    expect(parse(after, { version: '1.1' })).toEqual(change.after?.object);
  });

  it('names the object on both sides, and /dev/null where there is none', () => {
    const text = printed([
      reportChange(shop, undefined, deployment('new', 'r/x:1')),
      reportChange(shop, deployment('old', 'r/x:1'), undefined),
    ]);
    expect(text).toContain('--- /dev/null\n+++ argocd:argocd/shop/apps/Deployment/shop/new');
    expect(text).toContain('--- argocd:argocd/shop/apps/Deployment/shop/old\n+++ /dev/null');
  });

  it('folds the same change of many targets and names those that differ', () => {
    const changes = Array.from({ length: 50 }, (_, i) => bump(`app-${i}`, i < 48 ? 'r/x:2' : `r/x:${i}`));
    const text = printed(changes);
    expect(text).toContain(
      '# The same line in 48 of 50 targets that change a Deployment; 2 differ: argocd:argocd/app-48, argocd:argocd/app-49',
    );
    expect(text.match(/^\+ +image: r\/x:2$/gm)).toHaveLength(1);
    expect(text).toContain('image: r/x:48');
    expect(text).toContain('image: r/x:49');
    expect(text).toContain('# 50 objects in 50 targets.');
  });

  it('does not fold what only looks alike', () => {
    const text = printed([bump('a', 'r/x:2'), bump('b', 'r/x:3')]);
    expect(text).not.toContain('# The same');
  });

  it('shows no difference for another order of keys, containers and variables', () => {
    const container = (name: string) => ({
      name,
      image: `r/${name}:1`,
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    });
    const pod = (containers: object[]): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers },
    });
    const { image, name, env } = container('a');
    const change = reportChange(
      shop,
      pod([container('a'), container('b')]),
      pod([container('b'), { image, env: env.toReversed(), name }]),
    );
    expect(objectDiff(change).lines).toEqual([]);
    expect(printed([change])).toContain('Nothing but checksums or the order of lists differs.');
  });

  it('shows a changed order of init containers', () => {
    const pod = (names: string[]): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { initContainers: names.map((name) => ({ name })) },
    });
    expect(objectDiff(reportChange(shop, pod(['a', 'b']), pod(['b', 'a']))).changedLines).toBeGreaterThan(0);
  });

  it('leaves checksum annotations out, and only those', () => {
    const withSum = (sum: string, team: string) => {
      const object = deployment('api', 'r/api:1');
      const spec = object['spec'] as { template: { metadata: object } };
      spec.template.metadata = { labels: { app: 'api' }, annotations: { 'checksum/config': sum, team } };
      return object;
    };
    const text = printed([reportChange(shop, withSum('a'.repeat(64), 'x'), withSum('b'.repeat(64), 'y'))]);
    expect(text).not.toContain('checksum/config');
    expect(text).toContain('-        team: x');
  });

  it('keeps hostile keys as keys, and does not fall over deep nesting', () => {
    let deep: Record<string, unknown> = {};
    for (let i = 0; i < 5_000; i++) deep = { deep };
    const object = (value: string): KubeObject => ({
      ...(JSON.parse(
        `{"apiVersion":"v1","kind":"X","metadata":{"name":"x"},"__proto__":{"polluted":"${value}"}}`,
      ) as KubeObject),
      deep,
    });
    const text = printed([reportChange(shop, object('a'), object('b'))]);
    expect(text).toContain('-  polluted: a');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('says that there is no difference only of what was looked at', () => {
    const report: GateReport = sampleReport({ changes: [] });
    expect(toDiff(report, { color: false })).toContain('in the targets that were looked at');
    expect(printed([bump('a', 'r/x:2')])).toContain('Not looked at: target legacy.');
  });

  it('compares sides that have nothing in common in a short time', () => {
    const big = (letter: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'big' },
      data: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`${letter}${i}`, `${letter}${i}`])),
    });
    const began = performance.now();
    expect(objectDiff(reportChange(shop, big('a'), big('b'))).lines.length).toBeGreaterThan(40_000);
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});
