import { expect, test } from 'vitest';
import { defaultConfig } from '../../src/config/load.ts';
import type { RenderResult, Target } from '../../src/core/model.ts';
import { expiredWaivers, failures, foldNotes } from '../../src/pipeline/not-evaluated.ts';

const target = (id: string): Target => ({
  id,
  name: id,
  engine: 'kustomize',
  scope: 'production',
  origin: { file: `${id}/kustomization.yaml` },
  parents: [],
  sources: [],
  afterRender: {},
  apply: { mode: 'client-side', prune: 'unknown', automated: false },
  inputs: [`${id}/`],
  rendersTargets: false,
});
const failed = (id: string, message: string): [string, RenderResult] => [
  id,
  { ok: false, target: target(id), problem: { kind: 'missing-input', message } },
];

test('a target that the change reaches and that does not render makes the verdict incomplete, a neighbour does not', () => {
  const results = {
    before: new Map([failed('mine', 'remote base'), failed('neighbour', 'remote base')]),
    after: new Map([failed('mine', 'remote base'), failed('neighbour', 'remote base')]),
  };
  expect(failures(results, new Set(['neighbour'])).map((entry) => [entry.what, entry.weight])).toEqual([
    ['target mine (both sides)', 'incomplete'],
    ['target neighbour (both sides)', 'note'],
  ]);
});

test('notes with one reason are folded, what leaves the verdict open is not', () => {
  const entry = (what: string, reason: string, weight: 'note' | 'incomplete' = 'note') => ({ what, reason, weight });
  const sets = ['a', 'b', 'c', 'd', 'e'].map((name) => entry(`ApplicationSet ${name}`, 'clusters are not known'));
  const open = ['f', 'g', 'h', 'i'].map((name) => entry(`target ${name}`, 'remote base', 'incomplete'));
  const few = ['j', 'k', 'l'].map((name) => entry(`target ${name}`, 'left out'));
  expect(foldNotes([...sets, ...open, ...few])).toEqual([
    entry('ApplicationSet a, b, c and 2 more', 'clusters are not known'),
    ...open,
    ...few,
  ]);
});

test('an expired waiver is said, one in force is not', () => {
  const waiver = { rule: 'replicas-cut', resource: 'Deployment/shop/api', reason: 'night', owner: 'shop' };
  const config = {
    ...defaultConfig(),
    waivers: [
      { ...waiver, expires: '2026-01-31' },
      { ...waiver, expires: '2026-12-31' },
    ],
  };
  expect(expiredWaivers(config, new Date('2026-02-01T00:00:00Z'))).toEqual([
    'the waiver of replicas-cut on Deployment/shop/api (shop) expired on 2026-01-31 and covers nothing any more',
  ]);
});

test('an Application of another repository whose declaration changes is a note, unless its source does', () => {
  const application = (revision: string, automated: boolean): Target => ({
    ...target('shop'),
    engine: 'argocd',
    inputs: [],
    sources: [{ type: 'unsupported', reason: `another repository at ${revision}` }],
    apply: { mode: 'client-side', prune: true, automated },
  });
  const result = (of: Target): ReadonlyMap<string, RenderResult> =>
    new Map([['shop', { ok: false, target: of, problem: { kind: 'unsupported', message: 'another repository' } }]]);
  const weights = (before: Target, after: Target) =>
    failures({ before: result(before), after: result(after) }, new Set()).map((entry) => entry.weight);
  expect(weights(application('v1', true), application('v1', false))).toEqual(['note']);
  expect(weights(application('v1', true), application('v2', true))).toEqual(['incomplete']);
});
