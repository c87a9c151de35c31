import { describe, expect, it } from 'vitest';
import type { DriftEntry, FieldChange, GateReport, ResourceRef } from '../../src/core/model.ts';
import { toHtml } from '../../src/report/html.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { toTerminal } from '../../src/report/terminal.ts';
import { sampleReport } from '../kit/report.ts';

function ref(kind: string, name: string): ResourceRef {
  return { group: 'apps', version: 'v1', kind, namespace: 'shop', name };
}

function drifted(path: string, before: unknown, live: unknown, by?: string): FieldChange {
  return {
    path,
    ...(before === undefined ? {} : { before }),
    ...(live === undefined ? {} : { live }),
    impact: 'configuration',
    attribution: 'drift',
    ...(by === undefined ? {} : { by }),
  };
}

const target = 'argocd:argocd/shop';
const drift: readonly DriftEntry[] = [
  {
    ref: ref('Deployment', 'api'),
    target,
    kind: 'fields',
    fields: [
      drifted('/spec/replicas', 3, 5, 'kubectl-scale'),
      drifted(
        '/spec/template/spec/containers/app/image',
        'shop/api:1',
        'mirror.example.org/shop/api:1',
        'argocd-controller',
      ),
      drifted('/spec/template/spec/containers/app/env/DEBUG', undefined, { name: 'DEBUG', value: '1' }, 'kubectl-set'),
      drifted('/metadata/labels/team', 'shop', undefined),
    ],
    mayBe: ['MutatingWebhookConfiguration/mirror'],
  },
  ...['a', 'b', 'c'].map((name): DriftEntry => ({ ref: ref('ConfigMap', name), target, kind: 'missing', fields: [] })),
  { ref: ref('Service', 'api'), target, kind: 'foreign', fields: [], reason: 'it belongs to Helm release shop/api' },
  {
    ref: ref('Service', 'old'),
    target,
    kind: 'deleting',
    fields: [],
    reason: 'it is being deleted since 2026-11-20T10:00:00Z',
  },
];

function report(entries: readonly DriftEntry[]): GateReport {
  const sample = sampleReport();
  const [first, ...rest] = sample.changes;
  const conflict: FieldChange = {
    path: '/spec/replicas',
    before: 3,
    after: 4,
    live: 6,
    impact: 'configuration',
    attribution: 'change',
    conflict: true,
    by: 'kubectl-edit',
  };
  return { ...sample, changes: [{ ...first!, fields: [...first!.fields, conflict] }, ...rest], drift: entries };
}

const terminal = (entries: readonly DriftEntry[]) => toTerminal(report(entries), { color: false, width: 140 });

describe('drift in reports', () => {
  it('stands in a block of its own, says live against Git, who did it, and that it does not count', () => {
    const text = terminal(drift);
    expect(text).toContain('Drift: 6 objects already different in the cluster');
    expect(text).toContain('Not caused by this change and not counted');
    expect(text).toContain(
      'Deployment shop/api (argocd:argocd/shop): may be the work of MutatingWebhookConfiguration/mirror',
    );
    expect(text).toContain('/spec/replicas: in Git 3, in the cluster 5 (kubectl-scale)');
    expect(text).toContain('/env/DEBUG: not in Git, in the cluster {"name":"DEBUG","value":"1"} (kubectl-set)');
    expect(text).toContain('/metadata/labels/team: in Git shop, not in the cluster');
    expect(text).toContain(
      'ConfigMap shop/a, ConfigMap shop/b, ConfigMap shop/c (argocd:argocd/shop): in Git and not in the cluster',
    );
    expect(text).toContain('Service shop/api (argocd:argocd/shop): it belongs to Helm release shop/api');
    expect(text).toContain('Service shop/old (argocd:argocd/shop): it is being deleted since 2026-11-20T10:00:00Z');
  });

  it('says before it what the change overwrites', () => {
    const text = terminal(drift);
    expect(text).toContain('/spec/replicas: 3 becomes 4, the cluster has 6 (kubectl-edit)');
    expect(text.indexOf('Edited in the cluster')).toBeLessThan(text.indexOf('Drift:'));
    expect(terminal([])).not.toContain('Drift:');
  });

  it('is limited, and says how much is left out', () => {
    const many = Array.from({ length: 3000 }, (_, index): DriftEntry => ({
      ref: ref('Deployment', `api-${index}`),
      target,
      kind: 'fields',
      fields: Array.from({ length: 50 }, (_inner, place) => drifted(`/spec/field-${place}`, 1, 2)),
    }));
    for (const text of [terminal(many), toMarkdown(report(many))]) {
      expect(text.length).toBeLessThan(60_000);
      expect(text).toMatch(/and 2,9\d\d more/);
      expect(text).toContain('and 45 more fields');
    }
    expect(toHtml(report(many)).length).toBeLessThan(400_000);
  });

  it('is folded in Markdown and there in HTML', () => {
    const markdown = toMarkdown(report(drift));
    expect(markdown).toContain('<details><summary>Drift: 6 objects already different in the cluster</summary>');
    expect(markdown).toContain('### Edited in the cluster: this change overwrites fields of 1 object');
    expect(toHtml(report(drift))).toContain('<h2>Drift: 6 objects already different in the cluster</h2>');
  });
});
