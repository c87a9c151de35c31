import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { createPodSummary } from '../../src/cluster/pods/pods.ts';

interface PodShape {
  readonly name: string;
  readonly owner?: JsonObject;
  readonly labels?: JsonObject;
  readonly meta?: JsonObject;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

function pod({ name, owner, labels = {}, meta = {}, spec = {}, status = {} }: PodShape): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      labels,
      ...(owner === undefined ? {} : { ownerReferences: [{ controller: true, uid: 'u', ...owner }] }),
      ...meta,
    },
    spec: { containers: [{ name: 'app', image: 'registry.example.org/shop/api:1.2.0' }], ...spec },
    status,
  };
}

const replicaSet = (name: string): JsonObject => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name });
const job = (name: string): JsonObject => ({ apiVersion: 'batch/v1', kind: 'Job', name });

function summarise(pods: readonly JsonObject[], owners: readonly JsonObject[] = []) {
  const summary = createPodSummary();
  for (const object of pods) summary.add(object);
  for (const object of owners) summary.addOwner(object);
  return summary.finish();
}

const ownersOf = (pods: readonly JsonObject[], owners: readonly JsonObject[] = []) =>
  summarise(pods, owners).map(({ owner, total }) => `${owner.group}/${owner.kind}/${owner.name}: ${total}`);

describe('owner of a pod', () => {
  test('the Deployment of a ReplicaSet, from the ReplicaSet', () => {
    const pods = [pod({ name: 'a', owner: replicaSet('api-blue') }), pod({ name: 'b', owner: replicaSet('api-7d4f') })];
    const owners = ['api-blue', 'api-7d4f'].map((name): JsonObject => ({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace: 'shop',
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'api', controller: true }],
      },
    }));
    expect(ownersOf(pods, owners)).toEqual(['apps/Deployment/api: 2']);
  });
  test('the Deployment of a ReplicaSet that was not read, from name and hash', () => {
    const labels = { 'pod-template-hash': '7d4f' };
    expect(ownersOf([pod({ name: 'a', owner: replicaSet('api-v2-7d4f'), labels })])).toEqual([
      'apps/Deployment/api-v2: 1',
    ]);
    expect(ownersOf([pod({ name: 'a', owner: replicaSet('api-blue'), labels })])).toEqual([
      'apps/ReplicaSet/api-blue: 1',
    ]);
  });
  test('a ReplicaSet without an owner stands for itself, whatever its name looks like', () => {
    const labels = { 'pod-template-hash': '7d4f' };
    const own = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'api-7d4f', namespace: 'shop' } };
    expect(ownersOf([pod({ name: 'a', owner: replicaSet('api-7d4f'), labels })], [own])).toEqual([
      'apps/ReplicaSet/api-7d4f: 1',
    ]);
  });
  test('an Argo Rollout', () => {
    const labels = { 'rollouts-pod-template-hash': '5c9' };
    expect(ownersOf([pod({ name: 'a', owner: replicaSet('web-5c9'), labels })])).toEqual([
      'argoproj.io/Rollout/web: 1',
    ]);
  });
  test('the CronJob of a Job, read and not read; a date in a name is no schedule', () => {
    const meta = { creationTimestamp: '2026-11-20T10:00:03Z' };
    const minutes = Math.floor(Date.parse('2026-11-20T10:00:00Z') / 60_000);
    const pods = [
      pod({ name: 'a', owner: job(`backup-${minutes}`), meta }),
      pod({ name: 'b', owner: job('load-20261120'), meta }),
      pod({ name: 'c', owner: job('report-now'), meta }),
    ];
    const known: JsonObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: 'report-now',
        namespace: 'shop',
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'report', controller: true }],
      },
    };
    expect(ownersOf(pods, [known])).toEqual([
      'batch/CronJob/backup: 1',
      'batch/CronJob/report: 1',
      'batch/Job/load-20261120: 1',
    ]);
  });
  test('pods without a controller and mirror pods of a node stand for themselves', () => {
    const node = { apiVersion: 'v1', kind: 'Node', name: 'n1' };
    expect(ownersOf([pod({ name: 'debug' }), pod({ name: 'etcd-n1', owner: node })])).toEqual([
      '/Pod/debug: 1',
      '/Pod/etcd-n1: 1',
    ]);
  });
});

describe('what is counted', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' };
  const running = (name: string, more: JsonObject = {}): PodShape => ({
    name,
    owner,
    labels: { app: 'db', 'statefulset.kubernetes.io/pod-name': name, shard: name },
    spec: {
      nodeName: 'n1',
      serviceAccountName: 'db',
      imagePullSecrets: [{ name: 'registry' }],
      containers: [{ name: 'app', image: 'db:1', imagePullPolicy: 'Always' }],
    },
    status: {
      phase: 'Running',
      startTime: '2026-11-20T09:59:00Z',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-20T10:00:30Z' }],
      containerStatuses: [
        {
          name: 'app',
          imageID: 'db@sha256:aa',
          restartCount: 0,
          state: { running: { startedAt: '2026-11-20T10:00:00Z' } },
          ...more,
        },
      ],
    },
  });
  test('a healthy and a crashing pod', () => {
    const crashing = running('db-1', {
      imageID: 'db@sha256:bb',
      restartCount: 7,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } },
      lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
    });
    const status = { ...crashing.status, conditions: [{ type: 'Ready', status: 'False' }] };
    expect(summarise([pod({ ...crashing, status }), pod(running('db-0'))])).toEqual([
      {
        namespace: 'shop',
        owner: { group: 'apps', kind: 'StatefulSet', name: 'db' },
        total: 2,
        ready: 1,
        phases: { Running: 2 },
        nodes: { n1: 2 },
        labels: { app: 'db' },
        serviceAccount: 'db',
        pullSecrets: ['registry'],
        requests: {},
        containers: [
          {
            name: 'app',
            images: [
              { image: 'db:1', imageId: 'db@sha256:aa', pullPolicy: 'Always', pods: 1, running: 1 },
              { image: 'db:1', imageId: 'db@sha256:bb', pullPolicy: 'Always', pods: 1, running: 0 },
            ],
            restarts: 7,
            waiting: { CrashLoopBackOff: 1 },
            lastTerminated: { OOMKilled: 1 },
            startSeconds: 30,
          },
        ],
        startSecondsP95: 90,
      },
    ]);
  });
  test('a pod that terminates is not ready; one that ended is on no node', () => {
    const leaving = pod({ ...running('db-0'), meta: { deletionTimestamp: '2026-11-20T11:00:00Z' } });
    const ended = pod({ ...running('db-1'), status: { phase: 'Succeeded' } });
    expect(summarise([leaving, ended])).toMatchObject([
      { total: 2, ready: 0, phases: { Running: 1, Succeeded: 1 }, nodes: { n1: 1 } },
    ]);
  });
  test('the message of the first pod that cannot pull, and of the first that no node takes', () => {
    const failing = (name: string) =>
      pod({
        name,
        owner,
        status: {
          phase: 'Pending',
          conditions: [
            { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: `no node for ${name}` },
          ],
          containerStatuses: [
            {
              name: 'app',
              restartCount: 0,
              state: {
                waiting: {
                  reason: 'ImagePullBackOff',
                  message: `https://u:hunter2pass@r.example/${name}${'x'.repeat(400)}`,
                },
              },
            },
          ],
        },
      });
    const [found] = summarise([failing('db-2'), failing('db-1')]);
    expect(found).toMatchObject({ nodes: { '': 2 }, unschedulable: 'no node for db-1' });
    const failure = found?.containers[0]?.images[0]?.pullFailure ?? '';
    expect(failure).toMatch(/^Pod shop\/db-1: ImagePullBackOff, https:\/\/u:redacted:/);
    expect(failure).not.toContain('hunter2');
    expect(failure).toHaveLength(300);
  });
  test('the order of the pods does not matter', () => {
    const pods = Array.from({ length: 40 }, (_, index) =>
      pod({
        ...running(`db-${index}`, { restartCount: index % 3, imageID: `db@sha256:${index % 4}` }),
        spec: {
          nodeName: `n${index % 7}`,
          serviceAccountName: index % 2 === 0 ? 'a' : 'b',
          containers: [{ name: 'app', image: `db:${index % 2}`, resources: { requests: { cpu: `${index}m` } } }],
        },
      }),
    );
    const expected = JSON.stringify(summarise(pods));
    expect(JSON.stringify(summarise(pods.toReversed()))).toBe(expected);
    expect(JSON.stringify(summarise([...pods.slice(13), ...pods.slice(0, 13)]))).toBe(expected);
  });
  test('malformed pods and names of the prototype do no harm', () => {
    const odd = JSON.parse(
      '{"metadata":{"name":"__proto__","labels":{"__proto__":"x"}},"spec":{"containers":[null,{"name":"__proto__"}]},"status":{"phase":"__proto__","containerStatuses":"none"}}',
    ) as JsonObject;
    expect(JSON.stringify(summarise([odd, {}, { metadata: null }]))).toContain('"labels":{"__proto__":"x"}');
    expect(({} as { x?: string }).x).toBeUndefined();
  });
});

describe('requests as the scheduler counts them', () => {
  const container = (cpu: string, memory: string, more: JsonObject = {}): JsonObject => ({
    name: `c${cpu}${memory}`,
    resources: { requests: { cpu, memory } },
    ...more,
  });
  const always = { restartPolicy: 'Always' };
  test.each([
    ['containers together', { containers: [container('100m', '1Gi'), container('0.2', '512Mi')] }, '300m', '1536Mi'],
    [
      'the largest init container when it needs more',
      { initContainers: [container('2', '1Gi'), container('1', '3Gi')], containers: [container('100m', '2Gi')] },
      '2',
      '3Gi',
    ],
    [
      'sidecars run beside the containers, and beside later init containers',
      {
        initContainers: [container('500m', '1Gi', always), container('1', '64Mi')],
        containers: [container('600m', '1Gi')],
      },
      '1500m',
      '2Gi',
    ],
    [
      'an init container before the sidecar runs alone',
      {
        initContainers: [container('1', '64Mi'), container('500m', '1Gi', always)],
        containers: [container('400m', '1Gi')],
      },
      '1',
      '2Gi',
    ],
    [
      'requests of the pod win, overhead is added',
      {
        containers: [container('100m', '1Gi')],
        resources: { requests: { cpu: '1' } },
        overhead: { cpu: '250m', memory: '120Mi' },
      },
      '1250m',
      '1144Mi',
    ],
  ])('%s', (_name, spec, cpu, memory) => {
    expect(summarise([pod({ name: 'a', spec })])[0]?.requests).toEqual({ cpu, memory });
  });
  test('a resize that is under way counts with the larger amount, one that cannot be done with what the pod has', () => {
    const spec = { containers: [container('2', '1Gi', { name: 'app' })] };
    const status = {
      containerStatuses: [
        { name: 'app', allocatedResources: { cpu: '1' }, resources: { requests: { cpu: '1', memory: '2Gi' } } },
      ],
    };
    const requests = (conditions: JsonObject[]) =>
      summarise([pod({ name: 'a', spec, status: { ...status, conditions } })])[0]?.requests;
    expect(requests([])).toEqual({ cpu: '2', memory: '2Gi' });
    expect(requests([{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }])).toEqual({
      cpu: '1',
      memory: '2Gi',
    });
  });
  test('the largest pod of a workload', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent' };
    const pods = [container('1', '1Gi'), container('500m', '2Gi')].map((item, index) =>
      pod({ name: `a${index}`, owner, spec: { containers: [item] } }),
    );
    expect(summarise(pods)[0]?.requests).toEqual({ cpu: '1', memory: '2Gi' });
  });
});
