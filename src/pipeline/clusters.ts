import type { ClusterDescription, ClusterState } from '../core/cluster.ts';
import type { Config } from '../core/config.ts';
import { GateError, isGateError } from '../core/errors.ts';
import type { GateReport, NotEvaluated, Target } from '../core/model.ts';
import type { Cluster, Progress } from '../core/ports.ts';
import type { LiveWorld } from '../core/rule.ts';
import { buildLiveWorld } from '../rules/kit/world.ts';
import { staleAfterMs } from './cluster-notes.ts';
import { targetOf, type Selected } from './selection.ts';

/** A cluster that answered. */
export interface OpenCluster {
  readonly cluster: Cluster;
  readonly description: ClusterDescription;
}

/**
 * Asks every cluster for its name, version and APIs. One that does not answer leaves the verdict open: evidence was
 * asked for and is not there.
 * @throws GateError for a snapshot that is no snapshot (wrong path, not YAML), and usage.conflict for two of one name
 */
export async function openClusters(
  clusters: readonly Cluster[],
  progress: Progress,
): Promise<{ readonly open: readonly OpenCluster[]; readonly notEvaluated: readonly NotEvaluated[] }> {
  if (clusters.length === 0) return { open: [], notEvaluated: [] };
  progress.start(clusters.some(({ live }) => live) ? 'Connecting to the cluster' : 'Reading the snapshot');
  const answers = await Promise.all(
    clusters.map(async (cluster) => attempt(async () => ({ cluster, description: await cluster.describe() }))),
  );
  progress.done();
  const result = split(answers);
  rejectSameName(result.open);
  return result;
}

/** Which of them is true cannot be known, and the first one must not win in silence. */
function rejectSameName(open: readonly OpenCluster[]): void {
  const names = open.map(({ description }) => description.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new GateError({
    code: 'usage.conflict',
    message: `Two pieces of evidence are of one cluster, ${twice}`,
    fault: 'user',
    next: 'Give each cluster once: as a snapshot or live. If they are two clusters, name them apart (metadata.name of the snapshot, clusters in gate.yaml).',
  });
}

/** Reads what the targets of each cluster and the rules need. */
export async function readClusters(
  requests: readonly { readonly cluster: OpenCluster; readonly wanted: Parameters<Cluster['read']>[0] }[],
  progress: Progress,
): Promise<{
  readonly open: readonly { readonly of: OpenCluster; readonly state: ClusterState }[];
  readonly notEvaluated: readonly NotEvaluated[];
}> {
  if (requests.length === 0) return { open: [], notEvaluated: [] };
  progress.start('Reading the cluster');
  const answers = await Promise.all(
    requests.map(async ({ cluster, wanted }) =>
      attempt(async () => ({ of: cluster, state: await cluster.cluster.read(wanted) })),
    ),
  );
  progress.done();
  return split(answers);
}

type Answer<T> = { readonly value: T } | { readonly missing: NotEvaluated };

function split<T>(answers: readonly Answer<T>[]) {
  return {
    open: answers.flatMap((answer) => ('value' in answer ? [answer.value] : [])),
    notEvaluated: answers.flatMap((answer) => ('missing' in answer ? [answer.missing] : [])),
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!isGateError(error) || !isOutage(error)) throw error;
    return {
      missing: {
        what: error.code.startsWith('snapshot.') ? 'the snapshot' : 'the live cluster',
        reason: error.message,
        ...(error.location === undefined ? {} : { location: error.location }),
        ...(error.next === undefined ? {} : { next: error.next }),
        weight: 'incomplete',
      },
    };
  }
}

/** The cluster could not be asked, or only a part of its snapshot arrived. Everything else is a mistake of the caller. */
function isOutage(error: GateError): boolean {
  return error.code === 'snapshot.truncated' || error.code.startsWith('cluster.');
}

/**
 * Which cluster each scope lives in: the one that has the name or the URL of the target's cluster, else the name of its
 * environment or scope. When nothing has the name of the only cluster and all targets of this change share one scope,
 * that cluster, unless both names were chosen and differ.
 */
export function assignClusters(
  open: readonly OpenCluster[],
  selection: readonly Selected[],
): ReadonlyMap<string, OpenCluster> {
  const assigned = new Map<string, OpenCluster>();
  for (const target of selection.map(targetOf)) {
    const cluster = open.find(({ description }) => isOf(target, description));
    if (cluster !== undefined) assigned.set(target.scope, cluster);
  }
  const [only] = open;
  if (assigned.size > 0 || only === undefined || open.length > 1) return assigned;
  const targets = selection.filter((entry) => entry.action === 'render').map(targetOf);
  const scopes = new Set(targets.map((target) => target.scope));
  const [scope] = scopes;
  if (scopes.size !== 1 || scope === undefined) return assigned;
  if (targets.some((target) => isAnother(target, only.description))) return assigned;
  return new Map([[scope, only]]);
}

function isOf(target: Target, cluster: ClusterDescription): boolean {
  if ([target.cluster, target.environment, target.scope].includes(cluster.name)) return true;
  return cluster.server !== undefined && target.cluster === cluster.server;
}

/** The target names its cluster, the evidence names its own, and they differ. */
function isAnother(target: Target, cluster: ClusterDescription): boolean {
  if (target.cluster === undefined || target.cluster === 'in-cluster') return false;
  if (cluster.server !== undefined && /^https?:/.test(target.cluster)) return target.cluster !== cluster.server;
  return cluster.named === true;
}

/** The live world of each scope. */
export function worldsOf(
  assigned: ReadonlyMap<string, OpenCluster>,
  states: readonly { readonly of: OpenCluster; readonly state: ClusterState }[],
): (scope: string) => LiveWorld | undefined {
  const worlds = new Map(states.map(({ of, state }) => [of, buildLiveWorld(state)]));
  return (scope) => {
    const cluster = assigned.get(scope);
    return cluster === undefined ? undefined : worlds.get(cluster);
  };
}

/** What the cluster says about its version and APIs stands in for what the configuration leaves open. */
export function withCapabilities(config: Config, clusters: readonly OpenCluster[]): Config {
  const [only] = clusters;
  if (only === undefined) return config;
  if (clusters.length > 1) return withEachVersion(config, clusters);
  const kubernetesVersion = config.kubernetesVersion ?? only.description.kubernetesVersion;
  const apiVersions = config.apiVersions ?? only.description.apiVersions;
  return {
    ...config,
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
  };
}

/** With several clusters each speaks for the one of its name in gate.yaml. */
function withEachVersion(config: Config, clusters: readonly OpenCluster[]): Config {
  return {
    ...config,
    clusters: config.clusters.map((known) => {
      const found = clusters.find(({ description }) => description.name === known.name)?.description;
      const kubernetesVersion = known.kubernetesVersion ?? found?.kubernetesVersion;
      const apiVersions = known.apiVersions ?? found?.apiVersions;
      return {
        ...known,
        ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
        ...(apiVersions === undefined ? {} : { apiVersions }),
      };
    }),
  };
}

export function clusterSummary(state: ClusterState, live: boolean, now: Date): GateReport['clusters'][number] {
  const taken = state.takenAt === undefined ? Number.NaN : Date.parse(state.takenAt);
  return {
    name: state.name,
    source: live ? 'live' : 'snapshot',
    ...(state.takenAt === undefined ? {} : { takenAt: state.takenAt }),
    // A clock that is a little ahead does no harm; a time far in the future tells no age (a note says so).
    ...(Number.isFinite(taken) && taken - now.getTime() <= staleAfterMs
      ? { ageSeconds: Math.max(0, Math.round((now.getTime() - taken) / 1000)) }
      : {}),
    ...(state.kubernetesVersion === undefined ? {} : { kubernetesVersion: state.kubernetesVersion }),
  };
}
