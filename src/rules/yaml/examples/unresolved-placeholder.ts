import type { RuleExample } from '../../../core/rule.ts';

const deployment = (container: string, metadata = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop${metadata}}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
${container.replaceAll(/^/gm, '          ')}
`;
const ingress = (host: string) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  rules:
    - host: ${host}
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
`;
const sealed = (namespace: string, scope = '') => `
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: db, namespace: ${namespace}${scope}}
spec: {encryptedData: {password: AgBy3i4OJSWK7PiTySYZZA9rO43cGDEq5kfd8sd7f6s8d7f6sd8f7}}
`;
const base = '/spec/template/spec/containers/api';

export const examples: readonly RuleExample[] = [
  {
    name: 'a template prints a value that is not set',
    before: deployment('image: registry.example.net/shop/api:1.0.0'),
    after: deployment('image: registry.example.net/shop/api:<no value>'),
    expect: [
      {
        resource: 'Deployment/shop/api',
        path: `${base}/image`,
        severity: 'high',
        confidence: 'determined',
        message: 'contains <no value>',
      },
    ],
  },
  {
    name: 'a variable of the pipeline is not substituted in the host',
    after: ingress('shop.${CLUSTER_DOMAIN}'),
    expect: [
      {
        path: '/spec/rules/0/host',
        confidence: 'determined',
        willNotApply: true,
        message: 'contains ${CLUSTER_DOMAIN}',
      },
    ],
  },
  {
    name: 'a template expression in a label',
    before: deployment('image: registry.example.net/shop/api:1.0.0'),
    after: deployment('image: registry.example.net/shop/api:1.0.0', ", labels: {release: '{{ .Release.Name }}'}"),
    expect: [{ path: '/metadata/labels/release', willNotApply: true }],
  },
  {
    name: 'an argument names a variable that the container does not have',
    before: deployment(
      "image: registry.example.net/shop/api:1.0.0\nargs: ['--pod=$(POD_IP)']\nenv: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]",
    ),
    after: deployment(
      "image: registry.example.net/shop/api:1.0.0\nargs: ['--pod=$(POD_ADDRESS)']\nenv: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]",
    ),
    expect: [{ path: `${base}/args/0`, confidence: 'likely', message: 'has no variable of this name' }],
  },
  {
    name: 'a reminder in an environment variable',
    before: deployment('image: registry.example.net/shop/api:1.0.0'),
    after: deployment('image: registry.example.net/shop/api:1.0.0\nenv: [{name: API_TOKEN, value: CHANGEME}]'),
    expect: [{ path: `${base}/env/API_TOKEN/value`, confidence: 'likely' }],
  },
  {
    name: 'the image is empty',
    before: deployment('image: registry.example.net/shop/api:1.0.0'),
    after: deployment("image: ''"),
    expect: [{ path: `${base}/image`, willNotApply: true, message: 'has no image' }],
  },
  {
    name: 'the tag is empty',
    before: deployment('image: registry.example.net/shop/api:1.0.0'),
    after: deployment("image: 'registry.example.net/shop/api:'"),
    expect: [{ path: `${base}/image`, willNotApply: false, message: 'InvalidImageName' }],
  },
  {
    name: 'the example host of a chart',
    after: ingress('chart-example.local'),
    expect: [{ path: '/spec/rules/0/host', confidence: 'likely', message: 'example domain' }],
  },
  {
    name: 'a SealedSecret is copied to another namespace',
    before: sealed('staging'),
    after: sealed('staging') + '---' + sealed('shop'),
    expect: [
      { resource: 'SealedSecret/shop/db', path: '/spec/encryptedData', message: 'sealed for SealedSecret staging/db' },
    ],
  },
  {
    name: 'a file encrypted with SOPS in an Application without a plugin',
    after: `
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: 'ENC[AES256_GCM,data:4jQ=,iv:a,tag:b,type:str]'}
sops: {mac: 'ENC[AES256_GCM,data:x,type:str]', lastmodified: '2026-11-01T00:00:00Z', version: 3.9.0}
`,
    expect: [{ path: '/sops', confidence: 'determined' }],
  },
  {
    name: 'quiet: files in ConfigMaps have templates of their own',
    after: `
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards, namespace: monitoring}
data:
  api.json: |
    {"datasource": "\${DS_PROMETHEUS}", "legendFormat": "{{ pod }}", "title": "TODO"}
  nginx.conf: |
    server { server_name _; location / { proxy_set_header Host $host; return 200 "\${request_id}"; } }
  vector.toml: |
    endpoint = "\${SINK_ENDPOINT}"
`,
    expect: [],
  },
  {
    name: 'quiet: rules, workflows and external secrets are templates',
    after: `
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: api, namespace: shop}
spec: {groups: [{name: api, rules: [{alert: Down, expr: 'up == 0', annotations: {summary: '{{ $labels.pod }} is down: {{ $value }}'}}]}]}
---
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build, namespace: shop}
spec: {templates: [{name: main, container: {image: 'busybox:1.36', args: ['{{inputs.parameters.message}}', '\${NAME}']}}]}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: shop}
spec: {target: {template: {data: {url: 'postgres://{{ .user }}:{{ .password }}@db'}}}}
`,
    expect: [],
  },
  {
    name: 'quiet: a shell expands it, a snippet is no placeholder, declared variables are expanded',
    after:
      deployment(
        "image: busybox:1.36\ncommand: [sh, -c]\nargs: ['echo ${HOSTNAME} $(date)']\nenv: [{name: A, value: b}, {name: URL, value: 'http://$(A):80'}]",
      ) +
      `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations: {nginx.ingress.kubernetes.io/configuration-snippet: 'more_set_headers "X-Id: \${request_id}";'}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
`,
    expect: [],
  },
  {
    name: 'quiet: the example host was there before, and something else changes',
    before: ingress('shop.example.com'),
    after: ingress('shop.example.com').replace('path: /,', 'path: /web,'),
    expect: [],
  },
  {
    name: 'quiet: a SealedSecret for the whole cluster',
    before: sealed('staging'),
    after:
      sealed('staging') + '---' + sealed('shop', ", annotations: {sealedsecrets.bitnami.com/cluster-wide: 'true'}"),
    expect: [],
  },
  {
    name: 'the host of a route is the placeholder of a pipeline',
    before: '',
    after: `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: checkout, namespace: shop}
spec:
  hosts: ['\${CHECKOUT_HOST}']
  http: [{route: [{destination: {host: checkout}}]}]
`,
    expect: [{ resource: 'VirtualService/shop/checkout', path: '/spec/hosts/0', confidence: 'determined' }],
  },
];
