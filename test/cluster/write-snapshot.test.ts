import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { readSnapshot } from '../../src/cluster/snapshot.ts';
import { snapshotKinds } from '../../src/cluster/snapshot/snapshot-kinds.ts';
import { writeSnapshot, type SnapshotRequest } from '../../src/cluster/snapshot/write-snapshot.ts';
import { silentProgress } from '../../src/cli/progress.ts';
import type { JsonObject } from '../../src/core/model.ts';
import { rules } from '../../src/rules/index.generated.ts';
import { tempDir } from '../kit/tmp.ts';
import { memoryApi, servedAs, type MemoryKind } from './kit/memory-api.ts';

const canary = 'hunter2canary';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const key = new Uint8Array(32).fill(7);

const meta = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  namespace: 'shop',
  uid: `uid-${name}`,
  resourceVersion: '4711',
  creationTimestamp: '2026-11-20T10:00:00Z',
  ...more,
});
const of = (apiVersion: string, kind: string, metadata: JsonObject, rest: JsonObject = {}): JsonObject => ({
  apiVersion,
  kind,
  metadata,
  ...rest,
});

const release = gzipSync(
  JSON.stringify({
    name: 'shop',
    namespace: 'shop',
    version: 2,
    info: { status: 'deployed', notes: canary },
    chart: { metadata: { name: 'shop', version: '1.0.0' }, values: { password: canary } },
    config: { password: canary },
    manifest: 'apiVersion: apps/v1\nkind: Deployment\n',
  }),
).toString('base64');

const deployment = of(
  'apps/v1',
  'Deployment',
  meta('api', {
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': `{"spec":{"replicas":3,"password":"${canary}"}}`,
      'example.org/note': 'call Anna',
      'argocd.argoproj.io/sync-options': 'Prune=false',
    },
    managedFields: [{ manager: 'kubelet', subresource: 'status', fieldsV1: {} }],
  }),
  {
    spec: {
      replicas: 3,
      template: {
        spec: {
          containers: [{ name: 'api', image: 'r.example/api:1', env: [{ name: 'MODE', value: 'literal-of-env' }] }],
        },
      },
    },
  },
);
const node = of(
  'v1',
  'Node',
  { name: 'ip-10-0-0-1.internal', labels: { 'kubernetes.io/hostname': 'ip-10-0-0-1.internal', zone: 'a' } },
  {
    spec: { providerID: 'aws:///i-0abc' },
    status: {
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      allocatable: { cpu: '4' },
      images: [{ names: ['r.example/api:1'] }],
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-11-20T10:00:00Z' }],
    },
  },
);
const pod = of(
  'v1',
  'Pod',
  meta('api-7d4f-x', {
    labels: { app: 'api', 'pod-template-hash': '7d4f' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'api-7d4f', controller: true }],
  }),
  {
    spec: { nodeName: 'ip-10-0-0-1.internal', containers: [{ name: 'api', image: 'r.example/api:1' }] },
    status: { phase: 'Running' },
  },
);
const replicaSets = [
  of('apps/v1', 'ReplicaSet', meta('alone')),
  of(
    'apps/v1',
    'ReplicaSet',
    meta('api-7d4f', {
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'api', controller: true }],
    }),
  ),
];
const secrets = [
  of('v1', 'Secret', meta('db'), { type: 'Opaque', data: { password: base64(canary) } }),
  of(
    'v1',
    'Secret',
    meta('sh.helm.release.v1.shop.v2', { labels: { owner: 'helm', name: 'shop', version: '2', status: 'deployed' } }),
    { type: 'helm.sh/release.v1', data: { release: base64(release) } },
  ),
];
const configMap = of('v1', 'ConfigMap', meta('settings'), {
  data: { 'app.conf': 'mode: fast\nsize: 3\n', token: `ghp_${'a'.repeat(36)}` },
});
const slice = of('discovery.k8s.io/v1', 'EndpointSlice', meta('api-abc'), {
  endpoints: [{ addresses: ['10.1.0.7'], nodeName: 'ip-10-0-0-1.internal', conditions: { ready: true } }],
});

function world(change: (kinds: MemoryKind[]) => MemoryKind[] = (kinds) => kinds): MemoryKind[] {
  const all = (list: readonly JsonObject[]) => () => list;
  return change([
    { kind: servedAs('v1', 'Node', 'nodes', false), objects: all([node]) },
    { kind: servedAs('v1', 'Namespace', 'namespaces', false), objects: all([of('v1', 'Namespace', { name: 'shop' })]) },
    { kind: servedAs('v1', 'Pod', 'pods'), objects: all([pod]) },
    { kind: servedAs('v1', 'Secret', 'secrets'), objects: all(secrets) },
    { kind: servedAs('v1', 'ConfigMap', 'configmaps'), objects: all([configMap]) },
    { kind: servedAs('v1', 'Service', 'services'), objects: all([]) },
    { kind: servedAs('apps/v1', 'Deployment', 'deployments'), objects: all([deployment]) },
    { kind: servedAs('apps/v1', 'ReplicaSet', 'replicasets'), objects: all(replicaSets) },
    { kind: servedAs('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'), objects: all([slice]) },
    {
      kind: servedAs('example.org/v1', 'Widget', 'widgets'),
      objects: all([of('example.org/v1', 'Widget', meta('w'))]),
    },
    { kind: servedAs('coordination.k8s.io/v1', 'Lease', 'leases'), objects: all([]) },
  ]);
}

let temporary: string;
let file: string;
beforeEach(() => {
  temporary = tempDir('snapshot');
  file = join(temporary, 'shop.yaml');
});
const folder = (): string => temporary;

async function write(kinds = world(), more: Partial<SnapshotRequest> = {}, stale: readonly string[] = []) {
  const memory = memoryApi(kinds, stale);
  const summary = await writeSnapshot({
    ...memory,
    output: file,
    choice: { kinds: [], allKinds: false, without: [] },
    redact: false,
    redactKey: key,
    now: new Date('2026-11-20T10:00:00.123Z'),
    progress: silentProgress,
    ...more,
  });
  return { ...memory, summary };
}
const readBack = async (path = file, redactKey = key) => readSnapshot(path, redactKey).read([]);

describe('gate snapshot writes', () => {
  test('what it holds, read back', async () => {
    const { summary } = await write();
    expect(summary).toMatchObject({ unread: [], objects: 9 });
    const state = await readBack();
    expect(state).toMatchObject({
      name: 'memory',
      named: true,
      server: 'https://memory.example:6443',
      takenAt: '2026-11-20T10:00:00Z',
      kubernetesVersion: 'v1.34.3',
      allNamespaces: true,
      unread: [],
      helmReleases: [{ namespace: 'shop', name: 'shop', revision: 2, chart: 'shop', apis: ['apps/v1/Deployment'] }],
      pods: [{ namespace: 'shop', owner: { group: 'apps', kind: 'Deployment', name: 'api' }, total: 1 }],
    });
    expect(state.secretsComparable).toBeUndefined();
    expect(state.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
      'ConfigMap/settings',
      'Namespace/shop',
      'Node/ip-10-0-0-1.internal',
      'Secret/db',
      'Deployment/api',
      'ReplicaSet/alone',
      'EndpointSlice/api-abc',
    ]);
    expect(state.kinds).toContain('/Service');
    expect(state.kinds).toContain('/Pod');
    expect(state.kinds).toContain('helm/Release');
    expect(state.kinds).not.toContain('example.org/Widget');
    const read = state.objects.find(({ kind }) => kind === 'Deployment');
    expect(read?.metadata).toEqual({
      name: 'api',
      namespace: 'shop',
      creationTimestamp: '2026-11-20T10:00:00Z',
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"replicas":3}}',
        'example.org/note': 'call Anna',
        'argocd.argoproj.io/sync-options': 'Prune=false',
      },
    });
    expect(read?.['spec']).toEqual(deployment['spec']);
  });
  test('no value of a Secret, of a release or of an applied copy', async () => {
    await write();
    const text = readFileSync(file, 'utf8');
    for (const value of [canary, base64(canary), base64(canary).slice(0, 10), release, 'ghp_aaaa']) {
      expect(text).not.toContain(value);
    }
    expect(text).toContain('password: redacted:');
  });
  test('--redact hides more, and leaves what rules judge by', async () => {
    await write(world(), { redact: true });
    const text = readFileSync(file, 'utf8');
    for (const value of [
      'literal-of-env',
      'mode: fast',
      'call Anna',
      '10.0.0.1',
      'ip-10-0-0-1',
      '10.1.0.7',
      'i-0abc',
      'memory.example',
    ]) {
      expect(text).not.toContain(value);
    }
    for (const value of ['MODE', 'app.conf', 'Prune=false', 'zone: a', 'r.example/api:1'])
      expect(text).toContain(value);
    const state = await readBack();
    expect(state.masked).toBe(true);
    const host = state.objects.find(({ kind }) => kind === 'Node')?.metadata.name;
    expect(Object.keys(state.pods[0]?.nodes ?? {})).toEqual([host]);
    expect(JSON.stringify(state.objects.find(({ kind }) => kind === 'EndpointSlice'))).toContain(
      `"nodeName":"${host}"`,
    );
  });
  test('the same cluster gives the same bytes, also when the server lists in another order', async () => {
    const many = Array.from({ length: 1200 }, (_, index) => of('v1', 'Service', meta(`s${index % 97}-${index}`)));
    const services = (list: readonly JsonObject[]) =>
      world((kinds) =>
        kinds.map((entry) => (entry.kind.kind === 'Service' ? { ...entry, objects: () => list } : entry)),
      );
    await write(services(many));
    const first = readFileSync(file);
    await write(services(many.toReversed()));
    expect(readFileSync(file).equals(first)).toBe(true);
    const names = (await readBack()).objects
      .filter(({ kind }) => kind === 'Service')
      .map(({ metadata }) => metadata.name);
    expect(names).toEqual(names.toSorted());
    expect(names).toHaveLength(1200);
  });
  test('JSON, and packed by extension, hold the same', async () => {
    await write();
    const yaml = await readBack();
    for (const name of ['a.json', 'a.json.gz', 'a.yml.gz']) {
      const output = join(folder(), name);
      await write(world(), { output });
      expect(await readBack(output)).toEqual(yaml);
    }
    const packed = readFileSync(join(folder(), 'a.json.gz'));
    expect(JSON.parse(gunzipSync(packed).toString()).items[0]).toMatchObject({ kind: 'ClusterSnapshot' });
  });
  test('owned ReplicaSets, old Helm revisions and the bodies of release Secrets are not asked for', async () => {
    const { requests } = await write();
    const lists = requests.map((path) => decodeURIComponent(path));
    expect(lists.filter((path) => path.includes('/secrets'))).toEqual([
      '/api/v1/secrets?limit=100&fieldSelector=type!=helm.sh/release.v1',
      '/api/v1/secrets?limit=50&labelSelector=owner=helm,status!=superseded&fieldSelector=type=helm.sh/release.v1',
    ]);
    expect(lists.filter((path) => path.includes('/replicasets'))).toEqual([
      '/apis/apps/v1/replicasets?limit=500',
      '/apis/apps/v1/namespaces/shop/replicasets?limit=500&fieldSelector=metadata.name=alone',
    ]);
  });
  test('what may not be read is named with the rule that is missing', async () => {
    const { summary } = await write(
      world((kinds) =>
        kinds.map((entry) => (entry.kind.kind === 'Deployment' ? { ...entry, forbidden: true } : entry)),
      ),
    );
    const unread = [
      {
        kind: 'apps/Deployment',
        reason: 'list is forbidden for reader',
        next: 'Grant in a ClusterRole: {apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]}.',
      },
    ];
    expect(summary.unread).toEqual(unread);
    const state = await readBack();
    expect(state.unread).toEqual(unread);
    expect(state.kinds).not.toContain('apps/Deployment');
    expect(readFileSync(file, 'utf8').slice(0, 600)).toContain('list is forbidden');
  });
  test('a kind whose API server is away is not "none"', async () => {
    await write(world(), {}, ['cert-manager.io/v1']);
    expect((await readBack()).unread.map(({ kind }) => kind)).toEqual([
      'cert-manager.io/Certificate',
      'cert-manager.io/ClusterIssuer',
      'cert-manager.io/Issuer',
      // And of kinds that gate does not look for by itself.
      'cert-manager.io/*',
    ]);
  });
  test('namespaces: others stay unknown, kinds without namespace are read', async () => {
    await write(world(), { namespaces: ['shop', 'shop', 'billing'] });
    const state = await readBack();
    expect(state.kinds).toContain('/Node');
    expect(state.kinds).not.toContain('/Service');
    expect([...(state.kindsInNamespaces?.get('/Service') ?? [])]).toEqual(['billing', 'shop']);
    expect([...(state.kindsInNamespaces?.get('/Pod') ?? [])]).toEqual(['billing', 'shop']);
    expect(state.pods).toHaveLength(1);
  });
  test('more kinds, all kinds, fewer kinds', async () => {
    const kindsWith = async (choice: Partial<SnapshotRequest['choice']>) => {
      await write(world(), { choice: { kinds: [], allKinds: false, without: [], ...choice } });
      return (await readBack()).kinds;
    };
    expect(await kindsWith({ kinds: ['example.org/Widget'] })).toContain('example.org/Widget');
    expect(await kindsWith({ kinds: ['widgets'] })).toContain('example.org/Widget');
    const all = await kindsWith({ allKinds: true });
    expect(all).toContain('example.org/Widget');
    expect(all).not.toContain('coordination.k8s.io/Lease');
    const fewer = await kindsWith({ without: ['Secret', 'keda.sh/ScaledObject'] });
    expect([...fewer].filter((kind) => kind.endsWith('Secret') || kind === 'helm/Release')).toEqual([]);
    expect(readFileSync(file, 'utf8')).not.toContain('kind: Secret');
    await expect(kindsWith({ kinds: ['example.org/Wigdet'] })).rejects.toMatchObject({
      code: 'snapshot.unknown-kind',
      next: expect.stringContaining('example.org/Widget') as string,
    });
  });
  test('figures of Prometheus stand in the header', async () => {
    const metrics = [
      { namespace: 'shop', kind: 'Deployment', name: 'api', container: 'api', memoryWorkingSetP99: '2' },
    ];
    const services = [{ namespace: 'shop', name: 'api', requestsPerSecond: 12.5 }];
    await write(world(), {
      metrics: async (state) => {
        expect(state.pods).toHaveLength(1);
        return { metrics, services };
      },
    });
    expect(await readBack()).toMatchObject({ metrics, services });
  });
  test('fingerprints of another key do not compare', async () => {
    await write();
    expect((await readBack(file, new Uint8Array(32).fill(8))).secretsComparable).toBe(false);
  });
  test('every kind that a rule takes as evidence is read', () => {
    const live = new Set(rules.flatMap((rule) => rule.live));
    expect([...live].filter((kind) => !snapshotKinds.includes(kind))).toEqual([]);
  });
});

describe('a snapshot that is not whole', () => {
  test('every cut is found', async () => {
    await write();
    const text = readFileSync(file, 'utf8');
    const first = text.indexOf('SnapshotEnd: 1\n') + 'SnapshotEnd: 1\n'.length;
    for (let end = first; end < text.length - 1; end += 37) {
      writeFileSync(file, text.slice(0, end));
      await expect(readBack(), `cut at ${end}`).rejects.toMatchObject({ code: 'snapshot.truncated' });
    }
    writeFileSync(file, text.slice(0, text.lastIndexOf('---')));
    await expect(readBack()).rejects.toMatchObject({ code: 'snapshot.truncated' });
  });
  test('an object that somebody took out', async () => {
    await write();
    const documents = readFileSync(file, 'utf8').split('---\n');
    writeFileSync(file, documents.filter((text) => !text.includes('kind: Deployment\n')).join('---\n'));
    await expect(readBack()).rejects.toThrow('counts more apps/Deployment (1 instead of 0)');
  });
  test('packed, and cut', async () => {
    const output = join(folder(), 'cut.yaml.gz');
    await write(world(), { output });
    writeFileSync(output, readFileSync(output).subarray(0, -30));
    await expect(readBack(output)).rejects.toMatchObject({ code: 'snapshot.truncated' });
  });
  test('a summary that was edited wrongly', async () => {
    await write();
    writeFileSync(file, readFileSync(file, 'utf8').replace('total: 1', 'total: many'));
    await expect(readBack()).rejects.toThrow(/this WorkloadPods is not valid: \/total/);
  });
});

describe('the file', () => {
  const left = () => readdirSync(folder()).filter((name) => name.startsWith('.'));
  test('appears when it is complete, and nothing else stays', async () => {
    mkdirSync(join(folder(), 'd'));
    const output = join(folder(), 'd', 'x.yaml');
    await write(world(), { output });
    expect(readdirSync(join(folder(), 'd'))).toEqual(['x.yaml']);
    expect(statSync(output).mode & 0o077).toBe(0);
  });
  test('is not touched when the server stops answering', async () => {
    writeFileSync(file, 'old');
    const broken = world((kinds) => [
      ...kinds,
      {
        kind: servedAs('v1', 'ServiceAccount', 'serviceaccounts'),
        objects: () => {
          throw new Error('connection lost');
        },
      },
    ]);
    await expect(write(broken)).rejects.toThrow('connection lost');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(left()).toEqual([]);
  });
  test.each(['missing/x.yaml', '.'])('cannot be %s', async (name) => {
    await expect(write(world(), { output: join(folder(), name) })).rejects.toMatchObject({
      code: 'snapshot.unwritable',
    });
    expect(left()).toEqual([]);
  });
});
