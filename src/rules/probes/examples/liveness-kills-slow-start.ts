import type { RuleExample } from '../../../core/rule.ts';

function deployment(image: string, probes: string): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example.net/shop/api:${image}
          ports: [{name: http, containerPort: 8080}]
${probes.replaceAll(/^/gm, '          ')}
`;
}

const slowStartup = `startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  failureThreshold: 24
livenessProbe:
  httpGet: {path: /healthz, port: http}`;
const livenessOnly = `livenessProbe:
  httpGet: {path: /healthz, port: http}
  initialDelaySeconds: 10`;
const metrics = (seconds: number) => `
apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: production}
takenAt: 2026-11-20T10:00:00Z
metrics:
  - {namespace: shop, kind: Deployment, name: api, container: api, startSecondsP95: ${seconds}}
`;
const livenessPath = '/spec/template/spec/containers/api/livenessProbe';

export const examples: readonly RuleExample[] = [
  {
    name: 'the startupProbe is dropped in a clean-up of the values',
    before: deployment('1.4.0', slowStartup),
    after: deployment('1.4.0', livenessOnly),
    expect: [
      {
        resource: 'Deployment/shop/api',
        path: livenessPath,
        severity: 'high',
        confidence: 'likely',
        message: 'loses its startupProbe: the time to start falls from 240 s to 40 s',
      },
    ],
  },
  {
    name: 'the same, and the cluster shows that a start takes 140 seconds',
    before: deployment('1.4.0', slowStartup),
    after: deployment('1.4.0', livenessOnly),
    live: metrics(140),
    expect: [{ path: livenessPath, severity: 'critical', confidence: 'proven' }],
  },
  {
    name: 'a new image may start faster than the one that was observed',
    before: deployment('1.4.0', slowStartup),
    after: deployment('1.5.0', livenessOnly),
    live: metrics(140),
    expect: [{ path: livenessPath, severity: 'high', confidence: 'likely' }],
  },
  {
    name: 'quiet: the observed start fits the smaller budget well',
    before: deployment('1.4.0', slowStartup),
    after: deployment('1.4.0', livenessOnly),
    live: metrics(8),
    expect: [],
  },
  {
    name: 'a liveness probe is added to an application whose start time nobody stated',
    before: deployment('1.4.0', ''),
    after: deployment('1.4.0', livenessOnly),
    expect: [{ path: livenessPath, novelty: 'introduced', message: 'without a startupProbe' }],
  },
  {
    name: 'quiet: liveness comes together with a startupProbe of five minutes',
    before: deployment('1.4.0', ''),
    after: deployment(
      '1.4.0',
      `startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /healthz, port: http}`,
    ),
    expect: [],
  },
  {
    name: 'a new workload whose readiness waits longer than its liveness allows',
    after: deployment(
      '1.4.0',
      `readinessProbe:
  httpGet: {path: /ready, port: http}
  initialDelaySeconds: 90
livenessProbe:
  httpGet: {path: /healthz, port: http}`,
    ),
    expect: [{ path: livenessPath, message: 'is killed by its livenessProbe after 30 s' }],
  },
  {
    name: 'timeoutSeconds is removed, so the default of one second applies',
    before: deployment(
      '1.4.0',
      `livenessProbe:
  httpGet: {path: /healthz, port: http}
  timeoutSeconds: 5`,
    ),
    after: deployment(
      '1.4.0',
      `livenessProbe:
  httpGet: {path: /healthz, port: http}`,
    ),
    expect: [
      {
        path: '/spec/template/spec/containers/api/livenessProbe/timeoutSeconds',
        severity: 'medium',
        novelty: 'worsened',
      },
    ],
  },
  {
    name: 'quiet: the probes stay and only the image moves',
    before: deployment('1.4.0', livenessOnly),
    after: deployment('1.5.0', livenessOnly),
    expect: [],
  },
];
