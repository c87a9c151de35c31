import type { Target } from '../../../core/model.ts';
import type { RuleExample } from '../../../core/rule.ts';

const budget = (version: string, min = 1) => `
apiVersion: policy/${version}
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec: {minAvailable: ${min}, selector: {matchLabels: {app: api}}}
`;
const autoscaler = (version: string, target: string) => `
apiVersion: ${version}
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: ${target}, kind: Deployment, name: api}
  maxReplicas: 5
`;
const policy = (version: string) => `
apiVersion: admissionregistration.k8s.io/${version}
kind: ValidatingAdmissionPolicy
metadata: {name: no-latest}
spec: {}
`;

const release: Partial<Target> = {
  engine: 'flux',
  kubeVersion: '1.34',
  apply: { mode: 'helm', prune: true, automated: true },
  sources: [
    {
      type: 'helm',
      chart: { from: 'tree', path: 'charts/shop' },
      release: 'shop',
      namespace: 'shop',
      values: [],
      set: [],
      includeCrds: false,
    },
  ],
};
const stored = (version: string) => `
apiVersion: gate/v1
kind: HelmRelease
namespace: shop
name: shop
revision: 7
status: deployed
chart: shop
chartVersion: 1.4.0
apis: [apps/v1/Deployment, policy/${version}/PodDisruptionBudget]
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'a chart brings a PodDisruptionBudget in an API that the cluster no longer serves',
    target: { kubeVersion: '1.34' },
    after: budget('v1beta1'),
    expect: [
      {
        resource: 'PodDisruptionBudget/shop/api',
        path: '/apiVersion',
        severity: 'high',
        confidence: 'determined',
        willNotApply: true,
        message: 'Kubernetes 1.34) does not serve it',
      },
    ],
  },
  {
    name: 'the discovery document of the cluster does not list it',
    after: budget('v1beta1'),
    live: `
apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: production}
takenAt: 2026-11-20T10:00:00Z
apiVersions: [v1, apps/v1, policy/v1, policy/v1/PodDisruptionBudget]
`,
    expect: [{ confidence: 'proven', willNotApply: true }],
  },
  {
    name: 'the version of the cluster is not known, but no supported one serves the API',
    after: budget('v1beta1'),
    expect: [{ severity: 'high', confidence: 'likely', willNotApply: false }],
  },
  {
    name: 'deprecated and still served: a new use is worth a note',
    target: { kubeVersion: '1.33' },
    after: policy('v1beta1'),
    expect: [{ severity: 'low', confidence: 'determined', message: 'Kubernetes 1.34 removes it' }],
  },
  {
    name: 'newer than the cluster',
    target: { kubeVersion: '1.29' },
    after: policy('v1'),
    expect: [{ severity: 'high', willNotApply: true, message: 'serves from 1.30 on' }],
  },
  {
    name: 'an autoscaler names its target in a removed API',
    target: { kubeVersion: '1.34' },
    after: autoscaler('autoscaling/v2', 'extensions/v1beta1'),
    expect: [{ path: '/spec/scaleTargetRef/apiVersion', willNotApply: false, message: 'scaling stops' }],
  },
  {
    name: 'touched, and it was like this before',
    target: { kubeVersion: '1.34' },
    before: budget('v1beta1'),
    after: budget('v1beta1', 2),
    expect: [{ novelty: 'touched-preexisting' }],
  },
  {
    name: 'the manifest that Helm stored of the release holds an API that is gone',
    target: release,
    before: budget('v1'),
    after: budget('v1', 2),
    live: stored('v1beta1'),
    expect: [
      { severity: 'high', willNotApply: true, message: 'Helm fails to build the objects of the present release' },
    ],
  },
  {
    name: 'quiet: the stored manifest holds served APIs only',
    target: release,
    before: budget('v1'),
    after: budget('v1', 2),
    live: stored('v1'),
    expect: [],
  },
  {
    name: 'quiet: untouched',
    before: budget('v1beta1'),
    after: budget('v1beta1'),
    expect: [],
  },
  {
    name: 'quiet: the current version',
    target: { kubeVersion: '1.34' },
    after: budget('v1') + '---' + autoscaler('autoscaling/v2', 'apps/v1'),
    expect: [],
  },
  {
    name: 'quiet: the old cluster still serves it',
    target: { kubeVersion: '1.24' },
    before: budget('v1beta1'),
    after: budget('v1beta1', 2),
    expect: [],
  },
];
