import { describe, expect, test } from 'vitest';
import type { Manifest, RenderResult, Target } from '../../src/core/model.ts';
import { alignScopes } from '../../src/pipeline/scopes.ts';
import { declaredByOthers, renderedInstead } from '../../src/pipeline/superseded.ts';

const target = (id: string, overrides: Partial<Target> = {}): Target => ({
  id,
  name: id,
  engine: id.startsWith('argocd') ? 'argocd' : 'kustomize',
  scope: 'default',
  origin: { file: `${id}.yaml` },
  parents: [],
  sources: [],
  afterRender: {},
  apply: { mode: 'client-side', prune: true, automated: true },
  inputs: [],
  rendersTargets: true,
  ...overrides,
});
const byId = (...targets: readonly Target[]) => new Map(targets.map((item) => [item.id, item]));

const declaration = (name: string, kind = 'Application') => ({
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind,
  namespace: 'argocd',
  name,
});
const manifest = (name: string, kind = 'Application'): Manifest => ({
  ref: declaration(name, kind),
  object: { apiVersion: 'argoproj.io/v1alpha1', kind, metadata: { name } },
  provenance: {},
});
const rendered = (of: Target, ...manifests: readonly Manifest[]): [string, RenderResult] => [
  of.id,
  { ok: true, target: of, manifests, warnings: [] },
];

describe('an overlay that an Application found later declares', () => {
  const overlay = target('kustomize:sets/prod', { origin: { file: 'sets/prod/kustomization.yaml' } });
  const conventional = new Set([overlay.id, 'kustomize:roots/prod']);

  test('is no conventional target', () => {
    const owner = target('argocd:argocd/sets', { parents: ['kustomize:roots/prod'], inputs: ['sets/prod/'] });
    const targets = byId(overlay, target('kustomize:roots/prod'), owner);
    expect(declaredByOthers({ targets, rendered: new Map(), conventional })).toEqual([overlay.id]);
  });

  test('stays one when only its own children read it', () => {
    const child = target('argocd:argocd/sets', { parents: [overlay.id], inputs: ['sets/prod/'] });
    const targets = byId(overlay, target('kustomize:roots/prod'), child);
    expect(declaredByOthers({ targets, rendered: new Map(), conventional })).toEqual([]);
  });

  test('of one chart for several environments, none declares the other', () => {
    const chart = { origin: { file: 'environments/Chart.yaml' } };
    const dev = target('helm:environments@dev', chart);
    const prod = target('helm:environments@prod', chart);
    const self = (parent: Target) =>
      target(`argocd:argocd/environments@${parent.id}`, { parents: [parent.id], inputs: ['environments/'] });
    const targets = byId(dev, prod, self(dev), self(prod));
    expect(declaredByOthers({ targets, rendered: new Map(), conventional: new Set([dev.id, prod.id]) })).toEqual([]);
  });

  test('in a circle, one of them remains', () => {
    const a = target('kustomize:a', { origin: { file: 'a/kustomization.yaml' } });
    const b = target('kustomize:b', { origin: { file: 'b/kustomization.yaml' } });
    const ofA = target('argocd:argocd/b', { parents: [a.id], inputs: ['b/'] });
    const ofB = target('argocd:argocd/a', { parents: [b.id], inputs: ['a/'] });
    const both = new Set([a.id, b.id]);
    expect(declaredByOthers({ targets: byId(a, b, ofA, ofB), rendered: new Map(), conventional: both })).toEqual([
      a.id,
    ]);
  });
});

describe('an Application in a file that a kustomization reads', () => {
  const overlay = target('kustomize:apps/overlays/eu', {
    inputs: ['apps/base/', 'apps/overlays/eu/kustomization.yaml'],
  });
  const plain = target('argocd:argocd/shop', {
    origin: { file: 'apps/base/shop.yaml' },
    declaredBy: declaration('shop'),
  });
  const child = target('argocd:argocd/cart', { parents: [plain.id] });

  test('is what the kustomization makes of it, with what it rendered', () => {
    const made = target('argocd:argocd/shop-eu', { parents: [overlay.id], declaredBy: declaration('shop-eu') });
    const targets = byId(overlay, plain, child, made);
    const results = new Map([rendered(overlay, manifest('shop-eu'))]);
    expect(renderedInstead({ targets, rendered: results, conventional: new Set() })).toEqual([plain.id, child.id]);
  });

  test.each<[string, Target, RenderResult]>([
    ['did not render', overlay, { ok: false, target: overlay, problem: { kind: 'render', message: 'x' } }],
    ['renders something else', overlay, rendered(overlay, manifest('mail'))[1]],
    ['renders another kind', overlay, rendered(overlay, manifest('shop', 'AppProject'))[1]],
    [
      'reads other files',
      target(overlay.id, { inputs: ['mail/'] }),
      rendered(target(overlay.id, { inputs: ['mail/'] }), manifest('shop'))[1],
    ],
  ])('stays when the kustomization %s', (_name, reader, result) => {
    const targets = byId(reader, plain);
    expect(renderedInstead({ targets, rendered: new Map([[reader.id, result]]), conventional: new Set() })).toEqual([]);
  });

  test('an app-of-apps that reads its own folder does not drop itself', () => {
    const root = target('argocd:argocd/root', {
      origin: { file: 'apps/root.yaml' },
      declaredBy: declaration('root'),
      inputs: ['apps/'],
    });
    const results = new Map([rendered(root, manifest('root'))]);
    expect(renderedInstead({ targets: byId(root), rendered: results, conventional: new Set() })).toEqual([]);
  });
});

describe('scopes of both sides', () => {
  test('a target that stays has the scope of the new side', () => {
    const old = target('kustomize:prod/eu', { scope: 'prod', environment: 'prod' });
    const next = { ...old, scope: 'prod/eu' };
    expect(alignScopes(byId(old), byId(next)).get(old.id)?.scope).toBe('prod/eu');
  });

  test('one that moves to another cluster or goes away keeps the old one', () => {
    const old = target('argocd:argocd/shop', { scope: 'eu', cluster: 'eu' });
    expect(alignScopes(byId(old), byId({ ...old, scope: 'us', cluster: 'us' })).get(old.id)?.scope).toBe('eu');
    expect(alignScopes(byId(old), byId()).get(old.id)?.scope).toBe('eu');
  });
});
