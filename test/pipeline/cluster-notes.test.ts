import { describe, expect, test } from 'vitest';
import { silentProgress } from '../../src/cli/progress.ts';
import type { ClusterState } from '../../src/core/cluster.ts';
import type { Cluster } from '../../src/core/ports.ts';
import { clusterNotes } from '../../src/pipeline/cluster-notes.ts';
import { clusterSummary, openClusters } from '../../src/pipeline/clusters.ts';

const now = new Date('2026-11-20T10:00:00Z');

function state(fields: Partial<ClusterState>): ClusterState {
  return {
    name: 'eu-1',
    objects: [],
    pods: [],
    helmReleases: [],
    metrics: [],
    services: [],
    kinds: new Set(),
    allNamespaces: true,
    unread: [],
    ...fields,
  };
}

describe('drift of a kind that was read in some namespaces only', () => {
  const partly = state({
    kindsInNamespaces: new Map([['/Service', new Set(['shop'])]]),
    unread: [{ kind: '/Service', reason: 'list is forbidden for ci outside of the namespace shop' }],
  });
  const notes = (...namespaces: readonly string[]) =>
    clusterNotes({
      open: [],
      assigned: new Map(),
      states: [partly],
      selection: [],
      kinds: new Map([['/Service', new Set(namespaces)]]),
      now,
    }).map(({ what }) => what);
  test('no word when all objects of the change lie there', () => {
    expect(notes('shop')).toEqual([]);
  });
  test('a note when one lies elsewhere', () => {
    expect(notes('shop', 'billing')).toEqual(['drift of Service in eu-1']);
  });
});

describe('kinds of the change that the evidence does not have', () => {
  const notes = (fields: Partial<ClusterState>) =>
    clusterNotes({
      open: [],
      assigned: new Map(),
      states: [state(fields)],
      selection: [],
      kinds: new Map([
        ['example.org/Widget', new Set(['shop'])],
        ['/Service', new Set(['shop'])],
      ]),
      now,
    }).map(({ what, reason, next }) => [what, reason, next]);
  const apiVersions = ['v1', 'v1/Service', 'example.org/v1', 'example.org/v1/Widget'];
  test('the API server of the group is away', () => {
    const unread = [{ kind: 'example.org/*', reason: 'it does not answer', next: 'Look.' }];
    expect(notes({ unread })).toEqual([['drift of example.org/Widget in eu-1', 'it does not answer', 'Look.']]);
  });
  test('what the server failed at leaves the verdict open; what it refused does not', () => {
    const weights = (failed: boolean) =>
      clusterNotes({
        open: [],
        assigned: new Map(),
        states: [state({ unread: [{ kind: '/Service', reason: 'answered 3 times with 503', failed }] })],
        selection: [],
        kinds: new Map([['/Service', new Set(['shop'])]]),
        now,
      }).map(({ weight }) => weight);
    expect([weights(true), weights(false)]).toEqual([['incomplete'], ['note']]);
  });
  test('a snapshot that was not told to write it', () => {
    expect(notes({ apiVersions, kinds: new Set(['/Service']) })).toEqual([
      [
        'drift of example.org/Widget in eu-1',
        'not in the snapshot',
        'Take it with gate snapshot --kind example.org/Widget.',
      ],
    ]);
  });
  test.each([
    ['it is there', { apiVersions, kinds: new Set(['/Service', 'example.org/Widget']) }],
    ['the cluster does not serve it', { apiVersions: ['v1', 'v1/Service'], kinds: new Set(['/Service']) }],
    ['the cluster was asked for it', { apiVersions, kinds: new Set(['/Service']), server: 'https://127.0.0.1:6443' }],
  ])('no word when %s', (_why, fields) => {
    expect(notes(fields)).toEqual([]);
  });
});

test('two pieces of evidence of one name: none of them wins in silence', async () => {
  const cluster = (name: string): Cluster => ({
    live: false,
    describe: () => Promise.resolve({ name }),
    read: () => Promise.reject(new Error('not asked')),
  });
  const open = (...names: readonly string[]) => openClusters(names.map(cluster), silentProgress);
  await expect(open('eu-1', 'us-1', 'eu-1')).rejects.toMatchObject({ code: 'usage.conflict', fault: 'user' });
  expect((await open('eu-1', 'us-1')).open).toHaveLength(2);
});

describe('the age of a snapshot', () => {
  test.each([
    ['2026-11-20T09:00:00Z', 3600],
    ['2026-11-20T10:05:00Z', 0],
    ['2031-01-01T00:00:00Z', undefined],
    ['yesterday', undefined],
  ])('%s: %s', (takenAt, seconds) => {
    expect(clusterSummary(state({ takenAt }), false, now).ageSeconds).toBe(seconds);
  });
});
