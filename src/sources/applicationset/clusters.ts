import type { JsonObject } from '../../core/model.ts';
import type { ArgoCluster } from '../argocd/clusters.ts';
import { inClusterName, inClusterServer } from '../argocd/clusters.ts';
import { asObject, get, withoutTrailingSlashes } from '../argocd/values.ts';
import { sanitizeName } from './params.ts';
import type { ParamSet } from './params.ts';
import type { GeneratorScope } from './scope.ts';
import { compileSelector, isEmptySelector } from './selector.ts';
import { withValues } from './values.ts';

/** Written by Argo CD or kubectl on the Secret itself; not parameters (generators/cluster.go, 3.5). */
const excludedAnnotations = new Set([
  'argocd.argoproj.io/refresh',
  'argocd.argoproj.io/hydrate',
  'argocd.argoproj.io/tracking-id',
  'argocd.argoproj.io/installation-id',
  'kubectl.kubernetes.io/last-applied-configuration',
]);

/**
 * `clusters` (generators/cluster.go). The local cluster is added only when the selector is empty and no known
 * cluster has its server; Argo CD's own order is random, here it is by name.
 */
export async function clusterParams(generator: JsonObject, scope: GeneratorScope): Promise<readonly ParamSet[]> {
  scope.usesClusters();
  const selector = asObject(get(generator, 'selector')) ?? {};
  const everything = isEmptySelector(selector);
  const matches = compileSelector(selector);
  const { templating } = scope;
  if (onlyLocal(scope)) {
    const own = everything || scope.clusters.length > 0;
    scope.report(
      own
        ? 'the clusters that Argo CD manages are not known here; only its own cluster is assumed'
        : 'the clusters that Argo CD manages are not known here, so that no Application of this generator is',
      'List them in gate.yaml under clusters (name, server, labels), or give a snapshot of the cluster that Argo CD runs in.',
    );
  }
  const selected = scope.clusters.filter((cluster) => matches(new Map(Object.entries(cluster.labels))));
  const params = selected.map((cluster) => paramsOf(cluster, templating.goTemplate));
  if (everything && !selected.some((cluster) => cluster.server === inClusterServer)) {
    params.push({ name: inClusterName, nameNormalized: inClusterName, server: inClusterServer, project: '' });
  }
  const all = await Promise.all(params.map((item) => withValues(item, get(generator, 'values'), templating)));
  return get(generator, 'flatList') === true
    ? [{ params: { clusters: all }, files: [] }]
    : all.map((item) => ({ params: item, files: [] }));
}

/**
 * Is there nothing that tells of other clusters? The Secret of Argo CD's own cluster alone gives that one labels for
 * selectors; those of the others hold credentials and are seldom in the tree.
 */
function onlyLocal({ clusters, context }: GeneratorScope): boolean {
  if (clusters.length === 0) return true;
  if (context.config.clusters.length > 0 || context.cluster !== undefined) return false;
  return clusters.every((cluster) => withoutTrailingSlashes(cluster.server) === inClusterServer);
}

function paramsOf(cluster: ArgoCluster, goTemplate: boolean): JsonObject {
  const annotations = Object.fromEntries(
    Object.entries(cluster.annotations).filter(([key]) => !excludedAnnotations.has(key)),
  );
  const params: JsonObject = {
    name: cluster.name,
    nameNormalized: sanitizeName(cluster.name),
    server: cluster.server,
    project: cluster.project ?? '',
  };
  if (goTemplate) {
    params['metadata'] = {
      ...(Object.keys(cluster.annotations).length === 0 ? {} : { annotations }),
      ...(Object.keys(cluster.labels).length === 0 ? {} : { labels: { ...cluster.labels } }),
    };
    return params;
  }
  for (const [key, value] of Object.entries(annotations)) params[`metadata.annotations.${key}`] = value;
  for (const [key, value] of Object.entries(cluster.labels)) params[`metadata.labels.${key}`] = value;
  return params;
}
