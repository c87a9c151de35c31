import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDiskCache } from '../../src/cluster/reading/disk-cache.ts';
import { discover, servedKind } from '../../src/cluster/reading/discovery.ts';
import { createOpenApi } from '../../src/cluster/reading/open-api.ts';
import { connectTo, failure, standIn, temporaryFolder, type Handler } from './kit/stand-in.ts';

const kind = (group: string, version: string, name: string) => ({ responseKind: { group, version, kind: name } });
const resource = (group: string, version: string, plural: string, name: string, more: object = {}) => ({
  resource: plural,
  ...kind(group, version, name),
  scope: 'Namespaced',
  verbs: ['get', 'list'],
  ...more,
});

const core = {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: {},
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            resource('', 'v1', 'pods', 'Pod', {
              subresources: [
                { subresource: 'eviction', ...kind('policy', 'v1', 'Eviction'), verbs: ['create'] },
                { subresource: 'nothing', responseKind: null, verbs: ['get'] },
              ],
            }),
            resource('', 'v1', 'nodes', 'Node', { scope: 'Cluster' }),
          ],
        },
      ],
    },
  ],
};

const groups = {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: { name: 'example.org' },
      versions: [
        { version: 'v2', freshness: 'Current', resources: [resource('example.org', 'v2', 'shops', 'Shop')] },
        {
          version: 'v1',
          freshness: 'Current',
          resources: [resource('example.org', 'v1', 'shops', 'Shop'), resource('example.org', 'v1', 'stalls', 'Stall')],
        },
      ],
    },
    { metadata: { name: 'metrics.k8s.io' }, versions: [{ version: 'v1beta1', freshness: 'Stale', resources: [] }] },
  ],
};

function aggregated(): Handler {
  return ({ url }) => ({ body: url === '/version' ? { gitVersion: 'v1.34.3' } : url === '/api' ? core : groups });
}

describe('aggregated discovery', () => {
  test('kinds, with the preferred version of each', async () => {
    const server = await standIn(aggregated());
    const found = await discover(await connectTo({ server: server.url }));
    expect(found.kubernetesVersion).toBe('v1.34.3');
    expect(
      found.kinds.map((entry) => `${entry.group}/${entry.version}/${entry.kind} ${entry.plural} ${entry.preferred}`),
    ).toEqual([
      '/v1/Pod pods true',
      '/v1/Node nodes true',
      'example.org/v2/Shop shops true',
      'example.org/v1/Shop shops false',
      // Only v1 has it.
      'example.org/v1/Stall stalls true',
    ]);
    expect(found.kinds[1]).toMatchObject({ namespaced: false, verbs: ['get', 'list'] });
    expect(server.requests.map(({ url }) => String(url)).toSorted()).toEqual(['/api', '/apis', '/version']);
    expect(servedKind(found, 'example.org', 'Shop')?.version).toBe('v2');
    expect(servedKind(found, 'example.org', 'Shop', 'v1')?.version).toBe('v1');
    expect(servedKind(found, 'example.org', 'Shop', 'v3')).toBeUndefined();
  });
  test('API versions as Helm has them: groups, kinds, and kinds of subresources', async () => {
    const server = await standIn(aggregated());
    const found = await discover(await connectTo({ server: server.url }));
    expect(found.apiVersions).toEqual([
      'example.org/v1',
      'example.org/v1/Shop',
      'example.org/v1/Stall',
      'example.org/v2',
      'example.org/v2/Shop',
      'v1',
      'v1/Eviction',
      'v1/Node',
      'v1/Pod',
    ]);
  });
  test('a group whose server is away is named and hides nothing else', async () => {
    const server = await standIn(aggregated());
    expect((await discover(await connectTo({ server: server.url }))).stale).toEqual(['metrics.k8s.io/v1beta1']);
  });
  test('is asked again, and confirmed by its ETag', async () => {
    const server = await standIn((request, response) => {
      const answer = aggregated()(request, response);
      if (request.url === '/version') return answer;
      if (request.headers['if-none-match'] === `"${request.url}"`) return { status: 304, body: '' };
      return { headers: { etag: `"${request.url}"` }, body: answer?.body };
    });
    const folder = join(temporaryFolder(), 'cache');
    const api = await connectTo({ server: server.url });
    const first = await discover(api, createDiskCache(folder));
    const second = await discover(api, createDiskCache(folder));
    expect(second).toEqual(first);
    expect(server.requests).toHaveLength(6);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder)) writeFileSync(join(folder, file), '{"etag": 1');
    expect(await discover(api, createDiskCache(folder))).toEqual(first);
  });
});

describe('classic discovery', () => {
  const list = (name: string, namespaced: boolean, ofKind: string) => ({
    name,
    namespaced,
    kind: ofKind,
    verbs: ['list'],
  });
  const answers: Record<string, object> = {
    '/version': { gitVersion: 'v1.25.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': { resources: [list('pods', true, 'Pod'), list('pods/eviction', true, 'Eviction')] },
    '/apis': {
      kind: 'APIGroupList',
      groups: [
        {
          name: 'apps',
          versions: [{ version: 'v1' }, { version: 'v1beta1' }],
          preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
        },
        { name: 'metrics.k8s.io', versions: [{ version: 'v1beta1' }], preferredVersion: { version: 'v1beta1' } },
      ],
    },
    '/apis/apps/v1': { resources: [list('deployments', true, 'Deployment')] },
    '/apis/apps/v1beta1': { resources: [list('deployments', true, 'Deployment')] },
  };
  test('one request per group and version; one that fails is named', async () => {
    const server = await standIn(({ url = '' }) => {
      const body = answers[url];
      return body === undefined
        ? { status: 503, headers: { 'retry-after': '0' }, body: 'service unavailable' }
        : { body };
    });
    const found = await discover(await connectTo({ server: server.url }));
    expect(found.kinds.map((entry) => `${entry.group}/${entry.version}/${entry.kind} ${entry.preferred}`)).toEqual([
      '/v1/Pod true',
      'apps/v1/Deployment true',
      'apps/v1beta1/Deployment false',
    ]);
    expect(found.stale).toEqual(['metrics.k8s.io/v1beta1']);
    expect(found.apiVersions).toContain('v1/Eviction');
    expect(found.apiVersions).not.toContain('metrics.k8s.io/v1beta1');
  });
});

describe('a server that is none', () => {
  test('a version without gitVersion', async () => {
    const server = await standIn(() => ({ body: { hello: 'world' } }));
    const error = await failure(discover(await connectTo({ server: server.url })));
    expect(error).toMatchObject({ code: 'cluster.bad-answer' });
    expect(error.message).toContain('/version names no gitVersion');
  });
  test('a user who may see nothing', async () => {
    const server = await standIn(({ url }) =>
      url === '/version'
        ? { body: { gitVersion: 'v1.34.3' } }
        : { status: 403, body: { message: 'forbidden: User "system:anonymous" cannot get path "/api"' } },
    );
    const error = await failure(discover(await connectTo({ server: server.url }, {})));
    expect(error).toMatchObject({ code: 'cluster.unauthorized', fault: 'user' });
    expect(error.message).toContain('User "system:anonymous" cannot get path');
  });
});

describe('OpenAPI', () => {
  const index = {
    paths: {
      'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=AB' },
      'apis/x/v1': { serverRelativeURL: 'https://evil/x' },
    },
  };
  const document = { components: { schemas: { Pod: {} } } };
  test('only what is asked for, and each document once per hash', async () => {
    const server = await standIn(({ url }) => ({ body: url === '/openapi/v3' ? index : document }));
    const api = await connectTo({ server: server.url });
    const cache = createDiskCache(join(temporaryFolder(), 'cache'));
    const first = createOpenApi(api, cache);
    expect(await first('', 'v1')).toEqual(document);
    expect(await first('', 'v1')).toEqual(document);
    expect(await first('apps', 'v1')).toBeUndefined();
    expect(await first('x', 'v1')).toBeUndefined();
    expect(await createOpenApi(api, cache)('', 'v1')).toEqual(document);
    expect(server.requests.map(({ url }) => url)).toEqual(['/openapi/v3', '/openapi/v3/api/v1?hash=AB', '/openapi/v3']);
  });
  test('a server without OpenAPI v3', async () => {
    const server = await standIn(() => ({ status: 404, body: '404 page not found' }));
    expect(await createOpenApi(await connectTo({ server: server.url }))('apps', 'v1')).toBeUndefined();
  });
});

describe('the cache', () => {
  test('forgets what was not used longest', () => {
    const folder = join(temporaryFolder(), 'cache');
    const cache = createDiskCache(folder);
    for (let index = 0; index < 510; index++) cache.write(`key ${index}`, { index });
    expect(readdirSync(folder).length).toBeLessThanOrEqual(500);
    expect(cache.read('key 509')).toEqual({ index: 509 });
  });
  test('a folder that cannot be written is no error', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const cache = createDiskCache(join(file, 'cache'));
    cache.write('a', {});
    expect(cache.read('a')).toBeUndefined();
  });
});
