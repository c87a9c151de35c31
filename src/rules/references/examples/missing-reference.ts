import type { RuleExample } from '../../../core/rule.ts';

function api(spec: string): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
${spec.replaceAll(/^/gm, '      ')}
`;
}

const withEnvironment = (source: string) =>
  api(`containers:
  - name: api
    image: registry.example.net/shop/api:1.0.0
    env:
      - name: DATABASE_URL
        valueFrom: {${source}}`);
const plain = api(`containers: [{name: api, image: 'registry.example.net/shop/api:1.0.0'}]`);
const config = (name: string) => `---
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: shop}
data: {url: 'postgres://db:5432/shop'}
`;
const environmentPath = '/spec/template/spec/containers/api/env/DATABASE_URL/valueFrom';

export const examples: readonly RuleExample[] = [
  {
    name: 'a ConfigMap is removed while a Deployment that is not touched still reads it',
    before: withEnvironment('configMapKeyRef: {name: api-config, key: url}') + config('api-config'),
    after: withEnvironment('configMapKeyRef: {name: api-config, key: url}'),
    expect: [
      {
        resource: 'Deployment/shop/api',
        path: `${environmentPath}/configMapKeyRef`,
        severity: 'high',
        confidence: 'determined',
        novelty: 'introduced',
        message: 'which this change removes: the container does not start (CreateContainerConfigError)',
      },
    ],
  },
  {
    name: 'the ConfigMap is renamed and the reference is not',
    before: withEnvironment('configMapKeyRef: {name: api-config, key: url}') + config('api-config'),
    after: withEnvironment('configMapKeyRef: {name: api-config, key: url}') + config('shop-config'),
    expect: [{ confidence: 'determined', message: 'names ConfigMap shop/api-config' }],
  },
  {
    name: 'the reference is changed to a name that nothing holds',
    before: withEnvironment('configMapKeyRef: {name: api-config, key: url}') + config('api-config'),
    after: withEnvironment('configMapKeyRef: {name: api-settings, key: url}') + config('api-config'),
    expect: [{ confidence: 'determined', message: 'now names ConfigMap shop/api-settings' }],
  },
  {
    name: 'a new ServiceAccount name without a ServiceAccount',
    before: plain,
    after: api(`serviceAccountName: api
containers: [{name: api, image: 'registry.example.net/shop/api:1.0.0'}]`),
    expect: [
      {
        path: '/spec/template/spec/serviceAccountName',
        confidence: 'likely',
        message: 'no pod is created',
      },
    ],
  },
  {
    name: 'a Secret that is not in Git: most repositories make Secrets elsewhere, so this is a hint',
    before: plain,
    after: withEnvironment('secretKeyRef: {name: db-credentials, key: url}'),
    expect: [{ path: `${environmentPath}/secretKeyRef`, confidence: 'hint' }],
  },
  {
    name: 'the cluster does not have the Secret either',
    before: plain,
    after: withEnvironment('secretKeyRef: {name: db-credentials, key: url}'),
    live: `
apiVersion: v1
kind: Secret
metadata: {name: other, namespace: shop}
`,
    expect: [{ confidence: 'proven', message: 'exists neither in the change nor in the cluster' }],
  },
  {
    name: 'quiet: the cluster has the Secret',
    before: plain,
    after: withEnvironment('secretKeyRef: {name: db-credentials, key: url}'),
    live: `
apiVersion: v1
kind: Secret
metadata: {name: db-credentials, namespace: shop}
`,
    expect: [],
  },
  {
    name: 'quiet: an ExternalSecret makes it',
    before: plain,
    after: `${withEnvironment('secretKeyRef: {name: db-credentials, key: url}')}---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: database, namespace: shop}
spec: {target: {name: db-credentials}, secretStoreRef: {name: vault, kind: ClusterSecretStore}}
`,
    expect: [],
  },
  {
    name: 'quiet: the reference is optional',
    before: plain,
    after: withEnvironment('configMapKeyRef: {name: feature-flags, key: url, optional: true}'),
    expect: [],
  },
  {
    name: 'quiet: it was named before without being in Git, and the pods ran',
    before: withEnvironment('secretKeyRef: {name: db-credentials, key: url}'),
    after: `${withEnvironment('secretKeyRef: {name: db-credentials, key: url}')}---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: shop}
spec:
  schedule: "0 5 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: report
              image: registry.example.net/shop/report:1.0.0
              envFrom: [{secretRef: {name: db-credentials}}]
`,
    expect: [],
  },
  {
    name: 'quiet: prune is off, so the ConfigMap stays in the cluster',
    target: { apply: { mode: 'client-side', prune: false, automated: true } },
    before: withEnvironment('configMapKeyRef: {name: api-config, key: url}') + config('api-config'),
    after: withEnvironment('configMapKeyRef: {name: api-config, key: url}'),
    expect: [],
  },
];
