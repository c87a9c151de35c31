import type { RuleExample } from '../../../core/rule.ts';

const web = (labels: string, port = '{name: http, containerPort: 8080}', name = 'web') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}, ${labels}}}
    spec:
      containers: [{name: web, image: 'registry.example.net/shop/web:1.0.0', ports: [${port}]}]
`;
const service = (selector: string, port = '{name: http, port: 80, targetPort: http}', extra = '') => `---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {${selector}}, ports: [${port}]${extra}}
`;
const ingress = (port: string) => `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  rules:
    - host: shop.example.net
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {${port}}}}}
`;
const report = (labels: string) => `---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: shop}
spec:
  schedule: "0 5 * * *"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {${labels}}}
        spec:
          restartPolicy: Never
          containers: [{name: report, image: 'registry.example.net/shop/report:1.0.0'}]
`;
const slices = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints:
  - {addresses: [10.0.0.1], conditions: {ready: true}, nodeName: a, targetRef: {kind: Pod, name: web-1}}
  - {addresses: [10.0.0.2], conditions: {ready: true}, nodeName: b, targetRef: {kind: Pod, name: web-2}}
`;
const numbered = '{port: 80, targetPort: 8080}';

export const examples: readonly RuleExample[] = [
  {
    name: 'the selector of a chart changes and the labels of the pods do not',
    before: web('tier: front') + service('app: web') + ingress('number: 80'),
    after: web('tier: front') + service('app: web, app.kubernetes.io/instance: shop') + ingress('number: 80'),
    expect: [
      {
        resource: 'Service/shop/web',
        path: '/spec/selector',
        severity: 'critical',
        confidence: 'determined',
        message: 'loses all its endpoints: its selector becomes app=web,app.kubernetes.io/instance=shop',
      },
    ],
  },
  {
    name: 'the label goes away on the side of the pods, and the cluster has two endpoints now',
    before: web('tier: front') + service('tier: front'),
    after: web('tier: web') + service('tier: front'),
    live: slices,
    expect: [
      {
        severity: 'critical',
        confidence: 'proven',
        message: 'the pods of Deployment shop/web now have app=web,tier=web',
      },
    ],
  },
  {
    name: 'the workload is removed and its Service stays',
    before: web('tier: front') + service('app: web'),
    after: service('app: web'),
    expect: [{ severity: 'critical', message: 'Deployment shop/web is removed and the Service is not' }],
  },
  {
    name: 'the named port of the container is renamed',
    before: web('tier: front') + service('app: web'),
    after: web('tier: front', '{name: web, containerPort: 8080}') + service('app: web'),
    expect: [{ path: '/spec/ports/http/targetPort', severity: 'critical', message: 'has a port named http any more' }],
  },
  {
    name: 'the number of the container port moves on: only likely, because declaring numbers is optional',
    before: web('tier: front') + service('app: web', numbered),
    after: web('tier: front', '{name: http, containerPort: 3000}') + service('app: web', numbered),
    expect: [{ path: '/spec/ports/80/targetPort', severity: 'high', confidence: 'likely' }],
  },
  {
    name: 'an Ingress still names the old port',
    before: web('tier: front') + service('app: web') + ingress('name: http'),
    after: web('tier: front') + service('app: web', '{name: web, port: 80, targetPort: http}') + ingress('name: http'),
    expect: [
      {
        path: '/spec/ports',
        severity: 'critical',
        message: 'Ingress shop/shop routes to port http of Service shop/web',
      },
    ],
  },
  {
    name: 'the Service is removed and the Ingress stays',
    before: web('tier: front') + service('app: web') + ingress('number: 80'),
    after: web('tier: front') + ingress('number: 80'),
    expect: [{ resource: 'Ingress/shop/shop', severity: 'critical', message: 'still routes to Service shop/web' }],
  },
  {
    name: 'the label that kept the canary out is dropped from the selector',
    before: `${web('part: shop, track: stable')}---${web('part: shop, track: canary', undefined, 'web-canary')}${service('part: shop, track: stable')}`,
    after: `${web('part: shop, track: stable')}---${web('part: shop, track: canary', undefined, 'web-canary')}${service('part: shop')}`,
    expect: [
      { path: '/spec/selector', severity: 'high', message: 'now also selects the pods of Deployment shop/web-canary' },
    ],
  },
  {
    name: 'a new CronJob carries the labels that a Service selects',
    before: web('tier: front') + service('app: web', numbered),
    after: web('tier: front') + service('app: web', numbered) + report('app: web'),
    expect: [{ resource: 'Service/shop/web', severity: 'high', message: 'pods of CronJob shop/report' }],
  },
  {
    name: 'quiet: the CronJob has no port of the name that the Service sends to',
    before: web('tier: front') + service('app: web'),
    after: web('tier: front') + service('app: web') + report('app: web'),
    expect: [],
  },
  {
    name: 'quiet: labels and selector change together',
    before: web('tier: front') + service('tier: front'),
    after: web('tier: web') + service('tier: web'),
    expect: [],
  },
  {
    name: 'quiet: an operator makes the pods, so no template ever matched',
    before: service('app.kubernetes.io/name: prometheus'),
    after: service('app.kubernetes.io/name: prometheus, prometheus: main'),
    expect: [],
  },
  {
    name: 'quiet: the Deployment becomes a StatefulSet with the same labels',
    before: web('tier: front') + service('app: web'),
    after:
      web('tier: front')
        .replace('kind: Deployment', 'kind: StatefulSet')
        .replace('spec:\n', 'spec:\n  serviceName: web\n') + service('app: web'),
    expect: [],
  },
  {
    name: 'quiet: prune is off, so the removed Deployment keeps running',
    target: { apply: { mode: 'client-side', prune: false, automated: true } },
    before: web('tier: front') + service('app: web'),
    after: service('app: web'),
    expect: [],
  },
];
