import type { RuleExample } from '../../../core/rule.ts';

const deployment = (name: string, labels: string) => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: ${labels}}
    spec:
      containers: [{name: app, image: 'registry.example.net/shop/app:4.0.2'}]
`;

const budget = (name: string, selector: string, version = 'v1') => `---
apiVersion: policy/${version}
kind: PodDisruptionBudget
metadata: {name: ${name}, namespace: shop}
spec: {maxUnavailable: 1, selector: ${selector}}
`;

const web = deployment('web', '{app: web, tier: front}');

export const examples: readonly RuleExample[] = [
  {
    name: 'a second budget selects the same pods',
    before: web + budget('web', '{matchLabels: {app: web}}'),
    after: web + budget('web', '{matchLabels: {app: web}}') + budget('front', '{matchLabels: {tier: front}}'),
    expect: [
      {
        resource: 'PodDisruptionBudget/shop/front',
        path: '/spec/selector',
        severity: 'medium',
        confidence: 'determined',
        message: 'selected by more than one PodDisruptionBudget (web and front)',
      },
    ],
  },
  {
    name: 'a second budget selects other pods',
    before: web + budget('web', '{matchLabels: {app: web}}'),
    after: web + budget('web', '{matchLabels: {app: web}}') + budget('back', '{matchLabels: {tier: back}}'),
    expect: [],
  },
  {
    name: 'the other budget is only in the cluster',
    before: web,
    after: web + budget('web', '{matchLabels: {app: web}}'),
    live: web + budget('platform-default', '{matchLabels: {tier: front}}'),
    expect: [{ resource: 'PodDisruptionBudget/shop/web', confidence: 'proven', message: 'platform-default' }],
  },
  {
    name: 'two budgets overlapped before',
    before: web + budget('web', '{matchLabels: {app: web}}') + budget('front', '{matchLabels: {tier: front}}'),
    after: (web + budget('web', '{matchLabels: {app: web}}') + budget('front', '{matchLabels: {tier: front}}')).replace(
      'app:4.0.2',
      'app:4.0.3',
    ),
    expect: [],
  },
  {
    name: 'one budget replaces the other',
    before: web + budget('web', '{matchLabels: {app: web}}'),
    after: web + budget('front', '{matchLabels: {tier: front}}'),
    live: web + budget('web', '{matchLabels: {app: web}}'),
    expect: [],
  },
  {
    name: 'the pod labels change, the selector does not',
    before: web + budget('web', '{matchLabels: {app: web, tier: front}}'),
    after: deployment('web', '{app: web, tier: edge}') + budget('web', '{matchLabels: {app: web, tier: front}}'),
    expect: [{ resource: 'PodDisruptionBudget/shop/web', message: 'the labels of Deployment shop/web changed' }],
  },
  {
    name: 'labels and selector move together',
    before: web + budget('web', '{matchLabels: {app: web, tier: front}}'),
    after: deployment('web', '{app: web, tier: edge}') + budget('web', '{matchLabels: {app: web, tier: edge}}'),
    expect: [],
  },
  {
    name: 'an empty selector moves from v1beta1 to v1',
    before: web + budget('none', '{}', 'v1beta1'),
    after: web + budget('none', '{}'),
    expect: [
      {
        resource: 'PodDisruptionBudget/shop/none',
        path: '/spec/selector',
        message: 'selects every pod of namespace shop now',
      },
    ],
  },
];
