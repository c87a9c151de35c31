import type { ClusterState } from '../core/cluster.ts';
import type { Config } from '../core/config.ts';
import { isGateError } from '../core/errors.ts';
import type { OpenCluster } from './clusters.ts';
import { alignScopes } from './scopes.ts';
import { discoverSide, type DiscoveredSide, type DiscoveryPorts } from './targets.ts';

/**
 * Finds the targets of both sides. What a snapshot holds helps at once (cluster Secrets of Argo CD, ConfigMaps that Flux
 * substitutes from); a live cluster is asked for them only when something stayed open without.
 */
export async function discoverSides(
  ports: Omit<DiscoveryPorts, 'cluster'>,
  open: readonly OpenCluster[],
): Promise<{ readonly before: DiscoveredSide; readonly after: DiscoveredSide }> {
  const snapshots = open.filter(({ cluster }) => !cluster.live);
  const first = await discoverWith(ports, await statesOf(snapshots, ports.config));
  const live = open.filter(({ cluster }) => cluster.live);
  if (live.length === 0 || !isOpen(first.before, first.after)) return first;
  return discoverWith(ports, await statesOf(open, ports.config));
}

function isOpen(...sides: readonly DiscoveredSide[]): boolean {
  return sides.some(
    (side) => side.incompleteGenerators.size > 0 || side.notEvaluated.some(({ weight }) => weight === 'incomplete'),
  );
}

async function discoverWith(ports: Omit<DiscoveryPorts, 'cluster'>, states: readonly ClusterState[]) {
  const told = states.some((state) => state.kinds.has('/Secret') || state.kindsInNamespaces?.has('/Secret') === true);
  const cluster = told ? { objects: states.flatMap((state) => state.objects) } : undefined;
  const before = await discoverSide('before', { ...ports, cluster });
  const after = await discoverSide('after', { ...ports, cluster });
  return { before: { ...before, targets: alignScopes(before.targets, after.targets) }, after };
}

/** A cluster that does not answer here is met again, and told of, when its objects are read. */
async function statesOf(open: readonly OpenCluster[], config: Config): Promise<ClusterState[]> {
  const namespaces = [config.argocd.namespace, 'flux-system'];
  const wanted = ['/Secret', '/ConfigMap'].map((kind) => ({ kind, namespaces }));
  const states = await Promise.all(
    open.map(({ cluster }) =>
      cluster.read(cluster.live ? wanted : []).catch((error: unknown) => {
        if (isGateError(error)) return undefined;
        throw error;
      }),
    ),
  );
  return states.filter((state) => state !== undefined);
}
