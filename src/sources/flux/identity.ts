import type { SourceLocation } from '../../core/errors.ts';
import type { JsonObject, ResourceRef, Target } from '../../core/model.ts';
import { get, objects, text, textMap } from '../argocd/values.ts';
import { environmentOf } from '../environment.ts';
import type { ClusterMap } from './clusters.ts';
import type { FluxContext } from './context.ts';
import type { FluxObject } from './objects.ts';

/** The part of a target that Kustomizations and HelmReleases share. */
export interface FluxIdentity {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly engine: 'flux';
  readonly environment?: string;
  readonly cluster?: string;
  readonly scope: string;
  readonly origin: SourceLocation;
  readonly declaredBy: ResourceRef;
  readonly parents: readonly string[];
  /** The cluster whose Flux holds the object: the first part of the ids. */
  readonly home: string | undefined;
}

/**
 * The id is `flux:<cluster>/<kind>/<namespace>/<name>`, without the cluster when the repository has one that needs no
 * name. The cluster is the parent's, else it is read from where the file stands. `spec.kubeConfig` sends the objects
 * to another cluster than the one that holds the declaration.
 * @param paths what the object deploys, most telling first
 */
export function identityOf(
  item: FluxObject,
  clusters: ClusterMap,
  context: FluxContext,
  paths: readonly string[],
): FluxIdentity {
  const { kind, name, parent, location } = item;
  const namespace = item.namespace ?? 'flux-system';
  const home = homeOf(item, clusters);
  const cluster = remoteClusterOf(item.object) ?? home;
  const id = fluxId(home, kind, namespace, name);
  const evidence = {
    config: context.config,
    id,
    name,
    labels: textMap(get(item.object, 'metadata', 'labels')),
    cluster,
  };
  const environment =
    environmentOf({ ...evidence, paths }) ??
    parent?.environment ??
    environmentOf({ ...evidence, paths: [location.file] });
  return {
    id,
    // The same name stands in every cluster of a monorepo.
    name: home === undefined ? name : `${home}/${name}`,
    namespace,
    engine: 'flux',
    ...(environment === undefined ? {} : { environment }),
    ...(cluster === undefined ? {} : { cluster }),
    scope: cluster !== undefined && cluster === parent?.cluster ? parent.scope : (cluster ?? environment ?? 'default'),
    origin: parent?.origin ?? location,
    declaredBy: { group: item.group, version: item.version, kind, namespace, name },
    parents: parent === undefined ? [] : [...parent.parents, parent.id],
    home,
  };
}

function fluxId(home: string | undefined, kind: string, namespace: string, name: string): string {
  return `flux:${home === undefined ? '' : `${home}/`}${kind}/${namespace}/${name}`;
}

function homeOf(item: FluxObject, clusters: ClusterMap): string | undefined {
  const { parent } = item;
  if (parent === undefined) return clusters.clusterOf(item.location.file);
  if (parent.engine === 'flux') return parent.cluster;
  return parent.cluster ?? clusters.clusterOf(parent.origin.file);
}

/** `kubeConfig` names a Secret or ConfigMap after the cluster, by custom with `-kubeconfig` behind (Cluster API). */
function remoteClusterOf(object: JsonObject): string | undefined {
  const name =
    text(get(object, 'spec', 'kubeConfig', 'secretRef', 'name')) ??
    text(get(object, 'spec', 'kubeConfig', 'configMapRef', 'name'));
  return name === undefined ? undefined : name.replace(/-kubeconfig$/u, '') || name;
}

/** Ids of `spec.dependsOn`: objects of the same kind in the same cluster, by default in the same namespace. */
export function dependenciesOf(item: FluxObject, identity: FluxIdentity): readonly string[] {
  return objects(get(item.object, 'spec', 'dependsOn')).flatMap((entry) => {
    const name = text(get(entry, 'name'));
    return name === undefined
      ? []
      : [fluxId(identity.home, item.kind, text(get(entry, 'namespace')) ?? identity.namespace, name)];
  });
}

/** `spec.commonMetadata` of both kinds; undefined when it sets nothing. */
export function commonMetadataOf(object: JsonObject): Target['afterRender']['commonMetadata'] {
  const labels = textMap(get(object, 'spec', 'commonMetadata', 'labels'));
  const annotations = textMap(get(object, 'spec', 'commonMetadata', 'annotations'));
  const hasLabels = Object.keys(labels).length > 0;
  const hasAnnotations = Object.keys(annotations).length > 0;
  if (!hasLabels && !hasAnnotations) return undefined;
  return { ...(hasLabels ? { labels } : {}), ...(hasAnnotations ? { annotations } : {}) };
}
