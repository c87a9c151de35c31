import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLiveCluster } from '../../../src/cluster/kubernetes.ts';
import type { ClusterState } from '../../../src/core/cluster.ts';
import type { DriftEntry, JsonObject, KubeObject, Target } from '../../../src/core/model.ts';
import { diffSides, type DiffResult } from '../../../src/diff/diff.ts';
import { liveSide } from '../../../src/diff/live.ts';
import { createExec } from '../../../src/render/exec.ts';
import { parseManifests } from '../../../src/render/parse.ts';
import { buildLiveWorld } from '../../../src/rules/kit/world.ts';
import { target } from '../../diff/sides.ts';
import { toolPath } from '../../kit/tools.ts';
import { hasCluster, startCluster, type TestCluster } from '../kit/cluster.ts';

const run = promisify(execFile);
const folder = new URL('../../../fixtures/drift/', import.meta.url).pathname;
const chart = new URL('../../../fixtures/charts/drift', import.meta.url).pathname;
const redactKey = new Uint8Array(32).fill(7);

const written = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted()
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n---\n');

/** Node ports and the range are the server's, so a second namespace needs another one. */
function forNamespace(namespace: string): string {
  return namespace === 'ssa' ? written.replace('30053', '30054') : written;
}

async function read(
  cluster: TestCluster,
  manifests: readonly { readonly object: KubeObject }[],
): Promise<ClusterState> {
  const live = createLiveCluster({
    kubeconfig: cluster.kubeconfigFor('admin'),
    context: 'test',
    redactKey,
    exec: createExec(),
  });
  try {
    const kinds = new Map<string, string>();
    for (const { object } of manifests) {
      const [version = '', group = ''] = object.apiVersion.split('/').toReversed();
      kinds.set(`${group}/${object.kind}`, version);
    }
    return await live.read([...kinds].map(([kind, version]) => ({ kind, version })));
  } finally {
    await live.close?.();
  }
}

async function compare(
  cluster: TestCluster,
  namespace: string,
  yaml: string,
  of: Partial<Target> = {},
  after = yaml,
): Promise<DiffResult> {
  const parse = (text: string) => parseManifests(text, { defaultNamespace: namespace, redactKey }).manifests;
  const [manifests, next] = [parse(yaml), parse(after)];
  const state = await read(cluster, manifests);
  const side = { ok: true as const, target: target('shop', of), warnings: [] };
  return diffSides({
    before: [{ ...side, manifests }],
    after: [{ ...side, manifests: next }],
    live: () => liveSide(buildLiveWorld(state)),
  });
}

function lines(drift: readonly DriftEntry[]): string[] {
  return drift
    .flatMap(({ ref, kind, fields }) =>
      kind === 'fields'
        ? fields.map(({ path }) => `${ref.kind}/${ref.name} ${path}`)
        : [`${ref.kind}/${ref.name} is ${kind}`],
    )
    .toSorted();
}

async function kubectl(cluster: TestCluster, args: readonly string[], input?: string): Promise<void> {
  const ended = await cluster.kubectl([...args], input === undefined ? {} : { input });
  if (ended.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${ended.stderr}`);
}

/** Custom resources come right after their definition, so the first try may not know the kind yet. */
async function applyAll(cluster: TestCluster, namespace: string, how: readonly string[]): Promise<void> {
  const yaml = forNamespace(namespace);
  await cluster.kubectl(['create', 'namespace', namespace]);
  await cluster.kubectl(['apply', '-n', namespace, ...how, '-f', '-'], { input: yaml });
  await kubectl(cluster, ['wait', '--for=condition=Established', 'crd/caches.drift.example.org', '--timeout=30s']);
  await expect
    .poll(async () => (await cluster.kubectl(['apply', '-n', namespace, ...how, '-f', '-'], { input: yaml })).stderr, {
      timeout: 30_000,
    })
    .not.toMatch(/error|invalid|no matches/i);
}

const serverSide = ['--server-side', '--force-conflicts'];

describe.each([
  ['1.34.3', '3.19.5'],
  ['1.31.4', '4.2.4'],
])('drift on a server %s', (version, helmVersion) => {
  let shared: TestCluster | undefined;
  const cluster = (): TestCluster => shared!;
  let available = false;

  beforeAll(async () => {
    available = await hasCluster({ version });
    if (available) shared = await startCluster({ version });
  });
  afterAll(async () => shared?.stop());

  test('none after a client-side apply', async ({ skip }) => {
    if (!available) skip();
    await applyAll(cluster(), 'csa', []);
    const { drift, notes } = await compare(cluster(), 'csa', forNamespace('csa'));
    expect(drift).toEqual([]);
    expect(notes).toEqual([]);
  });

  test('none after a server-side apply', async ({ skip }) => {
    if (!available) skip();
    await applyAll(cluster(), 'ssa', serverSide);
    const { drift, notes } = await compare(cluster(), 'ssa', forNamespace('ssa'));
    expect(drift).toEqual([]);
    expect(notes).toEqual([]);
  });

  test(`none after helm ${helmVersion} installed and upgraded a release`, async ({ skip }) => {
    if (!available) skip();
    const helm = await toolPath('helm', helmVersion);
    const access = ['--kubeconfig', cluster().kubeconfigFor('admin'), '--namespace', 'helm'];
    await run(helm, ['install', 'shop', chart, '--create-namespace', ...access]);
    const render = async (...args: string[]) =>
      (await run(helm, ['template', 'shop', chart, '--namespace', 'helm', '--is-upgrade', ...args])).stdout;
    const source = {
      type: 'helm',
      chart: { from: 'tree', path: 'x' },
      release: 'shop',
      values: [],
      set: [],
      includeCrds: false,
    } as const;
    const of = { engine: 'helm', apply: { mode: 'helm', prune: true, automated: true }, sources: [source] } as const;
    expect((await compare(cluster(), 'helm', await render(), of)).drift).toEqual([]);
    await run(helm, ['upgrade', 'shop', chart, '--set', 'replicas=4', '--set', 'level=debug', ...access]);
    expect(
      (await compare(cluster(), 'helm', await render('--set', 'replicas=4', '--set', 'level=debug'), of)).drift,
    ).toEqual([]);
    // The values of the first installation no longer hold.
    expect(lines((await compare(cluster(), 'helm', await render(), of)).drift)).toEqual([
      'ConfigMap/shop /data/LOG_LEVEL',
      'Deployment/shop /spec/replicas',
      'Deployment/shop /spec/template/metadata/annotations/checksum~1config',
    ]);
    // Another release of the same objects.
    const other = { ...of, sources: [{ ...source, release: 'market' }] };
    const { drift } = await compare(cluster(), 'helm', await render(), other);
    expect(
      drift.every(({ kind, reason }) => kind === 'foreign' && reason === 'it belongs to Helm release helm/shop'),
    ).toBe(true);
  });

  test.each(['csa', 'ssa'])('each edit of objects applied by %s is found, and nothing else', async (namespace) => {
    if (!available) return;
    const edit = (...args: readonly string[]) => kubectl(cluster(), [...args, '-n', namespace]);
    await edit('scale', 'statefulset/db', '--replicas=5');
    await edit('set', 'image', 'deployment/storefront', 'web=registry.example.org/shop/storefront:hotfix');
    await edit('set', 'env', 'deployment/storefront', '-c', 'web', 'DEBUG=1', 'LOG_LEVEL-');
    await edit('set', 'env', 'daemonset/agent', 'TRACE=on');
    await edit('label', 'service/storefront', 'app=other', 'team=web', '--overwrite');
    await edit('patch', 'configmap/storefront', '-p', '{"data": {"number": "2.0", "EXTRA": "x", "EMPTY": null}}');
    await edit('patch', 'secret/storefront', '-p', '{"stringData": {"token": "stolen"}}');
    await edit(
      'patch',
      'service/edge',
      '--type=json',
      '-p',
      '[{"op": "replace", "path": "/spec/ports/0/port", "value": 81}]',
    );
    await edit(
      'patch',
      'networkpolicy/deny',
      '--type=merge',
      '-p',
      '{"spec": {"podSelector": {"matchLabels": {"x": "y"}}}}',
    );
    await edit('patch', 'cache/sessions', '--type=merge', '-p', '{"spec": {"size": "2Gi", "replicas": 3}}');
    await edit('delete', 'pdb/db', '--wait=false');
    await edit('annotate', 'deployment/storefront', 'kubernetes.io/change-cause=test');
    await edit('rollout', 'restart', 'deployment/storefront');
    const { drift } = await compare(cluster(), namespace, forNamespace(namespace));
    const web = 'Deployment/storefront /spec/template/spec/containers/web';
    expect(lines(drift)).toEqual([
      'Cache/sessions /spec/replicas',
      'Cache/sessions /spec/size',
      'ConfigMap/storefront /data/EMPTY',
      'ConfigMap/storefront /data/EXTRA',
      'ConfigMap/storefront /data/number',
      'DaemonSet/agent /spec/template/spec/containers/agent/env/TRACE',
      `${web}/env/DEBUG`,
      `${web}/env/LOG_LEVEL`,
      `${web}/image`,
      'NetworkPolicy/deny /spec/podSelector',
      'PodDisruptionBudget/db is missing',
      'Secret/storefront /data/token',
      'Service/edge /spec/ports/80:TCP',
      'Service/edge /spec/ports/81:TCP',
      'Service/storefront /metadata/labels/app',
      'Service/storefront /metadata/labels/team',
      'StatefulSet/db /spec/replicas',
    ]);
    const fields = drift.flatMap((entry) => entry.fields);
    expect(fields.find(({ path }) => path.endsWith('/web/image'))).toMatchObject({ by: 'kubectl-set' });
    expect(JSON.stringify(drift)).not.toContain('stolen');
  });

  test('a change over an edit says what it overwrites', async ({ skip }) => {
    if (!available) skip();
    const yaml = forNamespace('csa');
    const after = yaml
      .replace('shop/storefront:2.4.1', 'shop/storefront:2.5.0')
      .replace('registry.example.org/ops/agent', 'registry.example.org/ops/agent:2');
    const { changes } = await compare(cluster(), 'csa', yaml, {}, after);
    const found = changes.flatMap(({ ref, fields }) =>
      fields
        .filter(({ path }) => path.endsWith('image'))
        .map(({ live, conflict, attribution }) => ({ kind: ref.kind, live, conflict, attribution })),
    );
    expect(found).toEqual([
      { kind: 'DaemonSet', live: 'registry.example.org/ops/agent', conflict: undefined, attribution: 'change' },
      {
        kind: 'Deployment',
        live: 'registry.example.org/shop/storefront:hotfix',
        conflict: true,
        attribution: 'change',
      },
    ]);
  });

  test('objects of other applications, deleted ones and scaled ones are told apart', async ({ skip }) => {
    if (!available) skip();
    await kubectl(cluster(), ['create', 'namespace', 'others']);
    const map = (name: string, metadata: JsonObject): KubeObject & JsonObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'others', ...metadata },
      data: { a: 'live' },
    });
    const tracked = (application: string, name: string) => ({
      annotations: { 'argocd.argoproj.io/tracking-id': `${application}:/ConfigMap:others/${name}` },
    });
    const flux: JsonObject = {
      labels: { 'kustomize.toolkit.fluxcd.io/name': 'base', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' },
    };
    const scaled = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'scaled', namespace: 'others' },
      spec: {
        replicas: 7,
        selector: { matchLabels: { app: 'scaled' } },
        template: { metadata: { labels: { app: 'scaled' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } },
      },
    };
    const scaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaled', namespace: 'others' },
      spec: { maxReplicas: 9, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' } },
    };
    await cluster().apply(
      [
        map('mine', tracked('shop', 'mine')),
        map('theirs', tracked('market', 'theirs')),
        map('copied', tracked('market', 'original')),
        map('flux', flux),
        map('held', { finalizers: ['example.org/hold'] }),
        scaled,
        scaler,
      ],
      { namespace: 'others', fieldManager: 'argocd-controller' },
    );
    await kubectl(cluster(), ['delete', 'configmap/held', '-n', 'others', '--wait=false']);
    const git = [
      ...['mine', 'theirs', 'copied', 'flux', 'held'].map((name) => ({ ...map(name, {}), data: { a: 'git' } })),
      { ...scaled, spec: { ...scaled.spec, replicas: 2 } },
      scaler,
    ];
    const { drift, notes } = await compare(
      cluster(),
      'others',
      git.map((object) => JSON.stringify(object)).join('\n---\n'),
    );
    expect(drift.map(({ ref, kind, reason }) => [ref.name, kind, reason?.replace(/\d{4}-.*Z/, 'then')])).toEqual([
      ['mine', 'fields', undefined],
      ['theirs', 'foreign', 'it belongs to Argo CD Application market'],
      ['copied', 'fields', undefined],
      ['flux', 'foreign', 'it belongs to Flux Kustomization flux-system/base'],
      ['held', 'deleting', 'it is being deleted since then, held by example.org/hold'],
    ]);
    expect(notes.map(({ reason }) => reason)).toEqual([
      'spec.replicas of Deployment others/scaled was not compared: HorizontalPodAutoscaler/scaled decides it',
    ]);
  });

  test('fields behind a closed feature gate, and fields of managers that are accepted', async ({ skip }) => {
    if (!available) skip();
    await kubectl(cluster(), ['create', 'namespace', 'gates']);
    const template = { metadata: { labels: { app: 's' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } };
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'gated', namespace: 'gates' },
      spec: {
        serviceName: 's',
        replicas: 1,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
        selector: { matchLabels: { app: 's' } },
        template,
      },
    };
    await cluster().apply([set], { namespace: 'gates', fieldManager: 'argocd-controller' });
    const bot = { ...set, spec: { template: { spec: { containers: [{ name: 'a', image: 'a:2' }] } } } };
    await cluster().apply([bot], { namespace: 'gates', fieldManager: 'rollout-bot', force: true });
    const gate = `a field of StatefulSet gates/gated is in Git but not stored: this API server does not have the feature gate MaxUnavailableStatefulSet switched on`;
    const found = await compare(cluster(), 'gates', JSON.stringify(set));
    expect(found.drift).toMatchObject([{ fields: [{ before: 'a:1', live: 'a:2', by: 'rollout-bot' }] }]);
    expect(found.notes.map(({ reason }) => reason)).toEqual([gate]);
    const apply: Target['apply'] = {
      mode: 'server-side',
      prune: true,
      automated: true,
      ignoreDifferences: [{ group: 'apps', kind: '*Set', managedFieldsManagers: ['rollout-bot'] }],
    };
    expect((await compare(cluster(), 'gates', JSON.stringify(set), { apply })).drift).toEqual([]);
  });
});
