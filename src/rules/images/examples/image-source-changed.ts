import type { RuleExample } from '../../../core/rule.ts';

const workload = (name: string, image: string) => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: app, image: '${image}'}]
`;

const digest = `sha256:${'3'.repeat(64)}`;
const path = '/spec/template/spec/containers/app/image';

const running = `---
apiVersion: v1
kind: Pod
metadata: {name: canary, namespace: shop}
spec: {containers: [{name: app, image: 'mirror.example.net/redis:7.2.5'}]}
status: {phase: Running, containerStatuses: [{name: app, image: 'mirror.example.net/redis:7.2.5', state: {running: {startedAt: "2026-11-20T08:00:00Z"}}}]}
`;

const missing = `---
apiVersion: v1
kind: Pod
metadata: {name: cache-1, namespace: shop}
spec: {containers: [{name: app, image: 'docker.io/bitnami/redis:7.0.11'}]}
status: {phase: Pending, containerStatuses: [{name: app, state: {waiting: {reason: ImagePullBackOff, message: 'not found'}}}]}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'bitnami moves to bitnamilegacy',
    before: workload('cache', 'docker.io/bitnami/redis:7.0.11'),
    after: workload('cache', 'docker.io/bitnamilegacy/redis:7.0.11'),
    expect: [
      {
        resource: 'Deployment/cache',
        path,
        severity: 'medium',
        confidence: 'likely',
        message: 'docker.io/bitnamilegacy/redis instead of docker.io/bitnami/redis',
      },
    ],
  },
  {
    name: 'another registry for two workloads at once',
    before: workload('cache', 'redis:7.2.5') + workload('web', 'nginx:1.29.1'),
    after: workload('cache', 'mirror.example.net/redis:7.2.5') + workload('web', 'mirror.example.net/nginx:1.29.1'),
    expect: [
      { resource: 'Deployment/cache', severity: 'medium', message: 'mirror.example.net instead of docker.io' },
      { resource: 'Deployment/web', severity: 'medium' },
    ],
  },
  {
    name: 'the same digest from a mirror',
    before: workload('cache', `redis:7.2.5@${digest}`),
    after: workload('cache', `mirror.example.net/redis:7.2.5@${digest}`),
    expect: [{ resource: 'Deployment/cache', severity: 'low' }],
  },
  {
    name: 'a running pod uses the new image already',
    before: workload('cache', 'redis:7.2.5'),
    after: workload('cache', 'mirror.example.net/redis:7.2.5'),
    live: running,
    expect: [{ resource: 'Deployment/cache', severity: 'low', confidence: 'determined' }],
  },
  {
    name: 'k8s.gcr.io is another name of registry.k8s.io',
    before: workload('pause', 'k8s.gcr.io/pause:3.9'),
    after: workload('pause', 'registry.k8s.io/pause:3.9'),
    expect: [{ resource: 'Deployment/pause', severity: 'low' }],
  },
  {
    name: 'other workloads pull from the new host already',
    before: workload('cache', 'redis:7.2.5') + workload('web', 'ghcr.io/shop/web:1.4.0'),
    after: workload('cache', 'ghcr.io/shop/redis:7.2.5') + workload('web', 'ghcr.io/shop/web:1.4.0'),
    expect: [{ resource: 'Deployment/cache', severity: 'low' }],
  },
  {
    name: 'only the version changes',
    before: workload('cache', 'redis:7.2.4'),
    after: workload('cache', 'redis:7.2.5'),
    expect: [],
  },
  {
    name: 'the default registry is spelled out',
    before: workload('cache', 'redis:7.2.5'),
    after: workload('cache', 'docker.io/library/redis:7.2.5'),
    expect: [],
  },
  {
    name: 'the registry no longer has the image, and the change restarts its pods',
    before: workload('cache', 'docker.io/bitnami/redis:7.0.11'),
    after: workload('cache', 'docker.io/bitnami/redis:7.0.11').replace(
      'containers:',
      'terminationGracePeriodSeconds: 60\n      containers:',
    ),
    live: missing,
    expect: [{ resource: 'Deployment/cache', path, severity: 'high', confidence: 'proven', message: 'cannot pull' }],
  },
  {
    name: 'the registry no longer has the image, and nothing restarts',
    before: workload('cache', 'docker.io/bitnami/redis:7.0.11'),
    after: workload('cache', 'docker.io/bitnami/redis:7.0.11').replace('replicas: 2', 'replicas: 3'),
    live: missing,
    expect: [],
  },
];
