import type { RuleExample } from '../../../core/rule.ts';

function web(spec: string, container: string): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 4
${spec.replaceAll(/^/gm, '  ')}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.net/shop/web:3.2.0
          ports: [{name: http, containerPort: 8080}]
${container.replaceAll(/^/gm, '          ')}
`;
}
const service = (extra = '') => `---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
${extra}`;
const httpProbe = `readinessProbe:
  httpGet: {path: /ready, port: http}
  timeoutSeconds: 6`;
const probePath = '/spec/template/spec/containers/web/readinessProbe';

export const examples: readonly RuleExample[] = [
  {
    name: 'the readinessProbe is removed',
    before: web('', httpProbe) + service(),
    after: web('', '') + service(),
    expect: [
      {
        resource: 'Deployment/shop/web',
        path: probePath,
        severity: 'medium',
        confidence: 'determined',
        message: 'counts as ready the moment its process runs',
      },
    ],
  },
  {
    name: 'the probe no longer asks the application',
    before: web('', httpProbe) + service(),
    after: web('', 'readinessProbe:\n  tcpSocket: {port: http}\n  timeoutSeconds: 6') + service(),
    expect: [{ path: probePath, novelty: 'worsened', message: 'an open socket is enough' }],
  },
  {
    name: 'the probe always succeeds',
    before: web('', httpProbe) + service(),
    after: web('', 'readinessProbe:\n  exec: {command: ["/bin/true"]}\n  timeoutSeconds: 6') + service(),
    expect: [{ path: probePath, message: 'the probe always succeeds' }],
  },
  {
    name: 'the timeout falls back to the default of one second',
    before: web('', httpProbe) + service(),
    after: web('', 'readinessProbe:\n  httpGet: {path: /ready, port: http}') + service(),
    expect: [{ path: `${probePath}/timeoutSeconds`, confidence: 'likely' }],
  },
  {
    name: 'minReadySeconds is dropped',
    before: web('minReadySeconds: 30', httpProbe) + service(),
    after: web('', httpProbe) + service(),
    expect: [{ path: '/spec/minReadySeconds', message: 'no longer waits 30 s' }],
  },
  {
    name: 'the Service publishes pods that are not ready',
    before: web('', httpProbe) + service(),
    after: web('', httpProbe) + service('  publishNotReadyAddresses: true\n'),
    expect: [{ resource: 'Service/shop/web', path: '/spec/publishNotReadyAddresses' }],
  },
  {
    name: 'quiet: a worker without a Service',
    before: web('', httpProbe),
    after: web('', ''),
    expect: [],
  },
  {
    name: 'quiet: a stricter handler with the same timeout',
    before: web('', 'readinessProbe:\n  tcpSocket: {port: http}') + service(),
    after: web('', 'readinessProbe:\n  httpGet: {path: /ready, port: http}') + service(),
    expect: [],
  },
  {
    name: 'quiet: a headless Service for peers',
    before: web('', httpProbe) + service('  clusterIP: None\n'),
    after: web('', httpProbe) + service('  clusterIP: None\n  publishNotReadyAddresses: true\n'),
    expect: [],
  },
];
