import type { Entry, Finding, GateReport, KubeObject, ResourceChange, Target } from '../../src/core/model.ts';

/** A target for reports and diffs. */
export function reportTarget(name: string, environment = 'production'): Target {
  return {
    id: `argocd:argocd/${name}`,
    name,
    engine: 'argocd',
    environment,
    cluster: 'eu-1',
    scope: 'eu-1',
    origin: { file: `apps/${name}.yaml`, line: 1 },
    parents: [],
    sources: [],
    afterRender: {},
    apply: { mode: 'client-side', prune: true, automated: true },
    inputs: [`charts/${name}/`],
    rendersTargets: false,
  };
}

/** A rendered object as an entry of a side. */
export function reportEntry(object: KubeObject, target: Target): Entry {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
  const { namespace, name } = object.metadata;
  return {
    ref: {
      group: group ?? '',
      version: version ?? '',
      kind: object.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
    },
    object,
    effective: object,
    target,
    provenance: { template: `${target.name}/templates/${object.kind.toLowerCase()}.yaml` },
  };
}

/** A change between two objects of one target; either may be missing. */
export function reportChange(
  target: Target,
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  more: Partial<ResourceChange> = {},
): ResourceChange {
  const was = before === undefined ? undefined : reportEntry(before, target);
  const is = after === undefined ? undefined : reportEntry(after, target);
  const ref = (is ?? was)?.ref;
  if (ref === undefined) throw new Error('a change needs an object');
  return {
    action: was === undefined ? 'added' : is === undefined ? 'removed' : 'changed',
    ref,
    target: target.id,
    ...(was === undefined ? {} : { before: was }),
    ...(is === undefined ? {} : { after: is }),
    fields: [],
    impact: 'none',
    ...more,
  };
}

/** A Deployment with one container. */
export function deployment(name: string, image: string, replicas = 3, namespace = 'shop'): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'app', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
      },
    },
  };
}

const shop = reportTarget('shop');
const policies = reportTarget('policies');

const webhook: Finding = {
  ruleId: 'webhook-fails-closed-without-backend',
  title: 'Webhook fails closed without backend',
  severity: 'critical',
  novelty: 'introduced',
  confidence: 'proven',
  reversibility: 'hard',
  score: 95,
  arithmetic: '95.0 = 100 x critical 1.0 x blast 1.00 x proven 1.0 x hard 0.95',
  blast: { value: 1, reason: 'admission of every Pod in the cluster' },
  resource: {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'ValidatingWebhookConfiguration',
    name: 'policy-check',
  },
  target: policies.id,
  environment: 'production',
  path: '/webhooks/pods.policy.example.org/failurePolicy',
  message:
    'The webhook pods.policy.example.org answers for every Pod and fails closed. Its Service policy/policy-check has no ready endpoint, so no Pod can be created anywhere, also none of the webhook itself.',
  evidence: {
    before: 'Ignore',
    after: 'Fail',
    live: { readyEndpoints: 0, nodes: 0 },
    facts: [
      'Service policy/policy-check selects app=policy-check; 0 of 2 pods are ready.',
      'namespaceSelector exempts neither kube-system nor policy.',
    ],
    wouldChange: 'With 2 ready endpoints on 2 nodes this becomes high.',
  },
  location: { file: 'charts/policies/templates/webhook.yaml', line: 14 },
  fingerprint: 'b1a2c3d4e5f60718',
  fix: 'Set failurePolicy: Ignore until the backend has 2 ready replicas, and exempt kube-system and policy by namespaceSelector.',
  willNotApply: false,
  group: 'webhook:policy-check',
};

const quota: Finding = {
  ruleId: 'quota-blocks-rollout',
  title: 'Quota blocks the rollout',
  severity: 'high',
  novelty: 'worsened',
  confidence: 'determined',
  reversibility: 'instant',
  score: 33.1,
  arithmetic: '33.1 = 100 x high 0.7 x blast 0.70 x determined 0.9 x instant 0.75',
  blast: { value: 0.4, reason: 'one production application' },
  resource: { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'api' },
  target: shop.id,
  environment: 'production',
  path: '/spec/template/spec/containers/app/resources/requests/memory',
  message:
    'The rollout needs 4 more pods of 2Gi, but the quota shop/compute has 3Gi left. The new ReplicaSet stays below its size.',
  evidence: { before: '1Gi', after: '2Gi', facts: ['used 29Gi + 8Gi surge = 37Gi > hard 32Gi'] },
  location: { file: 'envs/prod/shop.yaml', line: 7, column: 5 },
  fingerprint: 'aa00bb11cc22dd33',
  fix: 'Raise requests.memory of ResourceQuota shop/compute to 40Gi in the same change, before the Deployment.',
  willNotApply: false,
  group: 'quota:shop/compute',
  alsoIn: ['argocd:argocd/shop-eu', 'argocd:argocd/shop-us'],
};

const selector: Finding = {
  ruleId: 'immutable-field-change',
  title: 'Immutable field changed',
  severity: 'high',
  novelty: 'introduced',
  confidence: 'determined',
  reversibility: 'instant',
  score: 34.1,
  arithmetic: '34.1 = 100 x high 0.7 x blast 0.65 x determined 0.9 x instant 0.75',
  blast: { value: 0.3, reason: 'one application' },
  resource: { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'worker' },
  target: shop.id,
  environment: 'production',
  path: '/spec/selector',
  message: 'spec.selector of a Deployment cannot be changed; the API server refuses the update.',
  evidence: { before: { app: 'worker' }, after: { app: 'worker', tier: 'batch' } },
  fingerprint: '0123456789abcdef',
  fix: 'Keep the selector, or give the Deployment a new name and remove the old one afterwards.',
  willNotApply: true,
  group: 'immutable:worker',
};

const pull: Finding = {
  ruleId: 'image-pull-policy-always',
  title: 'Image pull policy is Always',
  severity: 'medium',
  novelty: 'introduced',
  confidence: 'determined',
  reversibility: 'instant',
  score: 18.9,
  arithmetic: '18.9 = 100 x medium 0.4 x blast 0.70 x determined 0.9 x instant 0.75',
  blast: { value: 0.4, reason: 'one production application' },
  resource: { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'api' },
  target: shop.id,
  environment: 'production',
  path: '/spec/template/spec/containers/app/imagePullPolicy',
  message: 'Each start of a pod asks the registry; when it does not answer, no pod starts.',
  evidence: { before: 'IfNotPresent', after: 'Always' },
  fingerprint: 'feedfacecafebeef',
  fix: 'Remove imagePullPolicy, or set IfNotPresent.',
  willNotApply: false,
  group: 'pull:api',
  waived: {
    rule: 'image-pull-policy-always',
    resource: 'Deployment/shop/*',
    reason: 'The registry mirror runs on each node.',
    owner: 'team-shop',
    expires: '2026-12-31',
  },
};

const { waived: _waiver, ...openPull } = pull;

const preexisting: Finding = {
  ...openPull,
  ruleId: 'pdb-blocks-all-evictions',
  title: 'PDB blocks all evictions',
  novelty: 'touched-preexisting',
  resource: { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', namespace: 'shop', name: 'api' },
  path: '/spec/minAvailable',
  message: 'minAvailable 100% lets no pod be evicted.',
  fingerprint: '1111222233334444',
  group: 'pdb:api',
};

/** A realistic report with one of everything. */
export function sampleReport(more: Partial<GateReport> = {}): GateReport {
  const changes: ResourceChange[] = [
    reportChange(
      shop,
      deployment('api', 'registry.example.org/shop/api:1.4.0'),
      deployment('api', 'registry.example.org/shop/api:1.5.0', 4),
      {
        impact: 'restart',
        fields: [
          { path: '/spec/replicas', before: 3, after: 4, impact: 'configuration', attribution: 'change' },
          {
            path: '/spec/template/spec/containers/app/image',
            before: 'registry.example.org/shop/api:1.4.0',
            after: 'registry.example.org/shop/api:1.5.0',
            impact: 'restart',
            attribution: 'change',
          },
        ],
        because: ['ConfigMap shop/api changed and its hash is an annotation of the pod template'],
      },
    ),
    reportChange(shop, undefined, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'api-flags', namespace: 'shop' },
      data: { 'flags.yaml': 'checkout: true\n' },
    }),
    reportChange(
      shop,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'api-old', namespace: 'shop' },
        spec: { ports: [{ port: 80 }] },
      },
      undefined,
      {
        impact: 'disruption',
      },
    ),
  ];
  return {
    schemaVersion: '1',
    verdict: 'block',
    reason: 'Webhook fails closed without backend: no Pod can be created anywhere.',
    score: {
      total: 95.2,
      arithmetic: '95.2 = 95.0 + (100 - 95.0) x (1 - (1 - 0.15 x 0.341))',
      version: '1',
      notes: ['will not apply: Deployment shop/worker'],
    },
    findings: [webhook, quota, selector, pull, preexisting],
    changes,
    drift: [
      {
        ref: { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'api' },
        target: shop.id,
        kind: 'fields',
        fields: [
          { path: '/spec/replicas', before: 3, after: 3, live: 5, impact: 'configuration', attribution: 'drift' },
        ],
      },
    ],
    coverage: {
      targets: [
        {
          id: shop.id,
          name: 'shop',
          engine: 'argocd',
          environment: 'production',
          cluster: 'eu-1',
          status: 'rendered',
          reason: 'charts/shop/values.yaml changed',
          objects: 12,
        },
        {
          id: policies.id,
          name: 'policies',
          engine: 'argocd',
          environment: 'production',
          cluster: 'eu-1',
          status: 'rendered',
          reason: 'charts/policies/ changed',
          objects: 4,
        },
        {
          id: 'argocd:argocd/pinned',
          name: 'pinned',
          engine: 'argocd',
          environment: 'production',
          status: 'unaffected',
          reason: 'pinned to tag v1.2.0 of this repository',
        },
        {
          id: 'flux:flux-system/legacy',
          name: 'legacy',
          engine: 'flux',
          environment: 'staging',
          status: 'not-evaluated',
          reason: 'see below',
        },
      ],
      notEvaluated: [
        {
          what: 'target legacy',
          target: 'flux:flux-system/legacy',
          reason: 'the chart repository https://charts.example.org did not answer',
          next: 'Name a mirror under chartRepositories in gate.yaml.',
          location: { file: 'clusters/eu-1/legacy.yaml', line: 3 },
          weight: 'incomplete',
        },
        {
          what: 'ApplicationSet argocd/pull-requests',
          reason: 'its pullRequest generator needs the GitHub API',
          weight: 'note',
        },
      ],
    },
    sides: { before: 'main (3f2a9c1)', after: 'feature/quota (9b1d7e0)' },
    clusters: [
      {
        name: 'eu-1',
        source: 'snapshot',
        takenAt: '2026-11-20T10:00:00Z',
        ageSeconds: 18_000,
        kubernetesVersion: 'v1.34.3',
      },
    ],
    tools: [
      { name: 'helm', version: '3.19.5' },
      { name: 'kustomize', version: '5.8.1' },
    ],
    policyDigest: 'sha256:5f0c',
    waiversInForce: [
      {
        rule: 'image-pull-policy-always',
        resource: 'Deployment/shop/*',
        reason: 'The registry mirror runs on each node.',
        owner: 'team-shop',
        expires: '2026-12-31',
      },
    ],
    work: { helmRuns: 6, kustomizeRuns: 0, cacheHits: 12 },
    durationSeconds: 4.21,
    ...more,
  };
}

/** Puts a text at every place of a report that the tree or the cluster can fill. */
export function hostileReport(text: string): GateReport {
  const report = sampleReport();
  const ref = { group: 'apps', version: 'v1', kind: `Deployment${text}`, namespace: `ns${text}`, name: `name${text}` };
  const target = { ...reportTarget(`t${text}`), id: `argocd:t${text}` };
  const object = { ...deployment(`name${text}`, `image${text}`), kind: `Deployment${text}` };
  return {
    ...report,
    reason: `reason ${text}`,
    sides: { before: `before ${text}`, after: `after ${text}` },
    clusters: [
      { name: `cluster ${text}`, source: 'snapshot', takenAt: `2026 ${text}`, kubernetesVersion: `v1 ${text}` },
    ],
    findings: report.findings.map((finding) => ({
      ...finding,
      resource: ref,
      target: target.id,
      environment: `env ${text}`,
      path: `/spec/${text}`,
      message: `message ${text}`,
      fix: `fix ${text}`,
      title: `title ${text}`,
      evidence: {
        before: `b ${text}`,
        after: { [text]: text },
        live: [text],
        facts: [`fact ${text}`],
        wouldChange: `would ${text}`,
      },
      location: { file: `file ${text}.yaml`, line: 3 },
      alsoIn: [`other ${text}`],
      ...(finding.waived === undefined
        ? {}
        : { waived: { ...finding.waived, reason: `why ${text}`, owner: `owner ${text}`, resource: `res ${text}` } }),
    })),
    changes: [
      reportChange(
        target,
        object,
        { ...object, data: { [text]: text } },
        { ref, impact: 'restart', because: [`because ${text}`] },
      ),
      reportChange(target, undefined, object, { ref }),
      reportChange(target, object, undefined, { ref }),
    ],
    drift: [
      {
        ref,
        target: target.id,
        kind: 'fields',
        fields: [
          { path: `/spec/${text}`, before: text, live: text, impact: 'none', attribution: 'drift', by: `by ${text}` },
        ],
        mayBe: [`MutatingWebhookConfiguration/${text}`],
      },
      { ref, target: target.id, kind: 'foreign', fields: [], reason: `it belongs to ${text}` },
      { ref, target: target.id, kind: 'missing', fields: [] },
    ],
    coverage: {
      targets: report.coverage.targets.map((entry) => ({
        ...entry,
        id: `id ${text}`,
        name: `name ${text}`,
        reason: `reason ${text}`,
        environment: `env ${text}`,
      })),
      notEvaluated: report.coverage.notEvaluated.map((entry) => ({
        ...entry,
        what: `what ${text}`,
        reason: `reason ${text}`,
        next: `next ${text}`,
      })),
    },
    tools: [{ name: 'helm', version: `3 ${text}` }],
    waiversInForce: report.waiversInForce.map((waiver) => ({
      ...waiver,
      reason: `why ${text}`,
      resource: `res ${text}`,
      owner: `own ${text}`,
    })),
  };
}
