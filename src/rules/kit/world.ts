import { groupOf } from '../../core/json.ts';
import { coverage } from './live-coverage.ts';
import type { ClusterState, ContainerMetrics } from '../../core/cluster.ts';
import type { Entry, KubeObject, Target } from '../../core/model.ts';
import type { LiveWorld, World } from '../../core/rule.ts';

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function identity(scope: string, group: string, kind: string, namespace: string | undefined, name: string): string {
  return [scope, group, kind, namespace ?? '', name].join('\u0000');
}

/** Namespaced kinds that are found in `default` when neither they nor their target name a namespace. */
const namespacedKinds = new Set(
  [
    'Pod Service ConfigMap Secret ServiceAccount PersistentVolumeClaim Endpoints ReplicationController ResourceQuota LimitRange',
    'Deployment StatefulSet DaemonSet ReplicaSet Job CronJob HorizontalPodAutoscaler PodDisruptionBudget',
    'Ingress NetworkPolicy Role RoleBinding EndpointSlice Rollout ScaledObject ExternalSecret SealedSecret Certificate',
  ].flatMap((kinds) => kinds.split(' ')),
);

/**
 * Indexes the objects of one side.
 * @param entries rendered objects; hooks are left out, they are not part of the desired state
 * @param unrendered targets of this side that were not rendered: they may hold objects that this world does not know
 */
export function buildWorld(entries: readonly Entry[], unrendered: readonly Target[]): World {
  const kept = entries.filter((entry) => entry.hook === undefined || entry.hook.length === 0);
  const byKind = new Map<string, Entry[]>();
  const byIdentity = new Map<string, Entry>();
  const byNamespace = new Map<string, Entry[]>();
  for (const entry of kept) {
    const { group, kind, namespace, name } = entry.ref;
    push(byKind, `${group}/${kind}`, entry);
    byIdentity.set(identity(entry.target.scope, group, kind, namespace, name), entry);
    const home = namespace ?? (namespacedKinds.has(kind) ? 'default' : undefined);
    if (home !== undefined) push(byNamespace, `${entry.target.scope}\u0000${home}`, entry);
  }
  return {
    entries: kept,
    hooks: entries.filter((entry) => entry.hook !== undefined && entry.hook.length > 0),
    ofKind(group, kind, scope) {
      const all = byKind.get(`${group}/${kind}`) ?? [];
      return scope === undefined ? all : all.filter((entry) => entry.target.scope === scope);
    },
    get: (scope, group, kind, namespace, name) =>
      byIdentity.get(identity(scope, group, kind, namespace, name)) ??
      // A chart or folder that is deployed by hand names no namespace; everybody then uses that of the kubectl context.
      (namespace === 'default' ? byIdentity.get(identity(scope, group, kind, undefined, name)) : undefined),
    inNamespace: (scope, namespace) => byNamespace.get(`${scope}\u0000${namespace}`) ?? [],
    unseen(scope, namespace) {
      return unrendered
        .filter((target) => target.scope === scope && mayHold(target, namespace))
        .map((target) => target.name);
    },
  };
}

/** Could this target hold objects of the namespace? Without a default namespace anything is possible. */
function mayHold(target: Target, namespace: string | undefined): boolean {
  const own = target.afterRender.defaultNamespace;
  return namespace === undefined || own === undefined || own === namespace;
}

/** Indexes the objects of one cluster. */
export function buildLiveWorld(state: ClusterState): LiveWorld {
  const byKind = new Map<string, KubeObject[]>();
  const byIdentity = new Map<string, KubeObject>();
  const metrics = new Map<string, ContainerMetrics[]>();
  for (const object of state.objects) {
    const group = groupOf(object.apiVersion);
    push(byKind, `${group}/${object.kind}`, object);
    byIdentity.set(identity('', group, object.kind, object.metadata.namespace, object.metadata.name), object);
  }
  for (const metric of state.metrics) push(metrics, `${metric.namespace}/${metric.kind}/${metric.name}`, metric);
  const traffic = new Map(state.services.map((service) => [`${service.namespace}/${service.name}`, service]));
  const podsByNamespace = Map.groupBy(state.pods, (pods) => pods.namespace);
  const podsByOwner = new Map(
    state.pods.map((pods) => [`${pods.namespace}/${pods.owner.kind}/${pods.owner.name}`, pods] as const),
  );
  return {
    state,
    objects: state.objects,
    covers: coverage(state, byKind, podsByNamespace),
    ofKind: (group, kind) => byKind.get(`${group}/${kind}`) ?? [],
    get: (group, kind, namespace, name) => byIdentity.get(identity('', group, kind, namespace, name)),
    metrics: (namespace, kind, name) => metrics.get(`${namespace}/${kind}/${name}`) ?? [],
    traffic: (namespace, service) => traffic.get(`${namespace}/${service}`),
    pods: (namespace) => (namespace === undefined ? state.pods : (podsByNamespace.get(namespace) ?? [])),
    podsOf: (namespace, kind, name) => podsByOwner.get(`${namespace}/${kind}/${name}`),
    helmReleases: () => state.helmReleases,
  };
}
