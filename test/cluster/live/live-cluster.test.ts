import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createLiveCluster, openServer } from '../../../src/cluster/kubernetes.ts';
import { pages } from '../../../src/cluster/reading/list.ts';
import { servedKind } from '../../../src/cluster/reading/discovery.ts';
import { createOpenApi } from '../../../src/cluster/reading/open-api.ts';
import { parseSnapshot } from '../../../src/cluster/snapshot.ts';
import type { ClusterState, WantedKind } from '../../../src/core/cluster.ts';
import { createExec } from '../../../src/render/exec.ts';
import { toolPath } from '../../kit/tools.ts';
import { makeCertificate } from '../kit/certificates.ts';
import { temporaryFolder } from '../kit/stand-in.ts';
import { hasCluster, useCluster, type TestCluster } from '../kit/cluster.ts';

const redactKey = new Uint8Array(32).fill(7);
const exec = createExec();

function open(cluster: TestCluster, user = 'admin') {
  return openServer({ exec, kubeconfig: cluster.kubeconfigFor(user), cacheFolder: false });
}

async function readAs(cluster: TestCluster, user: string, wanted: readonly WantedKind[]): Promise<ClusterState> {
  const live = createLiveCluster({ exec, kubeconfig: cluster.kubeconfigFor(user), cacheFolder: false, redactKey });
  try {
    return await live.read(wanted);
  } finally {
    await live.close?.();
  }
}

const shops = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Shop, listKind: ShopList, plural: shops, singular: shop}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`;

/** Of `kubectl api-resources -o json`. */
interface Named {
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** Until the server serves the kind of a definition that was just made. */
async function untilServed(cluster: TestCluster, path: string): Promise<void> {
  await vi.waitFor(async () => expect((await cluster.request('GET', path)).status).toBe(200), {
    timeout: 20_000,
    interval: 100,
  });
}

for (const version of ['1.34.3', '1.31.4']) {
  describe.skipIf(!(await hasCluster({ version })))(`discovery of ${version}`, () => {
    const cluster = useCluster({ version });
    beforeAll(async () => {
      await cluster().apply(shops);
      await untilServed(cluster(), '/apis/example.org/v1/shops');
    });
    test('is what kubectl finds', async () => {
      const { api, discovery } = await open(cluster());
      expect(discovery.kubernetesVersion).toBe(`v${version}`);
      const versions = await cluster().kubectl(['api-versions']);
      const ours = discovery.apiVersions.filter((text) => /^(?:[^/]+\/)?v\d+(?:(?:alpha|beta)\d+)?$/.test(text));
      expect(ours).toEqual(versions.stdout.trim().split('\n').toSorted());
      const { stdout } = await cluster().kubectl(['api-resources', '-o', 'json']);
      const theirs = (JSON.parse(stdout) as { resources: Named[] }).resources.map((resource) =>
        [
          resource.name,
          resource.group ?? '',
          resource.version,
          resource.namespaced,
          resource.kind,
          resource.verbs,
        ].join(' '),
      );
      const ofOurs = discovery.kinds
        .filter((kind) => kind.preferred)
        .map((kind) => [kind.plural, kind.group, kind.version, kind.namespaced, kind.kind, kind.verbs].join(' '));
      expect(ofOurs.length).toBeGreaterThan(50);
      expect(ofOurs.toSorted()).toEqual(theirs.toSorted());
      await api.close();
    });
    test('has the API versions that Helm has', async () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'templates'));
      writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: capabilities\nversion: 1.0.0\n');
      writeFileSync(
        join(folder, 'templates', 'map.yaml'),
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: capabilities}\ndata:\n  all: {{ .Capabilities.APIVersions | toJson | quote }}\n',
      );
      const result = await exec.run({
        file: await toolPath('helm'),
        args: ['template', folder, '--validate', '--kubeconfig', cluster().kubeconfigFor('admin')],
      });
      const all = /all: (".*")/.exec(result.stdout)?.[1];
      expect(all, result.stderr).toBeDefined();
      const theirs = JSON.parse(JSON.parse(all ?? '') as string) as string[];
      const { api, discovery } = await open(cluster());
      expect(discovery.apiVersions).toEqual(theirs.toSorted());
      await api.close();
    });
    test('has the custom resource in both versions', async () => {
      const { api, discovery } = await open(cluster());
      expect(servedKind(discovery, 'example.org', 'Shop')).toMatchObject({
        version: 'v1',
        plural: 'shops',
        namespaced: true,
      });
      expect(servedKind(discovery, 'example.org', 'Shop', 'v1beta1')).toMatchObject({ preferred: false });
      expect(discovery.stale).toEqual([]);
      const document = await createOpenApi(api)('apps', 'v1');
      expect(JSON.stringify(document)).toContain('x-kubernetes-list-map-keys');
      await api.close();
    });
  });
}

const authority = makeCertificate({ commonName: 'clients' });

describe.skipIf(!(await hasCluster()))('the live cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-clients-'));
  const clientCa = join(folder, 'ca.pem');
  writeFileSync(clientCa, authority.cert);
  afterAll(() => rmSync(folder, { recursive: true }));
  const cluster = useCluster({
    users: { viewer: [], tenant: [] },
    flags: [`--client-ca-file=${clientCa}`],
  });

  beforeAll(async () => {
    await cluster().apply(shops);
    await untilServed(cluster(), '/apis/example.org/v1/shops');
    await cluster().apply(`
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: hunter2-hunter2}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {level: info, url: "postgres://app:hunter2-hunter2@db/shop"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: other}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "example.org/api:1", resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
---
apiVersion: example.org/v1
kind: Shop
metadata: {name: corner, namespace: shop}
spec: {open: true}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: viewer}
rules:
- {apiGroups: [apps], resources: [deployments], verbs: [list]}
- {apiGroups: [""], resources: [namespaces], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: viewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: viewer}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tenant, namespace: shop}
rules:
- {apiGroups: ["", apps], resources: [deployments, configmaps, pods], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tenant}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: tenant}]
`);
    await makePods(cluster());
  });

  test('objects in the version of Git, secrets redacted, managed fields of the spec kept', async () => {
    const state = await readAs(cluster(), 'admin', [
      { kind: 'apps/Deployment', version: 'v1', namespaces: ['shop'] },
      { kind: '/Secret', namespaces: ['shop'] },
      { kind: '/ConfigMap', namespaces: ['shop'] },
      { kind: 'example.org/Shop', version: 'v1beta1' },
      { kind: 'example.org/Stall' },
    ]);
    const find = (kind: string, name: string) =>
      state.objects.find((object) => object.kind === kind && object.metadata.name === name);
    expect(find('Shop', 'corner')).toMatchObject({ apiVersion: 'example.org/v1beta1', spec: { open: true } });
    expect(find('Secret', 'db')?.['data']).toEqual({ password: expect.stringMatching(/^redacted:/) as string });
    expect(JSON.stringify(state.objects)).not.toContain('hunter2');
    const managers = find('Deployment', 'api')?.metadata['managedFields'] as { manager: string; operation: string }[];
    expect(managers.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual(['test Apply']);
    expect([...state.kinds]).toEqual(['example.org/Shop', 'example.org/Stall']);
    expect(state.kindsInNamespaces?.get('/Secret')).toEqual(new Set(['shop']));
    expect(state.unread).toEqual([]);
    expect(state).toMatchObject({ name: 'test', server: cluster().url, kubernetesVersion: 'v1.34.3' });
    expect(Date.now() - Date.parse(state.takenAt ?? '')).toBeLessThan(60_000);
  });

  test('pods are counted by their Deployment and not kept', async () => {
    const state = await readAs(cluster(), 'admin', [{ kind: '/Pod' }]);
    expect(state.objects).toEqual([]);
    expect(state.pods).toMatchObject([
      {
        namespace: 'shop',
        owner: { group: 'apps', kind: 'Deployment', name: 'api' },
        total: 2,
        phases: { Pending: 2 },
        requests: { cpu: '100m', memory: '64Mi' },
      },
    ]);
    expect([...state.kinds]).toEqual(['/Pod']);
  });

  test('Helm releases, by the real helm', async () => {
    const chart = temporaryFolder();
    mkdirSync(join(chart, 'templates'));
    writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: "7"\n');
    writeFileSync(
      join(chart, 'templates', 'map.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-helm}\ndata: {v: {{ .Values.v | quote }}}\n',
    );
    const helm = await toolPath('helm');
    for (const value of ['hunter2-one', 'hunter2-two']) {
      const result = await exec.run({
        file: helm,
        args: [
          'upgrade',
          '--install',
          'corner',
          chart,
          '-n',
          'shop',
          '--set',
          `v=${value}`,
          '--kubeconfig',
          cluster().kubeconfigFor('admin'),
        ],
      });
      expect(result.exitCode, result.stderr).toBe(0);
    }
    const state = await readAs(cluster(), 'admin', [{ kind: 'helm/Release', namespaces: ['shop'] }]);
    expect(state.helmReleases).toEqual([
      {
        namespace: 'shop',
        name: 'corner',
        revision: 2,
        status: 'deployed',
        chart: 'shop',
        chartVersion: '1.2.3',
        appVersion: '7',
        apis: ['v1/ConfigMap'],
      },
    ]);
    expect(JSON.stringify(state)).not.toContain('hunter2');
  });

  test('is the same as a snapshot made by kubectl', async () => {
    const kinds = ['deployments', 'configmaps', 'secrets', 'namespaces', 'clusterroles', 'shops'];
    const dump = await cluster().kubectl(['get', kinds.join(','), '-A', '-o', 'yaml', '--show-managed-fields']);
    const snapshot = parseSnapshot(dump.stdout, 'live.yaml', redactKey);
    const state = await readAs(cluster(), 'admin', [
      { kind: 'apps/Deployment' },
      { kind: '/ConfigMap' },
      { kind: '/Secret' },
      { kind: '/Namespace' },
      { kind: 'rbac.authorization.k8s.io/ClusterRole' },
      { kind: 'example.org/Shop' },
    ]);
    const sorted = (objects: ClusterState['objects']) =>
      objects.toSorted((left, right) => (idOf(left) < idOf(right) ? -1 : 1));
    expect(state.objects.length).toBeGreaterThan(70);
    expect(sorted(state.objects)).toEqual(sorted(snapshot.objects));
  });

  test('what may not be read is named with the rule that is missing', async () => {
    const state = await readAs(cluster(), 'viewer', [
      { kind: 'apps/Deployment' },
      { kind: '/Pod' },
      { kind: '/Secret', namespaces: ['shop', 'other'] },
      { kind: 'helm/Release' },
    ]);
    expect([...state.kinds]).toEqual(['apps/Deployment']);
    expect(state.kindsInNamespaces).toBeUndefined();
    const rule = (plural: string) => `{apiGroups: [""], resources: ["${plural}"], verbs: ["list"]}.`;
    expect(state.unread).toEqual([
      { kind: '/Pod', reason: 'list is forbidden for viewer', next: `Grant in a ClusterRole: ${rule('pods')}` },
      {
        kind: '/Secret',
        namespaces: ['shop', 'other'],
        reason: 'list is forbidden for viewer',
        next: `Grant in a Role in each of the namespaces shop, other: ${rule('secrets')}`,
      },
      {
        kind: 'helm/Release',
        reason: 'list is forbidden for viewer',
        next: `Grant in a ClusterRole: ${rule('secrets')}`,
      },
    ]);
  });

  test('the rule that is named is enough', async () => {
    const before = await readAs(cluster(), 'viewer', [
      { kind: 'apps/Deployment' },
      { kind: 'policy/PodDisruptionBudget' },
    ]);
    const text = /: (\{.*\})\.$/.exec(before.unread[0]?.next ?? '')?.[1];
    await cluster().apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: viewer-more}
rules: [${text}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: viewer-more}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: viewer-more}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}]
`);
    await vi.waitFor(async () => {
      const after = await readAs(cluster(), 'viewer', [{ kind: 'policy/PodDisruptionBudget' }]);
      expect([...after.kinds]).toEqual(['policy/PodDisruptionBudget']);
    });
  });

  test('a Role in the namespace of the change is enough for that namespace', async () => {
    const state = await readAs(cluster(), 'tenant', [
      { kind: 'apps/Deployment' },
      { kind: '/ConfigMap', namespaces: ['shop'] },
      { kind: '/Pod' },
      { kind: '/Node' },
    ]);
    expect(state.kindsInNamespaces).toEqual(
      new Map(['apps/Deployment', '/ConfigMap', '/Pod'].map((kind) => [kind, new Set(['shop'])])),
    );
    expect(state.pods).toHaveLength(1);
    expect(state.objects.every((object) => object.metadata.namespace === 'shop')).toBe(true);
    expect(state.unread.map(({ kind, namespaces }) => `${kind} ${namespaces?.join() ?? 'all'}`)).toEqual([
      '/Node all',
      '/Pod all',
      'apps/Deployment all',
    ]);
  });

  test('more than a thousand objects, in small pages', async () => {
    const names = Array.from({ length: 1_234 }, (_, index) => `many-${index}`);
    await pMap(
      names,
      (name) =>
        cluster().create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace: 'other', labels: { many: 'yes' } },
        }),
      { concurrency: 20 },
    );
    const { api, discovery } = await open(cluster());
    const kind = servedKind(discovery, '', 'ConfigMap');
    if (kind === undefined) throw new Error('no ConfigMap');
    const sizes: number[] = [];
    const found = new Set<string>();
    for await (const page of pages(api, kind, { namespace: 'other', labelSelector: 'many=yes', limit: 100 })) {
      sizes.push(page.length);
      for (const item of page) found.add(String((item['metadata'] as { name: string }).name));
    }
    await api.close();
    expect(sizes).toEqual([...Array<number>(12).fill(100), 34]);
    expect(found).toEqual(new Set(names));
  });

  test('a group whose extension server is away is named, and the rest is read', async () => {
    await cluster().apply(`
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.example.org}
spec:
  group: metrics.example.org
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: away, namespace: default}
`);
    try {
      await vi.waitFor(
        async () => {
          const { api, discovery } = await open(cluster());
          await api.close();
          expect(discovery.stale).toEqual(['metrics.example.org/v1beta1']);
        },
        { timeout: 20_000, interval: 200 },
      );
      const state = await readAs(cluster(), 'admin', [
        { kind: '/Namespace' },
        { kind: 'metrics.example.org/PodMetrics' },
      ]);
      expect([...state.kinds]).toEqual(['/Namespace']);
      expect(state.unread.map(({ kind }) => kind)).toEqual(['metrics.example.org/*', 'metrics.example.org/PodMetrics']);
      expect(state.unread[0]?.reason).toBe('the extension API server that serves it does not answer');
    } finally {
      await cluster().kubectl(['delete', 'apiservice', 'v1beta1.metrics.example.org']);
    }
  });

  test.each(['certificate', 'plugin', 'plugin with a certificate'])('credentials: a %s', async (way) => {
    const jane = makeCertificate({ commonName: 'viewer', issuer: authority });
    const here = temporaryFolder();
    const status =
      way === 'plugin'
        ? { token: cluster().tokens['viewer'] }
        : { clientCertificateData: jane.cert, clientKeyData: jane.key };
    writeFileSync(
      join(here, 'credential.json'),
      JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }),
    );
    const user =
      way === 'certificate'
        ? { 'client-certificate-data': base64(jane.cert), 'client-key-data': base64(jane.key) }
        : {
            exec: {
              apiVersion: 'client.authentication.k8s.io/v1',
              command: 'cat',
              args: ['credential.json'],
              interactiveMode: 'Never',
            },
          };
    const kubeconfig = join(here, 'kubeconfig');
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [
          { name: 'c', cluster: { server: cluster().url, 'certificate-authority-data': base64(cluster().ca) } },
        ],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    const live = createLiveCluster({ exec, kubeconfig, cacheFolder: false, redactKey });
    const state = await live.read([{ kind: 'apps/Deployment' }, { kind: '/Node' }]);
    expect(state.unread[0]?.reason).toBe('list is forbidden for viewer');
    expect(state.objects).toHaveLength(1);
    await live.close?.();
  });

  test('a token that the server does not know', async () => {
    const here = temporaryFolder();
    const kubeconfig = join(here, 'kubeconfig');
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [
          { name: 'c', cluster: { server: cluster().url, 'certificate-authority-data': base64(cluster().ca) } },
        ],
        users: [{ name: 'u', user: { token: 'nobody-knows-me' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    const live = createLiveCluster({ exec, kubeconfig, cacheFolder: false, redactKey });
    await expect(live.describe()).rejects.toMatchObject({
      code: 'cluster.unauthorized',
      message: `${cluster().url} does not accept the credentials of context x: the token was refused`,
    });
  });

  test('asks for nothing but lists and what the server publishes', async () => {
    await readAs(cluster(), 'viewer', [
      { kind: '/Pod' },
      { kind: 'apps/Deployment' },
      { kind: '/Secret', namespaces: ['shop'] },
    ]);
    const events = (await cluster().audit()).filter(
      ({ user, userAgent }) => user.username === 'viewer' && userAgent === 'gitops-gate',
    );
    expect(new Set(events.map(({ verb }) => verb))).toEqual(new Set(['get', 'list']));
    const gets = events.filter(({ verb }) => verb === 'get').map(({ requestURI }) => requestURI);
    expect(new Set(gets)).toEqual(new Set(['/version', '/api', '/apis']));
  });
});

/** Two pods of the ReplicaSet of the Deployment `api`, as its controller would make them. */
async function makePods(cluster: TestCluster): Promise<void> {
  const deployment = await cluster.get({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop' },
  });
  const owner = (kind: string, name: string, uid: unknown) => [
    { apiVersion: 'apps/v1', kind, name, uid, controller: true },
  ];
  const labels = { app: 'api', 'pod-template-hash': '5d9c7' };
  const template = {
    metadata: { labels },
    spec: {
      containers: [
        { name: 'api', image: 'example.org/api:1', resources: { requests: { cpu: '100m', memory: '64Mi' } } },
      ],
    },
  };
  const [set] = await cluster.create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: 'api-5d9c7',
      namespace: 'shop',
      labels,
      ownerReferences: owner('Deployment', 'api', deployment?.metadata['uid']),
    },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  });
  for (const suffix of ['abcde', 'fghij']) {
    await cluster.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `api-5d9c7-${suffix}`,
        namespace: 'shop',
        labels,
        ownerReferences: owner('ReplicaSet', 'api-5d9c7', set?.metadata['uid']),
      },
      spec: template.spec,
    });
  }
}

function idOf(object: ClusterState['objects'][number]): string {
  return [object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name].join('/');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
