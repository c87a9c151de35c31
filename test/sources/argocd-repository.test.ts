import { describe, expect, it } from 'vitest';
import {
  isLocalRepository,
  normalizeRepositoryUrl,
  repositoryName,
  sameRepository,
} from '../../src/sources/repository.ts';

describe('sameRepository', () => {
  const same: readonly (readonly [string, string])[] = [
    ['git@github.com:acme/Shop.git', 'https://github.com/acme/shop'],
    ['https://github.com/acme/shop/', 'https://github.com/acme/shop.git'],
    ['https://GitHub.com/acme/shop', 'ssh://git@github.com:22/acme/shop.git'],
    ['ssh://git@ssh.github.com:443/acme/shop.git', 'git@github.com:acme/shop'],
    ['https://user:token@git.example.org/acme/shop.git', 'https://git.example.org/acme/shop'],
    ['https://git.example.org:443/acme/shop', 'https://git.example.org/acme/shop'],
    ['http://git.example.org:80/acme/shop', 'https://git.example.org/acme/shop'],
    ['ssh://git@git.example.org:2222/acme/shop.git', 'https://git.example.org/acme/shop'],
    ['git@gitlab.example.org:Group/Sub/shop.git', 'https://gitlab.example.org/group/sub/shop'],
    ['git@ssh.dev.azure.com:v3/acme/platform/shop', 'https://acme@dev.azure.com/acme/platform/_git/shop'],
    [
      'https://acme.visualstudio.com/DefaultCollection/platform/_git/shop',
      'https://dev.azure.com/acme/platform/_git/shop',
    ],
    ['acme@vs-ssh.visualstudio.com:v3/acme/platform/shop', 'https://dev.azure.com/acme/platform/_git/shop'],
    ['https://dev.azure.com/acme/_git/shop', 'git@ssh.dev.azure.com:v3/acme/shop/shop'],
    ['https://dev.azure.com/acme/my%20project/_git/shop', 'git@ssh.dev.azure.com:v3/acme/my project/shop'],
    ['https://stash.example.org/scm/PLAT/shop.git', 'ssh://git@stash.example.org:7999/plat/shop.git'],
    ['/srv/git/shop.git', 'file:///srv/git/shop'],
    ['  https://github.com/acme/shop  ', 'https://github.com/acme//shop'],
  ];
  it.each(same)('%s = %s', (a, b) => {
    expect(sameRepository(a, b)).toBe(true);
    expect(sameRepository(b, a)).toBe(true);
  });

  const different: readonly (readonly [string, string])[] = [
    ['https://github.com/acme/shop', 'https://github.com/acme/shop-config'],
    ['https://github.com/acme/shop', 'https://gitlab.com/acme/shop'],
    ['https://git.example.org/Acme/shop', 'https://git.example.org/acme/shop'],
    ['https://git.example.org:8443/acme/shop', 'https://git.example.org/acme/shop'],
    ['https://dev.azure.com/acme/a/_git/shop', 'https://dev.azure.com/acme/b/_git/shop'],
    ['', ''],
    ['https://github.com/acme/shop', ''],
  ];
  it.each(different)('%s is not %s', (a, b) => {
    expect(sameRepository(a, b)).toBe(false);
  });
});

describe('parts of a repository URL', () => {
  it('names the repository', () => {
    expect(repositoryName('git@github.com:acme/Shop-Config.git')).toBe('shop-config');
    expect(repositoryName('')).toBe('');
  });
  it('tells local clones from real addresses', () => {
    expect(isLocalRepository('/srv/git/shop')).toBe(true);
    expect(isLocalRepository('../shop')).toBe(true);
    expect(isLocalRepository('git@github.com:acme/shop')).toBe(false);
  });
  it('keeps malformed percent escapes', () => {
    expect(normalizeRepositoryUrl('https://git.example.org/a%zz')).toBe('git.example.org/a%zz');
  });
});
