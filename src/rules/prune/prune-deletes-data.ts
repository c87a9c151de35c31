import { Type } from 'typebox';
import type { Confidence, Entry, KubeObject, Reversibility, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext, type World } from '../../core/rule.ts';
import { deletionConfidence, deletions, guardOf, isThrowaway, pruneGuardFor, type Deletion } from '../kit/deletions.ts';
import { declarationKinds } from '../kit/live-kinds.ts';
import { listAt, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { weaker } from '../kit/severity.ts';
import { dataOf, holdsEncryptionKeys } from '../kit/stateful.ts';
import { failedTargetsFact, unitName } from '../kit/units.ts';
import { examples } from './examples/prune-deletes-data.ts';

interface Loss {
  readonly what: string;
  readonly severity: Severity;
  readonly reversibility: Reversibility;
  readonly confidence: Confidence;
  readonly facts: readonly string[];
  /** The live objects show what happens to the volume. */
  readonly proven: boolean;
}

const lost = { severity: 'critical', reversibility: 'irreversible', confidence: 'determined', proven: false } as const;
const stays = { severity: 'high', reversibility: 'hard', confidence: 'determined', proven: false } as const;

/** Reclaim policy of a claim: of its live volume, else of its class; the default of a StorageClass is Delete. */
function reclaimPolicy(
  claim: KubeObject,
  live: KubeObject | undefined,
  scope: string,
  cluster: LiveWorld | undefined,
  world: World,
): { readonly policy: string | undefined; readonly source: string; readonly proven: boolean } {
  const volumeName = stringAt(live ?? claim, 'spec', 'volumeName');
  const volume =
    volumeName === undefined
      ? undefined
      : (cluster?.get('', 'PersistentVolume', undefined, volumeName) ??
        world.get(scope, '', 'PersistentVolume', undefined, volumeName)?.effective);
  if (volumeName !== undefined && volume !== undefined) {
    const policy = stringAt(volume, 'spec', 'persistentVolumeReclaimPolicy') ?? 'Retain';
    return { policy, source: `PersistentVolume ${volumeName}`, proven: cluster !== undefined };
  }
  const className = stringAt(live ?? claim, 'spec', 'storageClassName');
  if (className === undefined || className === '')
    return { policy: undefined, source: 'the default StorageClass', proven: false };
  const found =
    cluster?.get('storage.k8s.io', 'StorageClass', undefined, className) ??
    world.get(scope, 'storage.k8s.io', 'StorageClass', undefined, className)?.effective;
  return {
    policy: found === undefined ? undefined : (stringAt(found, 'reclaimPolicy') ?? 'Delete'),
    source: `StorageClass ${className}`,
    proven: false,
  };
}

/** A usable snapshot of the claim from the day before the cluster state was taken. */
function recentSnapshot(cluster: LiveWorld | undefined, claim: Entry): string | undefined {
  const taken = Date.parse(cluster?.state.takenAt ?? '');
  if (cluster === undefined || !Number.isFinite(taken)) return undefined;
  return cluster.ofKind('snapshot.storage.k8s.io', 'VolumeSnapshot').find((snapshot) => {
    if (snapshot.metadata.namespace !== claim.ref.namespace) return false;
    if (stringAt(snapshot, 'spec', 'source', 'persistentVolumeClaimName') !== claim.ref.name) return false;
    const created = Date.parse(stringAt(snapshot, 'status', 'creationTime') ?? '');
    const ready = (snapshot['status'] as { readyToUse?: unknown } | undefined)?.readyToUse === true;
    return ready && taken - created < 24 * 3600 * 1000;
  })?.metadata.name;
}

function claimLoss(deletion: Deletion, context: RuleContext<unknown>): Loss | undefined {
  const { entry, live } = deletion;
  const { scope } = entry.target;
  const cluster = context.live(scope);
  const { policy, source, proven } = reclaimPolicy(entry.effective, live, scope, cluster, context.before);
  const size = stringAt(live ?? entry.object, 'spec', 'resources', 'requests', 'storage');
  const phase = stringAt(live, 'status', 'phase');
  const facts = [
    `reclaim policy of ${source}: ${policy ?? 'not known, Delete is the default'}`,
    ...(size === undefined ? [] : [`size ${size}`]),
    ...(phase === undefined ? [] : [`live: ${phase}`]),
    'a pod that uses it only delays the deletion (finalizer pvc-protection)',
  ];
  if (phase === 'Pending') return undefined;
  const snapshot = recentSnapshot(cluster, entry);
  if (snapshot !== undefined) facts.push(`VolumeSnapshot ${snapshot} is less than 24 hours old`);
  if (policy === 'Retain')
    return {
      ...stays,
      proven: proven && phase === 'Bound',
      what: 'the claim; its volume stays as Released and must be bound again by hand',
      facts,
    };
  if (snapshot !== undefined)
    return {
      ...stays,
      proven: proven && phase === 'Bound',
      what: 'the volume; it can be restored from a snapshot',
      facts,
    };
  return { ...lost, proven: proven && phase === 'Bound', what: 'the volume with everything on it', facts };
}

function statefulSetLoss({ entry }: Deletion, cluster: LiveWorld | undefined): Loss | undefined {
  const claims = listAt(entry.object, 'spec', 'volumeClaimTemplates').map(
    (claim) => stringAt(claim, 'metadata', 'name') ?? '?',
  );
  if (claims.length === 0) return undefined;
  const bound = claimsOf(entry, claims, cluster);
  if (bound?.length === 0) return undefined;
  const whenDeleted =
    stringAt(entry.effective, 'spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted') ?? 'Retain';
  const facts = [
    `volumeClaimTemplates: ${claims.join(', ')}`,
    `persistentVolumeClaimRetentionPolicy.whenDeleted: ${whenDeleted}`,
    ...(bound === undefined ? [] : [`live: ${bound.length} claims of it (${bound.slice(0, 5).join(', ')})`]),
  ];
  if (whenDeleted === 'Delete') return { ...lost, what: 'its pods and the claims of all of them', facts };
  return {
    ...stays,
    reversibility: 'slow',
    what: 'its pods; the claims stay behind and are used again only by a StatefulSet of the same name',
    facts,
  };
}

/** Claims that its pods have made (`data-db-0`), with their sizes; undefined when claims were not read. */
function claimsOf(
  { ref }: Deletion['entry'],
  templates: readonly string[],
  cluster: LiveWorld | undefined,
): readonly string[] | undefined {
  if (cluster?.covers('', 'PersistentVolumeClaim', ref.namespace) !== true) return undefined;
  return cluster.ofKind('', 'PersistentVolumeClaim').flatMap((claim) => {
    const { namespace, name } = claim.metadata;
    if (namespace !== ref.namespace) return [];
    const own = templates.some((template) => {
      const start = `${template}-${ref.name}-`;
      return name.startsWith(start) && /^\d+$/.test(name.slice(start.length));
    });
    return own ? [`${name} ${stringAt(claim, 'status', 'capacity', 'storage') ?? ''}`.trim()] : [];
  });
}

/** What the deletion of this object loses; undefined: no data. */
function lossOf(deletion: Deletion, context: RuleContext<unknown>): Loss | undefined {
  const { group, kind } = deletion.entry.ref;
  const object = deletion.entry.effective;
  switch (`${group}/${kind}`) {
    case '/PersistentVolumeClaim':
      return claimLoss(deletion, context);
    case 'apps/StatefulSet':
      return statefulSetLoss(deletion, context.live(deletion.entry.target.scope));
    case '/PersistentVolume': {
      const policy = stringAt(deletion.live ?? object, 'spec', 'persistentVolumeReclaimPolicy') ?? 'Retain';
      const facts = [
        `persistentVolumeReclaimPolicy: ${policy}`,
        'a bound claim only delays the deletion (finalizer pv-protection)',
      ];
      return policy === 'Delete'
        ? { ...lost, what: 'the volume with everything on it', facts }
        : { ...stays, what: 'the binding of the volume; the storage behind it stays', facts };
    }
    case '/Secret':
      return holdsEncryptionKeys(object)
        ? {
            ...lost,
            confidence: 'likely',
            what: 'keys that other data may be encrypted with',
            facts: ['judged by its name or labels'],
          }
        : undefined;
    default: {
      const what = dataOf(deletion.entry);
      return what === undefined ? undefined : { ...lost, what, facts: ['its controller cleans up after it'] };
    }
  }
}

/** Something that owns or stands for data is the same thing under a new name: object-identity-change, and here the loss. */
function* checkDeletion(
  context: RuleContext<unknown>,
  deletion: Deletion,
  namespaces: ReadonlySet<string>,
): Iterable<Problem> {
  const { entry, live } = deletion;
  if (deletion.outcome === 'kept' || isThrowaway(entry.object)) return;
  const loss = lossOf(deletion, context);
  if (loss === undefined) return;
  const failed = failedTargetsFact(context, entry.target.scope);
  const engine: Confidence = deletion.outcome === 'deleted' && loss.proven ? 'proven' : deletionConfidence(deletion);
  const own: Confidence = loss.proven ? 'proven' : loss.confidence;
  const confidence = weaker(weaker(engine, own), failed === undefined ? 'proven' : 'likely');
  const how = deletion.wholeTarget ? `${unitName(entry.target)} is removed` : `it left ${unitName(entry.target)}`;
  yield problemAt(entry, '', {
    message: `${formatRef(entry.ref)} is ${deletion.outcome === 'deleted' ? 'deleted' : 'deleted if pruning is on'} by the sync, because ${how}: this loses ${loss.what}.`,
    severity: loss.severity,
    confidence,
    reversibility: loss.reversibility,
    evidence: {
      before: formatRef(entry.ref),
      after: null,
      facts: [
        deletion.why,
        ...loss.facts,
        `guard (${pruneGuardFor(entry.target)}): none on the ${live === undefined ? 'object in Git' : 'live object'}`,
        ...(failed === undefined ? [] : [failed]),
      ],
      ...(loss.proven
        ? {}
        : { wouldChange: 'the live claim and its volume show the reclaim policy, the size and recent snapshots' }),
    },
    fix: `Put the guard on the live object first (${pruneGuardFor(entry.target)}), take a snapshot or set the reclaim policy of its volume to Retain, and only then remove ${formatRef(entry.ref)} from Git.`,
    // Everything in a namespace that goes has one cause.
    rootCause: namespaces.has(`${entry.target.scope}\u0000${entry.ref.namespace}`)
      ? `prune:${entry.target.scope}/Namespace ${entry.ref.namespace}`
      : `prune:${entry.target.scope}/${formatRef(entry.ref)}`,
  });
}

/** Moved between units: whichever syncs first decides, and the old one may prune what the new one has just adopted. */
function* checkMoves(context: RuleContext<unknown>): Iterable<Problem> {
  for (const change of context.changes) {
    const { before, after } = change;
    if (change.movedFrom === undefined || before === undefined || after === undefined) continue;
    const gone = !context.targets.after.has(before.target.id);
    if (before.target.apply.prune === false || isThrowaway(before.object)) continue;
    if (guardOf(before, change.live, gone) !== undefined) continue;
    const asDeletion: Deletion = { change, entry: before, outcome: 'maybe', why: '', wholeTarget: false };
    const loss = lossOf(asDeletion, context);
    if (loss === undefined || loss.severity !== 'critical') continue;
    yield problemAt(after, '', {
      message: `${formatRef(after.ref)} moves from ${unitName(before.target)} to ${unitName(after.target)}: the two syncs race, and if the old one prunes before the new one has taken the object over, this loses ${loss.what}.`,
      severity: 'high',
      confidence: 'likely',
      evidence: { before: before.target.name, after: after.target.name, facts: loss.facts },
      fix: `Guard the object for the move (${pruneGuardFor(before.target)} on the live object), sync ${unitName(after.target)} first, then ${unitName(before.target)}, then remove the guard.`,
    });
  }
}

export default defineRule({
  id: 'prune-deletes-data',
  since: '0.1.0',
  family: 'Data loss and prune',
  title: 'Prune deletes data',
  severity: 'critical',
  reversibility: 'irreversible',
  confidence: 'determined',
  needs: 'transition',
  kinds: [
    '/PersistentVolumeClaim',
    '/PersistentVolume',
    '/Secret',
    'apps/StatefulSet',
    'snapshot.storage.k8s.io/VolumeSnapshot',
    'postgresql.cnpg.io/Cluster',
    'kafka.strimzi.io/Kafka',
    'monitoring.coreos.com/Prometheus',
  ],
  live: [
    '/PersistentVolume',
    '/PersistentVolumeClaim',
    'snapshot.storage.k8s.io/VolumeSnapshot',
    'storage.k8s.io/StorageClass',
  ],
  liveOf: declarationKinds,
  summary: 'A claim, volume, StatefulSet or database resource leaves Git and is pruned, with its data.',
  docs: {
    why: 'With pruning on, an object that leaves the render is deleted from the cluster. For a PersistentVolumeClaim the reclaim policy of its volume decides what follows: `Delete`, the default of dynamic provisioning, removes the disk. Database operators clean up after their custom resource in the same way. `git revert` brings back the object, empty. The guards are read from the live object: `argocd.argoproj.io/sync-options: Prune=false`, `kustomize.toolkit.fluxcd.io/prune: disabled`, `helm.sh/resource-policy: keep` (Helm, and for Argo CD only when the whole Application is deleted).',
    fix: 'Set the guard on the live object in an earlier change, snapshot, or set the reclaim policy to Retain; then remove the object.',
    ignoreWhen: 'The data is meant to go.',
  },
  references: [
    'https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources',
    'https://fluxcd.io/flux/components/kustomize/kustomizations/#prune',
    'https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    const all = deletions(context);
    const namespaces = new Set(
      all.flatMap(({ entry, outcome }) =>
        entry.ref.kind === 'Namespace' && outcome !== 'kept' ? [`${entry.target.scope}\u0000${entry.ref.name}`] : [],
      ),
    );
    for (const deletion of all) yield* checkDeletion(context, deletion, namespaces);
    yield* checkMoves(context);
  },
});
