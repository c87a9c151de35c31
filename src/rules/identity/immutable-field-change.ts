import { isDeepStrictEqual } from 'node:util';
import { Type } from 'typebox';
import { immutableViolations, type ImmutableViolation } from '../../core/immutable.ts';
import type { Confidence, Entry, Json, ResourceChange, Reversibility, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import { withServerAnswer } from '../kit/dry-run.ts';
import { at, stringAt, stringMapAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { reconcilesRole, recreates } from '../kit/recreates.ts';
import { frozenFields } from '../kit/transition-rules.ts';
import { refusedExpansion } from '../kit/volume-expansion.ts';
import { examples } from './examples/immutable-field-change.ts';

/** Labels that change with every version, inside a selector that may not change. */
function versionLabels(violation: ImmutableViolation): string[] {
  const labels = (value: unknown) => stringMapAt(value, 'matchLabels');
  const before = labels(violation.before);
  const after = labels(violation.after);
  return ['helm.sh/chart', 'app.kubernetes.io/version', 'chart', 'version'].filter(
    (key) => Object.hasOwn(after, key) && before[key] !== after[key],
  );
}

function fixFor(entry: Entry, violation: ImmutableViolation): string {
  const name = formatRef(entry.ref);
  switch (entry.ref.kind) {
    case 'Deployment':
    case 'DaemonSet':
    case 'ReplicaSet': {
      const labels = versionLabels(violation);
      return labels.length > 0
        ? `Take ${labels.join(', ')} out of spec.selector.matchLabels (keep it on the pod template only); for the change itself delete ${name} with --cascade=orphan, or give it a new name and switch the traffic.`
        : `Keep the old selector, or create ${name} under a new name and switch the traffic, or delete it with --cascade=orphan before the sync.`;
    }
    case 'StatefulSet':
      return `Delete ${name} with --cascade=orphan before the sync and let the sync create it again; expand volumes on the claims themselves. Do not use Replace or Force.`;
    case 'Job':
      return `Make ${name} a hook (helm.sh/hook or argocd.argoproj.io/hook), put a digest of its template into its name, or annotate this Job only with argocd.argoproj.io/sync-options: Force=true,Replace=true.`;
    case 'PersistentVolumeClaim':
      return `Only growing spec.resources.requests.storage is allowed. For anything else create a new claim, copy the data and switch.`;
    case 'ConfigMap':
    case 'Secret':
      return `Give the changed object a new name (a digest suffix) and point its readers to it.`;
    default:
      return `Keep ${violation.path} as it was, or create the object under a new name and move its users over.`;
  }
}

interface Judgement {
  readonly confidence: Confidence;
  readonly facts: readonly string[];
}

/** What the cluster says. Undefined: the object is not there, or holds the new value already. */
function judge(entry: Entry, violation: ImmutableViolation, cluster: LiveWorld | undefined): Judgement | undefined {
  const { group, kind, namespace, name } = entry.ref;
  const live = cluster?.get(group, kind, namespace, name);
  if (live === undefined) {
    // Pods are counted by workload, and not kept one by one.
    const kept = group !== '' || kind !== 'Pod';
    if (kept && cluster?.covers(group, kind, namespace) === true) return undefined;
    return violation.condition === undefined
      ? { confidence: 'determined', facts: [] }
      : { confidence: 'likely', facts: [violation.condition] };
  }
  const value = at(
    live,
    ...violation.path
      .slice(1)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
  );
  if (isDeepStrictEqual(value, violation.after)) return undefined;
  if (isDeepStrictEqual(value, violation.before) || violation.condition === undefined)
    return { confidence: 'proven', facts: ['live: the object exists with the old value'] };
  return { confidence: 'likely', facts: [violation.condition] };
}

function* checkViolation(
  context: RuleContext<unknown>,
  entry: Entry,
  violation: ImmutableViolation,
): Iterable<Problem> {
  const judgement = judge(entry, violation, context.live(entry.target.scope));
  if (judgement === undefined) return;
  // Argo CD itself sees to a changed roleRef before it applies.
  if (violation.path === '/roleRef' && reconcilesRole(entry)) return;
  const forced = recreates(entry);
  const isJob = entry.ref.kind === 'Job';
  // Deleting and creating a Job anew is what its author wants.
  if (forced !== undefined && isJob) return;
  const ttl = isJob && at(entry.object, 'spec', 'ttlSecondsAfterFinished') !== undefined;
  const sure = judgement.confidence !== 'likely' && !ttl;
  const labels = versionLabels(violation);
  const again = labels.length > 0 ? ` ${labels.join(' and ')} in the selector makes every version bump fail.` : '';
  const data = entry.ref.kind === 'PersistentVolumeClaim' || entry.ref.kind === 'PersistentVolume';
  const severity: Severity = forced !== undefined && data ? 'critical' : 'high';
  const reversibility: Reversibility = forced === undefined ? 'instant' : data ? 'irreversible' : 'hard';
  const problem = problemAt(entry, violation.path, {
    message:
      forced === undefined
        ? `The API server refuses this update of ${formatRef(entry.ref)} (${violation.message}), so the sync fails and may stay half applied.${again}`
        : `The API server refuses this update of ${formatRef(entry.ref)} (${violation.message}), and ${forced} then deletes and creates it${data ? ', with its data' : ': its pods, addresses and history go'}.${again}`,
    severity,
    reversibility,
    confidence: ttl ? 'likely' : judgement.confidence,
    ...(forced === undefined && sure ? { willNotApply: true } : {}),
    evidence: {
      before: (violation.before ?? null) as Json,
      after: (violation.after ?? null) as Json,
      facts: [
        `server message: ${violation.message}`,
        ...judgement.facts,
        ...(ttl ? ['ttlSecondsAfterFinished may have removed the finished Job by then'] : []),
      ],
      ...(judgement.confidence === 'proven'
        ? {}
        : { wouldChange: 'an object that is absent in the cluster is simply created' }),
    },
    fix: fixFor(entry, violation),
  });
  // The server judged exactly this update: it knows the live object, and Git does not.
  const settled = withServerAnswer(context, entry, problem, { whenAccepted: 'withdraw' });
  if (settled === undefined) return;
  yield settled.rootCause !== undefined && settled.confidence === 'proven' && forced === undefined
    ? { ...settled, willNotApply: true }
    : settled;
}

/** Fields that the CRD of a custom resource freezes with a validation rule. */
function customViolations(context: RuleContext<unknown>, before: Entry, after: Entry): ImmutableViolation[] {
  const { group, kind, version } = after.ref;
  if (!group.includes('.')) return [];
  const { scope } = after.target;
  const known = [
    ...context.after.ofKind('apiextensions.k8s.io', 'CustomResourceDefinition', scope).map((entry) => entry.effective),
    ...(context.live(scope)?.ofKind('apiextensions.k8s.io', 'CustomResourceDefinition') ?? []),
  ];
  const crd = known.find(
    (candidate) =>
      stringAt(candidate, 'spec', 'group') === group && stringAt(candidate, 'spec', 'names', 'kind') === kind,
  );
  if (crd === undefined) return [];
  return frozenFields(crd, version).flatMap(({ fields, path, message }) => {
    const old = at(before.effective, ...fields);
    const now = at(after.effective, ...fields);
    // A transition rule runs only when the field is there on both sides.
    if (old === undefined || now === undefined || isDeepStrictEqual(old, now)) return [];
    return [{ path, message: `${fields.join('.')}: Invalid value: ${message}`, before: old, after: now }];
  });
}

/** `clusterIP: None` cannot be taken back: an omitted address is copied from the live Service. */
function* checkHeadless(before: Entry, after: Entry): Iterable<Problem> {
  if (after.ref.group !== '' || after.ref.kind !== 'Service') return;
  if (stringAt(before.object, 'spec', 'clusterIP') !== 'None' || at(after.object, 'spec', 'clusterIP') !== undefined)
    return;
  if (stringAt(after.object, 'spec', 'type') === 'ExternalName') return;
  yield problemAt(after, '/spec/clusterIP', {
    message: `${formatRef(after.ref)} stays headless although clusterIP: None is removed: the API server copies an omitted address from the live Service, and the sync reports success.`,
    severity: 'medium',
    evidence: { before: 'None', after: null },
    fix: `Create a second Service with a cluster IP under a new name, or delete ${formatRef(after.ref)} before the sync.`,
  });
}

/**
 * A new Job of a chart with a fixed name: its template follows image and configuration, so the next change of either is
 * refused as long as the finished Job is there.
 */
function* checkNewJob(change: ResourceChange): Iterable<Problem> {
  const { after, action } = change;
  if (action !== 'added' || after === undefined || after.ref.group !== 'batch' || after.ref.kind !== 'Job') return;
  if ((after.hook?.length ?? 0) > 0 || recreates(after) !== undefined || after.provenance.template === undefined)
    return;
  if (at(after.object, 'spec', 'ttlSecondsAfterFinished') !== undefined) return;
  // A digest, a version or a revision in the name makes every template a new Job.
  if (/\d/.test(after.ref.name)) return;
  yield problemAt(after, '/spec/template', {
    message: `${formatRef(after.ref)} is a Job with a fixed name: the first change of its image or configuration is refused (field is immutable), and with it the sync.`,
    severity: 'medium',
    confidence: 'likely',
    evidence: { before: null, after: after.ref.name },
    fix: fixFor(after, { path: '/spec/template', message: '', before: undefined, after: undefined }),
  });
}

function* checkChange(context: RuleContext<unknown>, change: ResourceChange): Iterable<Problem> {
  const { before, after, action } = change;
  if (action !== 'changed' || before === undefined || after === undefined) return;
  if ((after.hook?.length ?? 0) > 0 || (before.hook?.length ?? 0) > 0) return;
  const version = context.kubernetesVersion(after.target);
  const violations = immutableViolations(after.ref.kind, after.ref.group, before.effective, after.effective, version);
  const seen = new Set<string>();
  for (const violation of [...violations, ...customViolations(context, before, after)]) {
    // clusterIP and clusterIPs are one decision.
    const key = violation.message;
    if (seen.has(key)) continue;
    seen.add(key);
    yield* checkViolation(context, after, violation);
  }
  yield* checkHeadless(before, after);
}

/** Growth of a claim that its StorageClass does not allow: refused like a frozen field. */
function* checkExpansion(context: RuleContext<unknown>, change: ResourceChange): Iterable<Problem> {
  const problem = refusedExpansion(context, change);
  const entry = change.after;
  if (problem === undefined || entry === undefined) return;
  const settled = withServerAnswer(context, entry, problem, { whenAccepted: 'withdraw' });
  if (settled !== undefined) yield settled;
}

export default defineRule({
  id: 'immutable-field-change',
  since: '0.1.0',
  family: 'Immutability and identity',
  title: 'Immutable field change',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: [
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'batch/Job',
    '/Service',
    '/PersistentVolumeClaim',
    '/PersistentVolume',
    '/ConfigMap',
    '/Secret',
    'storage.k8s.io/StorageClass',
    'rbac.authorization.k8s.io/RoleBinding',
    'rbac.authorization.k8s.io/ClusterRoleBinding',
    'apiextensions.k8s.io/CustomResourceDefinition',
  ],
  live: ['apiextensions.k8s.io/CustomResourceDefinition', 'storage.k8s.io/StorageClass'],
  summary: 'The change touches a field that the API server does not let anybody change.',
  docs: {
    why: 'Some fields are fixed when the object is created: `spec.selector` of a Deployment, nearly all of a StatefulSet, the template of a Job, the type of a Secret, `roleRef` of a binding. An update of them is refused by validation, so the sync fails there, with everything before it already applied. Charts that put `helm.sh/chart` or `app.kubernetes.io/version` into `matchLabels` fail with every bump. `Force` deletes and creates the object instead, which is fine for a Job and an outage for the rest.',
    fix: 'Leave the field alone, or create the object under a new name and move over. Deployments and StatefulSets can be deleted with `--cascade=orphan` and adopted again; Jobs should be hooks or carry a digest in their name.',
    ignoreWhen: 'The object is deleted by hand before the sync, or does not exist in the cluster yet.',
  },
  references: [
    'k8s:pkg/apis/apps/validation/validation.go',
    'https://github.com/jetstack/version-checker/issues/140',
    'https://github.com/zitadel/zitadel-charts/issues/389',
    'https://github.com/argoproj/argo-helm/issues/2494',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const change of context.changes) {
      yield* checkChange(context, change);
      yield* checkNewJob(change);
      yield* checkExpansion(context, change);
    }
  },
});
