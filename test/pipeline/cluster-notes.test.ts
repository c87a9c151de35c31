import { describe, expect, test } from 'vitest';
import type { ClusterState } from '../../src/core/cluster.ts';
import { clusterNotes } from '../../src/pipeline/cluster-notes.ts';
import { clusterSummary } from '../../src/pipeline/clusters.ts';

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
