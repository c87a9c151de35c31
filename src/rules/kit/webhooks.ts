import type { V1MutatingWebhook, V1RuleWithOperations, V1ValidatingWebhook } from '@kubernetes/client-node';
import type { Entry, KubeObject } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { at, listAt, stringAt } from './pods.ts';
import { escapePointer } from '../../core/json.ts';

export type WebhookFields = V1ValidatingWebhook & Partial<V1MutatingWebhook>;

/** One webhook of a ValidatingWebhookConfiguration or MutatingWebhookConfiguration. */
export interface Webhook {
  /** The configuration object; absent for one that only the cluster has. */
  readonly entry?: Entry;
  readonly configuration: string;
  readonly kind: 'ValidatingWebhookConfiguration' | 'MutatingWebhookConfiguration';
  readonly name: string;
  /** Pointer into the configuration. */
  readonly path: string;
  /** With API defaults. */
  readonly fields: WebhookFields;
}

export const webhookGroup = 'admissionregistration.k8s.io';
export const webhookKinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const;

/** The webhooks of one configuration object. Malformed ones are left out. */
export function webhooksIn(object: KubeObject, entry?: Entry): readonly Webhook[] {
  const kind = object.kind as Webhook['kind'];
  return listAt<WebhookFields>(object, 'webhooks').flatMap((fields) => {
    const name = stringAt(fields, 'name');
    if (name === undefined) return [];
    const webhook = {
      configuration: object.metadata.name,
      kind,
      name,
      path: `/webhooks/${escapePointer(name)}`,
      fields,
    };
    return [entry === undefined ? webhook : { ...webhook, entry }];
  });
}

/** All webhooks of a side, in one scope or in all. */
export function webhooksOf(world: World, scope?: string): readonly Webhook[] {
  return webhookKinds.flatMap((kind) =>
    world.ofKind(webhookGroup, kind, scope).flatMap((entry) => webhooksIn(entry.effective, entry)),
  );
}

/** The same webhook on the other side; undefined when there is none of that name. */
export function sameWebhook(world: World, webhook: Webhook, previousName?: string): Webhook | undefined {
  if (webhook.entry === undefined) return undefined;
  const name = previousName ?? webhook.configuration;
  const entry = world.get(webhook.entry.target.scope, webhookGroup, webhook.kind, undefined, name);
  if (entry === undefined) return undefined;
  return webhooksIn(entry.effective, entry).find((other) => other.name === webhook.name);
}

/** Does the API server refuse the request when the webhook does not answer? */
export function failsClosed(webhook: Webhook): boolean {
  return (webhook.fields.failurePolicy ?? 'Fail') === 'Fail';
}

/** One kind of request that a webhook may be called for. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly group: string;
  /** `pods`, or with a subresource `pods/eviction`. */
  readonly resource: string;
  readonly scope: 'Namespaced' | 'Cluster';
}

export const podCreate: AdmissionRequest = { operation: 'CREATE', group: '', resource: 'pods', scope: 'Namespaced' };

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

/**
 * Does a rule match a request? As k8s.io/apiserver pkg/admission/plugin/webhook/predicates/rules/rules.go:
 * `pods/*` matches pods and its subresources, `*` every resource but no subresource, and everything is matched by a star
 * on both sides of the slash. Versions are not compared: `matchPolicy: Equivalent` converts between them.
 */
export function ruleMatches(rule: V1RuleWithOperations, request: AdmissionRequest): boolean {
  const scope = stringAt(rule, 'scope') ?? '*';
  if (scope !== '*' && scope !== request.scope) return false;
  const operations = strings(at(rule, 'operations'));
  if (!operations.includes('*') && !operations.includes(request.operation)) return false;
  const groups = strings(at(rule, 'apiGroups'));
  if (!groups.includes('*') && !groups.includes(request.group)) return false;
  return strings(at(rule, 'resources')).some((pattern) => resourceCovers(pattern, request.resource));
}

/** Does a resource pattern of a rule cover a resource, `name` or `name/subresource`? Also decides pattern against pattern. */
export function resourceCovers(pattern: string, resource: string): boolean {
  const [name = '', sub = ''] = pattern.split('/', 2);
  const [wantedName = '', wantedSub = ''] = resource.split('/', 2);
  return (name === '*' || name === wantedName) && (sub === '*' || sub === wantedSub);
}

/** Rules of a webhook. */
export function rulesOf(webhook: Webhook): readonly V1RuleWithOperations[] {
  return listAt<V1RuleWithOperations>(webhook.fields, 'rules');
}

/** Does any rule of the webhook match the request? Selectors are not looked at. */
export function callsFor(webhook: Webhook, request: AdmissionRequest): boolean {
  return rulesOf(webhook).some((rule) => ruleMatches(rule, request));
}

/** `CREATE, UPDATE of pods, deployments.apps`, for people. */
export function describeRules(rules: readonly V1RuleWithOperations[], shown = 6): string {
  const parts = rules.map((rule) => {
    const groups = strings(at(rule, 'apiGroups'));
    const resources = strings(at(rule, 'resources'));
    const anyGroup = groups.includes('*');
    const names = anyGroup
      ? resources.map((resource) => (resource === '*' || resource === '*/*' ? 'every resource' : resource))
      : groups.flatMap((group) => resources.map((resource) => (group === '' ? resource : `${resource}.${group}`)));
    const suffix = anyGroup && !names.includes('every resource') ? ' (any API group)' : '';
    const operations = strings(at(rule, 'operations')).map((operation) =>
      operation === '*' ? 'every operation' : operation,
    );
    const list =
      names.length > shown ? `${names.slice(0, shown).join(', ')} and ${names.length - shown} more` : names.join(', ');
    return `${operations.join(', ')} on ${list}${suffix}`;
  });
  return parts.length > 3 ? `${parts.slice(0, 3).join('; ')} and ${parts.length - 3} more rules` : parts.join('; ');
}

/** Groups of kinds that Kubernetes itself serves; everything else is a custom resource of some operator. */
export function isBuiltInGroup(group: string): boolean {
  return group === '*' || group === '' || !group.includes('.') || group.endsWith('.k8s.io');
}

/** Do all rules of the webhook match custom resources only? Then an outage stops one operator, not the cluster. */
export function onlyCustomResources(rules: readonly V1RuleWithOperations[]): boolean {
  return rules.every((rule) => {
    const groups = strings(at(rule, 'apiGroups'));
    return groups.length > 0 && groups.every((group) => !isBuiltInGroup(group) || isOperatorGroup(group));
  });
}

/** Groups under k8s.io that are CRDs of add-ons, not part of the API server. */
function isOperatorGroup(group: string): boolean {
  return (
    group.endsWith('.x-k8s.io') ||
    /^(gateway\.networking|snapshot\.storage|metrics|custom\.metrics|autoscaling)\.k8s\.io$/.test(group)
  );
}

/** `webhook validate.policy.example (ValidatingWebhookConfiguration policy)`. */
export function formatWebhook(webhook: Webhook): string {
  return `webhook ${webhook.name} (${webhook.kind} ${webhook.configuration})`;
}
