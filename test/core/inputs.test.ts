import { describe, expect, test } from 'vitest';
import { readsPath } from '../../src/core/inputs.ts';

describe('readsPath', () => {
  test.each([
    [['charts/shop/'], 'charts/shop/values.yaml', true],
    [['charts/shop/'], 'charts/shopping/values.yaml', false],
    [['envs/prod.yaml'], 'envs/prod.yaml', true],
    [['envs/prod.yaml'], 'envs/prod.yaml.bak', false],
    [['./'], 'anything/at/all.yaml', true],
    [[], 'envs/prod.yaml', false],
  ])('%j and %s: %s', (inputs, path, expected) => {
    expect(readsPath({ inputs }, path)).toBe(expected);
  });

  test('of unknown inputs nothing is known', () => {
    expect(readsPath({ inputs: 'unknown' }, 'envs/prod.yaml')).toBeUndefined();
  });
});
