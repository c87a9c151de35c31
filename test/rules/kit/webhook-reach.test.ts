import { describe, expect, test } from 'vitest';
import { matchesVital, newlyMatched } from '../../../src/rules/kit/webhook-reach.ts';
import { podCreate, resourceCovers, ruleMatches } from '../../../src/rules/kit/webhooks.ts';

const rule = (operations: string[], apiGroups: string[], resources: string[], scope?: string) => ({
  operations,
  apiGroups,
  apiVersions: ['v1'],
  resources,
  ...(scope === undefined ? {} : { scope }),
});

test.each([
  ['pods', 'pods', true],
  ['*', 'pods', true],
  ['*', 'pods/eviction', false],
  ['*/*', 'pods/eviction', true],
  ['*/*', 'pods', true],
  ['pods/*', 'pods', true],
  ['pods/*', 'pods/status', true],
  ['*/status', 'pods', false],
])('%s covers %s: %s', (pattern, resource, expected) => {
  expect(resourceCovers(pattern, resource)).toBe(expected);
});

test('the scope of a rule counts', () => {
  expect(ruleMatches(rule(['CREATE'], [''], ['*'], 'Cluster'), podCreate)).toBe(false);
  expect(ruleMatches(rule(['CREATE'], ['*'], ['*'], 'Namespaced'), podCreate)).toBe(true);
});

describe('newlyMatched', () => {
  test('a list within a star is not new; a star over a list is', () => {
    const list = [rule(['CREATE'], ['apps'], ['deployments'])];
    const star = [rule(['*'], ['*'], ['*/*'])];
    expect(newlyMatched(star, list)).toEqual([]);
    expect(newlyMatched(list, star)).toHaveLength(1);
  });

  test('only the added operation is named', () => {
    const [added] = newlyMatched([rule(['CREATE'], [''], ['pods'])], [rule(['CREATE', 'UPDATE'], [''], ['pods'])]);
    expect(added).toMatchObject({ operations: ['UPDATE'], resources: ['pods'] });
  });

  test('large lists stay cheap', () => {
    const many = [
      rule(
        ['CREATE'],
        ['apps'],
        Array.from({ length: 20_000 }, (_, index) => `kind${index}`),
      ),
    ];
    const start = performance.now();
    expect(newlyMatched(many, many)).toEqual([]);
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});

test('pods, nodes and leases are vital, deployments are not', () => {
  expect(matchesVital([rule(['UPDATE'], ['coordination.k8s.io'], ['leases'])])).toBe(true);
  expect(matchesVital([rule(['CREATE'], ['apps'], ['deployments'])])).toBe(false);
});
