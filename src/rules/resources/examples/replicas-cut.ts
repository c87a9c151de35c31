import type { RuleExample } from '../../../core/rule.ts';

function api(replicas: number): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example.net/shop/api:1.8.0
          resources: {requests: {cpu: 500m, memory: 512Mi}, limits: {cpu: '1', memory: 512Mi}}
`;
}
const service = `---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports: [{port: 80, targetPort: 8080}]
`;
const ingress = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  rules:
    - host: shop.example.net
      http:
        paths:
          - {path: /api, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}
`;
const autoscaler = (min: number, max: number) => `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: ${min}
  maxReplicas: ${max}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'a Service-backed Deployment loses two thirds of its pods',
    before: api(12) + service,
    after: api(4) + service,
    expect: [
      {
        resource: 'Deployment/shop/api',
        path: '/spec/replicas',
        severity: 'medium',
        confidence: 'determined',
        novelty: 'worsened',
        message: 'goes from 12 to 4 pods',
      },
    ],
  },
  {
    name: 'the cluster shows that the remaining pods cannot carry the load',
    before: api(12) + service,
    after: api(4) + service,
    live: `
apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: production}
takenAt: 2026-11-20T10:00:00Z
metrics:
  - {namespace: shop, kind: Deployment, name: api, container: api, cpuP99: 400m}
---
${api(12)}`,
    expect: [{ severity: 'critical', confidence: 'likely' }],
  },
  {
    name: 'to zero while an Ingress still routes to it',
    before: api(3) + service + ingress,
    after: api(0) + service + ingress,
    expect: [
      { path: '/spec/replicas', severity: 'high', message: 'scaled to 0 while requests are still routed to it' },
    ],
  },
  {
    name: 'the floor of the autoscaler falls to one pod',
    before: api(4) + service + autoscaler(4, 20),
    after: api(4) + service + autoscaler(1, 20),
    expect: [
      {
        resource: 'HorizontalPodAutoscaler/shop/api',
        path: '/spec/minReplicas',
        severity: 'medium',
        message: 'at least one pod, so each restart or drain is an outage',
      },
    ],
  },
  {
    name: 'the ceiling of the autoscaler falls below what runs now',
    before: api(4) + service + autoscaler(4, 20),
    after: api(4) + service + autoscaler(4, 8),
    live: `${autoscaler(4, 20)}status: {currentReplicas: 14, desiredReplicas: 14}\n`,
    expect: [{ path: '/spec/maxReplicas', severity: 'high', confidence: 'proven' }],
  },
  {
    name: 'the ceiling falls, and fewer pods run now',
    before: api(4) + service + autoscaler(4, 20),
    after: api(4) + service + autoscaler(4, 8),
    live: `${autoscaler(4, 20)}status: {currentReplicas: 5, desiredReplicas: 5}\n`,
    expect: [{ path: '/spec/maxReplicas', severity: 'medium' }],
  },
  {
    name: 'outside of production it is one step lower',
    target: { environment: 'staging' },
    before: api(4) + service,
    after: api(1) + service,
    expect: [{ severity: 'low' }],
  },
  {
    name: 'quiet: a worker without a Service',
    before: api(12),
    after: api(4),
    expect: [],
  },
  {
    name: 'quiet: less than half, and still several',
    before: api(5) + service,
    after: api(3) + service,
    expect: [],
  },
  {
    name: 'quiet: the autoscaler owns the number',
    before: api(12) + service + autoscaler(4, 20),
    after: api(4) + service + autoscaler(4, 20),
    expect: [],
  },
  {
    name: 'quiet: the route goes together with the pods',
    before: api(3) + service + ingress,
    after: api(0),
    expect: [],
  },
];
