import { describe, expect, test } from 'vitest';
import type { ApiAnswer, ApiRequestOptions, ApiServer, ServedKind } from '../../src/cluster/api-server.ts';
import { createDryRun } from '../../src/cluster/dry-run.ts';
import type { DryRunRequest } from '../../src/core/cluster.ts';
import { GateError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/model.ts';

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly options: ApiRequestOptions;
}

type Script = (seen: Seen) => Partial<ApiAnswer> | Promise<Partial<ApiAnswer>>;

function serverOf(script: Script): { api: ApiServer; seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    api: {
      name: 'test',
      named: false,
      url: 'https://cluster.example.org',
      async request(method, path, options = {}) {
        const one = { method, path, options };
        seen.push(one);
        return { status: 200, body: {}, warnings: [], headers: {}, ...(await script(one)) };
      },
      close: () => Promise.resolve(),
    },
  };
}

const kind = (name: string, plural: string, group = '', version = 'v1', namespaced = true): ServedKind => ({
  group,
  version,
  kind: name,
  plural,
  namespaced,
  verbs: [],
  preferred: true,
});
const served = [
  kind('ConfigMap', 'configmaps'),
  kind('Namespace', 'namespaces', '', 'v1', false),
  kind('Secret', 'secrets'),
  kind('Boat', 'boats', 'example.org'),
];
const request = (over: Partial<DryRunRequest> = {}, object: JsonObject = {}): DryRunRequest => ({
  id: '1',
  method: 'apply',
  fieldManager: 'kustomize-controller',
  force: true,
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' }, ...object },
  ...over,
});
const failure = (status: number, message: string, more: JsonObject = {}) => ({
  status,
  body: { kind: 'Status', status: 'Failure', message, code: status, ...more },
});
const run = async (script: Script, ...requests: DryRunRequest[]) => {
  const { api, seen } = serverOf(script);
  const answers = await createDryRun(api, served, { redactKey: new Uint8Array(32) })(requests);
  return { answers, seen };
};

describe('the requests', () => {
  test('server-side apply', async () => {
    const { seen } = await run(() => ({}), request());
    expect(seen[0]?.method).toBe('PATCH');
    expect(seen[0]?.path).toBe(
      '/api/v1/namespaces/shop/configmaps/a?dryRun=All&fieldManager=kustomize-controller&fieldValidation=Warn&force=true',
    );
    expect(seen[0]?.options).toMatchObject({
      contentType: 'application/apply-patch+yaml',
      retry: false,
      timeoutMs: 35_000,
    });
  });

  test('the namespace of cluster-scoped kinds is left out, that of others is default', async () => {
    const metadata = { name: 'a' };
    const { seen } = await run(
      () => ({}),
      request({}, { kind: 'Namespace', metadata: { name: 'a', namespace: 'shop' } }),
      request({}, { metadata }),
    );
    expect(seen.map(({ path }) => path.replace(/\?.*/, ''))).toEqual([
      '/api/v1/namespaces/a',
      '/api/v1/namespaces/default/configmaps/a',
    ]);
    expect(seen[0]?.options.body?.['metadata']).toEqual({ name: 'a' });
  });

  test('names of hostile objects stay inside of their segment of the URL', async () => {
    const { seen } = await run(() => ({}), request({}, { metadata: { name: '../../secrets/x?y', namespace: 'a/b' } }));
    expect(seen[0]?.path).toMatch(/^\/api\/v1\/namespaces\/a%2Fb\/configmaps\/\.\.%2F\.\.%2Fsecrets%2Fx%3Fy\?/);
  });

  test('an update of an object that is gone is a creation', async () => {
    const missing = failure(404, 'configmaps "a" not found', {
      reason: 'NotFound',
      details: { name: 'a', kind: 'configmaps' },
    });
    const { answers, seen } = await run(
      ({ method }) => (method === 'PUT' ? missing : { status: 201 }),
      request({ method: 'update' }),
    );
    expect(seen.map(({ method }) => method)).toEqual(['PUT', 'POST']);
    expect(answers[0]?.outcome).toBe('accepted');
  });

  test('an update that came late is sent once more with the present version', async () => {
    let tries = 0;
    const { answers, seen } = await run(
      ({ method }) => {
        if (method === 'GET') return { body: { metadata: { resourceVersion: '8' } } };
        return tries++ === 0 ? failure(409, 'the object has been modified', { reason: 'Conflict' }) : {};
      },
      request({ method: 'update' }, { metadata: { name: 'a', namespace: 'shop', resourceVersion: '7' } }),
    );
    expect(seen.map(({ method }) => method)).toEqual(['PUT', 'GET', 'PUT']);
    expect(seen[2]?.options.body?.['metadata']).toMatchObject({ resourceVersion: '8' });
    expect(answers[0]?.outcome).toBe('accepted');
  });

  test('no more than six at a time, answers in the order of the requests', async () => {
    let active = 0;
    let most = 0;
    const { answers } = await run(
      async () => {
        most = Math.max(most, ++active);
        await new Promise((next) => setTimeout(next, 5));
        active--;
        return {};
      },
      ...Array.from({ length: 30 }, (_, index) => request({ id: `${index}` })),
    );
    expect(most).toBe(6);
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, index) => `${index}`));
  });
});

describe('the answers', () => {
  const one = async (script: Script, sent = request()) => (await run(script, sent)).answers[0];

  test.each([
    [
      'a value that validation refuses',
      failure(422, 'ConfigMap "a" is invalid: data: Invalid value', { reason: 'Invalid' }),
    ],
    [
      'a field that cannot be decoded',
      failure(400, 'ConfigMap in version "v1" cannot be handled', { reason: 'BadRequest' }),
    ],
    ['too large', failure(413, 'Request entity too large: limit is 3145728')],
    [
      'a field of another manager',
      failure(409, 'Apply failed with 1 conflict: conflict with "operator": .data.a', { reason: 'Conflict' }),
    ],
    [
      'a webhook says no',
      failure(403, 'admission webhook "w.example.org" denied the request: no', { reason: 'Forbidden' }),
    ],
    [
      'a dead webhook',
      failure(500, 'Internal error occurred: failed calling webhook "w.example.org": connect: connection refused'),
    ],
    [
      'a field that the schema does not know',
      failure(500, 'failed to create typed patch object (...): .spec.x: field not declared in schema'),
    ],
  ])('%s is a refusal', async (_name, answer) => {
    const said = await one(({ path }) =>
      path.includes('selfsubject') ? { body: { status: { allowed: true } } } : answer,
    );
    expect(said).toMatchObject({ outcome: 'rejected', code: answer.status, message: answer.body['message'] });
  });

  test.each([
    [
      'NotAllowed',
      failure(
        403,
        'configmaps "a" is forbidden: User "system:serviceaccount:gate:g" cannot patch resource "configmaps" in API group "" in the namespace "shop"',
      ),
    ],
    [
      'NotAllowed',
      failure(
        403,
        'roles.rbac.authorization.k8s.io "a" is forbidden: user "g" is attempting to grant RBAC permissions not currently held',
      ),
    ],
    [
      'Timeout',
      failure(
        500,
        'Internal error occurred: failed calling webhook "w.example.org": Post "https://w": context deadline exceeded',
      ),
    ],
    ['Timeout', failure(504, 'request did not complete within requested timeout')],
    ['NoDryRun', failure(400, 'admission webhook "w.example.org" does not support dry run')],
    ['Unreachable', failure(503, 'etcdserver: leader changed')],
    ['Unreachable', failure(500, 'Internal error occurred: panic')],
    ['Conflict', failure(409, 'Operation cannot be fulfilled on configmaps "a": the object has been modified')],
  ])('%s: %j leaves it open', async (reason, answer) => {
    expect(await one(() => answer)).toMatchObject({ outcome: 'unknown', reason });
  });

  test('a 403 in the words of a proxy is cleared up by an access review', async () => {
    const forbidden = failure(403, 'blocked by the access proxy');
    const with_ = (allowed: boolean) =>
      one(({ path }) => (path.includes('selfsubject') ? { body: { status: { allowed } } } : forbidden));
    expect(await with_(false)).toMatchObject({ outcome: 'unknown', reason: 'NotAllowed' });
    expect(await with_(true)).toMatchObject({ outcome: 'rejected', code: 403 });
  });

  test('one access review for all objects of a kind in a namespace', async () => {
    const { seen } = await run(
      ({ path }) =>
        path.includes('selfsubject') ? { body: { status: { allowed: true } } } : failure(403, 'exceeded quota'),
      ...Array.from({ length: 10 }, (_, index) => request({ id: `${index}` })),
    );
    expect(seen.filter(({ path }) => path.includes('selfsubject'))).toHaveLength(1);
  });

  test('a kind that is not served', async () => {
    const said = await one(() => ({}), request({}, { apiVersion: 'other.example.org/v1', kind: 'Ship' }));
    expect(said).toMatchObject({ outcome: 'unknown', reason: 'NotServed' });
  });

  test('a server that does not answer one request', async () => {
    const error = new GateError({
      code: 'cluster.timeout',
      message: 'no answer within 35 s',
      fault: 'tool',
      next: 'Wait.',
    });
    const { answers } = await run(
      ({ path }) => (path.includes('/boats/') ? Promise.reject(error) : {}),
      request({ id: 'boat' }, { apiVersion: 'example.org/v1', kind: 'Boat' }),
      request({ id: 'config' }),
    );
    expect(answers).toMatchObject([
      { id: 'boat', outcome: 'unknown', reason: 'Timeout', next: 'Wait.' },
      { id: 'config', outcome: 'accepted' },
    ]);
  });

  test('the stored object and messages are redacted; of a Secret nothing is kept', async () => {
    const url = 'postgres://shop:verysecret@db.example.org/shop';
    const stored = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { url } };
    expect(JSON.stringify(await one(() => ({ body: stored })))).not.toContain('verysecret');
    const refused = failure(422, `Invalid value: "${url}"`, {
      details: { causes: [{ field: 'data[url]', message: `Invalid value: "${url}"` }] },
    });
    const said = await one(() => refused);
    expect(said?.causes?.[0]?.field).toBe('data[url]');
    expect(JSON.stringify(said)).not.toContain('verysecret');
    const secret = await one(() => ({ body: { kind: 'Secret' } }), request({}, { kind: 'Secret' }));
    expect(secret?.object).toBeUndefined();
  });
});
