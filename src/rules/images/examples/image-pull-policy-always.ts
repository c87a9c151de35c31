import type { RuleExample } from '../../../core/rule.ts';

const workload = (
  image: string,
  policy = '',
  options: { kind?: string; replicas?: number; container?: string } = {},
) => `---
apiVersion: apps/v1
kind: ${options.kind ?? 'Deployment'}
metadata: {name: web, namespace: shop}
spec:
${options.kind === 'DaemonSet' ? '' : `  replicas: ${options.replicas ?? 12}\n`}  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: ${options.container ?? 'web'}
          image: ${image}
${policy === '' ? '' : `          imagePullPolicy: ${policy}\n`}`;

const pinned = 'registry.example.net/shop/web:4.0.2';
const latest = 'registry.example.net/shop/web:latest';
const path = '/spec/template/spec/containers/web/imagePullPolicy';
const nodes = Array.from(
  { length: 3 },
  (_, index) => `---\napiVersion: v1\nkind: Node\nmetadata: {name: node-${index}}\n`,
).join('');

export const examples: readonly RuleExample[] = [
  {
    name: 'Always is set for a pinned image',
    before: workload(pinned, 'IfNotPresent'),
    after: workload(pinned, 'Always'),
    expect: [
      {
        resource: 'Deployment/web',
        path,
        severity: 'medium',
        confidence: 'determined',
        message: 'imagePullPolicy: Always is set',
      },
    ],
  },
  {
    name: 'Always is set on a DaemonSet',
    before: workload(pinned, '', { kind: 'DaemonSet' }),
    after: workload(pinned, 'Always', { kind: 'DaemonSet' }),
    expect: [{ resource: 'DaemonSet/web', severity: 'high', confidence: 'determined' }],
  },
  {
    name: 'the same, with the nodes counted',
    before: workload(pinned, '', { kind: 'DaemonSet' }),
    after: workload(pinned, 'Always', { kind: 'DaemonSet' }),
    live: nodes,
    expect: [{ resource: 'DaemonSet/web', severity: 'high', confidence: 'proven', message: '3 pods' }],
  },
  {
    name: 'more than 50 pods',
    before: workload(pinned, '', { replicas: 80 }),
    after: workload(pinned, 'Always', { replicas: 80 }),
    expect: [{ resource: 'Deployment/web', severity: 'high' }],
  },
  {
    name: 'the proxy that all traffic goes through',
    before: workload('docker.io/istio/proxyv2:1.27.1', 'IfNotPresent', { container: 'istio-proxy' }),
    after: workload('docker.io/istio/proxyv2:1.27.1', 'Always', { container: 'istio-proxy' }),
    expect: [{ resource: 'Deployment/web', severity: 'high' }],
  },
  {
    name: 'IfNotPresent is no longer written and the tag is latest',
    before: workload(latest, 'IfNotPresent'),
    after: workload(latest),
    expect: [{ resource: 'Deployment/web', path, confidence: 'determined', message: 'no longer set' }],
  },
  {
    name: 'the tag becomes latest; the policy was never written',
    before: workload(pinned),
    after: workload(latest),
    expect: [{ resource: 'Deployment/web', confidence: 'likely', message: 'whenever the object is created anew' }],
  },
  {
    name: 'the same, but the cluster stored IfNotPresent when the object was created',
    before: workload(pinned),
    after: workload(latest),
    live: workload(pinned, 'IfNotPresent'),
    expect: [],
  },
  {
    name: 'another version under the same policy',
    before: workload(pinned, 'Always'),
    after: workload('registry.example.net/shop/web:4.0.3', 'Always'),
    expect: [],
  },
  {
    name: 'IfNotPresent is spelled out',
    before: workload(pinned),
    after: workload(pinned, 'IfNotPresent'),
    expect: [],
  },
];
