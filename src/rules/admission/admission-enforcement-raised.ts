import { Type } from 'typebox';
import { groupOf, splitKind } from '../../core/json.ts';
import type { V1RuleWithOperations } from '@kubernetes/client-node';
import type { Confidence, Entry, ResourceChange, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf } from '../kit/cluster-view.ts';
import { declarationKinds, liveKinds } from '../kit/live-kinds.ts';
import { compareSelectors } from '../kit/namespaces.ts';
import { at, listAt, stringAt } from '../kit/pods.ts';
import {
  enforcementOf,
  excludedNamespaces,
  gatekeeperViolations,
  policyKinds,
  reportedViolations,
  type Enforcement,
  type Violations,
} from '../kit/policies.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import type { LabelSelector } from '../kit/select.ts';
import { stepDown } from '../kit/severity.ts';
import { isNewCluster } from '../kit/new-cluster.ts';
import { counterpart } from '../kit/touched.ts';
import { newlyMatched } from '../kit/webhook-reach.ts';
import { describeRules, webhookGroup } from '../kit/webhooks.ts';
import { examples } from './examples/admission-enforcement-raised.ts';

function* check(context: RuleContext): Iterable<Problem> {
  for (const change of context.changes) {
    const { before, after } = change;
    if (after === undefined) continue;
    const { group, kind } = after.ref;
    if (group === webhookGroup && kind === 'ValidatingAdmissionPolicy') yield* policyChange(context, change, after);
    if (group === 'templates.gatekeeper.sh' && kind === 'ConstraintTemplate' && before !== undefined)
      yield* templateChange(context, before, after);
    const now = enforcementOf(after.effective);
    if (now.length === 0) continue;
    yield* raised(context, before, after, now);
    if (group === webhookGroup) yield* bindingChange(before, after, now);
    else if (before !== undefined) yield* namespacesAdded(context, before, after, now);
  }
  yield* missingParameters(context);
}

/** Audit, Warn or dryrun becomes Deny or Enforce; a policy that is new enforces at once. */
function* raised(
  context: RuleContext,
  before: Entry | undefined,
  after: Entry,
  now: readonly Enforcement[],
): Iterable<Problem> {
  const old = before === undefined ? [] : enforcementOf(before.effective);
  const stricter = now.filter((rule) => rule.denies && old.find((other) => other.part === rule.part)?.denies !== true);
  const [first] = stricter;
  if (first === undefined) return;
  if (before === undefined && isNewCluster(context, after.target)) return;
  const was = old.find((other) => other.part === first.part);
  const parts = stricter.map(({ part }) => part).filter((part) => part !== '');
  const who = `${formatRef(after.ref)}${parts.length === 0 || parts.length === now.length ? '' : ` (rule ${parts.join(', ')})`}`;
  const judged = judge(context, after, before === undefined ? 'medium' : 'high');
  yield problemAt(after, first.path, {
    message:
      was === undefined
        ? `${who} is new and refuses from the first moment (${first.text}): running pods that violate it cannot be created again after a restart or reschedule.`
        : `${who} goes from ${was.text} to ${first.text}: what it only reported so far is refused now, and running pods that violate it cannot be created again.`,
    severity: judged.severity,
    confidence: judged.confidence,
    fix: `Keep ${was === undefined ? softer(after) : was.text} in ${first.path} of ${formatRef(after.ref)} for one release, fix what it reports, then enforce.`,
    evidence: { before: was?.text ?? null, after: first.text, ...judged.evidence },
  });
}

function softer(after: Entry): string {
  if (after.ref.group === 'constraints.gatekeeper.sh') return 'warn';
  return after.ref.group === 'kyverno.io' ? 'Audit' : 'Warn, Audit';
}

/** Where Kyverno writes what its policies would refuse. */
const reportKinds = [
  'openreports.io/ClusterReport',
  'openreports.io/Report',
  'wgpolicyk8s.io/ClusterPolicyReport',
  'wgpolicyk8s.io/PolicyReport',
] as const;

/** Live evidence: what the engine reported while it did not enforce. */
function judge(context: RuleContext, after: Entry, base: Severity) {
  const live = context.live(after.target.scope);
  const { group, kind, namespace, name } = after.ref;
  let violations: Violations | undefined;
  if (group === 'constraints.gatekeeper.sh') violations = gatekeeperViolations(live?.get(group, kind, namespace, name));
  else if (live !== undefined && /kyverno/.test(group)) {
    const reports = reportKinds.flatMap((key) => live.ofKind(...splitKind(key)));
    if (reports.length > 0)
      violations = reportedViolations(reports, namespace === undefined ? name : `${namespace}/${name}`);
  }
  const unknown =
    'With live constraint status (Gatekeeper) or PolicyReports (Kyverno): violations make it critical, none make it one step lower.';
  if (violations === undefined)
    return { severity: base, confidence: 'likely' as Confidence, evidence: { wouldChange: unknown } };
  const shown = violations.resources.slice(0, 10);
  const facts =
    shown.length === 0
      ? []
      : [
          `refused at the next creation: ${shown.join(', ')}${violations.count > shown.length ? ` and ${violations.count - shown.length} more` : ''}`,
        ];
  return violations.count > 0
    ? {
        severity: 'critical' as Severity,
        confidence: 'proven' as Confidence,
        evidence: { live: { violations: violations.count }, facts },
      }
    : {
        severity: stepDown(base),
        confidence: 'likely' as Confidence,
        evidence: { live: { violations: 0 }, facts: ['the engine reports no violation in the cluster'] },
      };
}

/** A binding that denies reaches more namespaces. */
function* bindingChange(before: Entry | undefined, after: Entry, now: readonly Enforcement[]): Iterable<Problem> {
  if (now[0]?.denies !== true) return;
  if (before === undefined || enforcementOf(before.effective)[0]?.denies !== true) return;
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    const selector = (entry: Entry) =>
      at(entry.effective, 'spec', 'matchResources', field) as LabelSelector | undefined;
    if (compareSelectors(selector(before), selector(after)) !== 'wider') continue;
    yield problemAt(after, `/spec/matchResources/${field}`, {
      message: `${formatRef(after.ref)} denies in more ${field === 'namespaceSelector' ? 'namespaces' : 'objects'} than before: its ${field} lost a requirement.`,
      fix: `Bind the policy to the added ${field === 'namespaceSelector' ? 'namespaces' : 'objects'} with Warn and Audit first.`,
    });
  }
}

/** A binding denies everything because the parameter that it names is not there, and was until now. */
function* missingParameters(context: RuleContext): Iterable<Problem> {
  for (const binding of context.after.ofKind(webhookGroup, 'ValidatingAdmissionPolicyBinding')) {
    if (enforcementOf(binding.effective)[0]?.denies !== true) continue;
    const missing = missingParameter(context, binding);
    if (missing === undefined) continue;
    const previous = counterpart(context.before, binding);
    const same =
      JSON.stringify(at(previous?.effective, 'spec', 'paramRef')) ===
      JSON.stringify(at(binding.effective, 'spec', 'paramRef'));
    if (same && context.before.get(binding.target.scope, ...missing.lookup) === undefined) continue;
    yield problemAt(binding, '/spec/paramRef', {
      message: `${formatRef(binding.ref)} denies every matching request: its parameter ${missing.text} does not exist and parameterNotFoundAction is Deny.`,
      severity: 'high',
      confidence: missing.sure ? 'determined' : 'likely',
      fix: `Ship ${missing.text} before the binding, or set parameterNotFoundAction: Allow.`,
      evidence: { facts: missing.sure ? [] : ['it is in no rendered object; it may be in the cluster'] },
    });
  }
}

function missingParameter(context: RuleContext, binding: Entry) {
  const name = stringAt(binding.effective, 'spec', 'paramRef', 'name');
  if (name === undefined || stringAt(binding.effective, 'spec', 'paramRef', 'parameterNotFoundAction') !== 'Deny')
    return undefined;
  const scope = binding.target.scope;
  const policy = viewOf(context, 'after', scope).get(
    webhookGroup,
    'ValidatingAdmissionPolicy',
    undefined,
    stringAt(binding.effective, 'spec', 'policyName') ?? '',
  );
  const kind = stringAt(policy?.object, 'spec', 'paramKind', 'kind');
  const apiVersion = stringAt(policy?.object, 'spec', 'paramKind', 'apiVersion');
  const namespace = stringAt(binding.effective, 'spec', 'paramRef', 'namespace');
  // Without a namespace the parameter is looked up in the namespace of each request, or it is cluster-scoped.
  if (kind === undefined || apiVersion === undefined) return undefined;
  const group = groupOf(apiVersion);
  if (namespace === undefined && group === '') return undefined;
  const lookup = [group, kind, namespace, name] as const;
  const view = viewOf(context, 'after', scope);
  if (view.get(...lookup) !== undefined) return undefined;
  if (namespace === undefined && context.after.ofKind(group, kind, scope).some((entry) => entry.ref.name === name))
    return undefined;
  const removed = view.removal(...lookup);
  return {
    name,
    lookup,
    text: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    sure: removed?.outcome === 'deleted' || view.live?.covers(group, kind) === true,
  };
}

/** The kind of the parameters of a ValidatingAdmissionPolicy. */
function parameterKinds({ after }: ResourceChange): readonly string[] {
  const kind = stringAt(after?.object, 'spec', 'paramKind', 'kind');
  const apiVersion = stringAt(after?.object, 'spec', 'paramKind', 'apiVersion');
  return after?.ref.kind !== 'ValidatingAdmissionPolicy' || kind === undefined || apiVersion === undefined
    ? []
    : [`${groupOf(apiVersion)}/${kind}`];
}

/** Under Enforce or deny, a namespace is no longer left out. */
function* namespacesAdded(
  context: RuleContext,
  before: Entry,
  after: Entry,
  now: readonly Enforcement[],
): Iterable<Problem> {
  if (!now.some((rule) => rule.denies) || !enforcementOf(before.effective).some((rule) => rule.denies)) return;
  const kept = excludedNamespaces(after.effective);
  const lost = [...excludedNamespaces(before.effective)].filter(([name]) => !kept.has(name));
  const [first] = lost;
  if (first === undefined) return;
  const judged = judge(context, after, 'high');
  yield problemAt(after, first[1], {
    message: `${formatRef(after.ref)} enforces in namespace ${lost.map(([name]) => name).join(', ')} from now on, which it left out so far.`,
    severity: judged.severity,
    confidence: judged.confidence,
    fix: `Keep ${lost.map(([name]) => name).join(', ')} excluded until its workloads pass the policy in audit mode.`,
    evidence: judged.evidence,
  });
}

/** A ValidatingAdmissionPolicy that is bound with Deny gets more validations or matches more. */
function* policyChange(context: RuleContext, { before }: ResourceChange, after: Entry): Iterable<Problem> {
  if (before === undefined) return;
  const scope = after.target.scope;
  const denying = context.after
    .ofKind(webhookGroup, 'ValidatingAdmissionPolicyBinding', scope)
    .find(
      (binding) =>
        stringAt(binding.effective, 'spec', 'policyName') === after.ref.name &&
        enforcementOf(binding.effective)[0]?.denies === true,
    );
  if (denying === undefined) return;
  const expressions = (entry: Entry) =>
    listAt(entry.effective, 'spec', 'validations').map(
      (validation) => stringAt(validation, 'expression')?.replaceAll(/\s+/g, ' ').trim() ?? '',
    );
  const old = new Set(expressions(before));
  const fresh = expressions(after).filter((expression) => !old.has(expression));
  const rules = (entry: Entry) =>
    listAt<V1RuleWithOperations>(entry.effective, 'spec', 'matchConstraints', 'resourceRules');
  const wider = newlyMatched(rules(before), rules(after));
  if (wider.length > 0) {
    yield problemAt(after, '/spec/matchConstraints/resourceRules', {
      message: `${formatRef(after.ref)}, bound with Deny by ${denying.ref.name}, also decides on ${describeRules(wider)} from now on.`,
      fix: `Bind the wider policy with Warn and Audit in a second binding first.`,
    });
  } else if (fresh.length > 0) {
    yield problemAt(after, '/spec/validations', {
      message: `${formatRef(after.ref)}, bound with Deny by ${denying.ref.name}, gets ${fresh.length === 1 ? 'a validation' : `${fresh.length} validations`} that it did not have: what fails it is refused at its next creation.`,
      severity: 'medium',
      fix: 'Ship the new validation as a policy of its own, bound with Warn and Audit, and merge it when nothing fails.',
      evidence: {
        facts: fresh
          .slice(0, 3)
          .map((expression) => (expression.length > 160 ? `${expression.slice(0, 160)}…` : expression)),
      },
    });
  }
}

/** The logic of a Gatekeeper template changes while a constraint of its kind denies. */
function* templateChange(context: RuleContext, before: Entry, after: Entry): Iterable<Problem> {
  const logic = (entry: Entry) =>
    JSON.stringify(
      listAt(entry.effective, 'spec', 'targets').map((target) => [
        withoutComments(stringAt(target, 'rego') ?? ''),
        listAt(target, 'libs'),
        listAt(target, 'code'),
      ]),
    );
  if (logic(before) === logic(after)) return;
  const kind = stringAt(after.effective, 'spec', 'crd', 'spec', 'names', 'kind');
  if (kind === undefined) return;
  const denying = context.after
    .ofKind('constraints.gatekeeper.sh', kind, after.target.scope)
    .find((entry) => enforcementOf(entry.effective)[0]?.denies === true);
  if (denying === undefined) return;
  yield problemAt(after, '/spec/targets', {
    message: `The logic of ${formatRef(after.ref)} changes while ${formatRef(denying.ref)} denies: it may refuse what it accepted so far.`,
    severity: 'medium',
    confidence: 'hint',
    fix: `Set enforcementAction: warn on ${formatRef(denying.ref)} while the new logic is audited.`,
  });
}

function withoutComments(rego: string): string {
  return rego
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n');
}

export default defineRule({
  id: 'admission-enforcement-raised',
  since: '0.1.0',
  family: 'Admission webhooks and policies',
  title: 'Admission enforcement raised',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'likely',
  needs: 'transition',
  kinds: policyKinds,
  live: liveKinds('admissionregistration.k8s.io/ValidatingAdmissionPolicy', reportKinds),
  liveOf: (change) => [...declarationKinds(change), ...parameterKinds(change)],
  summary: 'A policy that reported so far starts to refuse, or an enforcing policy reaches further.',
  docs: {
    why: 'Admission policies act on requests, not on what runs. When Audit, Warn or dryrun becomes Deny or Enforce the sync succeeds and everything keeps running, until a controller has to create a pod again: after a node drain, a crash, a scale-up, the next release. Then the request is refused and the workload cannot come back. `enforcementAction` of a Gatekeeper constraint defaults to deny, so dropping `dryrun` enforces; a ValidatingAdmissionPolicyBinding with `parameterNotFoundAction: Deny` refuses everything while its parameter is missing.',
    fix: 'Fix what the policy reports first, enforce with Warn for one release, and exclude the namespaces that cannot comply yet.',
    ignoreWhen: 'The policy ran in audit mode in this cluster and reports no violation.',
  },
  references: [
    'https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/',
    'https://github.com/kyverno/kyverno/issues/2962',
  ],
  options: Type.Object({}),
  examples,
  check,
});
