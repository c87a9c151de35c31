import type { RuleExample } from '../../../core/rule.ts';

const pod = (kind: string, spec: string, lifecycle: string) => `---
apiVersion: apps/v1
kind: ${kind}
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
${kind === 'StatefulSet' ? '  serviceName: web\n' : ''}  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${spec === '' ? '' : `      ${spec}\n`}      containers:
        - name: web
          image: registry.example.net/shop/web:4.0.2
${lifecycle === '' ? '' : `          lifecycle: {preStop: ${lifecycle}}\n`}`;
const web = (spec: string, lifecycle = '') => pod('Deployment', spec, lifecycle);
const store = (spec: string) => pod('StatefulSet', spec, '');

const service = `---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

const sleep = '{exec: {command: [sh, -c, "sleep 20"]}}';
const gracePath = '/spec/template/spec/terminationGracePeriodSeconds';

export const examples: readonly RuleExample[] = [
  {
    name: 'the preStop hook is removed',
    before: web('terminationGracePeriodSeconds: 60', sleep) + service,
    after: web('terminationGracePeriodSeconds: 60') + service,
    expect: [
      {
        resource: 'Deployment/web',
        path: '/spec/template/spec/containers/web/lifecycle/preStop',
        severity: 'medium',
        confidence: 'determined',
        message: 'loses its preStop hook (sleep 20 s)',
      },
    ],
  },
  {
    name: 'the grace period is cut below what preStop sleeps',
    before: web('terminationGracePeriodSeconds: 60', sleep) + service,
    after: web('terminationGracePeriodSeconds: 15', sleep) + service,
    expect: [{ resource: 'Deployment/web', path: gracePath, message: 'killed before they receive SIGTERM' }],
  },
  {
    name: 'preStop sleeps longer and eats the default grace period of 30 s',
    before: web('', '{sleep: {seconds: 5}}') + service,
    after: web('', '{sleep: {seconds: 28}}') + service,
    expect: [{ resource: 'Deployment/web', path: gracePath, message: 'of which preStop sleeps 28 s' }],
  },
  {
    name: 'the exec hook becomes a native sleep, with time to spare',
    before: web('terminationGracePeriodSeconds: 60', sleep) + service,
    after: web('terminationGracePeriodSeconds: 45', '{sleep: {seconds: 15}}') + service,
    expect: [],
  },
  {
    name: 'a worker without a Service',
    before: web('terminationGracePeriodSeconds: 60', sleep),
    after: web('terminationGracePeriodSeconds: 5'),
    expect: [],
  },
  {
    name: 'grace period 0 on a StatefulSet',
    before: store('terminationGracePeriodSeconds: 30') + service,
    after: store('terminationGracePeriodSeconds: 0') + service,
    expect: [{ resource: 'StatefulSet/web', path: gracePath, message: 'from 30 to 0' }],
  },
  {
    name: 'the grace period goes from 60 s to 30 s without a hook',
    before: web('terminationGracePeriodSeconds: 60') + service,
    after: web('terminationGracePeriodSeconds: 30') + service,
    expect: [],
  },
  {
    name: 'a release of a workload that never had time to stop',
    before: web('terminationGracePeriodSeconds: 5') + service,
    after: (web('terminationGracePeriodSeconds: 5') + service).replace('web:4.0.2', 'web:4.0.3'),
    expect: [],
  },
];
