import { describe, expect, test } from 'vitest';
import { createLiveCluster } from '../../src/cluster/kubernetes.ts';
import { createExec } from '../../src/render/exec.ts';
import type { WantedKind } from '../../src/core/cluster.ts';
import { after, failure, standIn, writeConfig, type Handler } from './kit/stand-in.ts';

const kinds: readonly (readonly [string, string])[] = [
  ['pods', 'Pod'],
  ['secrets', 'Secret'],
  ['configmaps', 'ConfigMap'],
  ['nodes', 'Node'],
];

/** An API server with core kinds, whose lists are answered by `lists`. */
function server(lists: Handler): Handler {
  return (request, response) => {
    switch (request.url) {
      case '/version':
        return { body: { gitVersion: 'v1.34.3' } };
      case '/apis':
        return { body: { kind: 'APIGroupDiscoveryList', items: [] } };
      case '/api':
        return {
          body: {
            kind: 'APIGroupDiscoveryList',
            items: [
              {
                versions: [
                  {
                    version: 'v1',
                    resources: kinds.map(([resource, kind]) => ({
                      resource,
                      responseKind: { group: '', version: 'v1', kind },
                      scope: kind === 'Node' ? 'Cluster' : 'Namespaced',
                      verbs: ['list'],
                    })),
                  },
                ],
              },
            ],
          },
        };
      default:
        return lists(request, response);
    }
  };
}

async function live(lists: Handler, deadlineMs = 5_000) {
  const { url, requests } = await standIn(server(lists));
  const cluster = createLiveCluster({
    exec: createExec(),
    kubeconfig: writeConfig({ server: url }),
    environment: { PATH: process.env['PATH'] },
    cacheFolder: false,
    redactKey: new Uint8Array(32),
    deadlineMs,
    now: () => new Date('2026-11-20T10:00:00.123Z'),
  });
  after(() => cluster.close?.());
  return { cluster, requests, url };
}

const wanted: readonly WantedKind[] = [{ kind: '/ConfigMap', namespaces: ['shop'] }, { kind: '/Node' }];

describe('reading a cluster', () => {
  test('nothing is asked before the first call, and the description is asked for once', async () => {
    const { cluster, requests, url } = await live(() => ({ body: { items: [] } }));
    expect(requests).toEqual([]);
    expect(await cluster.describe()).toEqual({
      name: 'stand-in',
      server: url,
      kubernetesVersion: 'v1.34.3',
      apiVersions: ['v1', 'v1/ConfigMap', 'v1/Node', 'v1/Pod', 'v1/Secret'],
    });
    const state = await cluster.read(wanted);
    expect(state.takenAt).toBe('2026-11-20T10:00:00Z');
    expect(requests).toHaveLength(5);
  });
  test('one kind that fails leaves the others', async () => {
    const { cluster } = await live(({ url }) =>
      url?.includes('nodes') === true
        ? { status: 500, body: { message: 'etcd' } }
        : { body: { items: [{ metadata: { name: 'a' } }] } },
    );
    const state = await cluster.read(wanted);
    expect(state.objects).toHaveLength(1);
    expect(state.unread).toMatchObject([{ kind: '/Node', reason: expect.stringContaining('500 (etcd)') as string }]);
  });
  test('a server that fails at everything is an outage', async () => {
    const { cluster } = await live(() => ({ status: 500, body: { message: 'etcd' } }));
    expect(await failure(cluster.read(wanted))).toMatchObject({ code: 'cluster.overloaded' });
  });
  test('a storm of 429 ends within the deadline', async () => {
    const { cluster } = await live(() => ({ status: 429, headers: { 'retry-after': '1' }, body: {} }), 1500);
    const began = performance.now();
    expect(await failure(cluster.read(wanted))).toMatchObject({
      code: expect.stringMatching(/^cluster\.(?:overloaded|timeout)$/) as string,
    });
    expect(performance.now() - began).toBeLessThan(2500);
  });
  test('a server that stops answering is an outage', async () => {
    const { cluster } = await live(() => undefined, 900);
    expect(await failure(cluster.read(wanted))).toMatchObject({ code: 'cluster.timeout' });
  });
  test('forbidden everywhere: an empty picture is not taken for one that was read', async () => {
    const { cluster } = await live(() => ({ status: 403, body: { message: 'forbidden: User "x" cannot' } }));
    // A kind that the server does not have is no answer about those that it has.
    const error = await failure(cluster.read([...wanted, { kind: 'apps/Deployment' }]));
    expect(error).toMatchObject({ code: 'cluster.unauthorized' });
    expect(error.message).toMatch(/^Nothing that is needed may be read from http:\S+: list is forbidden for x$/);
    expect(error.next).toContain('gate rbac');
  });
  test('a kind that the server does not have hides no outage of all the others', async () => {
    const { cluster } = await live(() => ({ status: 500, body: { message: 'etcd is away' } }));
    await expect(cluster.read([...wanted, { kind: 'apps/Deployment' }])).rejects.toThrow('etcd is away');
  });
  test('forbidden in the whole cluster, read in one namespace: the gap is what lies outside', async () => {
    const { cluster } = await live((request) =>
      request.url?.startsWith('/api/v1/namespaces/shop/') === true
        ? { body: { items: [] } }
        : { status: 403, body: { message: 'forbidden: User "x" cannot' } },
    );
    const state = await cluster.read([{ kind: '/Pod' }, { kind: '/ConfigMap', namespaces: ['shop'] }]);
    expect(state.unread.map(({ kind, reason }) => `${kind}: ${reason}`)).toEqual([
      '/Pod: list is forbidden for x outside of the namespace shop',
    ]);
  });
  test('an object that is too deep is not taken, and its kind counts as not read', async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 300; level++) deep = { a: deep };
    const { cluster } = await live(() => ({ body: { items: [{ metadata: { name: 'a' }, data: deep }] } }));
    const state = await cluster.read([{ kind: '/Node' }]);
    expect(state.objects).toEqual([]);
    expect([...state.kinds]).toEqual([]);
    expect(state.unread[0]?.reason).toContain('nested deeper than 200 levels');
  });
  test('keys that would reach into objects are only keys', async () => {
    const { cluster } = await live((_request, response) => {
      response.end(
        '{"items":[{"metadata":{"name":"a","__proto__":{"polluted":"yes"}},"__proto__":{"polluted":"yes"}}]}',
      );
    });
    await cluster.read([{ kind: '/Node' }]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
  test('order does not depend on which answer comes first', async () => {
    const { cluster } = await live(({ url }, response) => {
      const name = url?.includes('nodes') === true ? 'node' : 'map';
      setTimeout(() => response.end(JSON.stringify({ items: [{ metadata: { name } }] })), name === 'map' ? 50 : 0);
    });
    const state = await cluster.read(wanted);
    expect(state.objects.map((object) => object.metadata.name)).toEqual(['map', 'node']);
  });
  test('a mistake in the configuration is not an outage', async () => {
    const cluster = createLiveCluster({
      exec: createExec(),
      kubeconfig: '/nowhere/kubeconfig',
      redactKey: new Uint8Array(32),
    });
    expect(await failure(cluster.describe())).toMatchObject({ code: 'kubeconfig.missing' });
    await cluster.close?.();
  });
});
