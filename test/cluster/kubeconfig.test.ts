import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sameUrl } from '../../src/cluster/connection/connect.ts';
import { readKubeconfig, type KubeconfigChoice } from '../../src/cluster/connection/kubeconfig.ts';
import { proxyFor } from '../../src/cluster/connection/proxy.ts';
import { connectTo, failure, temporaryFolder } from './kit/stand-in.ts';

function write(text: string | object, name = 'config'): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
  return file;
}

function config(names: readonly string[], more: object = {}): object {
  return {
    clusters: names.map((name) => ({ name, cluster: { server: `https://${name}.example.org` } })),
    users: names.map((name) => ({ name, user: { token: `token-${name}` } })),
    contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
    'current-context': names[0],
    ...more,
  };
}

function read(choice: Partial<KubeconfigChoice>) {
  return readKubeconfig({ environment: { HOME: '/nowhere' }, serviceAccountFolder: '/nowhere', ...choice });
}

function problem(choice: Partial<KubeconfigChoice>) {
  return failure(Promise.resolve().then(() => read(choice)));
}

describe('which kubeconfig', () => {
  test('the one that is named', () => {
    const kubeconfig = write(config(['a', 'b']));
    expect(read({ kubeconfig })).toMatchObject({
      context: 'a',
      server: 'https://a.example.org',
      user: { token: 'token-a' },
    });
    expect(read({ kubeconfig, context: 'b' })).toMatchObject({ context: 'b', server: 'https://b.example.org' });
  });
  test('$KUBECONFIG: several files, the first wins, missing ones are passed over', () => {
    const first = write({ ...config(['a']), 'current-context': 'b' });
    const second = write(
      config(['b', 'a'], {
        clusters: [
          { name: 'b', cluster: { server: 'https://second' } },
          { name: 'a', cluster: { server: 'https://other' } },
        ],
      }),
    );
    const KUBECONFIG = ['', '/nowhere/config', first, second].join(delimiter);
    expect(read({ environment: { KUBECONFIG } })).toMatchObject({ context: 'b', server: 'https://second' });
    expect(read({ environment: { KUBECONFIG }, context: 'a' })).toMatchObject({ server: 'https://a.example.org' });
  });
  test('~/.kube/config', () => {
    const HOME = temporaryFolder();
    mkdirSync(join(HOME, '.kube'));
    writeFileSync(join(HOME, '.kube', 'config'), JSON.stringify(config(['home'])));
    expect(read({ environment: { HOME } })).toMatchObject({ context: 'home' });
  });
  test('nothing in the working directory', async () => {
    const here = temporaryFolder();
    const before = process.cwd();
    mkdirSync(join(here, '.kube'));
    for (const name of ['kubeconfig', 'config', '.kube/config'])
      writeFileSync(join(here, name), JSON.stringify(config(['evil'])));
    process.chdir(here);
    try {
      expect(await problem({})).toMatchObject({ code: 'kubeconfig.none', fault: 'user' });
    } finally {
      process.chdir(before);
    }
  });
  test('the service account of a pod', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'token'), 't');
    writeFileSync(join(folder, 'ca.crt'), '-----BEGIN CERTIFICATE-----');
    const environment = { HOME: '/nowhere', KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    expect(read({ environment, serviceAccountFolder: folder })).toMatchObject({
      context: 'in-cluster',
      server: 'https://[fd00::1]:443',
      user: { tokenFile: join(folder, 'token') },
    });
  });
  test('none at all', async () => {
    const error = await problem({});
    expect(error.message).toBe(
      'No cluster is configured: ~/.kube/config names none, and this is no pod with a service account',
    );
    expect(error.next).toContain('--kubeconfig');
  });
  test('a named file that is not there', async () => {
    expect(await problem({ kubeconfig: '/nowhere/x' })).toMatchObject({ code: 'kubeconfig.missing' });
  });
});

describe('which context', () => {
  test('an unknown one, with a suggestion and the list', async () => {
    const error = await problem({ kubeconfig: write(config(['production-eu', 'staging'])), context: 'prodution-eu' });
    expect(error.code).toBe('kubeconfig.unknown-context');
    expect(error.message).toMatch(/has no context prodution-eu; did you mean production-eu\?$/);
    expect(error.next).toBe('It has: production-eu, staging.');
  });
  test('no current one', async () => {
    const error = await problem({ kubeconfig: write(config(['a'], { 'current-context': '' })) });
    expect(error.message).toContain('has no current context');
    expect(error.next).toBe('Name one with --context: a.');
  });
  test.each([
    [{ clusters: [] }, 'names the cluster "a", which is not defined'],
    [{ users: [] }, 'names the user "a", which is not defined'],
    [{ clusters: [{ name: 'a', cluster: {} }] }, 'the cluster has no server'],
    [{ clusters: [{ name: 'a', cluster: { server: 'ftp://x' } }] }, '"ftp://x" is no URL of a server'],
    [{ clusters: [{ name: 'a', cluster: { server: 'https://me:pw@x' } }] }, 'the URL of the server holds a password'],
    [{ clusters: [{ name: 'a', cluster: { server: 5 } }] }, 'server is no text'],
    [{ clusters: [{ cluster: {} }] }, 'an entry of clusters has no name'],
    [
      { users: [{ name: 'a', user: { 'client-certificate': '/nowhere/c' } }] },
      'client-certificate /nowhere/c cannot be read',
    ],
    [
      { users: [{ name: 'a', user: { 'client-certificate-data': 'AAAA' } }] },
      'client-certificate-data is not in PEM form',
    ],
    [{ users: [{ name: 'a', user: { exec: {} } }] }, 'the credential plugin has no command'],
  ])('%j', async (more, why) => {
    const error = await problem({ kubeconfig: write(config(['a'], more)) });
    expect(error).toMatchObject({ code: 'kubeconfig.bad', fault: 'user' });
    expect(error.message).toContain(why);
  });
  test.each(['a: [', '- 1\n', 'a: 1\n---\nb: 1\n'])('no kubeconfig: %j', async (text) => {
    expect(await problem({ kubeconfig: write(text) })).toMatchObject({ code: 'kubeconfig.bad' });
  });
  test('keys that would reach into objects are only keys', async () => {
    const kubeconfig = write('__proto__: {polluted: yes}\nclusters: []\n');
    expect(await problem({ kubeconfig })).toMatchObject({ code: 'kubeconfig.none' });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('what a context says', () => {
  test('files are relative to the kubeconfig', () => {
    const kubeconfig = write({
      ...config(['a']),
      clusters: [{ name: 'a', cluster: { server: 'https://a', 'certificate-authority': 'ca.pem' } }],
      users: [{ name: 'a', user: { tokenFile: 'tokens/t', exec: { apiVersion: 'v', command: './bin/login' } } }],
    });
    const folder = join(kubeconfig, '..');
    writeFileSync(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----');
    expect(read({ kubeconfig })).toMatchObject({
      user: { tokenFile: join(folder, 'tokens/t'), exec: { command: join(folder, 'bin/login'), folder } },
    });
  });
  test.each([
    [{ server: 'api.example.org:6443' }, 'http://api.example.org:6443'],
    [{ server: 'api.example.org:6443', 'insecure-skip-tls-verify': true }, 'https://api.example.org:6443'],
    [{ server: 'https://host/path/' }, 'https://host/path'],
  ])('%j', (cluster, server) => {
    const kubeconfig = write(config(['a'], { clusters: [{ name: 'a', cluster }] }));
    expect(read({ kubeconfig }).server).toBe(server);
  });
});

describe('what the cluster is called', () => {
  const cluster = { server: 'https://API.example.org:443' };
  const knownClusters = [{ name: 'other' }, { name: 'eu-1', server: 'https://api.example.org/' }];
  test('by its context', async () => {
    expect(await connectTo(cluster)).toMatchObject({
      name: 'stand-in',
      named: false,
      url: 'https://API.example.org:443',
    });
  });
  test('by the configuration', async () => {
    expect(await connectTo(cluster, {}, { knownClusters })).toMatchObject({ name: 'eu-1', named: true });
  });
  test('by the operator', async () => {
    const options = { knownClusters, clusterName: 'mine' };
    expect(await connectTo(cluster, {}, options)).toMatchObject({ name: 'mine', named: true });
  });
  test.each([
    ['https://a', 'https://a:443/', true],
    ['https://a/x', 'https://a/', false],
    ['https://a:6443', 'https://a', false],
  ])('%s and %s', (left, right, same) => {
    expect(sameUrl(left, right)).toBe(same);
  });
});

describe('proxyFor', () => {
  const proxy = 'http://proxy.example.org:3128';
  const of = (server: string, environment: Record<string, string>) =>
    proxyFor(new URL(server), undefined, environment)?.host;
  test.each([
    ['https://api.example.org', { HTTPS_PROXY: proxy }, 'proxy.example.org:3128'],
    ['https://api.example.org', { https_proxy: 'proxy.example.org:3128' }, 'proxy.example.org:3128'],
    ['https://api.example.org', { HTTP_PROXY: proxy }, undefined],
    ['https://127.0.0.1:6443', { HTTPS_PROXY: proxy }, undefined],
    ['https://[::1]:6443', { HTTPS_PROXY: proxy }, undefined],
    ['https://localhost', { HTTPS_PROXY: proxy }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: proxy, NO_PROXY: 'other, example.org' }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: proxy, NO_PROXY: '.example.org' }, undefined],
    ['https://example.org', { HTTPS_PROXY: proxy, NO_PROXY: '.example.org' }, 'proxy.example.org:3128'],
    ['https://badexample.org', { HTTPS_PROXY: proxy, NO_PROXY: 'example.org' }, 'proxy.example.org:3128'],
    ['https://api.example.org', { HTTPS_PROXY: proxy, NO_PROXY: 'api.example.org:443' }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: proxy, NO_PROXY: 'api.example.org:6443' }, 'proxy.example.org:3128'],
    ['https://10.1.2.3:6443', { HTTPS_PROXY: proxy, no_proxy: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3:6443', { HTTPS_PROXY: proxy, no_proxy: '10.0.0.0/8,fd00::/8' }, 'proxy.example.org:3128'],
    ['https://[fd00::5]', { HTTPS_PROXY: proxy, no_proxy: 'fd00::/8' }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, undefined],
  ])('%s with %j', (server, environment, expected) => {
    expect(of(server, environment as unknown as Record<string, string>)).toBe(expected);
  });
  test('proxy-url goes first', () => {
    expect(proxyFor(new URL('https://127.0.0.1'), 'socks5://p:1', { NO_PROXY: '*' })?.href).toBe('socks5://p:1');
  });
});
