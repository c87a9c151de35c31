import { describe, expect, it } from 'vitest';
import type { Discovery } from '../../src/core/model.ts';
import type { GoTemplate, GoTemplateJob } from '../../src/core/ports.ts';
import { openDirectories } from '../../src/git/directories.ts';
import { discoverArgoCd } from '../../src/sources/argocd.ts';
import { readDeclarations } from '../../src/sources/read-yaml.ts';
import { argoContext } from '../kit/sources.ts';

/** Answers for the few templates of the fixture; the real engine has its own tests. */
const answers: GoTemplate = {
  execute: async (jobs) =>
    jobs.map((job: GoTemplateJob) => {
      const path = job.data['path'] as { path: string; basename: string; segments: string[] };
      const text = job.template
        .replace(
          /\{\{-? if eq \.path\.basename "prod" \}\}([^]*?)\{\{-? end \}\}/,
          path.basename === 'prod' ? '$1' : '',
        )
        .replace(/\{\{ index \.path\.segments 1(?: \| normalize)? \}\}/, path.segments[1] ?? '')
        .replace(/\{\{ \.path\.basename(?: \| lower)? \}\}/, path.basename)
        .replace('{{ .path.path }}', path.path);
      return { ok: true, text };
    }),
};

async function discover(): Promise<Discovery> {
  const folder = 'fixtures/argocd/platform';
  const tree = openDirectories(folder, folder).after;
  const declarations = readDeclarations(tree);
  expect(declarations.notEvaluated).toEqual([]);
  return discoverArgoCd(declarations.objects, argoContext(tree, { goTemplate: answers }));
}

describe('a platform repository', () => {
  it('yields every Application of its sets with environment, cluster and sync policy', async () => {
    const found = await discover();
    expect(found.notEvaluated).toEqual([]);
    expect(
      found.targets.map((target) => [
        target.name,
        target.environment,
        target.cluster,
        target.apply.prune,
        target.apply.onRemoval,
        target.rendersTargets,
      ]),
    ).toEqual([
      ['root-prod', 'prod', 'in-cluster', true, 'deletes-objects', true],
      ['checkout-dev', 'dev', 'dev-eu-1', 'unknown', 'deletes-objects', false],
      ['checkout-prod', 'prod', 'prod-eu-1', true, 'deletes-objects', false],
      ['ledger-api-dev-eu-1', 'dev', 'dev-eu-1', 'unknown', 'keeps-objects', false],
      ['ledger-worker-dev-eu-1', 'dev', 'dev-eu-1', 'unknown', 'keeps-objects', false],
      ['ledger-api-prod-eu-1', 'prod', 'prod-eu-1', 'unknown', 'keeps-objects', false],
      ['ledger-worker-prod-eu-1', 'prod', 'prod-eu-1', 'unknown', 'keeps-objects', false],
    ]);
    expect(
      found.expansions?.map((expansion) => [expansion.declaredBy.name, expansion.targets.length, expansion.complete]),
    ).toEqual([
      ['checkout', 2, true],
      ['ledger', 4, true],
    ]);
  });

  it('renders what Argo CD would', async () => {
    const found = await discover();
    const target = (name: string): unknown => found.targets.find((item) => item.name === name);
    expect(target('ledger-worker-prod-eu-1')).toMatchObject({
      sources: [
        {
          type: 'helm',
          chart: { from: 'tree', path: 'charts/ledger' },
          release: 'ledger-worker',
          namespace: 'ledger',
          values: [
            { kind: 'file', path: 'values/ledger/common.yaml' },
            { kind: 'file', path: 'values/ledger/prod.yaml' },
          ],
          set: [
            { name: 'component', value: 'worker', type: 'set' },
            { name: 'replicas', value: '3', type: 'set-string' },
          ],
        },
      ],
      inputs: expect.arrayContaining([
        'charts/ledger/',
        'clusters/prod-eu-1.json',
        'values/ledger/prod.yaml',
      ]) as unknown,
    });
    expect(target('checkout-prod')).toMatchObject({
      sources: [{ type: 'kustomize', path: 'services/checkout/overlays/prod' }],
      afterRender: { defaultNamespace: 'checkout' },
    });
  });
});
