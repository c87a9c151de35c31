import { expect, test } from 'vitest';
import type { ExplicitTarget } from '../../src/core/config.ts';
import { explicitTargets } from '../../src/sources/explicit.ts';
import { testConfig, treeOf } from '../kit/sources.ts';

const tree = treeOf({
  'charts/shop/Chart.yaml': 'name: shop\ndependencies: [{name: lib, repository: "file://../lib"}]',
  'charts/lib/Chart.yaml': 'name: lib',
  'overlays/prod/kustomization.yaml': 'resources: []',
  'deploy/crds/a.yaml': '',
});
const discover = (...targets: ExplicitTarget[]): ReturnType<typeof explicitTargets> =>
  explicitTargets(tree, testConfig({ targets }));

const shop: ExplicitTarget = {
  name: 'shop',
  environment: 'production',
  cluster: 'eu-1',
  source: {
    type: 'helm',
    chart: { from: 'tree', path: './charts/shop' },
    values: ['envs/prod/shop.yaml'],
    extraValues: ['/home/op/stub.yaml'],
    release: 'till',
    namespace: 'pay',
    set: { 'global.host': 'example.org' },
  },
  tools: { helm: '4.2.4' },
  kubernetesVersion: '1.34.0',
  apiVersions: ['v1'],
};

test('a chart with values: those of the operator first, so that the tree overrides them', () => {
  expect(discover(shop)).toEqual({
    notEvaluated: [],
    targets: [
      {
        id: 'helm:shop@production',
        name: 'shop',
        engine: 'helm',
        environment: 'production',
        cluster: 'eu-1',
        scope: 'eu-1',
        origin: { file: 'charts/shop' },
        parents: [],
        sources: [
          {
            type: 'helm',
            chart: { from: 'tree', path: 'charts/shop' },
            release: 'till',
            namespace: 'pay',
            values: [
              { kind: 'external', path: '/home/op/stub.yaml' },
              { kind: 'file', path: 'envs/prod/shop.yaml' },
            ],
            set: [{ name: 'global.host', value: 'example.org', type: 'set' }],
            includeCrds: false,
            isUpgrade: true,
          },
        ],
        afterRender: { defaultNamespace: 'pay' },
        apply: { mode: 'helm', prune: true, automated: 'unknown' },
        inputs: ['charts/lib/', 'charts/shop/', 'envs/prod/shop.yaml'],
        rendersTargets: false,
        tools: { helm: '4.2.4' },
        kubeVersion: '1.34.0',
        apiVersions: ['v1'],
      },
    ],
  });
});

test('an overlay and a folder', () => {
  const found = discover(
    {
      name: 'edge',
      environment: 'production',
      source: { type: 'kustomize', path: 'overlays/prod', enableHelm: true },
      tools: {},
    },
    { name: 'crds', source: { type: 'manifests', path: 'deploy/crds/', recurse: false }, tools: {} },
  );
  expect(found.targets).toMatchObject([
    {
      id: 'kustomize:edge@production',
      engine: 'kustomize',
      scope: 'production',
      sources: [{ type: 'kustomize', path: 'overlays/prod', enableHelm: true }],
    },
    {
      id: 'manifests:crds',
      engine: 'plain',
      scope: 'manifests:crds',
      inputs: ['deploy/crds/'],
      sources: [{ path: 'deploy/crds', recurse: false }],
    },
  ]);
});

test('a path that this side does not have leaves the target out, with a note; one that leaves the tree is an error', () => {
  const at = (path: string): ExplicitTarget => ({
    name: 'x',
    source: { type: 'manifests', path, recurse: true },
    tools: {},
  });
  expect(discover(at('gone'))).toMatchObject({
    targets: [],
    notEvaluated: [{ target: 'manifests:x', weight: 'note' }],
  });
  expect(discover(at('../outside'))).toMatchObject({ targets: [], notEvaluated: [{ weight: 'incomplete' }] });
});

test('a chart that is fetched exists on both sides', () => {
  const chart = { from: 'oci', url: 'oci://registry.example/shop', version: '1.0.0' } as const;
  expect(
    discover({ ...shop, source: { ...shop.source, type: 'helm', chart, values: [], extraValues: [], set: {} } })
      .targets,
  ).toMatchObject([{ inputs: [], sources: [{ chart }] }]);
});

test('a values file that the change makes: the release is new; one that the change deletes: rendering says so', () => {
  const files = { 'charts/shop/Chart.yaml': 'name: shop', 'envs/base.yaml': '' };
  const without = treeOf(files);
  const having = treeOf({ ...files, 'envs/eu.yaml': '' });
  const config = testConfig({
    targets: [
      { ...shop, source: { ...shop.source, values: ['envs/base.yaml', './envs/eu.yaml'] } as typeof shop.source },
    ],
  });
  const before = explicitTargets(without, config, having);
  expect(before.targets).toEqual([]);
  expect(before.notEvaluated).toMatchObject([
    { target: 'helm:shop@production', weight: 'note', reason: expect.stringContaining('envs/eu.yaml does not exist') },
  ]);
  expect(explicitTargets(having, config).targets).toHaveLength(1);
  expect(explicitTargets(having, config, without).targets).toHaveLength(1);
  expect(explicitTargets(without, config).targets).toHaveLength(1);
  // Missing on both sides: a wrong path, which must not look like a new release.
  expect(explicitTargets(without, config, without).targets).toHaveLength(1);
});
