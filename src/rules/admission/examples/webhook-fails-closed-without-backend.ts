import type { RuleExample } from '../../../core/rule.ts';
import { firstCa, servedByFirstCa, servedBySecondCa, servedForOtherNamespace } from './certificates.ts';

const webhook = (extra = '', annotations = '{}') => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: nx-admission, annotations: ${annotations}}
webhooks:
  - name: validate.nginx.ingress.kubernetes.io
    admissionReviewVersions: [v1]
    sideEffects: None
    rules:
      - {apiGroups: [networking.k8s.io], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [ingresses]}
    clientConfig:
      service: {namespace: ingress-nginx, name: nx-admission, path: /networking/v1/ingresses}
${extra === '' ? '' : `      ${extra}`}
`;

const trusting = (ca: string) => webhook(`caBundle: ${ca}`);

const service = (port = 443) => `---
apiVersion: v1
kind: Service
metadata: {name: nx-admission, namespace: ingress-nginx}
spec:
  selector: {app: nx}
  ports: [{name: https-webhook, port: ${port}, targetPort: webhook}]
`;

const controller = (replicas: number, version = '1.13.1') => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nx-controller, namespace: ingress-nginx}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: nx}}
  template:
    metadata: {labels: {app: nx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v${version}
          ports: [{name: webhook, containerPort: 8443}]
          volumeMounts: [{name: webhook-cert, mountPath: /usr/local/certificates, readOnly: true}]
      volumes: [{name: webhook-cert, secret: {secretName: nx-admission}}]
`;

const certificate = (crt: string) => `---
apiVersion: v1
kind: Secret
metadata: {name: nx-admission, namespace: ingress-nginx}
type: kubernetes.io/tls
data: {tls.crt: ${crt}, tls.key: bm90IGEga2V5}
`;

const endpoints = (ready: readonly [boolean, boolean]) => `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: nx-admission-x7x2p, namespace: ingress-nginx, labels: {kubernetes.io/service-name: nx-admission}}
addressType: IPv4
endpoints:
  - {addresses: [10.2.0.7], nodeName: node-a, targetRef: {kind: Pod, name: nx-controller-1}, conditions: {ready: ${ready[0]}}}
  - {addresses: [10.2.1.9], nodeName: node-b, targetRef: {kind: Pod, name: nx-controller-2}, conditions: {ready: ${ready[1]}}}
ports: [{name: https-webhook, port: 8443}]
`;

const healthy = trusting(firstCa) + service() + controller(2) + certificate(servedByFirstCa);
const resource = 'ValidatingWebhookConfiguration/nx-admission';
const backendPath = '/webhooks/validate.nginx.ingress.kubernetes.io/clientConfig/service';
const caPath = '/webhooks/validate.nginx.ingress.kubernetes.io/clientConfig/caBundle';

export const examples: readonly RuleExample[] = [
  {
    name: 'incident I-03: the new webhook trusts one CA, the serving certificate comes from another',
    before: service() + controller(2),
    after: trusting(firstCa) + service() + controller(2) + certificate(servedBySecondCa),
    expect: [
      {
        resource,
        path: caPath,
        severity: 'critical',
        confidence: 'determined',
        novelty: 'introduced',
        message: 'does not verify the certificate in Secret ingress-nginx/nx-admission',
      },
    ],
  },
  {
    name: 'the same webhook with the CA that issued the serving certificate',
    before: service() + controller(2),
    after: healthy,
    expect: [],
  },
  {
    name: 'the serving certificate is for another namespace',
    before: healthy,
    after: trusting(firstCa) + service() + controller(2) + certificate(servedForOtherNamespace),
    expect: [{ resource, path: caPath, message: 'is not valid for nx-admission.ingress-nginx.svc' }],
  },
  {
    name: 'the Deployment behind the webhook is removed, the configuration stays',
    before: healthy,
    after: trusting(firstCa) + service() + certificate(servedByFirstCa),
    expect: [
      {
        resource,
        path: backendPath,
        severity: 'critical',
        confidence: 'determined',
        message:
          'Deployment ingress-nginx/nx-controller, the only workload behind Service ingress-nginx/nx-admission, is removed',
      },
    ],
  },
  {
    name: 'backend and configuration are removed together',
    before: healthy,
    after: certificate(servedByFirstCa),
    expect: [],
  },
  {
    name: 'the engine does not prune, so the removed Deployment keeps running',
    before: healthy,
    after: trusting(firstCa) + service() + certificate(servedByFirstCa),
    target: { apply: { mode: 'client-side', prune: false, automated: true } },
    expect: [],
  },
  {
    name: 'the backend is scaled to zero',
    before: healthy,
    after: trusting(firstCa) + service() + controller(0) + certificate(servedByFirstCa),
    expect: [{ resource, path: backendPath, confidence: 'determined', message: 'has 0 replicas' }],
  },
  {
    name: 'failurePolicy Ignore: requests pass while the backend is away',
    before: healthy.replace('sideEffects: None', 'sideEffects: None\n    failurePolicy: Ignore'),
    after: healthy
      .replace('sideEffects: None', 'sideEffects: None\n    failurePolicy: Ignore')
      .replace('replicas: 2', 'replicas: 0'),
    expect: [],
  },
  {
    name: 'the Service port moves away from the one that the webhook calls',
    before: healthy,
    after: trusting(firstCa) + service(8443) + controller(2) + certificate(servedByFirstCa),
    expect: [{ resource, path: backendPath, message: 'has no port 443 (it offers 8443)' }],
  },
  {
    name: 'a new webhook calls a Service that is in no manifest',
    after: trusting(firstCa),
    expect: [
      {
        resource,
        path: backendPath,
        confidence: 'likely',
        message: 'Service ingress-nginx/nx-admission does not exist',
      },
    ],
  },
  {
    name: 'the same, and the cluster has no such Service either',
    after: trusting(firstCa),
    live: `
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
`,
    expect: [{ resource, path: backendPath, confidence: 'proven', severity: 'critical' }],
  },
  {
    name: 'Ignore becomes Fail while no endpoint of the untouched backend is ready',
    before: healthy.replace('sideEffects: None', 'sideEffects: None\n    failurePolicy: Ignore'),
    after: healthy,
    live: service() + controller(2) + endpoints([false, false]),
    expect: [
      { resource, severity: 'critical', confidence: 'proven', novelty: 'worsened', message: 'no ready endpoint' },
    ],
  },
  {
    name: 'Ignore becomes Fail and the backend answers on two nodes',
    before: healthy.replace('sideEffects: None', 'sideEffects: None\n    failurePolicy: Ignore'),
    after: healthy,
    live: service() + controller(2) + endpoints([true, true]),
    expect: [],
  },
  {
    name: 'a chart bump whose CA is injected by cert-manager',
    before:
      webhook('', '{cert-manager.io/inject-ca-from: ingress-nginx/nx-admission}') + service() + controller(2, '1.13.0'),
    after:
      webhook('', '{cert-manager.io/inject-ca-from: ingress-nginx/nx-admission}') + service() + controller(2, '1.13.1'),
    expect: [],
  },
  {
    name: 'the caBundle is taken out and nothing injects one',
    before: healthy,
    after: webhook() + service() + controller(2) + certificate(servedByFirstCa),
    expect: [{ resource, path: caPath, confidence: 'likely', severity: 'critical', message: 'caBundle is empty' }],
  },
];
