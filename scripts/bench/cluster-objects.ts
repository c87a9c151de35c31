import type { TestObject } from '../../test/cluster/kit/objects.ts';

const namespaces = 20;

/** Application `index` lives in one of 20 namespaces. */
export function namespaceOf(index: number): string {
  return `team-${index % namespaces}`;
}

export function namespaceObjects(): TestObject[] {
  return Array.from({ length: namespaces }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespaceOf(index) },
  }));
}

/** What a repository holds of one application: 5 objects. */
export function declared(index: number): TestObject[] {
  const name = `app-${index}`;
  const metadata = { name, namespace: namespaceOf(index), labels: { 'app.kubernetes.io/name': name } };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 3,
        selector: { matchLabels: metadata.labels },
        template: { metadata: { labels: metadata.labels }, spec: podSpec(name) },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      // Headless: 50,000 objects need more cluster addresses than the range of the test server holds.
      spec: { clusterIP: 'None', selector: metadata.labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    ...['settings', 'routes'].map((part) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name: `${name}-${part}` },
      data: Object.fromEntries(
        Array.from({ length: 10 }, (_, line) => [`KEY_${line}`, `value ${line} of ${part} of ${name}`]),
      ),
    })),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      stringData: { password: `pass-${name}`, token: `token-${name}-${'x'.repeat(40)}` },
    },
  ];
}

/** What controllers add to one application: 5 more objects. Pods come with {@link podStatus}. */
export function derived(index: number, deploymentUid: string): TestObject[] {
  const name = `app-${index}`;
  const namespace = namespaceOf(index);
  const labels = { 'app.kubernetes.io/name': name, 'pod-template-hash': '5d9c7b6f44' };
  const set = `${name}-5d9c7b6f44`;
  const owner = (kind: string, of: string, uid: string) => ({
    apiVersion: 'apps/v1',
    kind,
    name: of,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  });
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: set, namespace, labels, ownerReferences: [owner('Deployment', name, deploymentUid)] },
      spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(name) } },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-x7k2p`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080 }],
      endpoints: [0, 1, 2].map((at) => ({
        addresses: [`10.1.0.${at}`],
        nodeName: `node-${at}`,
        conditions: { ready: true },
      })),
    },
    ...[0, 1, 2].map((at) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${set}-${at}`,
        namespace,
        labels,
        ownerReferences: [owner('ReplicaSet', set, `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`)],
      },
      spec: { ...podSpec(name), nodeName: `node-${at}` },
    })),
  ];
}

/** As a kubelet reports it. */
export function podStatus(name: string): object {
  const time = '2026-01-01T10:00:00Z';
  const image = `registry.example.org/${name}:1.0.0`;
  return {
    phase: 'Running',
    startTime: time,
    podIP: '10.1.0.1',
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: time,
    })),
    containerStatuses: [
      {
        name: 'app',
        image,
        imageID: `${image}@sha256:${'ab'.repeat(32)}`,
        ready: true,
        started: true,
        restartCount: 1,
        state: { running: { startedAt: time } },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: time, finishedAt: time } },
      },
    ],
  };
}

function podSpec(name: string): object {
  return {
    containers: [
      {
        name: 'app',
        image: `registry.example.org/${name}:1.0.0`,
        ports: [{ name: 'http', containerPort: 8080 }],
        envFrom: [{ configMapRef: { name: `${name}-settings` } }],
        env: Array.from({ length: 8 }, (_, at) => ({ name: `VARIABLE_${at}`, value: `${at}` })),
        readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '128Mi' } },
      },
    ],
  };
}
