import type { RuleExample } from '../../../core/rule.ts';

function checkout(replicas: string, metadata = ''): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  namespace: shop
${metadata}
spec:
  ${replicas}
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      containers: [{name: checkout, image: 'registry.example.net/shop/checkout:2.9.1'}]
`;
}

const autoscaler = `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: checkout, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: checkout}
  minReplicas: 4
  maxReplicas: 60
`;

const ownedByScale = `  managedFields:
    - manager: kube-controller-manager
      operation: Update
      subresource: scale
      apiVersion: apps/v1
      fieldsType: FieldsV1
      fieldsV1: {'f:spec': {'f:replicas': {}}}`;
const ownedByFlux = `  managedFields:
    - manager: kustomize-controller
      operation: Apply
      apiVersion: apps/v1
      fieldsType: FieldsV1
      fieldsV1: {'f:spec': {'f:replicas': {}}}`;

export const examples: readonly RuleExample[] = [
  {
    name: 'an autoscaler is added and the replicas are removed in the same change',
    before: checkout('replicas: 12'),
    after: checkout('') + autoscaler,
    expect: [
      {
        resource: 'Deployment/shop/checkout',
        path: '/spec/replicas',
        severity: 'high',
        confidence: 'determined',
        message: 'goes from 12 to 1 replica',
      },
    ],
  },
  {
    name: 'the cluster runs 40 pods at this moment',
    before: checkout('replicas: 12') + autoscaler,
    after: checkout('') + autoscaler,
    live: checkout(
      'replicas: 40',
      `  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":12}}'`,
    ),
    expect: [{ confidence: 'proven', message: 'goes from 40 to 1 replica' }],
  },
  {
    name: 'server-side apply without an autoscaler: nobody else owns the field',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: checkout('replicas: 3'),
    after: checkout(''),
    expect: [{ confidence: 'determined', message: 'goes from 3 to 1 replica at the sync and stays there' }],
  },
  {
    name: 'server-side apply with an autoscaler, and the live object shows that it never acted',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: checkout('replicas: 3') + autoscaler,
    after: checkout('') + autoscaler,
    live: checkout('replicas: 3', ownedByFlux),
    expect: [{ confidence: 'proven' }],
  },
  {
    name: 'quiet: the autoscaler owns the field of a server-side applied object',
    target: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
    before: checkout('replicas: 3') + autoscaler,
    after: checkout('') + autoscaler,
    live: checkout('replicas: 17', ownedByScale),
    expect: [],
  },
  {
    name: 'quiet: Argo CD applies the live value of an ignored difference',
    target: {
      apply: {
        mode: 'client-side',
        prune: true,
        automated: true,
        syncOptions: ['RespectIgnoreDifferences=true'],
        ignoreDifferences: [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }],
      },
    },
    before: checkout('replicas: 12') + autoscaler,
    after: checkout('') + autoscaler,
    expect: [],
  },
  {
    name: 'the autoscaler is in the cluster only',
    before: checkout('replicas: 3'),
    after: checkout(''),
    live: `${checkout('replicas: 40')}${autoscaler}`,
    expect: [{ message: 'goes from 40 to 1 replica at the sync, although HorizontalPodAutoscaler checkout' }],
  },
  {
    name: 'the autoscaler of the cluster is bound to something else',
    before: checkout('replicas: 3'),
    after: checkout(''),
    live: `${checkout('replicas: 40')}${autoscaler.replace('name: checkout}', 'name: search}')}`,
    expect: [{ message: 'goes from 40 to 1 replica at the sync and stays there' }],
  },
  {
    name: 'quiet: it was one replica before',
    before: checkout('replicas: 1'),
    after: checkout(''),
    expect: [],
  },
];
