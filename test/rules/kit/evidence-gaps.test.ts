import { expect, test } from 'vitest';
import type { ClusterState } from '../../../src/core/cluster.ts';
import type { Entry, ResourceChange, Target } from '../../../src/core/model.ts';
import { rules } from '../../../src/rules/index.generated.ts';
import { evidenceGaps } from '../../../src/rules/kit/evidence-gaps.ts';
import { buildLiveWorld } from '../../../src/rules/kit/world.ts';

const target = { id: 'argocd:shop', name: 'shop', scope: 'eu-1' } as Target;
const ref = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'api' };
const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api', namespace: 'shop' } };
const entry = { ref, object, effective: object, target } as unknown as Entry;
const change: ResourceChange = {
  action: 'changed',
  ref,
  target: target.id,
  before: entry,
  after: entry,
  fields: [],
  impact: 'restart',
} as unknown as ResourceChange;

const everything = new Set(rules.flatMap((rule) => rule.live));
const state = (part: Partial<ClusterState>): ClusterState => ({
  name: 'eu-1',
  objects: [],
  pods: [],
  helmReleases: [],
  metrics: [],
  services: [],
  unread: [],
  kinds: everything,
  allNamespaces: true,
  ...part,
});
const gaps = (part: Partial<ClusterState>) =>
  evidenceGaps(rules, [change], (scope) => (scope === 'eu-1' ? buildLiveWorld(state(part)) : undefined));

test('everything was read: nothing to say', () => {
  expect(gaps({})).toEqual([]);
});

test('a forbidden kind names the rules that judge a Deployment without it, and what to do', () => {
  const reason = 'list is forbidden for system:serviceaccount:gate:reader';
  const next = 'Grant list on nodes.';
  const [note, ...others] = gaps({ unread: [{ kind: '/Node', reason, next }] });
  expect(others).toEqual([]);
  expect(note).toMatchObject({ what: 'Node of eu-1', next, weight: 'note' });
  expect(note?.reason).toContain(reason);
  expect(note?.reason).toContain('unschedulable-after-change');
  expect(note?.reason).not.toContain('traffic-policy-changed');
});

test('kinds with the same reason are one note; a namespace that the change does not touch is none', () => {
  const reason = 'the server did not answer in time';
  const unread = [
    { kind: '/Node', reason },
    { kind: '/Pod', reason },
    { kind: '/Secret', reason, namespaces: ['billing'] },
  ];
  expect(gaps({ unread }).map(({ what }) => what)).toEqual(['Node, Pod of eu-1']);
});

test('kinds that a dump does not hold are one note; custom resources that nobody may have are not among them', () => {
  const [note, ...others] = gaps({ kinds: new Set(['apps/Deployment']) });
  expect(others).toEqual([]);
  expect(note?.what).toMatch(/\bNode\b/);
  expect(note?.what).not.toMatch(/NodePool|Rollout/);
  expect(note?.reason).toMatch(/^not in the evidence; judged without it: /);
});

test('Helm releases go by their name', () => {
  const reason = 'list is forbidden';
  expect(gaps({ unread: [{ kind: 'helm/Release', reason }] }).map(({ what }) => what)).toEqual([
    'Helm releases of eu-1',
  ]);
});

test('a live cluster was asked for what is needed: a kind that nobody asked for is no gap', () => {
  expect(gaps({ kinds: new Set(['apps/Deployment']), server: 'https://127.0.0.1:6443' })).toEqual([]);
});

test('no cluster, no note: the report says that of the target', () => {
  expect(evidenceGaps(rules, [change], () => undefined)).toEqual([]);
});
