import { describe, expect, it } from 'vitest';
import { environmentOf } from '../../src/sources/environment.ts';
import { testConfig } from '../kit/sources.ts';

const environment = (
  name: string,
  match: readonly string[] = [],
): { name: string; production: boolean; match: readonly string[]; onIncomplete: 'fail' } => ({
  name,
  production: false,
  match,
  onIncomplete: 'fail',
});

describe('environmentOf', () => {
  const base = { config: testConfig(), id: 'argocd:argocd/shop', name: 'shop', paths: [], labels: {} };
  it.each([
    [{ paths: ['overlays/prod'] }, 'prod'],
    [{ paths: ['overlays/Production/app.yaml'] }, 'Production'],
    [{ paths: ['charts/shop', 'charts/shop/values-staging.yaml'] }, 'staging'],
    [{ paths: ['clusters/prod-eu-1/apps'] }, 'prod'],
    [{ paths: ['apps/test/prod'] }, 'prod'],
    [{ paths: ['apps/test'] }, 'test'],
    [{ paths: ['envs/dev/qa'] }, 'dev'],
    [{ paths: ['apps/pre-prod/shop'] }, 'pre-prod'],
    [{ paths: ['apps/shop-nonprod'] }, undefined],
    [{ paths: ['apps/shop-non-prod'] }, 'non-prod'],
    [{ paths: ['apps/product'] }, undefined],
    [{ paths: ['livestream/app'] }, undefined],
    [{ cluster: 'eu-prod-1', paths: ['overlays/dev'] }, 'prod'],
    [{ labels: { env: 'blue' }, cluster: 'eu-prod-1' }, 'blue'],
    [{ labels: { stage: '' }, paths: ['uat'] }, 'uat'],
    [{ name: 'shop-prod' }, 'prod'],
    [{ name: 'shop-prod', paths: ['envs/dev'] }, 'dev'],
    [{}, undefined],
  ])('%j -> %s', (evidence, expected) => {
    expect(environmentOf({ ...base, ...evidence })).toBe(expected);
  });

  it('gate.yaml decides first, then the cluster of gate.yaml', () => {
    const config = testConfig({
      environments: [environment('production', ['*-live', 'clusters/eu/**', 'argocd:argocd/pay*'])],
      clusters: [{ name: 'hub', environment: 'operations', labels: {}, annotations: {} }],
    });
    expect(environmentOf({ ...base, config, name: 'shop-live', labels: { env: 'dev' } })).toBe('production');
    expect(environmentOf({ ...base, config, paths: ['clusters/eu/a/b.yaml'] })).toBe('production');
    expect(environmentOf({ ...base, config, id: 'argocd:argocd/payments' })).toBe('production');
    expect(environmentOf({ ...base, config, cluster: 'hub', labels: { env: 'dev' } })).toBe('operations');
  });

  it('a name of gate.yaml is found in paths, in its spelling there', () => {
    const config = testConfig({ environments: [environment('Blue'), environment('prod')] });
    expect(environmentOf({ ...base, config, paths: ['envs/blue/shop'] })).toBe('Blue');
    expect(environmentOf({ ...base, config, paths: ['envs/PROD/shop'] })).toBe('prod');
  });

  it('a label named like a property of every object is not read', () => {
    expect(
      environmentOf({ ...base, labels: Object.create({ env: 'inherited' }) as Record<string, string> }),
    ).toBeUndefined();
  });
});
