import type { WorkloadPods } from '../../core/cluster.ts';
import type { Entry, KubeObject, ResourceRef } from '../../core/model.ts';
import type { LiveWorld, RuleContext, World } from '../../core/rule.ts';
import { deletions, type Deletion } from './deletions.ts';
import { activePods } from './live-pods.ts';
import { getOrMake, memo } from './memo.ts';
import { desiredPods, podTemplate, type PodTemplate } from './pods.ts';
import { matchesLabels } from './select.ts';
import { identityOf } from './touched.ts';

/** Something that makes pods, as it will be (or was) in the cluster: a workload of Git, or one that only the cluster knows. */
export interface PodMaker {
  readonly ref: ResourceRef;
  readonly object: KubeObject;
  readonly template: PodTemplate;
  /** Desired pods; undefined for a DaemonSet (one per node). */
  readonly pods: number | undefined;
  /** Absent: seen in the cluster only. */
  readonly entry?: Entry;
  /** Known by its pods only: of the template nothing but labels and names of containers is known. */
  readonly counted?: true;
}

/** An object that is there on a side. */
export interface Present {
  readonly object: KubeObject;
  readonly entry?: Entry;
}

/**
 * What is in one cluster on one side: the rendered objects, those that leave Git but are not deleted, and live objects
 * that Git does not manage.
 */
export interface ClusterView {
  readonly world: World;
  readonly live: LiveWorld | undefined;
  get(group: string, kind: string, namespace: string | undefined, name: string): Present | undefined;
  /** Long-running workloads and Pods of a namespace; Jobs are not among them. */
  podMakers(namespace: string): readonly PodMaker[];
  /** As podMakers, only those whose pods carry a label; for selectors, without looking at all of them. */
  podMakersWith(namespace: string, key: string, value: string): readonly PodMaker[];
  /** The same workload on this side. */
  podMaker(ref: ResourceRef): PodMaker | undefined;
  /** How this change removes an object: undefined when it does not. */
  removal(group: string, kind: string, namespace: string | undefined, name: string): Deletion | undefined;
  /** Removals of workloads in a namespace. */
  removedMakers(namespace: string): readonly Deletion[];
}

const runningKinds = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Rollout',
  'Pod',
]);

interface Removals {
  readonly byIdentity: ReadonlyMap<string, Deletion>;
  readonly makersByNamespace: ReadonlyMap<string, readonly Deletion[]>;
}

const removalCache = new WeakMap<object, Removals>();

/** Deletions of this change, computed once per run. */
function removalsOf(context: RuleContext<unknown>): Removals {
  const known = removalCache.get(context.changes);
  if (known !== undefined) return known;
  const byIdentity = new Map<string, Deletion>();
  const makersByNamespace = new Map<string, Deletion[]>();
  for (const deletion of deletions(context)) {
    const { ref, target } = deletion.entry;
    byIdentity.set(identityOf(target.scope, ref), deletion);
    if (runningKinds.has(ref.kind))
      getOrMake(makersByNamespace, `${target.scope}\u0000${ref.namespace ?? 'default'}`, () => []).push(deletion);
  }
  const result = { byIdentity, makersByNamespace };
  removalCache.set(context.changes, result);
  return result;
}

/** Workloads of a world by scope and namespace. */
const makersOfWorld = memo((world: World) => {
  const index = new Map<string, PodMaker[]>();
  for (const entry of world.entries) {
    const { kind, namespace } = entry.ref;
    if (!runningKinds.has(kind)) continue;
    const maker = makerOf(entry.effective, entry.ref, entry);
    if (maker !== undefined)
      getOrMake(index, `${entry.target.scope}\u0000${namespace ?? 'default'}`, () => []).push(maker);
  }
  return index;
});

/** Live kinds that make pods. Pods of other makers (operators, ReplicaSets of their own) are counted under their owner. */
const makerKinds = [
  ['apps', 'Deployment'],
  ['apps', 'StatefulSet'],
  ['apps', 'DaemonSet'],
  ['argoproj.io', 'Rollout'],
] as const;

/** Live workloads by namespace, and the pods of owners that were not read or have no template. */
const makersOfLive = memo((live: LiveWorld) => {
  const index = new Map<string, PodMaker[]>();
  const known = new Set<string>();
  for (const [group, kind] of makerKinds) {
    for (const object of live.ofKind(group, kind)) {
      const { namespace, name } = object.metadata;
      if (namespace === undefined) continue;
      const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1);
      const maker = makerOf(object, { group, version, kind, namespace, name });
      known.add(identityOf('', { group, version, kind, namespace, name }));
      if (maker !== undefined) getOrMake(index, namespace, () => []).push(maker);
    }
  }
  for (const pods of live.pods()) {
    const ref = { ...pods.owner, version: '', namespace: pods.namespace };
    if (passing.has(ref.kind) || known.has(identityOf('', ref))) continue;
    getOrMake(index, pods.namespace, () => []).push(makerOfPods(ref, pods));
  }
  return index;
});

/** Their pods end by themselves. */
const passing = new Set(['Job', 'CronJob']);

/** Pods whose owner says nothing about them, as if it were a workload of that many pods. */
function makerOfPods(ref: ResourceRef, pods: WorkloadPods): PodMaker {
  const spec = { containers: pods.containers.map(({ name }) => ({ name })) };
  return {
    ref,
    object: {
      apiVersion: ref.group === '' ? 'v1' : `${ref.group}/v1`,
      kind: ref.kind,
      metadata: { name: ref.name, namespace: pods.namespace, labels: { ...pods.labels } },
    },
    template: { labels: { ...pods.labels }, annotations: {}, spec, path: '' },
    pods: activePods(pods),
    counted: true,
  };
}

function makerOf(object: KubeObject, ref: ResourceRef, entry?: Entry): PodMaker | undefined {
  const template = podTemplate(object);
  if (template === undefined) return undefined;
  return { ref, object, template, pods: desiredPods(object), ...(entry === undefined ? {} : { entry }) };
}

const viewCache = new WeakMap<object, Map<string, ClusterView>>();

/** The view of one cluster (scope) on one side; made once per run. */
export function viewOf(context: RuleContext<unknown>, side: 'before' | 'after', scope: string): ClusterView {
  const views = viewCache.get(context.changes) ?? new Map<string, ClusterView>();
  viewCache.set(context.changes, views);
  return getOrMake(views, `${side}\u0000${scope}`, () => buildView(context, side, scope));
}

function buildView(context: RuleContext<unknown>, side: 'before' | 'after', scope: string): ClusterView {
  const world = side === 'before' ? context.before : context.after;
  const live = context.live(scope);
  const removals = removalsOf(context);
  const removal: ClusterView['removal'] = (group, kind, namespace, name) => {
    const find = (inside: string | undefined) =>
      removals.byIdentity.get(
        identityOf(scope, { group, version: '', kind, ...(inside === undefined ? {} : { namespace: inside }), name }),
      );
    return find(namespace) ?? (namespace === 'default' ? find(undefined) : undefined);
  };
  const removedMakers = (namespace: string) => removals.makersByNamespace.get(`${scope}\u0000${namespace}`) ?? [];
  /** A live object counts on the before side, and after it unless this change removes it. */
  const staysLive = (ref: ResourceRef) => {
    if (side === 'before') return true;
    const found = removals.byIdentity.get(identityOf(scope, ref));
    return found === undefined || found.outcome === 'kept';
  };
  const findMakers = (namespace: string): readonly PodMaker[] => {
    const rendered = makersOfWorld(world).get(`${scope}\u0000${namespace}`) ?? [];
    const seen = new Set(rendered.map((maker) => identityOf(scope, maker.ref)));
    const result = [...rendered];
    for (const maker of live === undefined ? [] : (makersOfLive(live).get(namespace) ?? [])) {
      const identity = identityOf(scope, maker.ref);
      if (!seen.has(identity) && staysLive(maker.ref) && !isPodOfRemoved(maker, side, removedMakers(namespace))) {
        seen.add(identity);
        result.push(maker);
      }
    }
    if (side === 'after') {
      for (const gone of removedMakers(namespace)) {
        const kept = keptWithoutLive(gone, live);
        const maker = kept === undefined ? undefined : makerOf(kept.object, gone.entry.ref);
        if (maker !== undefined && !seen.has(identityOf(scope, maker.ref))) result.push(maker);
      }
    }
    return result;
  };
  const makers = new Map<string, readonly PodMaker[]>();
  const podMakers = (namespace: string) => getOrMake(makers, namespace, () => findMakers(namespace));
  const byRef = new Map<string, ReadonlyMap<string, PodMaker>>();
  const byLabel = new Map<string, ReadonlyMap<string, readonly PodMaker[]>>();
  return {
    world,
    live,
    removal,
    removedMakers,
    get(group, kind, namespace, name) {
      const entry = world.get(scope, group, kind, namespace, name);
      if (entry !== undefined) return { object: entry.effective, entry };
      const gone = removal(group, kind, namespace, name);
      if (side === 'after' && gone !== undefined) {
        return gone.outcome === 'kept' && gone.live !== undefined ? { object: gone.live } : keptWithoutLive(gone, live);
      }
      const object = live?.get(group, kind, namespace, name);
      return object === undefined ? undefined : { object };
    },
    podMakers,
    podMaker: (ref) =>
      getOrMake(
        byRef,
        ref.namespace ?? 'default',
        () => new Map(podMakers(ref.namespace ?? 'default').map((maker) => [identityOf(scope, maker.ref), maker])),
      ).get(identityOf(scope, ref)),
    podMakersWith: (namespace, key, value) =>
      getOrMake(byLabel, namespace, () => indexByLabel(podMakers(namespace))).get(`${key}\u0000${value}`) ?? [],
  };
}

function indexByLabel(makers: readonly PodMaker[]): ReadonlyMap<string, readonly PodMaker[]> {
  const index = new Map<string, PodMaker[]>();
  for (const maker of makers)
    for (const [key, value] of Object.entries(maker.template.labels))
      getOrMake(index, `${key}\u0000${value}`, () => []).push(maker);
  return index;
}

/** Workloads whose pods may match a selector: those with one of the labels that it asks for, else all of the namespace. */
export function candidateMakers(
  view: ClusterView,
  namespace: string,
  matchLabels: Readonly<Record<string, string>> | undefined,
): readonly PodMaker[] {
  const [pair] = Object.entries(matchLabels ?? {});
  return pair === undefined ? view.podMakers(namespace) : view.podMakersWith(namespace, pair[0], pair[1]);
}

/** An object that leaves Git but stays in the cluster as an orphan, when no live evidence says otherwise. */
function keptWithoutLive(gone: Deletion, live: LiveWorld | undefined): Present | undefined {
  if (gone.outcome !== 'kept') return undefined;
  if (live !== undefined && live.covers(gone.entry.ref.group, gone.entry.ref.kind, gone.entry.ref.namespace)) {
    return gone.live === undefined ? undefined : { object: gone.live };
  }
  return { object: gone.entry.effective };
}

/** A live Pod without an owner that has the labels of a removed workload goes away together with it. */
function isPodOfRemoved(maker: PodMaker, side: 'before' | 'after', removed: readonly Deletion[]): boolean {
  if (side === 'before' || maker.ref.kind !== 'Pod') return false;
  return removed.some((gone) => {
    const wanted = podTemplate(gone.entry.effective)?.labels ?? {};
    return gone.outcome !== 'kept' && matchesLabels(wanted, maker.template.labels);
  });
}
