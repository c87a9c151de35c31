import type { Config } from '../../core/config.ts';
import type { JsonObject, Target } from '../../core/model.ts';
import type { ArgoCluster } from './clusters.ts';
import { inClusterName, inClusterServer } from './clusters.ts';
import { get, text, withoutTrailingSlashes } from './values.ts';

/**
 * Name of the cluster that an Application deploys to. `in-cluster` of an Application that another one rendered is
 * the cluster of that one: there the child is created and reconciled.
 *
 * @returns undefined when the Application names no destination
 */
export function clusterOf(
  application: JsonObject,
  config: Config,
  clusters: readonly ArgoCluster[],
  parent: Target | undefined,
): string | undefined {
  const name = text(get(application, 'spec', 'destination', 'name'));
  const written = text(get(application, 'spec', 'destination', 'server'));
  const server = written === undefined ? undefined : withoutTrailingSlashes(written);
  if (name === undefined && server === undefined) return undefined;
  const local = name === inClusterName || (name === undefined && server === inClusterServer);
  if (local && parent?.cluster !== undefined) return parent.cluster;
  if (name !== undefined) return name;
  const same = (url: string | undefined): boolean => url !== undefined && withoutTrailingSlashes(url) === server;
  const configured = config.clusters.find((cluster) => same(cluster.server))?.name;
  return configured ?? clusters.find((cluster) => same(cluster.server))?.name ?? (local ? inClusterName : server);
}
