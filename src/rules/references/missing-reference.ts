import { Type } from 'typebox';
import type { Confidence, Entry, ResourceChange } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf } from '../kit/cluster-view.ts';
import { deletions, type Deletion } from '../kit/deletions.ts';
import { generatedBy, mentionedBy } from '../kit/generators.ts';
import { declarationKinds } from '../kit/live-kinds.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { consequence, referencesOf, type Reference } from '../kit/references.ts';
import { managesAll, nearest, ownersOf, wasReferenced } from '../kit/reference-evidence.ts';
import { weaker } from '../kit/severity.ts';
import { entryIdentity } from '../kit/touched.ts';
import { unseenFact } from '../kit/unseen.ts';
import { examples } from './examples/missing-reference.ts';

const providers = new Set([
  '/ConfigMap',
  '/Secret',
  '/ServiceAccount',
  '/PersistentVolumeClaim',
  'cert-manager.io/Issuer',
  'cert-manager.io/ClusterIssuer',
]);

/** Namespace of what is referred to; undefined for cluster-scoped kinds. */
function namespaceOf(owner: Entry, reference: Reference): string | undefined {
  if (reference.namespace === null) return undefined;
  return reference.namespace ?? owner.ref.namespace ?? 'default';
}

/** `Secret shop/db`. */
function describe(owner: Entry, reference: Reference): string {
  const namespace = namespaceOf(owner, reference);
  return namespace === undefined
    ? `${reference.kind} ${reference.name}`
    : `${reference.kind} ${namespace}/${reference.name}`;
}

/** Pull secrets are judged by image-pull-credentials-missing; optional references may be absent. */
function counts(reference: Reference): boolean {
  return !reference.optional && reference.use !== 'imagePullSecret';
}

/** References of an object, one per object that it names. */
function distinct(references: readonly Reference[]): Reference[] {
  const result = new Map<string, Reference>();
  for (const reference of references.filter(counts)) {
    const key = `${reference.group}/${reference.kind}/${reference.namespace ?? ''}/${reference.name}`;
    if (!result.has(key)) result.set(key, reference);
  }
  return [...result.values()];
}

function rootCause(owner: Entry, reference: Reference): string {
  return `missing-reference:${owner.target.scope}/${describe(owner, reference)}`;
}

/** An object goes away in this change while something of the after state still names it. */
function* checkRemoval(
  context: RuleContext<unknown>,
  deletion: Deletion,
  moved: ReadonlySet<string>,
): Iterable<Problem> {
  const gone = deletion.entry;
  const { scope } = gone.target;
  const { kind, namespace, name } = gone.ref;
  if (namespace !== undefined && generatedBy(context.after, scope, namespace, kind, name) !== undefined) return;
  const unseen = unseenFact(context.after, scope, namespace);
  const base: Confidence = deletion.outcome === 'deleted' ? 'determined' : 'likely';
  const confidence = unseen === undefined ? base : weaker(base, 'likely');
  const world = context.live(scope);
  for (const { entry: owner, references: all } of ownersOf(context.after, scope, gone.ref)) {
    const references = all.filter(counts);
    const [first] = references;
    if (first === undefined) continue;
    const running = world?.get(owner.ref.group, owner.ref.kind, owner.ref.namespace, owner.ref.name);
    const proven = confidence === 'determined' && deletion.live !== undefined && running !== undefined;
    const rolls = moved.has(entryIdentity(owner));
    yield problemAt(owner, first.path, {
      message: `${formatRef(owner.ref)} names ${describe(owner, first)}, which this change removes: ${consequence(first.use)}${first.use === 'tls' || first.use === 'issuer' ? '' : rolls ? ', from this rollout on' : ', for every pod that starts after the sync'}.`,
      confidence: proven ? 'proven' : confidence,
      evidence: {
        before: `${describe(owner, first)} in ${gone.target.name}`,
        after: null,
        facts: [
          deletion.why,
          ...references.slice(1, 5).map((reference) => `also named at ${reference.path}`),
          ...(unseen === undefined ? [] : [unseen]),
        ],
      },
      fix: `Remove the reference at ${first.path} of ${formatRef(owner.ref)} first, and delete ${describe(owner, first)} in a later change; or keep the object.`,
      rootCause: rootCause(owner, first),
    });
  }
}

interface Search {
  readonly confidence: Confidence;
  readonly facts: readonly string[];
}

/** Looks everywhere for something that a new reference names. Undefined: it is there, or there is reason to think so. */
function search(
  context: RuleContext<unknown>,
  change: ResourceChange,
  owner: Entry,
  reference: Reference,
): Search | undefined {
  const { scope } = owner.target;
  const { group, kind, name } = reference;
  const namespace = namespaceOf(owner, reference);
  if (viewOf(context, 'after', scope).get(group, kind, namespace, name) !== undefined) return undefined;
  if ((context.after.hooks ?? []).some((hook) => hook.ref.kind === kind && hook.ref.name === name)) return undefined;
  if (namespace !== undefined && generatedBy(context.after, scope, namespace, kind, name) !== undefined)
    return undefined;
  const world = context.live(scope);
  const places = [`not in the rendered objects of ${scope}`, 'no known controller makes it'];
  if (world?.covers(group, kind, namespace) === true)
    return { confidence: 'proven', facts: [...places, 'live: absent'] };
  // Others named it before without holding it in Git, and ran.
  if (wasReferenced(context.before, scope, namespace, kind, name)) return undefined;
  const unseen = unseenFact(context.after, scope, namespace);
  const facts = [...places, ...(unseen === undefined ? [] : [unseen]), 'live: not looked at'];
  const mention = namespace === undefined ? undefined : mentionedBy(context.after, scope, namespace, name);
  if (mention !== undefined)
    return { confidence: 'hint', facts: [...facts, `${formatRef(mention.ref)} mentions this name and may create it`] };
  const near = nearest(context.after, scope, namespace, kind, name);
  if (near !== undefined) facts.push(`${kind} ${near} exists; is that the one that is meant?`);
  const confidence = offlineConfidence(context, change, owner, reference, near !== undefined);
  return { confidence: unseen === undefined ? confidence : weaker(confidence, 'likely'), facts };
}

/** How sure the absence is without looking at the cluster: Secrets and claims are usually made outside of Git. */
function offlineConfidence(
  context: RuleContext<unknown>,
  change: ResourceChange,
  owner: Entry,
  reference: Reference,
  typo: boolean,
): Confidence {
  const { scope } = owner.target;
  const before = change.before;
  const renamed =
    before !== undefined &&
    referencesOf(before.effective).some(
      (old) =>
        old.path === reference.path &&
        old.kind === reference.kind &&
        context.before.get(scope, old.group, old.kind, namespaceOf(before, old), old.name) !== undefined,
    );
  switch (reference.kind) {
    case 'ConfigMap':
    case 'ServiceAccount':
      return renamed || typo ? 'determined' : 'likely';
    case 'Secret':
      if (reference.use === 'tls') return typo ? 'likely' : 'hint';
      return renamed || typo || managesAll(context.before, scope, 'Secret') ? 'likely' : 'hint';
    default:
      return renamed || typo ? 'likely' : 'hint';
  }
}

function* checkAddition(
  context: RuleContext<unknown>,
  change: ResourceChange,
  removed: ReadonlySet<string>,
): Iterable<Problem> {
  const owner = change.after;
  if (owner === undefined) return;
  const known = new Set(
    change.before === undefined
      ? []
      : referencesOf(change.before.effective).map((old) => `${old.kind}/${old.namespace ?? ''}/${old.name}`),
  );
  for (const reference of distinct(referencesOf(owner.effective))) {
    if (known.has(`${reference.kind}/${reference.namespace ?? ''}/${reference.name}`)) continue;
    // Reported with the removal.
    if (removed.has(rootCause(owner, reference))) continue;
    const found = search(context, change, owner, reference);
    if (found === undefined) continue;
    yield problemAt(owner, reference.path, {
      message: `${formatRef(owner.ref)} now names ${describe(owner, reference)}, which ${found.confidence === 'proven' ? 'exists neither in the change nor in the cluster' : 'is nowhere in the rendered objects'}: without it ${consequence(reference.use)}.`,
      confidence: found.confidence,
      evidence: {
        after: describe(owner, reference),
        facts: found.facts,
        ...(found.confidence === 'proven'
          ? {}
          : { wouldChange: `a snapshot that lists ${reference.kind} objects by name proves it either way` }),
      },
      fix: `Add ${describe(owner, reference)} in an earlier change or sync wave, correct the name at ${reference.path}, or mark the reference optional.`,
      rootCause: rootCause(owner, reference),
    });
  }
}

export default defineRule({
  id: 'missing-reference',
  since: '0.1.0',
  family: 'References to config, secrets, identity',
  title: 'Missing reference',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    '/ConfigMap',
    '/Secret',
    '/ServiceAccount',
    '/PersistentVolumeClaim',
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'batch/Job',
    'batch/CronJob',
    'networking.k8s.io/Ingress',
    'gateway.networking.k8s.io/Gateway',
    'cert-manager.io/Certificate',
    'cert-manager.io/Issuer',
    'cert-manager.io/ClusterIssuer',
  ],
  live: [
    '/ConfigMap',
    '/PersistentVolumeClaim',
    '/Secret',
    '/ServiceAccount',
    'cert-manager.io/ClusterIssuer',
    'cert-manager.io/Issuer',
  ],
  liveOf: declarationKinds,
  summary: 'A workload names a ConfigMap, Secret, ServiceAccount or claim that is not there after the change.',
  docs: {
    why: 'The API server does not check references: the apply succeeds, and the failure shows later and elsewhere. A missing ConfigMap or Secret in `env` or `envFrom` is `CreateContainerConfigError`, in a volume `FailedMount`; a missing ServiceAccount stops the creation of pods (`FailedCreate`); a missing claim leaves the pod Pending. Running pods go on until their next restart, so the cause can be days old when it hurts.',
    fix: 'Remove the reference first and the object in a later change; for a new reference, add the object in an earlier sync wave, or mark the reference `optional: true`.',
    ignoreWhen: 'The object is created outside of Git (by hand, by an operator, by Terraform) before the sync.',
  },
  references: ['k8s:pkg/kubelet/kuberuntime/kuberuntime_container.go', 'https://github.com/TwiN/helm-charts/issues/39'],
  options: Type.Object({
    externallyManaged: Type.Array(Type.String(), {
      default: [],
      description: 'Names (`Secret/db`, `Secret/shop/db`) that are created outside of Git.',
    }),
  }),
  examples,
  *check(context) {
    const external = new Set((context.options as { externallyManaged: string[] }).externallyManaged);
    const rolling = new Set(
      context.changes.flatMap((change) =>
        change.after !== undefined &&
        (change.action === 'added' || change.fields.some(({ path }) => path.includes('/template/')))
          ? [entryIdentity(change.after)]
          : [],
      ),
    );
    const removed = new Set<string>();
    const isExternal = (text: string) => {
      const [kind = '', rest = ''] = text.split(' ');
      return external.has(`${kind}/${rest}`) || external.has(`${kind}/${rest.slice(rest.indexOf('/') + 1)}`);
    };
    for (const deletion of deletions(context)) {
      const { ref, target } = deletion.entry;
      if (deletion.outcome === 'kept' || !providers.has(`${ref.group}/${ref.kind}`) || isExternal(formatRef(ref)))
        continue;
      removed.add(`missing-reference:${target.scope}/${formatRef(ref)}`);
      yield* checkRemoval(context, deletion, rolling);
    }
    for (const change of context.changes)
      for (const problem of checkAddition(context, change, removed))
        if (typeof problem.evidence?.after !== 'string' || !isExternal(problem.evidence.after)) yield problem;
  },
});
