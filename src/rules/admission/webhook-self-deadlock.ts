import { Type } from 'typebox';
import type { Confidence, Novelty, Reversibility, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf } from '../kit/cluster-view.ts';
import { allowanceOf, budgetsIn, guards } from '../kit/disruption-budget.ts';
import { backendKinds, declarationKinds, liveKinds } from '../kit/live-kinds.ts';
import { namespaceLabels, nameLabel, selects } from '../kit/namespaces.ts';
import { at, listAt, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { formatSelector } from '../kit/select.ts';
import {
  backendOf,
  isRedundant,
  readyEndpoints,
  serviceAddress,
  type Backend,
  type ReadyEndpoints,
} from '../kit/services.ts';
import { weaker } from '../kit/severity.ts';
import { changesByIdentity, entryIdentity } from '../kit/touched.ts';
import { selectsByName } from '../kit/webhook-reach.ts';
import {
  callsFor,
  describeRules,
  failsClosed,
  podCreate,
  rulesOf,
  sameWebhook,
  webhooksOf,
  type AdmissionRequest,
  type Webhook,
} from '../kit/webhooks.ts';
import { examples } from './examples/webhook-self-deadlock.ts';

/** A way in which the webhook keeps itself, or the nodes it needs, from coming back. */
interface Loop {
  /** 1: its own pods. 2: what every node needs before the backend can run there. */
  readonly tier: 1 | 2;
  readonly confidence: Confidence;
  readonly what: string;
  readonly facts: readonly string[];
}

/** Requests of the control loop that keep nodes and their network alive, and the namespace they are made in. */
const vitalRequests: readonly { request: AdmissionRequest; namespace?: string; name: string }[] = [
  { request: podCreate, namespace: 'kube-system', name: 'pods in kube-system (CNI, CoreDNS, kube-proxy, autoscaler)' },
  ...(['CREATE', 'UPDATE'] as const).flatMap((operation) => [
    { request: { operation, group: '', resource: 'nodes', scope: 'Cluster' as const }, name: 'nodes' },
    {
      request: { operation, group: 'coordination.k8s.io', resource: 'leases', scope: 'Namespaced' as const },
      namespace: 'kube-node-lease',
      name: 'leases in kube-node-lease (node heartbeats)',
    },
    {
      request: { operation, group: 'discovery.k8s.io', resource: 'endpointslices', scope: 'Namespaced' as const },
      namespace: 'kube-system',
      name: 'endpointslices in kube-system',
    },
    {
      request: { operation, group: '', resource: 'configmaps', scope: 'Namespaced' as const },
      namespace: 'kube-system',
      name: 'configmaps in kube-system',
    },
  ]),
];

function* check(context: RuleContext): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const webhook of webhooksOf(context.after)) {
    const entry = webhook.entry;
    if (entry === undefined) continue;
    const loop = findLoop(context, 'after', webhook, entry.target.scope);
    if (loop === undefined) continue;
    const change = changes.get(entryIdentity(entry));
    const previous = sameWebhook(context.before, webhook, change?.previousRef?.name);
    const before = previous === undefined ? undefined : findLoop(context, 'before', previous, entry.target.scope);
    const known = before !== undefined && before.tier <= loop.tier;
    if (
      known &&
      change?.fields.some(
        (field) => field.path.startsWith(`${webhook.path}/`) && !field.path.includes('/clientConfig'),
      ) !== true
    )
      continue;
    const novelty: Novelty = known ? 'touched-preexisting' : before === undefined ? 'introduced' : 'worsened';
    const address = serviceAddress(at(webhook.fields, 'clientConfig', 'service'))!;
    const live = readyEndpoints(context.live(entry.target.scope), address.namespace, address.name);
    const judged = judge(loop, live);
    yield problemAt(entry, webhook.path, {
      message:
        loop.tier === 1
          ? `${webhook.name} fails closed for the creation of its own pods in namespace ${address.namespace}: once all of them are down (node replacement, eviction, crash), the API server refuses every replacement and nothing that matches (${describeRules(rulesOf(webhook))}) can be created until someone deletes the configuration.`
          : `${webhook.name} fails closed for ${loop.what}, and its backend in namespace ${address.namespace} is not redundant: while it is down, nodes cannot join or recover, and without nodes it cannot come back.`,
      ...judged,
      novelty,
      fix: fixOf(loop, webhook, address.namespace),
      evidence: {
        after: {
          failurePolicy: 'Fail',
          namespaceSelector: formatSelector(webhook.fields.namespaceSelector),
          objectSelector: formatSelector(webhook.fields.objectSelector),
        },
        ...(live === undefined ? {} : { live: { readyEndpoints: live.ready, nodes: live.nodes } }),
        facts: [
          ...loop.facts,
          `way out: kubectl delete ${webhook.kind.toLowerCase()} ${webhook.configuration} (webhook configurations are never sent to webhooks)`,
        ],
        ...(live === undefined
          ? {
              wouldChange:
                'With live EndpointSlices: at least 2 ready endpoints on 2 nodes make it high, none prove it.',
            }
          : {}),
      },
    });
  }
}

function judge(
  loop: Loop,
  live: ReadyEndpoints | undefined,
): { severity: Severity; confidence: Confidence; reversibility: Reversibility } {
  if (loop.tier === 1 && isRedundant(live))
    return {
      severity: 'high',
      confidence: loop.confidence === 'likely' ? 'likely' : 'proven',
      reversibility: 'instant',
    };
  if (live !== undefined && live.ready === 0)
    return { severity: 'critical', confidence: 'proven', reversibility: 'hard' };
  const raised = live !== undefined && !isRedundant(live);
  return {
    severity: loop.tier === 1 || raised ? 'critical' : 'high',
    confidence: loop.confidence,
    reversibility: 'hard',
  };
}

function findLoop(context: RuleContext, side: 'before' | 'after', webhook: Webhook, scope: string): Loop | undefined {
  const address = serviceAddress(at(webhook.fields, 'clientConfig', 'service'));
  if (address === undefined || !failsClosed(webhook)) return undefined;
  const vital = vitalRequests.filter(({ request }) => callsFor(webhook, request));
  if (vital.length === 0 && !callsFor(webhook, podCreate)) return undefined;
  const view = viewOf(context, side, scope);
  const backend = backendOf(view, address);
  return (
    ownLoop(context, side, webhook, backend, scope, reachedVital(context, side, webhook, scope, vital)) ??
    nodeLoop(context, side, webhook, backend, scope, vital)
  );
}

/** The backend's own pods are sent to the webhook. */
function ownLoop(
  context: RuleContext,
  side: 'before' | 'after',
  webhook: Webhook,
  backend: Backend,
  scope: string,
  vital: typeof vitalRequests,
): Loop | undefined {
  if (!callsFor(webhook, podCreate)) return undefined;
  const { namespace } = backend.address;
  const own = namespaceLabels(context, side, scope, namespace);
  const selected = selects(webhook.fields.namespaceSelector, own);
  if (selected === 'no' || selected === 'if-labelled') return undefined;
  const objectSelector = webhook.fields.objectSelector;
  if (backend.makers.length === 0) {
    // The labels of pods that are not rendered are not known: only a webhook for all pods is certain to match them.
    if (selects(objectSelector, { labels: {}, complete: false }) !== 'yes') return undefined;
  } else if (
    backend.makers.some((maker) => selects(objectSelector, { labels: maker.template.labels, complete: true }) === 'no')
  ) {
    return undefined;
  }
  const condition = conditionAnswer(webhook, [namespace, ...backend.makers.map((maker) => maker.ref.name)]);
  if (condition === 'exempts') return undefined;
  let confidence: Confidence = selected === 'yes' && condition === 'none' ? 'determined' : 'likely';
  if (backend.makers.length === 0 && backend.status === 'broken') confidence = weaker(confidence, 'likely');
  const pods =
    backend.makers.map((maker) => formatRef(maker.ref)).join(', ') ||
    `the pods behind Service ${namespace}/${backend.address.name}`;
  return {
    tier: 1,
    confidence,
    what: 'its own pods',
    facts: [
      `the loop: a pod of ${pods} goes away -> its controller sends CREATE pod in ${namespace} -> ${webhook.name} is called -> no endpoint answers -> the request is denied -> back-off, again`,
      `pods asked for: ${backend.pods ?? 'one per node'}`,
      ...(selected === 'unless-labelled'
        ? [
            `Namespace ${namespace} is in no manifest: unless it carries a label of the namespaceSelector ${formatSelector(webhook.fields.namespaceSelector)}, nothing excludes it`,
          ]
        : [
            `namespaceSelector ${formatSelector(webhook.fields.namespaceSelector)} does not exclude namespace ${namespace}, objectSelector ${formatSelector(objectSelector)} does not exclude its pods`,
          ]),
      ...(vital.length === 0
        ? []
        : [`it also fails closed for ${[...new Set(vital.map(({ name }) => name))].join(', ')}`]),
      ...(condition === 'unknown' ? ['matchConditions were not evaluated; they may exclude these pods'] : []),
    ],
  };
}

/** Those of the vital requests that the selectors let through. */
function reachedVital(
  context: RuleContext,
  side: 'before' | 'after',
  webhook: Webhook,
  scope: string,
  vital: typeof vitalRequests,
): typeof vitalRequests {
  return vital.filter(({ namespace }) => {
    if (namespace === undefined) return true;
    const answer = selects(webhook.fields.namespaceSelector, namespaceLabels(context, side, scope, namespace));
    return answer === 'yes' || answer === 'unless-labelled';
  });
}

/** Requests that nodes depend on are sent to a webhook whose backend one node failure can take away. */
function nodeLoop(
  context: RuleContext,
  side: 'before' | 'after',
  webhook: Webhook,
  backend: Backend,
  scope: string,
  vital: typeof vitalRequests,
): Loop | undefined {
  if (selects(webhook.fields.objectSelector, { labels: {}, complete: false }) !== 'yes') return undefined;
  const reached = reachedVital(context, side, webhook, scope, vital);
  if (reached.length === 0) return undefined;
  const condition = conditionAnswer(webhook, ['kube-system', 'system:node', 'kube-node-lease']);
  if (condition === 'exempts') return undefined;
  const { namespace, name } = backend.address;
  if (isRedundant(readyEndpoints(context.live(scope), namespace, name)) || isProtected(context, side, backend, scope))
    return undefined;
  const names = [...new Set(reached.map((item) => item.name))];
  const sure = reached.some((item) => item.namespace === undefined || selectsByName(webhook.fields.namespaceSelector));
  return {
    tier: 2,
    confidence: sure && condition === 'none' && backend.status === 'answers' ? 'determined' : 'likely',
    what: names.join(', '),
    facts: [
      `the loop: the nodes that run ${namespace}/${name} go away -> new nodes need ${names[0]} -> ${webhook.name} is called -> no endpoint answers -> denied -> no node becomes ready`,
      `pods asked for: ${backend.pods ?? 'one per node'}; no PodDisruptionBudget keeps one of at least two pods running`,
    ],
  };
}

/** At least two pods, and a budget that keeps one of them during drains. */
function isProtected(context: RuleContext, side: 'before' | 'after', backend: Backend, scope: string): boolean {
  const { pods, makers, address } = backend;
  if (pods === undefined) return true;
  if (pods < 2) return false;
  const world = side === 'before' ? context.before : context.after;
  return budgetsIn(world, scope, address.namespace).some((budget) => {
    const allowance = allowanceOf(budget, pods);
    return (
      allowance !== undefined &&
      allowance.allowed < pods &&
      makers.every((maker) => guards(budget, maker.template.labels))
    );
  });
}

/** CEL is not evaluated here: a condition that names what has to be excluded is taken at its word. */
function conditionAnswer(webhook: Webhook, names: readonly string[]): 'none' | 'exempts' | 'unknown' {
  const conditions = listAt(webhook.fields, 'matchConditions').map(
    (condition) => stringAt(condition, 'expression') ?? '',
  );
  if (conditions.length === 0) return 'none';
  return conditions.some((expression) => names.some((name) => expression.includes(name))) ? 'exempts' : 'unknown';
}

function fixOf(loop: Loop, webhook: Webhook, namespace: string): string {
  const excluded = loop.tier === 1 ? `${namespace} and kube-system` : 'kube-system and kube-node-lease';
  const narrow =
    loop.what.includes('nodes') || loop.what.includes('leases') ? ' and list the resources instead of "*"' : '';
  return `In ${webhook.kind} ${webhook.configuration}, exclude ${excluded} in the namespaceSelector of ${webhook.name} (key ${nameLabel}, operator NotIn)${narrow}; run at least 2 replicas of the backend on different nodes with a PodDisruptionBudget of maxUnavailable: 1.`;
}

export default defineRule({
  id: 'webhook-self-deadlock',
  since: '0.1.0',
  family: 'Admission webhooks and policies',
  title: 'Webhook deadlocks its own backend',
  severity: 'critical',
  reversibility: 'hard',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
    'admissionregistration.k8s.io/MutatingWebhookConfiguration',
    '/Service',
    '/Namespace',
    'apps/Deployment',
    'policy/PodDisruptionBudget',
    'discovery.k8s.io/EndpointSlice',
  ],
  live: liveKinds(backendKinds, '/Namespace'),
  liveOf: declarationKinds,
  summary: 'A fail-closed webhook intercepts the creation of its own pods, or of what nodes need to run them.',
  docs: {
    why: 'A webhook with `failurePolicy: Fail` that matches `CREATE pods` in its own namespace has to approve its own replacement. As long as one pod answers nobody notices; after a node group is replaced, a drain, or a crash of all pods, the API server refuses the new pods because nobody answers, for ever. The same happens one step further away when CNI or DNS pods in `kube-system`, node objects or node leases are matched: no node becomes ready, so the backend has nowhere to run. Only the configuration objects of admission themselves are exempt (`rules.IsExemptAdmissionConfigurationResource` in k8s.io/apiserver), which is why deleting the configuration always works.',
    fix: "Exclude the namespace of the backend and `kube-system` through `namespaceSelector` on `kubernetes.io/metadata.name`, or the backend's pods through `objectSelector`. Run at least two replicas spread over nodes, with a PodDisruptionBudget of `maxUnavailable: 1` and `priorityClassName: system-cluster-critical`.",
    ignoreWhen:
      'The backend runs outside of the cluster, or something watches it and deletes the configuration when it is gone.',
  },
  references: [
    'https://github.com/kyverno/kyverno/issues/4686',
    'https://github.com/kyverno/kyverno/issues/11122',
    'Jetstack: a GKE upgrade outage through an admission webhook',
    'k8s.io/apiserver pkg/admission/plugin/webhook/predicates/rules/rules.go',
  ],
  options: Type.Object({}),
  examples,
  check,
});
