import { Type } from 'typebox';
import type { Confidence } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { deletionConfidence, deletions, isHelmCrdFolder, pruneGuardFor, type Deletion } from '../kit/deletions.ts';
import { customKinds, declarationKinds } from '../kit/live-kinds.ts';
import { stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { weaker } from '../kit/severity.ts';
import { failedTargetsFact, unitName } from '../kit/units.ts';
import { examples } from './examples/crd-deleted.ts';

function byNamespace(namespaces: readonly (string | undefined)[]): string {
  const counts = new Map<string, number>();
  for (const namespace of namespaces)
    counts.set(namespace ?? '(cluster)', (counts.get(namespace ?? '(cluster)') ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const text = sorted.slice(0, 6).map(([namespace, count]) => `${count} in ${namespace}`);
  return `${text.join(', ')}${sorted.length > 6 ? ` and ${sorted.length - 6} more namespaces` : ''}`;
}

function* checkDeletion(context: RuleContext<unknown>, deletion: Deletion): Iterable<Problem> {
  const { entry } = deletion;
  if (entry.ref.kind !== 'CustomResourceDefinition' || deletion.outcome === 'kept') return;
  const { scope } = entry.target;
  const group = stringAt(entry.object, 'spec', 'group') ?? '';
  const kind = stringAt(entry.object, 'spec', 'names', 'kind') ?? '';
  const rendered = context.before.ofKind(group, kind, scope);
  const live = context.live(scope);
  const covered = live?.covers(group, kind) === true;
  const running = covered ? (live?.ofKind(group, kind) ?? []) : [];
  const failed = failedTargetsFact(context, scope);
  const namespaces = covered
    ? running.map(({ metadata }) => metadata.namespace)
    : rendered.map(({ ref }) => ref.namespace);
  const base: Confidence =
    deletion.outcome === 'deleted' && deletion.live !== undefined && covered ? 'proven' : deletionConfidence(deletion);
  const count = covered ? running.length : rendered.length;
  const what =
    count > 0
      ? `all ${count} ${kind} objects ${covered ? 'of the cluster' : 'in Git (and those that are not)'}`
      : covered
        ? `its kind; the cluster holds no ${kind} now`
        : `every ${kind} object of the cluster`;
  // Nothing to lose: recreated by the next apply.
  const empty = covered && count === 0;
  yield problemAt(entry, '', {
    message: `CustomResourceDefinition ${entry.ref.name} is ${deletion.outcome === 'deleted' ? 'deleted' : 'deleted if pruning is on'} by the sync, and with it ${what}${empty ? '' : ', whose controllers then clean up what they made'}.`,
    ...(empty ? { severity: 'high' as const, reversibility: 'instant' as const } : {}),
    confidence: failed === undefined ? base : weaker(base, 'likely'),
    evidence: {
      before: `in ${unitName(entry.target)}${entry.provenance.template === undefined ? '' : `, ${entry.provenance.template}`}`,
      after: null,
      facts: [
        deletion.why,
        ...(namespaces.length === 0 ? [] : [`${kind} objects: ${byNamespace(namespaces)}`]),
        ...(failed === undefined ? [] : [failed]),
      ],
      ...(covered ? {} : { wouldChange: `a snapshot with the ${kind} objects shows what would be lost` }),
    },
    fix: `Put ${pruneGuardFor(entry.target)} on the live CustomResourceDefinition ${entry.ref.name} first, or hand it to a unit of its own, and only then take it out of ${unitName(entry.target)}.`,
    rootCause: `prune:${scope}/${formatRef(entry.ref)}`,
  });
}

/** Rendered on both sides, but from `templates/` before and from `crds/` after: for Helm it has left the release. */
function* movesToCrdFolder(context: RuleContext<unknown>): Iterable<Deletion> {
  for (const entry of context.before.ofKind('apiextensions.k8s.io', 'CustomResourceDefinition')) {
    const { scope, id, apply } = entry.target;
    const after = context.after.get(scope, entry.ref.group, entry.ref.kind, undefined, entry.ref.name);
    if (after === undefined || after.target.id !== id || apply.mode !== 'helm') continue;
    if (isHelmCrdFolder(entry) || !isHelmCrdFolder(after)) continue;
    const live = context.live(scope)?.get(entry.ref.group, entry.ref.kind, undefined, entry.ref.name);
    if ((live ?? entry.object).metadata.annotations?.['helm.sh/resource-policy'] === 'keep') continue;
    yield {
      change: { action: 'removed', ref: entry.ref, target: id, before: entry, fields: [], impact: 'data-loss' },
      entry,
      ...(live === undefined ? {} : { live }),
      outcome: 'deleted',
      why: 'it moves from templates/ to crds/ of the chart: the upgrade deletes it, because it left the release manifest',
      wholeTarget: false,
    };
  }
}

export default defineRule({
  id: 'crd-deleted',
  since: '0.1.0',
  family: 'Data loss and prune',
  title: 'CRD deleted',
  severity: 'critical',
  reversibility: 'irreversible',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['apiextensions.k8s.io/CustomResourceDefinition'],
  live: [],
  liveOf: (change) => [...declarationKinds(change), ...customKinds(change)],
  summary: 'A CustomResourceDefinition leaves Git and is pruned, with every object of its kind.',
  docs: {
    why: 'Deleting a CustomResourceDefinition deletes every custom resource of that kind in all namespaces (finalizer `customresourcecleanup.apiextensions.k8s.io`), and operators then delete what those stand for: databases, certificates, cloud resources. It happens by accident when a chart moves its CRDs from `templates/` to `crds/`, when `installCRDs` is switched off, or when a subchart is dropped. Helm deletes what left `templates/` and ignores `crds/` on upgrade. Argo CD renders both, so that move deletes nothing there, and it never deletes CRDs together with an Application.',
    fix: 'Annotate the live CRDs (`helm.sh/resource-policy: keep`, `Prune=false`, `kustomize.toolkit.fluxcd.io/prune: disabled`) before the chart is bumped, or adopt them in a unit of their own.',
    ignoreWhen: 'The operator is retired and no object of the kind is left.',
  },
  references: [
    'https://github.com/helm/helm/issues/7279',
    'https://github.com/kubernetes-sigs/lws/issues/880',
    'helm3:pkg/kube/client.go',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const deletion of deletions(context)) yield* checkDeletion(context, deletion);
    for (const deletion of movesToCrdFolder(context)) yield* checkDeletion(context, deletion);
  },
});
