import { Type } from 'typebox';
import type { Confidence, ResourceChange, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf } from '../kit/cluster-view.ts';
import { deletions } from '../kit/deletions.ts';
import { configuredExemptions, isExempt, isVitalNamespace } from '../kit/exemptions.ts';
import { declarationKinds, liveKinds, podMakerKinds } from '../kit/live-kinds.ts';
import { namespaceLabels, nameLabel, requirementsOf, selects, type NamespaceLabels } from '../kit/namespaces.ts';
import { at, listAt, stringAt } from '../kit/pods.ts';
import { escapePointer } from '../../core/json.ts';
import { activePods } from '../kit/live-pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import type { LabelSelector } from '../kit/select.ts';
import { serviceAddress } from '../kit/services.ts';
import { lostExemptions } from '../kit/webhook-reach.ts';
import {
  describeRules,
  failsClosed,
  formatWebhook,
  onlyCustomResources,
  rulesOf,
  webhookGroup,
  webhookKinds,
  webhooksIn,
  webhooksOf,
} from '../kit/webhooks.ts';
import { examples } from './examples/admission-exemption-removed.ts';

/** A webhook or admission policy that asks for labels of namespaces. */
interface Guard {
  readonly name: string;
  readonly namespaceSelector: LabelSelector | undefined;
  readonly denies: boolean;
  readonly what: string;
  /** Namespace of its backend. */
  readonly home?: string;
}

/** Labels by which well-known engines let a namespace go, with the values that do. */
const knownExemptions = new Map<string, (value: string) => boolean>([
  ['admission.gatekeeper.sh/ignore', () => true],
  ['openpolicyagent.org/webhook', (value) => value === 'ignore'],
  ['cert-manager.io/disable-validation', (value) => value === 'true'],
  ['config.linkerd.io/admission-webhooks', (value) => value === 'disabled'],
  ['webhooks.kyverno.io/exclude', () => true],
]);

function* check(context: RuleContext): Iterable<Problem> {
  for (const change of context.changes) {
    const { group, kind } = change.ref;
    if (group === '' && kind === 'Namespace') yield* namespaceChange(context, change);
    else if (group === webhookGroup && webhookKinds.some((known) => known === kind))
      yield* webhookChange(context, change);
    else yield* configurationChange(context, change);
  }
}

function guardsOf(context: RuleContext, scope: string): readonly Guard[] {
  const rendered = webhooksOf(context.after, scope);
  const names = new Set(
    [...rendered, ...webhooksOf(context.before, scope)].map((webhook) => `${webhook.kind}/${webhook.configuration}`),
  );
  const foreign = webhookKinds
    .flatMap((kind) => context.live(scope)?.ofKind(webhookGroup, kind) ?? [])
    .filter((object) => !names.has(`${object.kind}/${object.metadata.name}`))
    .flatMap((object) => webhooksIn(object));
  const webhooks = [...rendered, ...foreign].map((webhook): Guard => {
    const home = serviceAddress(at(webhook.fields, 'clientConfig', 'service'))?.namespace;
    return {
      name: formatWebhook(webhook),
      namespaceSelector: webhook.fields.namespaceSelector,
      denies: failsClosed(webhook),
      what: describeRules(rulesOf(webhook)),
      ...(home === undefined ? {} : { home }),
    };
  });
  const bindings = context.after
    .ofKind(webhookGroup, 'ValidatingAdmissionPolicyBinding', scope)
    .map((entry): Guard => ({
      name: formatRef(entry.ref),
      namespaceSelector: at(entry.effective, 'spec', 'matchResources', 'namespaceSelector') as
        | LabelSelector
        | undefined,
      denies: listAt(entry.effective, 'spec', 'validationActions').includes('Deny'),
      what: `policy ${stringAt(entry.effective, 'spec', 'policyName') ?? ''}`,
    }));
  return [...webhooks, ...bindings];
}

function* namespaceChange(context: RuleContext, change: ResourceChange): Iterable<Problem> {
  const { after } = change;
  if (after === undefined) return;
  const scope = after.target.scope;
  const name = after.ref.name;
  const replaces =
    change.before === undefined &&
    after.target.apply.replace === true &&
    context.live(scope)?.get('', 'Namespace', undefined, name) !== undefined;
  if (change.before === undefined && !replaces) return;
  const was = namespaceLabels(context, 'before', scope, name);
  const is = namespaceLabels(context, 'after', scope, name);
  const lost = Object.entries(was.labels).filter(([key, value]) => is.labels[key] !== value);
  if (lost.length === 0) return;
  const guards = guardsOf(context, scope).filter((guard) => startsToMatch(guard, was, is));
  const keys = new Set(guards.flatMap((guard) => requirementsOf(guard.namespaceSelector).map(({ key }) => key)));
  // Known by name only where no webhook of either side shows what the label does.
  const seen = new Set(
    [...webhooksOf(context.before, scope), ...webhooksOf(context.after, scope)].flatMap((webhook) =>
      requirementsOf(webhook.fields.namespaceSelector).map(({ key }) => key),
    ),
  );
  const known = lost.filter(([key, value]) => !seen.has(key) && knownExemptions.get(key)?.(value) === true);
  const [label] = guards.length > 0 ? lost.filter(([key]) => keys.has(key)) : known;
  if (label === undefined) return;
  const [key, value] = label;
  const vital = isVitalNamespace(name) || guards.some((guard) => guard.home === name);
  const denying = guards.length === 0 || guards.some((guard) => guard.denies);
  const pods = podCount(context, scope, name);
  yield problemAt(after, `/metadata/labels/${escapePointer(key)}`, {
    message: `Namespace ${name} loses the label ${key}=${value}, which exempts it: ${guards.length === 0 ? 'the policy engine that honours this label starts' : `${guards[0]!.name}${guards.length > 1 ? ` and ${guards.length - 1} more start` : ' starts'}`} to decide on everything that is created there${denying ? ', and may refuse it' : ''}.`,
    severity: severityFor(vital, denying),
    confidence: guards.length === 0 ? 'likely' : 'determined',
    fix: `Put the label ${key}: ${JSON.stringify(value)} back on Namespace ${name}${replaces ? ' in the manifest: the sync option Replace drops what only the cluster has' : ''}.`,
    evidence: {
      before: { [key]: value },
      after: { [key]: is.labels[key] ?? null },
      facts: [
        ...guards
          .slice(0, 5)
          .map(
            (guard) =>
              `${guard.name} now applies (${guard.what}; ${guard.denies ? 'refuses' : 'does not refuse'} when it fails)`,
          ),
        ...(pods === undefined ? [] : [`${pods} pods of namespace ${name} depend on it when they are created again`]),
      ],
      ...(guards.length === 0
        ? { wouldChange: 'With the live webhook configurations it can be told which of them start to match.' }
        : {}),
    },
  });
}

function startsToMatch(guard: Guard, was: NamespaceLabels, is: NamespaceLabels): boolean {
  const optsOut = requirementsOf(guard.namespaceSelector).some(
    ({ operator }) => operator === 'NotIn' || operator === 'DoesNotExist',
  );
  return (
    optsOut &&
    selects(guard.namespaceSelector, { ...was, complete: true }) === 'no' &&
    selects(guard.namespaceSelector, { ...is, complete: true }) === 'yes'
  );
}

function severityFor(vital: boolean, denying: boolean): Severity {
  if (vital && denying) return 'critical';
  return denying ? 'high' : 'medium';
}

/** Pods of a namespace: live ones, else the replicas that are asked for. */
function podCount(context: RuleContext, scope: string, namespace: string): number | undefined {
  const live: LiveWorld | undefined = context.live(scope);
  if (live?.covers('', 'Pod', namespace) === true)
    return live.pods(namespace).reduce((sum, pods) => sum + activePods(pods), 0);
  const makers = viewOf(context, 'after', scope).podMakers(namespace);
  return makers.length === 0 ? undefined : makers.reduce((sum, maker) => sum + (maker.pods ?? 1), 0);
}

/** A value leaves the `NotIn` list of a webhook's namespaceSelector. */
function* webhookChange(context: RuleContext, change: ResourceChange): Iterable<Problem> {
  const { before, after } = change;
  if (before === undefined || after === undefined) return;
  const scope = after.target.scope;
  const old = webhooksIn(before.effective, before);
  for (const webhook of webhooksIn(after.effective, after)) {
    const previous = old.find((candidate) => candidate.name === webhook.name);
    if (previous === undefined) continue;
    const selector = webhook.fields.namespaceSelector;
    for (const [key, values] of lostExemptions(previous.fields.namespaceSelector, selector)) {
      const gone = values.filter(
        (value) => key !== nameLabel || selects(selector, namespaceLabels(context, 'after', scope, value)) !== 'no',
      );
      if (gone.length === 0) continue;
      const names = key === nameLabel ? gone : namespacesWith(context, scope, key, gone);
      const home = serviceAddress(at(webhook.fields, 'clientConfig', 'service'))?.namespace;
      const vital =
        key === nameLabel || names.length > 0 ? names.some((name) => isVitalNamespace(name) || name === home) : true;
      const custom = onlyCustomResources(rulesOf(webhook));
      const sure: Confidence = key === nameLabel || names.length > 0 ? 'determined' : 'likely';
      yield problemAt(after, `${webhook.path}/namespaceSelector`, {
        message: `${webhook.name} no longer exempts ${key === nameLabel ? `namespace ${gone.join(', ')}` : `namespaces labelled ${key}=${gone.join('|')}${names.length === 0 ? '' : ` (${names.join(', ')})`}`}: it now decides on ${describeRules(rulesOf(webhook))} there${failsClosed(webhook) ? ', and while its backend does not answer they are refused' : ''}.`,
        severity: custom ? 'low' : severityFor(vital, failsClosed(webhook)),
        confidence: sure,
        novelty: 'introduced',
        fix: `Put ${gone.join(', ')} back into the values of ${key} (NotIn) in the namespaceSelector of ${webhook.name}, ${webhook.kind} ${webhook.configuration}.`,
        evidence: {
          before: valuesOf(previous.fields.namespaceSelector, key),
          after: valuesOf(selector, key),
          facts: names.flatMap((name) => podFact(context, scope, name)),
        },
      });
    }
  }
}

function valuesOf(selector: LabelSelector | undefined, key: string): string[] {
  return requirementsOf(selector)
    .filter((requirement) => requirement.key === key && requirement.operator === 'NotIn')
    .flatMap(({ values }) => values);
}

function podFact(context: RuleContext, scope: string, name: string): string[] {
  const pods = podCount(context, scope, name);
  return pods === undefined ? [] : [`${pods} pods in namespace ${name}`];
}

function namespacesWith(context: RuleContext, scope: string, key: string, values: readonly string[]): string[] {
  const names = new Set(context.after.ofKind('', 'Namespace', scope).map((entry) => entry.ref.name));
  for (const object of context.live(scope)?.ofKind('', 'Namespace') ?? []) names.add(object.metadata.name);
  return [...names].filter((name) =>
    values.includes(namespaceLabels(context, 'after', scope, name).labels[key] ?? '\u0000'),
  );
}

/** Gatekeeper's Config, Kyverno's ConfigMap. */
function* configurationChange(context: RuleContext, change: ResourceChange): Iterable<Problem> {
  const { before, after } = change;
  if (before === undefined) return;
  const old = configuredExemptions(before.effective);
  if (old === undefined || old.namespaces.size === 0) return;
  const now = after === undefined ? undefined : configuredExemptions(after.effective);
  if (
    after === undefined &&
    (old.engine === 'Kyverno' ||
      !deletions(context).some((deletion) => deletion.change === change && deletion.outcome === 'deleted'))
  )
    return;
  const lost = [...old.namespaces].filter((name) => !isExempt(name, now?.namespaces ?? new Set()));
  if (lost.length === 0) return;
  const vital = lost.filter((name) => isVitalNamespace(name) || name === before.ref.namespace);
  const shown = [...vital, ...lost.filter((name) => !vital.includes(name))];
  yield problemAt(after ?? before, old.path, {
    message: `${old.engine} no longer leaves namespace ${shown.slice(0, 5).join(', ')}${shown.length > 5 ? ` and ${shown.length - 5} more` : ''} alone: its policies apply to what is created there from now on.`,
    severity: severityFor(vital.length > 0, true),
    fix: `Put ${shown.join(', ')} back into ${old.path} of ${formatRef(before.ref)}.`,
    evidence: {
      before: [...old.namespaces],
      after: [...(now?.namespaces ?? [])],
      facts: shown.slice(0, 5).flatMap((name) => podFact(context, before.target.scope, name)),
    },
  });
}

export default defineRule({
  id: 'admission-exemption-removed',
  since: '0.1.0',
  family: 'Admission webhooks and policies',
  title: 'Admission exemption removed',
  severity: 'critical',
  reversibility: 'slow',
  confidence: 'determined',
  needs: 'transition',
  kinds: [
    '/Namespace',
    '/ConfigMap',
    'config.gatekeeper.sh/Config',
    'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
    'admissionregistration.k8s.io/MutatingWebhookConfiguration',
    'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  ],
  live: liveKinds(
    podMakerKinds,
    '/Namespace',
    webhookKinds.map((kind) => `${webhookGroup}/${kind}`),
  ),
  liveOf: declarationKinds,
  summary: 'A label or list entry that kept admission control away from a namespace goes away.',
  docs: {
    why: "Admission webhooks skip namespaces by label: `namespaceSelector` is evaluated against the labels of the Namespace at every request. Taking the label off `kube-system`, off the namespace of the policy engine, or taking the namespace out of a `NotIn` list, out of Gatekeeper's `excludedNamespaces` or out of Kyverno's `resourceFilters` puts the control plane's own pods under policies that were never written for them. Nothing happens at the sync; the next pod that has to be replaced is refused.",
    fix: 'Restore the label or entry. Protect exemption labels of system namespaces with a ValidatingAdmissionPolicy, and prefer `kubernetes.io/metadata.name`, which nobody can take off.',
    ignoreWhen:
      'The namespace is meant to come under the policies, and they were run in audit mode against its pods first.',
  },
  references: [
    'https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-namespaceselector',
    'Ministry of Justice Cloud Platform, incident of 2020-02-25',
  ],
  options: Type.Object({}),
  examples,
  check,
});
