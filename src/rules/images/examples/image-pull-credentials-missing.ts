import type { RuleExample } from '../../../core/rule.ts';

const workload = (options: { image?: string; secrets?: string; account?: string; name?: string } = {}) => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${options.name ?? 'api'}, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${options.name ?? 'api'}}}
  template:
    metadata: {labels: {app: ${options.name ?? 'api'}}}
    spec:
${options.account === undefined ? '' : `      serviceAccountName: ${options.account}\n`}${options.secrets === undefined ? '' : `      imagePullSecrets: [{name: ${options.secrets}}]\n`}      containers: [{name: app, image: '${options.image ?? 'registry.example.net/shop/api:2.1.0'}'}]
`;

const secret = (name: string, host = 'registry.example.net', type = 'kubernetes.io/dockerconfigjson') => `---
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: shop}
type: ${type}
stringData:
  .dockerconfigjson: '{"auths": {"${host}": {"auth": "bm90OnJlYWw="}}}'
`;

const account = (secrets: string) => `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: api, namespace: shop}
imagePullSecrets: [${secrets}]
`;

const running = `---
apiVersion: v1
kind: Pod
metadata: {name: cart-1, namespace: shop}
spec: {containers: [{name: app, image: 'registry.example.net/shop/cart:1.0.0'}]}
status: {phase: Running, containerStatuses: [{name: app, state: {running: {startedAt: '2026-11-20T08:00:00Z'}}}]}
`;

const resource = 'Deployment/api';
const imagePath = '/spec/template/spec/containers/app/image';

export const examples: readonly RuleExample[] = [
  {
    name: 'the pull secret is removed while the pods still name it',
    before: workload({ secrets: 'registry' }) + secret('registry'),
    after: workload({ secrets: 'registry' }),
    expect: [
      {
        resource,
        path: '/spec/template/spec/imagePullSecrets/registry',
        severity: 'high',
        confidence: 'determined',
        novelty: 'worsened',
        message: 'with Secret registry, which this change removes',
      },
    ],
  },
  {
    name: 'the secret is renamed on both sides of the reference',
    before: workload({ secrets: 'registry' }) + secret('registry'),
    after: workload({ secrets: 'registry-credentials' }) + secret('registry-credentials'),
    expect: [],
  },
  {
    name: 'an ExternalSecret makes the secret from now on',
    before: workload({ secrets: 'registry' }) + secret('registry'),
    after: `${workload({ secrets: 'registry' })}---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: registry, namespace: shop}
spec: {secretStoreRef: {name: vault}, target: {name: registry}}
`,
    expect: [],
  },
  {
    name: 'the ServiceAccount loses its pull secrets',
    before: workload({ account: 'api' }) + account('{name: registry}') + secret('registry'),
    after: workload({ account: 'api' }) + account('') + secret('registry'),
    expect: [
      {
        resource,
        severity: 'high',
        confidence: 'likely',
        message: 'no pull secret is attached any more (it was registry)',
      },
    ],
  },
  {
    name: 'the reference moves from the pod to the ServiceAccount',
    before: workload({ secrets: 'registry', account: 'api' }) + account('') + secret('registry'),
    after: workload({ account: 'api' }) + account('{name: registry}') + secret('registry'),
    expect: [],
  },
  {
    name: 'the image moves to a registry that the secret does not cover',
    before: workload({ secrets: 'registry' }) + secret('registry'),
    after: workload({ secrets: 'registry', image: 'harbor.example.org/shop/api:2.1.0' }) + secret('registry'),
    expect: [{ resource, path: imagePath, severity: 'high', confidence: 'likely', message: 'do not cover that host' }],
  },
  {
    name: 'the image moves to a private registry that others use with a secret',
    before: workload({ image: 'nginx:1.29.1' }) + workload({ name: 'cart', secrets: 'registry' }) + secret('registry'),
    after: workload() + workload({ name: 'cart', secrets: 'registry' }) + secret('registry'),
    expect: [{ resource, path: imagePath, confidence: 'likely', message: 'registry.example.net' }],
  },
  {
    name: 'a registry that nobody used so far',
    before: workload({ image: 'nginx:1.29.1' }),
    after: workload(),
    expect: [{ resource, confidence: 'hint' }],
  },
  {
    name: 'the first deployment into a cluster',
    after: workload(),
    expect: [],
  },
  {
    name: 'a registry that others use without a secret',
    before: workload({ image: 'nginx:1.29.1' }) + workload({ name: 'cart' }),
    after: workload() + workload({ name: 'cart' }),
    expect: [],
  },
  {
    name: 'a running pod pulls from it without a secret',
    before: workload({ image: 'nginx:1.29.1' }),
    after: workload(),
    live: running,
    expect: [],
  },
  {
    name: 'a public registry',
    before: workload(),
    after: workload({ image: 'quay.io/shop/api:2.1.0' }),
    expect: [],
  },
  {
    name: 'nodes of the same cloud have credentials for it',
    before: workload({ image: 'nginx:1.29.1' }),
    after: workload({ image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/api:2.1.0' }),
    expect: [],
  },
  {
    name: 'the secret is of a type that the kubelet does not read',
    before: workload({ secrets: 'registry' }) + secret('registry'),
    after: workload({ secrets: 'registry' }) + secret('registry', 'registry.example.net', 'Opaque'),
    expect: [{ resource, confidence: 'determined', message: 'has type Opaque' }],
  },
  {
    name: 'a new workload names a secret that the cluster does not have',
    after: workload({ secrets: 'registry' }),
    live: secret('other'),
    expect: [{ resource, confidence: 'proven', message: 'does not exist in the namespace' }],
  },
];
