import type { ClusterState } from '../core/cluster.ts';
import type { NotEvaluated } from '../core/model.ts';
import type { OpenCluster } from './clusters.ts';
import { folded } from '../rules/kit/evidence-gaps.ts';
import { targetOf, type Selected } from './selection.ts';

/** Milliseconds after which a snapshot is called old; as far in the future its time is taken for wrong. */
export const staleAfterMs = 24 * 60 * 60 * 1000;

/**
 * What the reader should know of the evidence: targets of this change that none of the clusters is of, a snapshot that
 * is old, objects whose live state could not be read. What rules lack is said elsewhere (`evidenceGaps`).
 */
export function clusterNotes(input: {
  readonly open: readonly OpenCluster[];
  readonly assigned: ReadonlyMap<string, OpenCluster>;
  readonly states: readonly ClusterState[];
  readonly selection: readonly Selected[];
  /** Kinds (`group/Kind`) of the objects that were rendered, with their namespaces. */
  readonly kinds: ReadonlyMap<string, ReadonlySet<string>>;
  readonly now: Date;
}): NotEvaluated[] {
  return [
    ...unassigned(input.open, input.assigned, input.selection),
    ...input.states.flatMap((state) => stale(state, input.now)),
    ...input.states.flatMap((state) => unread(state, input.kinds)),
    ...input.states.flatMap((state) => left(state, input.kinds)),
  ];
}

function unassigned(
  open: readonly OpenCluster[],
  assigned: ReadonlyMap<string, OpenCluster>,
  selection: readonly Selected[],
): NotEvaluated[] {
  if (open.length === 0) return [];
  const judged = selection.filter((selected) => selected.action === 'render').map(targetOf);
  const without = judged.filter((target) => !assigned.has(target.scope));
  if (without.length === 0) return [];
  const scopes = [...new Set(without.map((target) => target.scope))].slice(0, 5).join(', ');
  const live = open.some(({ cluster }) => cluster.live);
  return [
    {
      what: `live evidence for ${without.length} of ${judged.length} targets`,
      reason: `the ${live ? 'cluster' : 'snapshot'} is ${live ? '' : 'of '}${open.map(({ description }) => description.name).join(', ')}; these targets belong to ${scopes}`,
      next: live
        ? 'Say which cluster this is with --cluster-name, named as the targets name it, or choose the targets with --environment.'
        : 'Name the snapshot (metadata.name) like the cluster or environment of the targets, or choose one with --environment.',
      // Evidence that fits nothing was surely meant to fit: nobody must believe that the cluster was looked at.
      weight: without.length === judged.length ? 'incomplete' : 'note',
    },
  ];
}

function stale(state: ClusterState, now: Date): NotEvaluated[] {
  const taken = state.takenAt === undefined ? Number.NaN : Date.parse(state.takenAt);
  if (!Number.isFinite(taken)) return [];
  if (taken - now.getTime() > staleAfterMs) {
    return [
      {
        what: `snapshot ${state.name}`,
        reason: `its time lies in the future (${state.takenAt}), so its age is not known`,
        next: 'Set the clock of the machine that takes it.',
        weight: 'note',
      },
    ];
  }
  if (now.getTime() - taken <= staleAfterMs) return [];
  return [
    {
      what: `snapshot ${state.name}`,
      reason: `it was taken ${Math.round((now.getTime() - taken) / 3_600_000)} hours ago (${state.takenAt}); the cluster may have changed since`,
      next: 'Take a new snapshot.',
      weight: 'note',
    },
  ];
}

function unread(state: ClusterState, kinds: ReadonlyMap<string, ReadonlySet<string>>): NotEvaluated[] {
  // A list of the whole cluster may be forbidden while those of all namespaces that matter are not.
  const isKnown = (kind: string): boolean => {
    const read = state.kindsInNamespaces?.get(kind);
    return read !== undefined && [...(kinds.get(kind) ?? [])].every((namespace) => read.has(namespace));
  };
  const entries = state.unread
    .flatMap((entry) => {
      // `group/*`: the extension API server of the group is away.
      if (!entry.kind.endsWith('/*')) return [entry];
      const group = entry.kind.slice(0, -1);
      const named = new Set(state.unread.map(({ kind }) => kind));
      return [...kinds.keys()]
        .filter((kind) => kind.startsWith(group) && !named.has(kind))
        .map((kind) => ({ ...entry, kind }));
    })
    .filter(({ kind }) => kinds.has(kind) && !isKnown(kind));
  const causes = Map.groupBy(
    entries,
    ({ reason, failed, namespaces }) => `${reason}\0${failed}\0${namespaces?.join()}`,
  );
  return [...causes.values()].map((same): NotEvaluated => {
    const { namespaces, reason, failed } = same[0]!;
    const where = namespaces === undefined ? '' : ` in namespace ${namespaces.slice(0, 5).join(', ')}`;
    const next = folded(new Set(same.flatMap((entry) => entry.next ?? [])));
    return {
      what: `drift of ${someKinds(same.map(({ kind }) => kind.replace(/^\//, '')))} in ${state.name}${where}`,
      reason,
      ...(next === undefined ? {} : { next }),
      weight: failed === true ? 'incomplete' : 'note',
    };
  });
}

function someKinds(kinds: readonly string[]): string {
  return kinds.length > 6 ? `${kinds.slice(0, 5).join(', ')} and ${kinds.length - 5} more kinds` : kinds.join(', ');
}

/** Custom resources of this change that `gate snapshot` was not told to write: their drift is not known. */
function left(state: ClusterState, kinds: ReadonlyMap<string, ReadonlySet<string>>): NotEvaluated[] {
  // A live cluster was asked for them; of a dump nobody knows whether the cluster serves them.
  if (state.server !== undefined || state.allNamespaces !== true || state.apiVersions === undefined) return [];
  const served = new Set(state.apiVersions.map((text) => text.replace(/^([^/]+)\/[^/]+\//, '$1/')));
  const missing = [...kinds.keys()]
    .filter((kind) => served.has(kind) && !state.kinds.has(kind) && state.kindsInNamespaces?.has(kind) !== true)
    .filter((kind) => !state.unread.some((entry) => entry.kind === kind))
    .toSorted();
  if (missing.length === 0) return [];
  return [
    {
      what: `drift of ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ` and ${missing.length - 5} more kinds` : ''} in ${state.name}`,
      reason: 'not in the snapshot',
      next: `Take it with gate snapshot ${missing
        .slice(0, 5)
        .map((kind) => `--kind ${kind}`)
        .join(' ')}${missing.length > 5 ? ' ...' : ''}.`,
      weight: 'note',
    },
  ];
}
