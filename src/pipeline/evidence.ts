import type { ClusterState } from '../core/cluster.ts';
import type { Config } from '../core/config.ts';
import type { NotEvaluated } from '../core/model.ts';
import type { Progress } from '../core/ports.ts';
import type { LiveWorld, Rule } from '../core/rule.ts';
import type { DiffResult } from '../diff/diff.ts';
import { assignClusters, readClusters, worldsOf, type OpenCluster } from './clusters.ts';
import { clusterNotes } from './cluster-notes.ts';
import type { Selected } from './selection.ts';
import { evidenceGaps } from '../rules/kit/evidence-gaps.ts';
import type { GatePorts } from './request.ts';
import { rulesInForce, wantedKinds } from './wanted.ts';

/** What the clusters of this run say about the change. */
export interface ClusterEvidence {
  readonly live: (scope: string) => LiveWorld | undefined;
  /** The cluster of a scope, to ask it more. */
  readonly clusterOf: (scope: string) => OpenCluster | undefined;
  readonly states: readonly { readonly of: OpenCluster; readonly state: ClusterState }[];
  readonly notEvaluated: readonly NotEvaluated[];
}

/** Reads from every cluster what its targets and the rules in force need, once it is known what changes. */
export async function gatherEvidence(input: {
  readonly open: readonly OpenCluster[];
  readonly selection: readonly Selected[];
  readonly diff: DiffResult;
  readonly rules: readonly Rule[];
  readonly metrics: ReturnType<GatePorts['createMetrics']>;
  readonly config: Config;
  readonly now: Date;
  readonly progress: Progress;
}): Promise<ClusterEvidence> {
  const { open, selection, diff } = input;
  const assigned = assignClusters(open, selection);
  const used = [...new Set(assigned.values())];
  const requests = used.map((cluster) => {
    const isHere = (scope: string | undefined) => scope !== undefined && assigned.get(scope) === cluster;
    const changes = diff.changes.filter(({ before, after }) => isHere((after ?? before)?.target.scope));
    const entries = [...diff.entries.before, ...diff.entries.after].filter(({ target }) => isHere(target.scope));
    return { cluster, wanted: wantedKinds({ rules: input.rules, config: input.config, entries, changes }) };
  });
  const read = await readClusters(requests, input.progress);
  const metrics = input.rules.length > 0 && diff.changes.length > 0 ? input.metrics : undefined;
  if (metrics !== undefined && read.open.length > 0) input.progress.start('Asking Prometheus');
  const measured = await Promise.all(
    read.open.map(async ({ of, state }) => ({
      of,
      ...(metrics === undefined ? { state, notEvaluated: [] } : await metrics(state, read.open.length > 1)),
    })),
  );
  input.progress.done();
  const states = measured.map(({ of, state }) => ({ of, state }));
  const live = worldsOf(assigned, states);
  const entries = Map.groupBy([...diff.entries.before, ...diff.entries.after], ({ ref }) => `${ref.group}/${ref.kind}`);
  const kinds = new Map(
    [...entries].map(([kind, of]) => [kind, new Set(of.map(({ ref }) => ref.namespace ?? 'default'))]),
  );
  return {
    live,
    clusterOf: (scope) => assigned.get(scope),
    states,
    notEvaluated: [
      ...read.notEvaluated,
      ...measured.flatMap((entry) => entry.notEvaluated),
      ...evidenceGaps(rulesInForce(input.rules, input.config), diff.changes, live),
      ...clusterNotes({ open, assigned, states: states.map(({ state }) => state), selection, kinds, now: input.now }),
    ],
  };
}
