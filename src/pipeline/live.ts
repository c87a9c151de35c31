import type { Config } from '../core/config.ts';
import type { ClusterState } from '../core/cluster.ts';
import type { GateReport } from '../core/model.ts';
import type { LiveWorld } from '../core/rule.ts';
import { buildLiveWorld } from '../rules/kit/world.ts';
import { targetOf, type Selected } from './selection.ts';

/**
 * Which scope the given cluster is. By name (cluster, environment or scope); when nothing has that name and all
 * targets of this change live in one scope, that one.
 */
export function clusterOf(
  cluster: ClusterState | undefined,
  selection: readonly Selected[],
): (scope: string) => LiveWorld | undefined {
  if (cluster === undefined) return () => undefined;
  const world = buildLiveWorld(cluster);
  const targets = selection.map(targetOf);
  const named = new Set(
    targets
      .filter((target) => [target.cluster, target.environment, target.scope].includes(cluster.name))
      .map((target) => target.scope),
  );
  if (named.size > 0) return (scope) => (named.has(scope) ? world : undefined);
  const scopes = new Set(selection.filter((entry) => entry.action === 'render').map((entry) => targetOf(entry).scope));
  return scopes.size === 1 ? (scope) => (scopes.has(scope) ? world : undefined) : () => undefined;
}

/** What the cluster says about its version and APIs stands in for what the configuration leaves open. */
export function withCapabilities(config: Config, cluster: ClusterState | undefined): Config {
  const kubernetesVersion = config.kubernetesVersion ?? cluster?.kubernetesVersion;
  const apiVersions = config.apiVersions ?? cluster?.apiVersions;
  return {
    ...config,
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
  };
}

export function clusterSummary(cluster: ClusterState, now: Date): NonNullable<GateReport['cluster']> {
  const taken = cluster.takenAt === undefined ? Number.NaN : Date.parse(cluster.takenAt);
  return {
    name: cluster.name,
    ...(cluster.takenAt === undefined ? {} : { takenAt: cluster.takenAt }),
    ...(Number.isFinite(taken) ? { ageSeconds: Math.max(0, Math.round((now.getTime() - taken) / 1000)) } : {}),
    ...(cluster.kubernetesVersion === undefined ? {} : { kubernetesVersion: cluster.kubernetesVersion }),
  };
}
