import type { DryRunAnswer } from '../core/cluster.ts';
import { isObject } from '../core/json.ts';
import { immutableViolations } from '../core/immutable.ts';
import type { Json, ResourceChange } from '../core/model.ts';
import type { LiveWorld, World } from '../core/rule.ts';
import { touchesHidden } from './dry-run-hidden.ts';
import type { DryRunQuestion } from './dry-run-requests.ts';

/** What surrounds a question: an answer about today's cluster is none about what this change brings along. */
export interface DryRunSurroundings {
  readonly changes: readonly ResourceChange[];
  readonly after: World;
  readonly live: LiveWorld | undefined;
}

/**
 * Takes back judgements that do not stand: the server refused a placeholder for a value that gate does not know, or
 * something that comes with the same change is not there yet. `accepted` stays unless what accepted it changes too.
 */
export function soundAnswer(question: DryRunQuestion, answer: DryRunAnswer, around: DryRunSurroundings): DryRunAnswer {
  if (answer.outcome === 'unknown') return answer.reason === 'NotServed' ? notServed(question, answer, around) : answer;
  const why =
    changingToo(question, answer, around) ??
    (answer.outcome === 'rejected' ? notReal(question, answer, around) : undefined);
  if (why === undefined) return answer;
  const { object: _object, next: _next, ...rest } = answer;
  const said = answer.message === undefined ? '' : ` (${answer.message})`;
  return { ...rest, outcome: 'unknown', reason: why.reason, message: `${why.message}${said}` };
}

interface Why {
  readonly reason: 'HiddenValue' | 'SameChange';
  readonly message: string;
}

function notServed(question: DryRunQuestion, answer: DryRunAnswer, { after }: DryRunSurroundings): DryRunAnswer {
  const { group, kind } = question.entry.ref;
  const crd = definitionOf(after, question);
  if (crd === undefined) return answer;
  const { next: _next, ...rest } = answer;
  return {
    ...rest,
    reason: 'SameChange',
    message: `${group} ${kind} is defined by ${crd}, which the cluster does not have yet`,
  };
}

function definitionOf(world: World, { entry }: DryRunQuestion): string | undefined {
  const crds = world.ofKind('apiextensions.k8s.io', 'CustomResourceDefinition', entry.target.scope);
  return crds.find(({ object }) => defines(object['spec'] as Json | undefined, entry.ref))?.ref.name;
}

function defines(spec: Json | undefined, ref: { readonly group: string; readonly kind: string }): boolean {
  if (!isObject(spec) || spec['group'] !== ref.group) return false;
  return isObject(spec['names']) && spec['names']['kind'] === ref.kind;
}

/** What judged the object changes with it. */
function changingToo(question: DryRunQuestion, answer: DryRunAnswer, around: DryRunSurroundings): Why | undefined {
  const { ref } = question.entry;
  const crd = around.changes.find(
    ({ after, action }) =>
      action !== 'removed' &&
      after?.ref.kind === 'CustomResourceDefinition' &&
      defines(after.object['spec'] as Json | undefined, ref),
  );
  if (crd !== undefined) return same(`its definition ${crd.ref.name} changes too`);
  const policy = around.changes.find((change) => judgesPods(change, question));
  if (
    policy !== undefined &&
    (answer.outcome === 'accepted' ||
      /exceeded quota|must specify|PodSecurity|per Container|per Pod|usage/.test(answer.message ?? ''))
  ) {
    return same(`${policy.ref.kind} ${policy.ref.name} of its namespace changes too`);
  }
  return undefined;
}

/** Quota, LimitRange and Pod Security labels of the namespace of a pod or claim. */
function judgesPods({ ref, action }: ResourceChange, { entry, of }: DryRunQuestion): boolean {
  if (ref.group !== '' || (of === 'object' && entry.ref.kind !== 'Pod' && entry.ref.kind !== 'PersistentVolumeClaim'))
    return false;
  const namespace = entry.ref.namespace ?? entry.target.afterRender.defaultNamespace;
  if (ref.kind === 'Namespace') return ref.name === namespace && action !== 'removed';
  return (ref.kind === 'ResourceQuota' || ref.kind === 'LimitRange') && ref.namespace === namespace;
}

function same(message: string): Why {
  return { reason: 'SameChange', message: `the server can only judge it as the cluster is now, and ${message}` };
}

/** Why a refusal says nothing about the sync. */
function notReal(question: DryRunQuestion, answer: DryRunAnswer, around: DryRunSurroundings): Why | undefined {
  const message = answer.message ?? '';
  return (
    hiddenValue(question, answer) ??
    missingNamespace(question, message, around) ??
    comesAlong(message, question, around) ??
    changedPolicy(message, around)
  );
}

/** The server refused a fingerprint or placeholder. */
function hiddenValue(question: DryRunQuestion, answer: DryRunAnswer): Why | undefined {
  if (question.hidden.length === 0) return undefined;
  const why: Why = {
    reason: 'HiddenValue',
    message: 'gate sent a placeholder for a value that it does not know in clear',
  };
  if (answer.code === 400 && (answer.causes ?? []).length === 0) return why;
  const { before, after, action } = question.change;
  for (const { field } of answer.causes ?? []) {
    const touch = field === undefined ? undefined : touchesHidden(field, question.hidden);
    if (touch === 'inside') return why;
    // "spec.template: field is immutable": the placeholder is the change, unless Git changes the field as well.
    if (touch !== 'around' || question.of === 'pod' || action !== 'changed') continue;
    if (before === undefined || after === undefined) continue;
    const { kind, group } = after.ref;
    if (immutableViolations(kind, group, before.effective, after.effective).length === 0) return why;
  }
  return undefined;
}

const noNamespace = /^namespaces? "([^"]+)" not found/;

function missingNamespace(
  question: DryRunQuestion,
  message: string,
  { after, live }: DryRunSurroundings,
): Why | undefined {
  const name = noNamespace.exec(message)?.[1];
  if (name === undefined) return undefined;
  const { target } = question.entry;
  const makes = after.ofKind('', 'Namespace', target.scope).some(({ ref }) => ref.name === name);
  if (makes) return { reason: 'SameChange', message: `namespace ${name} is created by this change or another target` };
  const engine =
    target.apply.mode === 'helm' ||
    target.apply.syncOptions?.some((option) => option.replace(/\s/g, '') === 'CreateNamespace=true') === true;
  if (engine) return { reason: 'SameChange', message: `namespace ${name} is created by the engine` };
  const unseen = after.unseen(target.scope).length > 0 || live === undefined;
  return unseen
    ? { reason: 'SameChange', message: `namespace ${name} may be created by a target that was not rendered` }
    : undefined;
}

/** `error looking up service account shop/api: serviceaccount "api" not found`, `no PriorityClass with name urgent was found`. */
function comesAlong(message: string, { entry }: DryRunQuestion, { after, live }: DryRunSurroundings): Why | undefined {
  if (!/not found/.test(message) && !/ was found/.test(message)) return undefined;
  const namespace = entry.ref.namespace ?? entry.target.afterRender.defaultNamespace;
  const named = new Set(message.match(/[\w.:-]+/g) ?? []);
  const { scope } = entry.target;
  const found = [
    ...['ServiceAccount', 'PersistentVolumeClaim'].flatMap((kind) => after.ofKind('', kind, scope)),
    ...after.ofKind('scheduling.k8s.io', 'PriorityClass', scope),
    ...after.ofKind('node.k8s.io', 'RuntimeClass', scope),
    ...after.ofKind('storage.k8s.io', 'StorageClass', scope),
    ...after.ofKind('rbac.authorization.k8s.io', 'ClusterRole', scope),
    ...after.ofKind('rbac.authorization.k8s.io', 'Role', scope),
  ].find(
    ({ ref }) =>
      named.has(ref.name) &&
      (ref.namespace === undefined || ref.namespace === namespace) &&
      live?.get(ref.group, ref.kind, ref.namespace, ref.name) === undefined,
  );
  return found === undefined
    ? undefined
    : {
        reason: 'SameChange',
        message: `${found.ref.kind} ${found.ref.name} is created by this change or another target`,
      };
}

const speakers = [
  /admission webhook "([^"]+)" denied/,
  /failed calling webhook "([^"]+)"/,
  /ValidatingAdmissionPolicy '([^']+)' with binding/,
];

/** The webhook or policy that refused is itself changed or removed. */
function changedPolicy(message: string, { changes }: DryRunSurroundings): Why | undefined {
  const name = speakers.flatMap((speaker) => speaker.exec(message)?.[1] ?? [])[0];
  if (name === undefined) return undefined;
  const found = changes.find(({ ref, before }) => {
    if (ref.group !== 'admissionregistration.k8s.io') return false;
    const webhooks = before?.object['webhooks'] as Json | undefined;
    if (Array.isArray(webhooks)) return webhooks.some((webhook) => isObject(webhook) && webhook['name'] === name);
    return ref.name === name;
  });
  return found === undefined ? undefined : same(`${found.ref.kind} ${found.ref.name} changes too`);
}
