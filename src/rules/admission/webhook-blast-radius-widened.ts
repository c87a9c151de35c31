import { Type } from 'typebox';
import type { V1RuleWithOperations } from '@kubernetes/client-node';
import { severities, type Entry, type Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext, type World } from '../../core/rule.ts';
import { memo } from '../kit/memo.ts';
import { compareSelectors, namespaceLabels, selects } from '../kit/namespaces.ts';
import { at, listAt, numberAt, stringAt } from '../kit/pods.ts';
import { problemAt } from '../kit/problem.ts';
import { formatSelector, type LabelSelector } from '../kit/select.ts';
import { isRedundant, readyEndpoints, serviceAddress } from '../kit/services.ts';
import { stepDown } from '../kit/severity.ts';
import { isOptIn, lostExemptions, matchesVital, newlyMatched } from '../kit/webhook-reach.ts';
import {
  describeRules,
  failsClosed,
  onlyCustomResources,
  rulesOf,
  webhookGroup,
  webhookKinds,
  webhooksIn,
  type Webhook,
} from '../kit/webhooks.ts';
import { examples } from './examples/webhook-blast-radius-widened.ts';

/** One way in which a webhook reaches further than before. */
interface Widening {
  readonly path: string;
  /** Completes "it now …". */
  readonly text: string;
  readonly severity: Severity;
  readonly fix: string;
}

function* check(context: RuleContext): Iterable<Problem> {
  for (const change of context.changes) {
    const { before, after } = change;
    if (before === undefined || after === undefined || after.ref.group !== webhookGroup) continue;
    if (!webhookKinds.some((kind) => kind === after.ref.kind)) continue;
    const old = [...webhooksIn(before.effective, before)];
    const now = webhooksIn(after.effective, after);
    const names = new Set(now.map((webhook) => webhook.name));
    const replaced = old.filter((webhook) => !names.has(webhook.name));
    for (const webhook of now) {
      const previous = old.find((candidate) => candidate.name === webhook.name) ?? closest(replaced, webhook);
      // One more webhook for the operator's own custom resources is what its releases consist of.
      if (previous === undefined && onlyCustomResources(rulesOf(webhook))) continue;
      const found = previous === undefined ? [added(webhook)] : widenings(context, previous, webhook, before, after);
      if (found.length > 0) yield report(context, webhook, previous, found, after);
    }
  }
}

/** A webhook of another name that it replaces: the one that already matched all that this one matches. */
function closest(replaced: readonly Webhook[], webhook: Webhook): Webhook | undefined {
  return replaced.find((candidate) => newlyMatched(rulesOf(candidate), rulesOf(webhook)).length === 0);
}

function report(
  context: RuleContext,
  webhook: Webhook,
  previous: Webhook | undefined,
  found: readonly Widening[],
  after: Entry,
): Problem {
  const worst = found.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))[0]!;
  const address = serviceAddress(at(webhook.fields, 'clientConfig', 'service'));
  const live =
    address === undefined
      ? undefined
      : readyEndpoints(context.live(after.target.scope), address.namespace, address.name);
  let severity = worst.severity;
  if (severity === 'critical' && isRedundant(live)) severity = stepDown(severity);
  if (enforcesNothing(webhook, context.after, after.target.scope)) severity = stepDown(severity);
  const effect = failsClosed(webhook)
    ? 'refused while its backend does not answer'
    : 'delayed while its backend does not answer';
  return problemAt(after, worst.path, {
    message: `${webhook.name} ${found.map(({ text }) => text).join(', and ')}; what it matches (${describeRules(rulesOf(webhook))}) is ${effect}.`,
    severity,
    novelty: previous === undefined ? 'introduced' : 'worsened',
    fix: worst.fix,
    evidence: {
      ...(previous === undefined ? {} : { before: summary(previous) }),
      after: summary(webhook),
      ...(live === undefined ? {} : { live: { readyEndpoints: live.ready, nodes: live.nodes } }),
      facts: facts(webhook, previous, context, after),
      ...(live === undefined && worst.severity === 'critical'
        ? { wouldChange: 'With live EndpointSlices that show at least 2 ready endpoints on 2 nodes this becomes high.' }
        : {}),
    },
  });
}

function summary(webhook: Webhook) {
  const { failurePolicy, timeoutSeconds, matchPolicy, namespaceSelector, objectSelector } = webhook.fields;
  return {
    failurePolicy: failurePolicy ?? 'Fail',
    timeoutSeconds: timeoutSeconds ?? 10,
    matchPolicy: matchPolicy ?? 'Equivalent',
    rules: describeRules(rulesOf(webhook)),
    namespaceSelector: formatSelector(namespaceSelector),
    objectSelector: formatSelector(objectSelector),
  };
}

function facts(webhook: Webhook, previous: Webhook | undefined, context: RuleContext, after: Entry): readonly string[] {
  const timeout = numberAt(webhook.fields, 'timeoutSeconds') ?? 10;
  const result = [
    `a request waits up to ${timeout} s for this webhook${webhook.kind === 'MutatingWebhookConfiguration' ? '; mutating webhooks run one after the other, so their timeouts add up' : ''}`,
  ];
  const namespaces = previous === undefined ? [] : newNamespaces(context, previous, webhook, after);
  if (namespaces.length > 0)
    result.push(
      `namespaces that it did not match before: ${namespaces.slice(0, 8).join(', ')}${namespaces.length > 8 ? ` and ${namespaces.length - 8} more` : ''}`,
    );
  if (failsClosed(webhook) && timeout > 10) result.push('leader election gives up after 10 s without an answer');
  return result;
}

function widenings(
  context: RuleContext,
  previous: Webhook,
  webhook: Webhook,
  before: Entry,
  after: Entry,
): readonly Widening[] {
  const { fields, path } = webhook;
  const all = rulesOf(webhook);
  const found: Widening[] = [];
  if (!failsClosed(previous) && failsClosed(webhook)) {
    const reason =
      stringAt(after.object, 'apiVersion') !== stringAt(before.object, 'apiVersion') && !isExplicit(after, webhook)
        ? ` (it is not set; the default went from Ignore in ${before.ref.version} to Fail in ${after.ref.version})`
        : isExplicit(after, webhook)
          ? ''
          : ' (it is no longer set, and Fail is the default)';
    found.push({
      path: `${path}/failurePolicy`,
      text: `goes from failurePolicy Ignore to Fail${reason}`,
      severity: weight(webhook, all),
      fix: `Set failurePolicy: Ignore on ${webhook.name} in ${webhook.kind} ${webhook.configuration}, or narrow its rules and exclude kube-system first.`,
    });
  }
  if (previous.fields.matchPolicy === 'Exact' && fields.matchPolicy !== 'Exact')
    found.push({
      path: `${path}/matchPolicy`,
      text: 'goes from matchPolicy Exact to Equivalent, so it also sees other versions of the resources',
      severity: 'low',
      fix: `Set matchPolicy: Exact on ${webhook.name} if it does not understand other versions.`,
    });
  const fresh = newlyMatched(rulesOf(previous), all);
  if (fresh.length > 0)
    found.push({
      path: `${path}/rules`,
      text: `also matches ${describeRules(fresh)}`,
      severity: weight(webhook, fresh),
      fix: `List in rules of ${webhook.name} (${webhook.kind} ${webhook.configuration}) only the resources and operations that it decides on.`,
    });
  found.push(...selectorWidenings(context, previous, webhook, after));
  const dropped = droppedConditions(previous, webhook);
  if (dropped.length > 0)
    found.push({
      path: `${path}/matchConditions`,
      text: `loses the match condition ${dropped.join(', ')}`,
      severity: weight(webhook, all),
      fix: `Put the match condition ${dropped.join(', ')} of ${webhook.name} back.`,
    });
  found.push(...timeoutWidening(previous, webhook));
  return found;
}

/** Base high; critical for pods, nodes and leases when it fails closed; less for opt-in, own custom resources, and Ignore. */
function weight(webhook: Webhook, rules: readonly V1RuleWithOperations[]): Severity {
  if (onlyCustomResources(rules)) return 'low';
  if (!failsClosed(webhook)) return 'medium';
  const optIn = isOptIn(webhook.fields.namespaceSelector) || isOptIn(webhook.fields.objectSelector);
  return matchesVital(rules) && !optIn ? 'critical' : 'high';
}

function added(webhook: Webhook): Widening {
  return {
    path: webhook.path,
    text: `is added to ${webhook.kind} ${webhook.configuration} with failurePolicy ${webhook.fields.failurePolicy ?? 'Fail'}`,
    severity: weight(webhook, rulesOf(webhook)),
    fix: `${failsClosed(webhook) ? `Start ${webhook.name} with failurePolicy: Ignore` : `List in rules of ${webhook.name} only what it decides on`}, and exclude kube-system and the namespace of its backend.`,
  };
}

function selectorWidenings(context: RuleContext, previous: Webhook, webhook: Webhook, after: Entry): Widening[] {
  const result: Widening[] = [];
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    const was: LabelSelector | undefined = previous.fields[field];
    const is: LabelSelector | undefined = webhook.fields[field];
    const change = compareSelectors(was, is);
    // One namespace less in a NotIn list is an exemption taken away: rule admission-exemption-removed.
    if (field === 'namespaceSelector' && lostExemptions(was, is).size > 0) continue;
    const wider =
      change === 'wider' ||
      (change === 'different' &&
        field === 'namespaceSelector' &&
        newNamespaces(context, previous, webhook, after).length > 0);
    if (!wider) continue;
    result.push({
      path: `${webhook.path}/${field}`,
      text: `matches more ${field === 'namespaceSelector' ? 'namespaces' : 'objects'} (${field} was ${formatSelector(was)}, is ${formatSelector(is)})`,
      severity: weight(webhook, rulesOf(webhook)),
      fix: `Put ${formatSelector(was)} back into ${field} of ${webhook.name} in ${webhook.kind} ${webhook.configuration}.`,
    });
  }
  return result;
}

function timeoutWidening(previous: Webhook, webhook: Webhook): Widening[] {
  const was = numberAt(previous.fields, 'timeoutSeconds') ?? 10;
  const is = numberAt(webhook.fields, 'timeoutSeconds') ?? 10;
  if (is <= was) return [];
  const severity: Severity =
    is <= 10
      ? 'low'
      : failsClosed(webhook) && matchesVital(rulesOf(webhook))
        ? 'high'
        : onlyCustomResources(rulesOf(webhook))
          ? 'low'
          : 'medium';
  return [
    {
      path: `${webhook.path}/timeoutSeconds`,
      text: `may hold a request for ${is} s instead of ${was} s`,
      severity,
      fix: `Keep timeoutSeconds of ${webhook.name} at 5 or less.`,
    },
  ];
}

/** Conditions that are gone, when nothing was added or rewritten in exchange. */
function droppedConditions(previous: Webhook, webhook: Webhook): readonly string[] {
  const key = (condition: unknown) => `${stringAt(condition, 'name')}\n${stringAt(condition, 'expression')}`;
  const now = new Set(listAt(webhook.fields, 'matchConditions').map(key));
  const old = listAt(previous.fields, 'matchConditions');
  const kept = old.filter((condition) => now.has(key(condition)));
  if (kept.length !== now.size) return [];
  return old.filter((condition) => !now.has(key(condition))).map((condition) => stringAt(condition, 'name') ?? '?');
}

/** Known namespaces that only the new selector matches. */
function newNamespaces(context: RuleContext, previous: Webhook, webhook: Webhook, after: Entry): readonly string[] {
  const scope = after.target.scope;
  const names = new Set([
    'kube-system',
    ...context.after.ofKind('', 'Namespace', scope).map((entry) => entry.ref.name),
  ]);
  for (const namespace of context.live(scope)?.ofKind('', 'Namespace') ?? []) names.add(namespace.metadata.name);
  return [...names].filter((name) => {
    const labels = namespaceLabels(context, 'after', scope, name);
    return (
      selects(webhook.fields.namespaceSelector, labels) === 'yes' &&
      selects(previous.fields.namespaceSelector, labels) === 'no'
    );
  });
}

const enforcement = memo((world: World) => {
  const actions = new Map<string, Set<string>>();
  for (const entry of world.entries) {
    if (entry.ref.group !== 'constraints.gatekeeper.sh') continue;
    const action = stringAt(entry.effective, 'spec', 'enforcementAction') ?? 'deny';
    actions.set(entry.target.scope, (actions.get(entry.target.scope) ?? new Set()).add(action));
  }
  return actions;
});

/** A Gatekeeper whose constraints all only warn: its verdicts refuse nothing, only its absence does. */
function enforcesNothing(webhook: Webhook, world: World, scope: string): boolean {
  if (!webhook.name.endsWith('gatekeeper.sh')) return false;
  const actions = enforcement(world).get(scope);
  return actions !== undefined && [...actions].every((action) => action === 'dryrun' || action === 'warn');
}

function isExplicit(entry: Entry, webhook: Webhook): boolean {
  return listAt(entry.object, 'webhooks').some(
    (fields) => stringAt(fields, 'name') === webhook.name && stringAt(fields, 'failurePolicy') !== undefined,
  );
}

export default defineRule({
  id: 'webhook-blast-radius-widened',
  since: '0.1.0',
  family: 'Admission webhooks and policies',
  title: 'Webhook blast radius widened',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: [
    'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
    'admissionregistration.k8s.io/MutatingWebhookConfiguration',
    '/Namespace',
    'discovery.k8s.io/EndpointSlice',
  ],
  live: ['/Namespace', 'discovery.k8s.io/EndpointSlice'],
  summary: 'An existing webhook matches more requests than before, waits longer, or starts to fail closed.',
  docs: {
    why: 'Every request that a webhook matches depends on its backend: with `failurePolicy: Fail` it is refused while nobody answers, with `Ignore` it waits for the whole `timeoutSeconds` first. Going from Ignore to Fail, a star in `rules`, a removed selector or match condition, and a longer timeout all make the same outage of the same backend hit more. A field that is dropped counts: `Fail` is the default in `admissionregistration.k8s.io/v1`, `Ignore` was in `v1beta1`. For pods, nodes and leases it is critical, because then workloads and nodes stop healing themselves.',
    fix: 'Match only the resources and operations that the webhook decides on, keep `timeoutSeconds` at 5 or less, exclude `kube-system`, and use `matchConditions` to skip requests of nodes and controllers.',
    ignoreWhen: 'The wider reach is the purpose of the change and the backend is known to survive the loss of a node.',
  },
  references: [
    'https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/',
    'k8s.io/kubernetes pkg/apis/admissionregistration/v1/defaults.go and v1beta1/defaults.go',
  ],
  options: Type.Object({}),
  examples,
  check,
});
