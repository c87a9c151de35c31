import { expect, test } from 'vitest';
import { detectKustomize } from '../../src/sources/kustomize.ts';
import { testConfig, treeOf } from '../kit/sources.ts';

const base = 'resources: [cm.yaml]\n';
const overlay = (...resources: readonly string[]): string => `resources: [${resources.join(', ')}]\n`;

function scopes(files: Readonly<Record<string, string>>): Record<string, string> {
  const tree = treeOf(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`${path}/kustomization.yaml`, text])),
  );
  return Object.fromEntries(
    detectKustomize(tree, testConfig()).map((target) => [
      target.sources[0]?.type === 'kustomize' ? target.sources[0].path : '',
      target.scope,
    ]),
  );
}

test('overlays of one environment share a scope', () => {
  expect(
    scopes({
      'shop/base': base,
      'shop/overlays/production': overlay('../../base'),
      'mail/base': base,
      'mail/overlays/production': overlay('../../base'),
    }),
  ).toEqual({ 'shop/overlays/production': 'production', 'mail/overlays/production': 'production' });
});

test('two names of one environment are two clusters', () => {
  expect(
    scopes({ base, 'overlays/eu-prod': overlay('../../base'), 'overlays/us-prod': overlay('../../base') }),
  ).toEqual({ 'overlays/eu-prod': 'eu-prod', 'overlays/us-prod': 'us-prod' });
});

test('folders below the environment are clusters when several applications have one of them', () => {
  expect(
    scopes({
      'shop/production/eu': base,
      'shop/production/us': base,
      'mail/production/eu': base,
      'mail/production/eu/extra': base,
      'mail/staging/eu': base,
    }),
  ).toEqual({
    'shop/production/eu': 'production/eu',
    'shop/production/us': 'production/us',
    'mail/production/eu': 'production/eu',
    'mail/production/eu/extra': 'production/eu',
    'mail/staging/eu': 'staging',
  });
});

test('neighbours that are built from the same bases are clusters', () => {
  expect(
    scopes({
      base,
      'overlays/prod/common': overlay('../../../base'),
      'overlays/prod/eu': overlay('../common'),
      'overlays/prod/us': overlay('../common'),
    }),
  ).toEqual({ 'overlays/prod/eu': 'prod/eu', 'overlays/prod/us': 'prod/us' });
});

test('applications of one environment share its scope', () => {
  expect(
    scopes({
      'base/shop': base,
      'base/mail': base,
      'base/common': base,
      'production/shop': overlay('../../base/shop', '../../base/common'),
      'production/mail': overlay('../../base/mail', '../../base/common'),
    }),
  ).toEqual({ 'production/shop': 'production', 'production/mail': 'production' });
});

test('without an environment each overlay stands for itself', () => {
  expect(scopes({ 'overlays/eu': base, 'overlays/us': base })).toEqual({
    'overlays/eu': 'kustomize:overlays/eu',
    'overlays/us': 'kustomize:overlays/us',
  });
});
