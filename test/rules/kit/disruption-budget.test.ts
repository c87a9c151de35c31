import { describe, expect, test } from 'vitest';
import { allowanceOf, guards, type Budget } from '../../../src/rules/kit/disruption-budget.ts';
import type { LabelSelector } from '../../../src/rules/kit/select.ts';

function budget(spec: Record<string, unknown>, version = 'v1'): Budget {
  const object = { apiVersion: `policy/${version}`, kind: 'PodDisruptionBudget', metadata: { name: 'b' }, spec };
  return { object, name: 'b', namespace: 'default', selector: spec['selector'] as LabelSelector | undefined };
}

describe('allowed evictions when all pods are healthy', () => {
  // One row per number of pods: minAvailable 50%, 66%, 75%, 80%, 90%, then maxUnavailable 20%, 25%.
  test.each([
    [1, [0, 0, 0, 0, 0, 1, 1]],
    [2, [1, 0, 0, 0, 0, 1, 1]],
    [3, [1, 1, 0, 0, 0, 1, 1]],
    [4, [2, 1, 1, 0, 0, 1, 1]],
    [5, [2, 1, 1, 1, 0, 1, 2]],
    [10, [5, 3, 2, 2, 1, 2, 3]],
  ])('%i pods', (pods, expected) => {
    const specs = [
      ...['50%', '66%', '75%', '80%', '90%'].map((minAvailable) => ({ minAvailable })),
      ...['20%', '25%'].map((maxUnavailable) => ({ maxUnavailable })),
    ];
    expect(specs.map((spec) => allowanceOf(budget(spec), pods)?.allowed)).toEqual(expected);
  });

  test('unhealthy pods use the budget up', () => {
    expect(allowanceOf(budget({ maxUnavailable: 1 }), 4, 3)).toEqual({ pods: 4, desiredHealthy: 3, allowed: 0 });
    expect(allowanceOf(budget({ minAvailable: '80%' }), 4, 0)).toEqual({ pods: 4, desiredHealthy: 4, allowed: 0 });
  });

  test('maxUnavailable above the number of pods requires none', () => {
    expect(allowanceOf(budget({ maxUnavailable: 5 }), 3)).toEqual({ pods: 3, desiredHealthy: 0, allowed: 3 });
  });

  test('without a field, and without pods, nothing may go', () => {
    expect(allowanceOf(budget({}), 3)?.allowed).toBe(0);
    expect(allowanceOf(budget({ maxUnavailable: 1 }), 0)?.allowed).toBe(0);
  });

  test.each([['50'], ['half'], [-1], [1.5], [{}]])('%j is refused by the API server', (value) => {
    expect(allowanceOf(budget({ minAvailable: value }), 3)).toBeUndefined();
  });
});

test('an empty selector guards everything in v1, nothing in v1beta1; an absent one nothing', () => {
  expect(guards(budget({ selector: {} }), { app: 'web' })).toBe(true);
  expect(guards(budget({ selector: {} }, 'v1beta1'), { app: 'web' })).toBe(false);
  expect(guards(budget({}), { app: 'web' })).toBe(false);
});
