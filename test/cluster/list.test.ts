import { describe, expect, test } from 'vitest';
import type { ApiServer, ServedKind } from '../../src/cluster/api-server.ts';
import { ListRefused, pages, type ListOptions } from '../../src/cluster/reading/list.ts';
import { readKind } from '../../src/cluster/reading/read-kind.ts';
import type { JsonObject } from '../../src/core/model.ts';
import { connectTo, failure, standIn, type Handler, type StandIn } from './kit/stand-in.ts';

const shop: ServedKind = {
  group: 'example.org',
  version: 'v1',
  kind: 'Shop',
  plural: 'shops',
  namespaced: true,
  verbs: ['get', 'list'],
  preferred: true,
};

function object(index: number, namespace = 'a'): JsonObject {
  return { metadata: { name: `shop-${index}`, namespace, uid: `uid-${index}` }, spec: { index } };
}

function queryOf(request: { readonly url?: string | undefined }): URLSearchParams {
  return new URL(request.url ?? '', 'http://x').searchParams;
}

/** Pages of `total` objects, cut by limit and continue token. */
function paged(total: number): Handler {
  return (request) => {
    const query = queryOf(request);
    const [from, limit] = [Number(query.get('continue') ?? 0), Number(query.get('limit'))];
    const to = Math.min(total, from + limit);
    return {
      body: {
        kind: 'ShopList',
        metadata: to < total ? { continue: String(to) } : {},
        items: Array.from({ length: to - from }, (_, index) => object(from + index)),
      },
    };
  };
}

async function all(api: ApiServer, options: ListOptions = {}): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  for await (const page of pages(api, shop, options)) found.push(...page);
  return found;
}

async function refusal(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ListRefused ? error.unread : error;
}

const gone = {
  status: 410,
  body: { kind: 'Status', reason: 'Expired', message: 'the provided continue parameter is too old' },
};

describe('pages', () => {
  test('all of them, with apiVersion and kind first', async () => {
    const server = await standIn(paged(25));
    const found = await all(await connectTo({ server: server.url }), { limit: 10 });
    expect(found.map((item) => (item['spec'] as JsonObject)['index'])).toEqual(
      Array.from({ length: 25 }, (_, index) => index),
    );
    expect(Object.keys(found[0] ?? {})).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
    expect(found[0]).toMatchObject({ apiVersion: 'example.org/v1', kind: 'Shop' });
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/apis/example.org/v1/shops?limit=10',
      '/apis/example.org/v1/shops?limit=10&continue=10',
      '/apis/example.org/v1/shops?limit=10&continue=20',
    ]);
  });
  test('an object keeps its own prototype', async () => {
    const server = await standIn(() => ({ body: '{"items":[{"__proto__":{"kind":"Evil"},"metadata":{"name":"a"}}]}' }));
    const [found] = await all(await connectTo({ server: server.url }));
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  });
  test('in one namespace, by label, only metadata', async () => {
    const server = await standIn(() => ({
      body: { items: [{ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } }] },
    }));
    const options = { namespace: 'sh op', labelSelector: 'a=b', metadataOnly: true };
    const found = await all(await connectTo({ server: server.url }), options);
    expect(found).toEqual([{ apiVersion: 'example.org/v1', kind: 'Shop', metadata: { name: 'a' } }]);
    expect(server.requests[0]?.url).toBe('/apis/example.org/v1/namespaces/sh%20op/shops?limit=500&labelSelector=a%3Db');
    expect(server.requests[0]?.headers.accept).toContain('as=PartialObjectMetadataList');
  });
  test('the next page is on its way while one is worked on', async () => {
    const server = await standIn(paged(30));
    const reader = pages(await connectTo({ server: server.url }), shop, { limit: 10 });
    await reader.next();
    await expect.poll(() => server.requests.length).toBe(2);
    await reader.return();
  });
  test('a token that expires in the middle: from the start, nothing twice', async () => {
    let expired = false;
    const server = await standIn((request, response) => {
      if (queryOf(request).get('continue') === '20' && !expired) {
        expired = true;
        return gone;
      }
      return paged(35)(request, response);
    });
    const found = await all(await connectTo({ server: server.url }), { limit: 10 });
    expect(found).toHaveLength(35);
    expect(new Set(found.map((item) => JSON.stringify(item['metadata']))).size).toBe(35);
  });
  test('a token that always expires', async () => {
    const server = await standIn((request, response) =>
      queryOf(request).has('continue') ? gone : paged(35)(request, response),
    );
    expect(await refusal(all(await connectTo({ server: server.url }), { limit: 10 }))).toMatchObject({
      kind: 'example.org/Shop',
      reason: 'the list expired three times while it was read',
    });
  });
  test('objects that are too large for one answer come in smaller pages', async () => {
    const server = await standIn(paged(30));
    const api = await connectTo({ server: server.url }, {}, { maxAnswerBytes: 1500 });
    expect(await all(api, { limit: 100 })).toHaveLength(30);
    expect(queryOf(server.requests.at(-1) ?? {}).get('limit')).toBe('10');
  });
  test.each([404, 405])('%d: there is none', async (status) => {
    const server = await standIn(() => ({ status, body: {} }));
    expect(await all(await connectTo({ server: server.url }))).toEqual([]);
  });
  test('a kind that cannot be listed is not asked for', async () => {
    const server = await standIn(() => ({ body: {} }));
    const reader = pages(await connectTo({ server: server.url }), { ...shop, verbs: ['create'] });
    expect((await reader.next()).done).toBe(true);
    expect(server.requests).toEqual([]);
  });
});

const forbidden = {
  status: 403,
  body: {
    message:
      'shops.example.org is forbidden: User "jane" cannot list resource "shops" in API group "example.org" at the cluster scope',
  },
};

describe('lists that are refused', () => {
  test('403 names who and the rule', async () => {
    const server = await standIn(() => forbidden);
    const api = await connectTo({ server: server.url });
    expect(await refusal(all(api))).toEqual({
      kind: 'example.org/Shop',
      reason: 'list is forbidden for jane',
      next: 'Grant in a ClusterRole: {apiGroups: ["example.org"], resources: ["shops"], verbs: ["list"]}.',
    });
    expect(await refusal(all(api, { namespace: 'a' }))).toMatchObject({
      namespaces: ['a'],
      next: 'Grant in a Role in the namespace a: {apiGroups: ["example.org"], resources: ["shops"], verbs: ["list"]}.',
    });
  });
  test('a conversion webhook that is down', async () => {
    const server = await standIn(() => ({
      status: 500,
      body: { message: 'conversion webhook for example.org/v2 failed' },
    }));
    expect(await refusal(all(await connectTo({ server: server.url })))).toMatchObject({
      kind: 'example.org/Shop',
      reason: expect.stringContaining('500 (conversion webhook for example.org/v2 failed)') as string,
    });
  });
  test('another refusal keeps the words of the server', async () => {
    const server = await standIn(() => ({ status: 400, body: { message: 'unable to parse requirement' } }));
    expect(await refusal(all(await connectTo({ server: server.url }), { labelSelector: '!!' }))).toMatchObject({
      reason: 'the server answered 400: unable to parse requirement',
    });
  });
  test('a server that goes away in the middle is no refusal', async () => {
    const server = await standIn((request, response) => {
      if (!queryOf(request).has('continue')) return paged(30)(request, response);
      request.socket.destroy();
      return undefined;
    });
    const error = await failure(all(await connectTo({ server: server.url }), { limit: 10 }));
    expect(error).toMatchObject({ code: 'cluster.unreachable' });
  });
});

describe('readKind', () => {
  async function outcome(server: StandIn, where: Parameters<typeof readKind>[2]) {
    const names: string[] = [];
    const result = await readKind(await connectTo({ server: server.url }), shop, where, (items) => {
      for (const item of items) names.push(String((item['metadata'] as JsonObject)['namespace']));
    });
    return { ...result, names: names.toSorted() };
  }
  /** Only these namespaces may be listed. */
  const only =
    (...namespaces: readonly string[]): Handler =>
    ({ url = '' }) => {
      const namespace = /namespaces\/([^/]+)\//.exec(url)?.[1];
      if (namespace === undefined || !namespaces.includes(namespace)) return forbidden;
      return { body: { items: [object(namespace.codePointAt(0) ?? 0, namespace)] } };
    };
  test('the whole cluster', async () => {
    const server = await standIn(paged(3));
    expect(await outcome(server, { fallback: ['a'] })).toEqual({ read: 'all', unread: [], names: ['a', 'a', 'a'] });
  });
  test('the namespaces that were asked for', async () => {
    const server = await standIn(only('a', 'b'));
    expect(await outcome(server, { namespaces: ['a', 'b'] })).toEqual({
      read: new Set(['a', 'b']),
      unread: [],
      names: ['a', 'b'],
    });
  });
  test('where the whole cluster is forbidden, the namespaces of the change', async () => {
    const server = await standIn(only('a'));
    expect(await outcome(server, { fallback: ['a', 'b'] })).toMatchObject({
      read: new Set(['a']),
      names: ['a'],
      unread: [{ reason: 'list is forbidden for jane outside of the namespace a' }, { namespaces: ['b'] }],
    });
  });
  test('namespaces that are refused for one reason are one entry', async () => {
    const server = await standIn(only('a'));
    expect((await outcome(server, { namespaces: ['a', 'b', 'c'] })).unread).toEqual([
      {
        kind: 'example.org/Shop',
        namespaces: ['b', 'c'],
        reason: 'list is forbidden for jane',
        next: 'Grant in a Role in each of the namespaces b, c: {apiGroups: ["example.org"], resources: ["shops"], verbs: ["list"]}.',
      },
    ]);
  });
  test('forbidden everywhere is said once', async () => {
    const server = await standIn(only());
    expect((await outcome(server, { fallback: ['a', 'b'] })).unread).toHaveLength(1);
  });
  test('trouble of the server is told apart from a refusal', async () => {
    const server = await standIn(() => ({ status: 500, body: {} }));
    expect((await outcome(server, {})).trouble).toMatchObject({ code: 'cluster.overloaded' });
  });
});
