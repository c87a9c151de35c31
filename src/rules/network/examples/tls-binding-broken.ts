import type { RuleExample } from '../../../core/rule.ts';

const certificate = (names: string, secret = 'default-certificate', more = '') => `apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: ${secret}, namespace: ingress${more}}
spec:
  secretName: ${secret}
  dnsNames: [${names}]
  issuerRef: {kind: ClusterIssuer, name: letsencrypt}
---
`;

const controller = `apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx, namespace: ingress}
spec:
  selector: {matchLabels: {app: ingress-nginx}}
  template:
    metadata: {labels: {app: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.example.org/ingress-nginx:1.13.0
          args: [/nginx-ingress-controller, --default-ssl-certificate=ingress/default-certificate]
---
`;

const ingress = (namespace: string, host: string, secret = '') => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: ${namespace}}
spec:
  tls: [{hosts: [${host}]${secret === '' ? '' : `, secretName: ${secret}`}}]
  rules:
    - host: ${host}
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
`;

const shared =
  controller + ingress('shop', 'shop.apps.live.example.org') + ingress('blog', 'blog.apps.live.example.org');

const settings = (data: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: ingress-nginx-controller, namespace: ingress}
data: {${data}}
`;

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => certificate(`app-${index}.example.org`, `app-${index}`)).join('');

export const examples: readonly RuleExample[] = [
  {
    name: 'the default wildcard becomes that of another cluster',
    before: certificate('"*.apps.live.example.org"') + shared,
    after: certificate('"*.apps.manager.example.org"') + shared,
    expect: [
      {
        resource: 'Certificate/ingress/default-certificate',
        path: '/spec/dnsNames',
        severity: 'high',
        confidence: 'determined',
        message: 'shop.apps.live.example.org',
      },
    ],
  },
  {
    name: 'a further wildcard is added to the default certificate',
    before: certificate('"*.apps.live.example.org"') + shared,
    after: certificate('"*.apps.live.example.org", "*.apps.manager.example.org"') + shared,
    expect: [],
  },
  {
    name: 'a new host two levels below the wildcard',
    before: certificate('"*.example.org"', 'wild') + ingress('ingress', 'www.example.org', 'wild'),
    after: certificate('"*.example.org"', 'wild') + ingress('ingress', 'eu.www.example.org', 'wild'),
    expect: [{ resource: 'Ingress/ingress/web', path: '/spec/tls/0', message: '*.example.org' }],
  },
  {
    name: 'a new host without a Secret may belong to another controller',
    before: certificate('"*.apps.live.example.org"') + controller,
    after: certificate('"*.apps.live.example.org"') + controller + ingress('shop', 'www.example.net'),
    expect: [],
  },
  {
    name: 'the certificate of the Ingress is made by cert-manager from its own hosts',
    before: ingress('shop', 'www.example.org', 'web-tls').replace(
      'namespace: shop',
      'namespace: shop, annotations: {cert-manager.io/cluster-issuer: letsencrypt}',
    ),
    after: ingress('shop', 'shop.example.org', 'web-tls').replace(
      'namespace: shop',
      'namespace: shop, annotations: {cert-manager.io/cluster-issuer: letsencrypt}',
    ),
    expect: [],
  },
  {
    name: 'the host did not fit before either',
    before: certificate('www.example.org', 'wild') + ingress('ingress', 'shop.example.org', 'wild'),
    after: certificate('www.example.org, ftp.example.org', 'wild') + ingress('ingress', 'shop.example.org', 'wild'),
    expect: [],
  },
  {
    name: 'the Ingress moves to a Secret that is not issued yet',
    before: certificate('shop.example.org', 'web-tls') + ingress('ingress', 'shop.example.org', 'web-tls'),
    after: certificate('shop.example.org', 'web-2026') + ingress('ingress', 'shop.example.org', 'web-2026'),
    expect: [{ resource: 'Ingress/ingress/web', severity: 'medium', confidence: 'likely', message: 'web-2026' }],
  },
  {
    name: 'the Ingress moves to a Secret that was issued before',
    before:
      certificate('shop.example.org', 'web-tls') +
      certificate('shop.example.org', 'web-2026') +
      ingress('ingress', 'shop.example.org', 'web-tls'),
    after: certificate('shop.example.org', 'web-2026') + ingress('ingress', 'shop.example.org', 'web-2026'),
    expect: [],
  },
  {
    name: 'a Certificate asks for a wildcard of another cluster',
    before: certificate('"*.live.example.org"'),
    after: certificate('"*.manager.example.org"'),
    target: { cluster: 'live', scope: 'live' },
    moreTargets: { after: [{ id: 'argocd:argocd/manager', name: 'manager', cluster: 'manager', scope: 'manager' }] },
    expect: [{ resource: 'Certificate/ingress/default-certificate', confidence: 'likely', message: 'cluster manager' }],
  },
  {
    name: 'TLS 1.0 and 1.1 are dropped with the setting',
    before: settings('ssl-protocols: TLSv1 TLSv1.1 TLSv1.2, hsts: "true"'),
    after: settings('hsts: "true"'),
    expect: [{ resource: 'ConfigMap/ingress/ingress-nginx-controller', severity: 'medium', message: 'TLS 1.2' }],
  },
  {
    name: 'TLS 1.0 is allowed again',
    before: settings('ssl-protocols: TLSv1.2'),
    after: settings('ssl-protocols: TLSv1 TLSv1.2'),
    expect: [],
  },
  {
    name: 'many certificates of one domain at once',
    before: '',
    after: many(45),
    expect: [{ severity: 'medium', message: '45 Certificates' }],
  },
  { name: 'a few new certificates', before: '', after: many(5), expect: [] },
];
