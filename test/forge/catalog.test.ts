import { describe, expect, it } from 'vitest';
import { catalogOwners } from '../../src/forge/catalog.ts';

const entity = (owner: string) =>
  `apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: x}\nspec: {owner: ${owner}}\n`;
const owners = (files: Readonly<Record<string, string>>, path = 'apps/shop/envs/prod.yaml') =>
  catalogOwners(path, (file) => (Object.hasOwn(files, file) ? files[file] : undefined), 'acme');

describe('catalogOwners', () => {
  it.each([
    ['shop', '@acme/shop'],
    ['group:shop', '@acme/shop'],
    ['group:default/shop', '@acme/shop'],
    ['default/shop', '@acme/shop'],
    ['Group:default/shop', '@acme/shop'],
    ['user:default/mia', '@mia'],
    ['user:mia', '@mia'],
    ['"system:x"', 'system:x'],
    ['"user:a b"', 'user:a b'],
    ['"@mia"', '@mia'],
  ])('%s is %s', (owner, wanted) => {
    expect(owners({ 'catalog-info.yaml': entity(owner) })).toEqual([wanted]);
  });

  it('the nearest file decides', () => {
    const files = { 'catalog-info.yaml': entity('root'), 'apps/shop/catalog-info.yaml': entity('shop') };
    expect(owners(files)).toEqual(['@acme/shop']);
    expect(owners(files, 'apps/other/x.yaml')).toEqual(['@acme/root']);
    expect(owners(files, 'x.yaml')).toEqual(['@acme/root']);
    expect(owners({})).toEqual([]);
  });

  it('takes every entity of the file, each owner once', () => {
    const text = [entity('shop'), entity('shop'), entity('user:mia'), 'kind: Location\nspec: {targets: []}\n'].join(
      '---\n',
    );
    expect(owners({ 'catalog-info.yaml': text })).toEqual(['@acme/shop', '@mia']);
  });

  it('a file that cannot be read names nobody that anybody is', () => {
    expect(owners({ 'catalog-info.yaml': 'a: [' })).toEqual(['somebody in catalog-info.yaml, which cannot be read']);
    expect(owners({ 'catalog-info.yaml': 'a'.repeat(1_000_001) })).toHaveLength(1);
  });
});
