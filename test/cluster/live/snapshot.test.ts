import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { createLiveCluster } from '../../../src/cluster/kubernetes.ts';
import { readSnapshot } from '../../../src/cluster/snapshot.ts';
import { snapshotObject } from '../../../src/cluster/snapshot/snapshot-objects.ts';
import type { ClusterState } from '../../../src/core/cluster.ts';
import type { JsonObject, KubeObject } from '../../../src/core/model.ts';
import { createExec } from '../../../src/render/exec.ts';
import { gate } from '../../kit/gate.ts';
import { writeFiles } from '../../kit/tmp.ts';
import { toolPath } from '../../kit/tools.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';

const run = promisify(execFile);
const fixtures = new URL('../../../fixtures/drift/', import.meta.url).pathname;
const chart = new URL('../../../fixtures/charts/drift', import.meta.url).pathname;
const canary = 'hunter2canary';
const redactKey = new Uint8Array(32).fill(7);

const written = readdirSync(fixtures)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted()
  .map((name) => readFileSync(join(fixtures, name), 'utf8'))
  .join('\n---\n');

const widgets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`;

const more = `apiVersion: v1
kind: Node
metadata: {name: node-1, labels: {zone: a}}
spec: {taints: [{key: dedicated, value: gpu, effect: NoSchedule}]}
---
apiVersion: v1
kind: Secret
metadata: {name: canary, namespace: plain}
stringData: {password: ${canary}}
---
apiVersion: v1
kind: Secret
metadata: {name: applied, namespace: plain, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"${canary}"}}'}}
stringData: {password: ${canary}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: odd, namespace: plain}
data:
  script.sh: "#!/bin/sh\\n  indented\\n\\ttab\\n\\nend  \\n\\n"
  "yes": "no"
  number: "0123"
  text: "---\\na: b\\n---\\n"
  unicode: "é \\u00a0 😀"
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: plain}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: partial, namespace: plain}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: partial}
rules:
- {apiGroups: [""], resources: [services, pods], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: partial}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: partial}
subjects: [{kind: User, name: partial, apiGroup: rbac.authorization.k8s.io}]
`;

const web = (memory: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: plain, annotations: {example.org/owner: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.org/web:1
        env: [{name: MODE, value: fast}]
        resources: {limits: {memory: ${memory}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: plain}
data: {size: large}
`;

function pod(name: string, phase: 'Running' | 'Pending') {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d9c', uid: 'a', controller: true }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'plain',
      labels: { app: 'web', 'pod-template-hash': '5d9c' },
      ownerReferences,
    },
    spec: {
      nodeName: phase === 'Running' ? 'node-1' : undefined,
      containers: [{ name: 'web', image: 'registry.example.org/web:1', resources: { requests: { cpu: '250m' } } }],
      tolerations: [{ operator: 'Exists' }],
    },
  };
}

describe.skipIf(!(await hasCluster()))('gate snapshot of a real API server', () => {
  const cluster = useCluster({ users: { partial: [] } });
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(cluster().folder, 'snapshot-'));
    for (const name of ['plain', 'helm']) {
      await cluster().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    await cluster().apply(widgets);
    await cluster().apply(more);
    await cluster().apply(written, { namespace: 'plain' });
    await cluster().apply(web('512Mi'));
    // Somebody scaled it by hand.
    const scaled = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'plain' } };
    await cluster().apply({ ...scaled, spec: { replicas: 5 } }, { fieldManager: 'somebody' });
    const pods = await cluster().create([pod('web-5d9c-a', 'Running'), pod('web-5d9c-b', 'Pending')]);
    await cluster().setStatus(pods[0]!, {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-20T10:00:00Z' }],
      containerStatuses: [
        {
          name: 'web',
          image: 'registry.example.org/web:1',
          imageID: 'registry.example.org/web@sha256:aa',
          ready: true,
          restartCount: 3,
          state: { running: { startedAt: '2026-11-20T09:59:00Z' } },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
        },
      ],
    });
    const access = ['--kubeconfig', cluster().kubeconfigFor('admin'), '--namespace', 'helm'];
    const helm = await toolPath('helm');
    await run(helm, ['install', 'shop', chart, '--set', `level=${canary}`, ...access]);
    await run(helm, ['upgrade', 'shop', chart, '--set', 'replicas=4', ...access]);
    await untilServed('/apis/example.org/v1/widgets');
    const metadata = { name: 'one', namespace: 'plain' };
    await cluster().apply({ apiVersion: 'example.org/v1', kind: 'Widget', metadata, size: 1 });
  });

  const untilServed = async (path: string): Promise<void> => {
    for (let attempt = 0; attempt < 200; attempt++) {
      if ((await cluster().request('GET', path)).status === 200) return;
      await sleep(100);
    }
    throw new Error(`${path} is not served after 20 seconds`);
  };
  const take = async (name: string, ...args: readonly string[]) => {
    const file = join(folder, name);
    const env = { GATE_FINGERPRINT_KEY: 'test' };
    const ended = await gate(
      ['snapshot', '-o', file, '--kubeconfig', cluster().kubeconfigFor('admin'), '--context', 'test', ...args],
      { env },
    );
    return { file, ...ended };
  };
  const readBack = async (file: string): Promise<ClusterState> => readSnapshot(file, redactKey).read([]);
  const named = ({ apiVersion, kind, metadata }: KubeObject) =>
    [apiVersion, kind, metadata.namespace ?? '', metadata.name].join('/');

  test('holds what the live cluster answers', async () => {
    const { code, stderr, file } = await take('all.yaml', '--cluster-name', 'eu-1', '--kind', 'Widget');
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /^Snapshot of eu-1: \d+ objects of \d+ kinds in [\d.]+ s, [\d.]+ [KM]iB in /,
      ) as string,
    });
    const state = await readBack(file);
    expect(state).toMatchObject({ name: 'eu-1', named: true, kubernetesVersion: 'v1.34.3', unread: [] });
    const live = createLiveCluster({
      kubeconfig: cluster().kubeconfigFor('admin'),
      exec: createExec(),
      cacheFolder: false,
      redactKey,
    });
    try {
      const now = await live.read([...state.kinds].map((kind) => ({ kind })));
      const comparable = (objects: readonly KubeObject[]) =>
        new Map(
          objects
            .filter((object) => object['type'] !== 'helm.sh/release.v1' && object.kind !== 'Secret')
            .map((object) => [named(object), snapshotObject(object as unknown as JsonObject)]),
        );
      const expected = comparable(now.objects);
      const found = comparable(state.objects);
      expect([...found.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
      for (const [name, object] of expected) expect(found.get(name), name).toEqual(object);
      expect(state.pods).toEqual(now.pods);
      expect(state.helmReleases).toEqual(now.helmReleases);
      expect(state.apiVersions).toEqual(now.apiVersions);
      expect(new Set(state.kinds)).toEqual(new Set(now.kinds));
      // Values of Secrets have fingerprints of another key here; their names are the same.
      const secrets = (objects: readonly KubeObject[]) =>
        objects
          .filter((object) => object.kind === 'Secret' && object['type'] !== 'helm.sh/release.v1')
          .map((object) => `${named(object)}: ${Object.keys((object['data'] ?? {}) as object).join()}`)
          .toSorted();
      expect(secrets(state.objects)).toEqual(secrets(now.objects));
      expect(state.objects.some((object) => object.kind === 'Widget')).toBe(true);
      expect(state.objects.find(({ metadata }) => metadata.name === 'odd')?.['data']).toEqual({
        'script.sh': '#!/bin/sh\n  indented\n\ttab\n\nend  \n\n',
        yes: 'no',
        number: '0123',
        text: '---\na: b\n---\n',
        unicode: 'é \u00a0 😀',
      });
    } finally {
      await live.close?.();
    }
  });
  test('pods are counted and the Helm release is named, without a value', async () => {
    const { file } = await take('pods.yaml');
    const state = await readBack(file);
    expect(state.pods).toMatchObject([
      {
        owner: { kind: 'Deployment', name: 'web' },
        total: 2,
        ready: 1,
        nodes: { '': 1, 'node-1': 1 },
        requests: { cpu: '250m' },
        containers: [{ restarts: 3, lastTerminated: { OOMKilled: 1 } }],
      },
    ]);
    expect(state.helmReleases).toMatchObject([
      { namespace: 'helm', name: 'shop', revision: 2, status: 'deployed', chart: 'drift' },
    ]);
    expect(state.helmReleases[0]?.apis).toContain('apps/v1/Deployment');
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain(canary);
    expect(text).not.toContain(Buffer.from(canary).toString('base64'));
    expect(text).not.toContain('sh.helm.release');
    expect(statSync(file).mode & 0o077).toBe(0);
  });
  test('the same cluster gives the same bytes but for the time, in every format', async () => {
    const texts = await Promise.all(
      ['a.yaml', 'b.yaml'].map(async (name) =>
        readFileSync((await take(name)).file, 'utf8').replace(/takenAt: .*/, ''),
      ),
    );
    expect(texts[0]).toBe(texts[1]);
    const [yaml, json] = await Promise.all(
      ['a.yaml', 'c.json.gz'].map(async (name) => readBack((await take(name)).file)),
    );
    expect({ ...json, takenAt: '' }).toEqual({ ...yaml, takenAt: '' });
  });
  test('a user who may not read everything gets what he may, and is told the rest', async () => {
    const file = join(folder, 'partial.yaml');
    const args = ['snapshot', '-o', file, '--kubeconfig', cluster().kubeconfigFor('partial'), '-q'];
    const ended = await gate(args);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('gate: apps/Deployment could not be read: list is forbidden for partial');
    expect(ended.stderr).toContain(
      'Grant in a ClusterRole: {apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]}.',
    );
    const state = await readBack(file);
    expect([...state.kinds].toSorted()).toEqual(['/Pod', '/Service']);
    expect(state.unread.map(({ kind }) => kind)).toContain('helm/Release');
    // Without ReplicaSets the name of the Deployment comes from the pods.
    expect(state.pods).toMatchObject([{ owner: { kind: 'Deployment', name: 'web' } }]);
    expect((await gate([...args, '--on-incomplete', 'warn'])).code).toBe(0);
  });
  test('one namespace, to stdout', async () => {
    const args = ['snapshot', '-o', '-', '--namespace', 'helm', '--kubeconfig', cluster().kubeconfigFor('admin')];
    const { code, stdout, stderr } = await gate(args);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(' in stdout') as string });
    const file = join(writeFiles(folder, { 'helm.yaml': stdout }), 'helm.yaml');
    const state = await readBack(file);
    expect(new Set(state.objects.flatMap(({ metadata }) => metadata.namespace ?? []))).toEqual(new Set(['helm']));
    expect(state.kinds).toContain('/Node');
    expect(state.kindsInNamespaces?.get('apps/Deployment')).toEqual(new Set(['helm']));
  });
  test('a kind that is not there, and a server that is not', async () => {
    expect(await take('x.yaml', '--kind', 'Wigdet')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/does not serve a kind Wigdet.*\n.*Did you mean Widget\?/) as string,
    });
    const config = cluster().kubeconfigFor('admin');
    const text = readFileSync(config, 'utf8').replace(/https:\/\/127\.0\.0\.1:\d+/, 'https://127.0.0.1:1');
    const dead = join(writeFiles(folder, { 'dead.config': text }), 'dead.config');
    const ended = await gate([
      'snapshot',
      '-o',
      join(folder, 'y.yaml'),
      '--kubeconfig',
      dead,
      '--cluster-timeout',
      '3',
    ]);
    expect(ended.code).toBe(3);
    expect(readdirSync(folder).filter((name) => /^\.|^[xy]\.yaml/.test(name))).toEqual([]);
  });
  test('gate check says the same with the snapshot as with the cluster', async () => {
    const { file } = await take('check.yaml');
    const sides = writeFiles(mkdtempSync(join(folder, 'sides-')), {
      'before/all.yaml': `${written}\n---\n${web('512Mi')}`,
      'after/all.yaml': `${written}\n---\n${web('256Mi')}`.replace('replicas: 3', 'replicas: 9'),
    });
    const check = async (...evidence: readonly string[]) => {
      const ended = await gate(
        ['check', '--before', join(sides, 'before'), '--after', join(sides, 'after'), '-q', '-o', 'json', ...evidence],
        { env: { GATE_FINGERPRINT_KEY: 'test' } },
      );
      if (ended.stdout === '') throw new Error(`gate check gave no report: ${ended.stderr}`);
      const report = JSON.parse(ended.stdout) as Record<string, unknown>;
      const { durationSeconds: _seconds, work: _work, clusters: _clusters, ...rest } = report;
      return rest;
    };
    const fromFile = await check('--snapshot', file);
    const fromServer = await check(
      '--live',
      '--kubeconfig',
      cluster().kubeconfigFor('admin'),
      '--cluster-name',
      'test',
    );
    expect(fromFile).toEqual(fromServer);
    // What is hidden is no drift.
    const hidden = await check('--snapshot', (await take('hidden.yaml', '--redact', '--cluster-name', 'test')).file);
    expect(JSON.stringify(fromFile['drift'])).toContain('/spec/replicas');
    expect(hidden['drift']).toEqual(fromFile['drift']);
    expect(hidden['verdict']).toEqual(fromFile['verdict']);
    // Both looked: the pods that the kernel ended are evidence, and the cluster's own objects are compared.
    expect(JSON.stringify(fromFile['findings'])).toContain('OOM');
  });
});
