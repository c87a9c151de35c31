import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSnapshot, readSnapshot } from '../../src/cluster/snapshot.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-snapshot-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const list = `apiVersion: v1
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: api, namespace: shop, managedFields: [{manager: kubectl}, {manager: kubelet, subresource: status}]}
- apiVersion: v1
  kind: Secret
  metadata: {name: db, namespace: shop}
  data: {password: aHVudGVyMg==}
kind: List
metadata: {resourceVersion: ""}
`;
const header = `apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: production}
takenAt: 2026-11-20T10:00:00Z
kubernetesVersion: v1.34.3
apiVersions: [v1, apps/v1]
metrics:
- {namespace: shop, kind: Deployment, name: api, container: api, memoryWorkingSetP99: 1.6Gi, startSecondsP95: 140}
---
`;

function problem(text: string, file = 'live.yaml'): unknown {
  try {
    parseSnapshot(text, file);
    return undefined;
  } catch (error) {
    const { code, location, fault } = error as { code: string; location: object; fault: string };
    return { code, fault, ...location };
  }
}

describe('parseSnapshot', () => {
  test('reads kubectl output and hides secrets', () => {
    const state = parseSnapshot(list, 'live.yaml');
    expect(state.name).toBe('live');
    expect([...state.kinds]).toEqual(['apps/Deployment', '/Secret']);
    expect(state.objects.map((object) => object.metadata.name)).toEqual(['api', 'db']);
    expect(state.objects[0]?.metadata['managedFields']).toEqual([{ manager: 'kubectl' }]);
    expect(JSON.stringify(state)).not.toContain('aHVudGVyMg');
    expect(state.objects[1]?.['data']).toEqual({
      password: expect.stringMatching(/^redacted:[0-9a-f]{12}$/) as string,
    });
  });
  test('equal secrets have equal fingerprints under one key only', () => {
    const of = (key: number) => JSON.stringify(parseSnapshot(list, 'a.yaml', new Uint8Array(32).fill(key)).objects[1]);
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
  });
  test('reads the header', () => {
    expect(parseSnapshot(header + list, 'live.yaml')).toMatchObject({
      name: 'production',
      takenAt: '2026-11-20T10:00:00Z',
      kubernetesVersion: 'v1.34.3',
      apiVersions: ['v1', 'apps/v1'],
      metrics: [{ container: 'api', memoryWorkingSetP99: '1.6Gi', startSecondsP95: 140 }],
    });
  });
  test('the header says which kinds were read completely', () => {
    const kinds = header.replace(
      'apiVersions:',
      'kinds: [apps/Deployment, apps/v1/StatefulSet, Service, v1/Secret]\napiVersions:',
    );
    expect([...parseSnapshot(kinds + list, 'live.yaml').kinds]).toEqual([
      'apps/Deployment',
      'apps/StatefulSet',
      '/Service',
      '/Secret',
    ]);
  });
  test('an empty typed list says that there is none of the kind', () => {
    const state = parseSnapshot('apiVersion: policy/v1\nkind: PodDisruptionBudgetList\nitems: []\n', 'pdb.yaml');
    expect([...state.kinds]).toEqual(['policy/PodDisruptionBudget']);
  });
  test('items of a typed list take their kind from it', () => {
    const json = JSON.stringify({ apiVersion: 'v1', kind: 'NodeList', items: [{ metadata: { name: 'n1' } }] });
    expect(parseSnapshot(json, 'nodes.json').objects).toMatchObject([{ apiVersion: 'v1', kind: 'Node' }]);
  });
  test.each([
    ['two headers', header + header + list, { code: 'snapshot.two-headers', line: 10 }],
    ['an unknown header key', header.replace('takenAt', 'takenat') + list, { code: 'snapshot.bad-header', line: 1 }],
    ['a wrong time', header.replace('2026-11-20T10:00:00Z', 'yesterday'), { code: 'snapshot.bad-header' }],
    [
      'a header without name',
      'apiVersion: gate/v1\nkind: ClusterSnapshot\nmetadata: {}\n',
      { code: 'snapshot.bad-header' },
    ],
    [
      'no Kubernetes object',
      'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\nreplicas: 3\n',
      { code: 'snapshot.not-an-object', line: 5 },
    ],
    ['an object without name', 'apiVersion: v1\nkind: Service\nmetadata: {}\n', { code: 'snapshot.not-an-object' }],
    ['plain text', 'error: You must be logged in to the server', { code: 'snapshot.not-an-object' }],
    ['a list without end', list.slice(0, list.indexOf('kind: List')), { code: 'snapshot.truncated' }],
    ['nothing', '# only a comment\n', { code: 'snapshot.empty' }],
    ['malformed YAML', 'apiVersion: v1\nkind: Service\nmetadata: {name: [}\n', { code: 'snapshot.bad-yaml', line: 3 }],
  ])('%s', (_name, text, expected) => {
    expect(problem(text)).toMatchObject({ ...expected, file: 'live.yaml', fault: 'user' });
  });
  test('a header key that was mistyped comes with a suggestion', () => {
    expect(() => parseSnapshot(header.replace('takenAt', 'takenat') + list, 'a.yaml')).toThrow(/did you mean takenAt/);
  });
  test('JSON that ends in the middle', () => {
    const json = JSON.stringify(
      { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }] },
      null,
      1,
    );
    expect(problem(json.slice(0, -10), 'a.json')).toMatchObject({ code: 'snapshot.truncated' });
  });
  test('JSON nested without end', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const json = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":${deep}}`;
    expect(problem(json, 'a.json')).toMatchObject({ code: 'snapshot.not-an-object' });
  });
  test('keys of the prototype stay data', () => {
    const json = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"__proto__":"x"}}';
    expect(JSON.stringify(parseSnapshot(json, 'a.json').objects[0])).toContain('"__proto__":"x"');
    expect(({} as { x?: string }).x).toBeUndefined();
  });
});

describe('plain kubectl output', () => {
  const pods = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: api-7d4f-x
    namespace: shop
    labels: {app: api, pod-template-hash: 7d4f}
    ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-7d4f, controller: true}]
  spec: {containers: [{name: api, image: "registry.example.org/api:1"}]}
  status: {phase: Running}
- apiVersion: apps/v1
  kind: ReplicaSet
  metadata:
    name: api-7d4f
    namespace: shop
    ownerReferences: [{apiVersion: example.org/v1, kind: App, name: shop, controller: true}]
`;
  test('pods are counted under the owner of their ReplicaSet, and are no objects', () => {
    const state = parseSnapshot(pods, 'pods.yaml');
    expect(state.pods).toMatchObject([
      {
        namespace: 'shop',
        owner: { group: 'example.org', kind: 'App', name: 'shop' },
        total: 1,
        phases: { Running: 1 },
      },
    ]);
    expect(state.objects.map(({ kind }) => kind)).toEqual(['ReplicaSet']);
    expect([...state.kinds]).toEqual(['/Pod', 'apps/ReplicaSet']);
  });
  test('a Helm release is decoded before its Secret is redacted', () => {
    const release = {
      name: 'shop',
      version: 4,
      info: { status: 'failed' },
      chart: { metadata: { name: 'shop', version: '2.0.1' } },
      config: { password: 'hunter2' },
      manifest: 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n',
    };
    const data = Buffer.from(gzipSync(JSON.stringify(release)).toString('base64')).toString('base64');
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'helm.sh/release.v1',
      metadata: { name: 'sh.helm.release.v1.shop.v4', namespace: 'shop' },
      data: { release: data },
    };
    const state = parseSnapshot(JSON.stringify(secret), 'secrets.json');
    expect(state.helmReleases).toEqual([
      {
        namespace: 'shop',
        name: 'shop',
        revision: 4,
        status: 'failed',
        chart: 'shop',
        chartVersion: '2.0.1',
        apis: ['v1/Service'],
      },
    ]);
    expect(state.objects).toEqual([]);
    const broken = parseSnapshot(JSON.stringify({ ...secret, data: { release: 'eHg=' } }), 'secrets.json');
    expect(broken.unread).toMatchObject([{ kind: 'helm/Release', namespaces: ['shop'] }]);
  });
  test('a kind of gate that is not known', () => {
    const text = 'apiVersion: gate/v1\nkind: ClusterSnapshoot\n';
    expect(problem(text)).toMatchObject({ code: 'snapshot.not-an-object' });
    expect(() => parseSnapshot(text, 'a.yaml')).toThrow('gate/v1 has no kind ClusterSnapshoot');
  });
  test('what the header says could not be read', () => {
    const partial = header.replace(
      'metrics:',
      'unread: [{kind: v1/Secret, reason: forbidden}]\nkindsInNamespaces: {Service: [shop], apps/Deployment: [shop, x]}\nmetrics:',
    );
    const state = parseSnapshot(partial + list, 'a.yaml');
    expect(state.unread).toEqual([{ kind: '/Secret', reason: 'forbidden' }]);
    expect([...(state.kindsInNamespaces ?? [])]).toEqual([
      ['/Service', new Set(['shop'])],
      ['apps/Deployment', new Set(['shop', 'x'])],
    ]);
  });
});

describe('readSnapshot', () => {
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const code = (path: string) =>
    readSnapshot(path)
      .read([])
      .then(
        () => 'read',
        (error: { code: string }) => error.code,
      );

  test('a folder with parts, packed and in folders; hidden files and other files are left out', async () => {
    const path = join(folder, 'parts');
    mkdirSync(join(path, 'more', '.hidden'), { recursive: true });
    writeFileSync(join(path, 'a.yaml'), header + list);
    writeFileSync(
      join(path, 'more', 'b.json.gz'),
      gzipSync('{"apiVersion":"v1","kind":"Service","metadata":{"name":"svc","namespace":"shop"}}'),
    );
    writeFileSync(join(path, 'more', '.hidden', 'c.yaml'), 'not: an object');
    writeFileSync(join(path, 'README.md'), 'notes');
    symlinkSync(path, join(path, 'loop'));
    const state = await readSnapshot(path).read([]);
    expect(state.name).toBe('production');
    expect(state.objects.map((object) => object.kind)).toEqual(['Deployment', 'Secret', 'Service']);
  });
  test('two headers in two files', async () => {
    const path = join(folder, 'twice');
    mkdirSync(path);
    writeFileSync(join(path, 'a.yaml'), header);
    writeFileSync(join(path, 'b.yaml'), header);
    await expect(readSnapshot(path).read([])).rejects.toMatchObject({
      code: 'snapshot.two-headers',
      location: { file: join(path, 'b.yaml') },
    });
  });
  test.each([
    ['utf16.yaml', Buffer.from(`\uFEFF${list}`, 'utf16le'), 'snapshot.binary'],
    ['nul.yaml', `a: b\n\0\n`, 'snapshot.binary'],
    ['latin1.yaml', Buffer.from('a: \u00e9\n', 'latin1'), 'snapshot.binary'],
    ['half.yaml.gz', gzipSync(list).subarray(0, 60), 'snapshot.truncated'],
    ['plain.yaml.gz', 'apiVersion: v1', 'snapshot.unreadable'],
    ['bom.yaml', `\uFEFF${list}`, 'read'],
  ])('%s', async (name, content, expected) => {
    expect(await code(write(name, content))).toBe(expected);
  });
  test('a path that does not exist, and a folder without files', async () => {
    expect(await code(join(folder, 'none'))).toBe('snapshot.not-found');
    mkdirSync(join(folder, 'empty'));
    expect(await code(join(folder, 'empty'))).toBe('snapshot.empty');
  });
});
