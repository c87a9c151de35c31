import type { ClusterState } from '../../src/core/cluster.ts';
import type { LiveWorld } from '../../src/core/rule.ts';
import { buildLiveWorld } from '../../src/rules/kit/world.ts';
import { groupOf } from '../../src/core/json.ts';

/** A live world that writes down which kinds (`group/Kind`) it is asked for; `*` when something looks at all objects. */
export function recording(state: ClusterState, asked: Set<string>): LiveWorld {
  const world = buildLiveWorld(state);
  const all = <T>(value: T): T => {
    asked.add('*');
    return value;
  };
  return {
    state: new Proxy(state, {
      get: (target, key) => {
        if (['objects', 'pods', 'kinds', 'kindsInNamespaces', 'helmReleases'].includes(String(key))) asked.add('*');
        return Reflect.get(target, key) as unknown;
      },
    }),
    get objects() {
      return all(world.objects);
    },
    covers: (group, kind, namespace) => {
      asked.add(`${group}/${kind}`);
      return world.covers(group, kind, namespace);
    },
    ofKind: (group, kind) => {
      asked.add(`${group}/${kind}`);
      return world.ofKind(group, kind);
    },
    get: (group, kind, namespace, name) => {
      asked.add(`${group}/${kind}`);
      return world.get(group, kind, namespace, name);
    },
    metrics: (namespace, kind, name) => world.metrics(namespace, kind, name),
    traffic: (namespace, service) => world.traffic(namespace, service),
    pods: (namespace) => {
      asked.add('/Pod');
      return world.pods(namespace);
    },
    podsOf: (namespace, kind, name) => {
      asked.add('/Pod');
      return world.podsOf(namespace, kind, name);
    },
    helmReleases: () => {
      asked.add('helm/Release');
      return world.helmReleases();
    },
  };
}

/** The world as a cluster gives it when only some kinds are asked for. What was read of those stays as it is. */
export function restricted(state: ClusterState, kinds: ReadonlySet<string>): LiveWorld {
  const all = buildLiveWorld(state);
  const some = buildLiveWorld({
    ...state,
    objects: state.objects.filter((object) => kinds.has(`${groupOf(object.apiVersion)}/${object.kind}`)),
    pods: kinds.has('/Pod') ? state.pods : [],
    helmReleases: kinds.has('helm/Release') ? state.helmReleases : [],
  });
  return {
    ...some,
    covers: (group, kind, namespace) => kinds.has(`${group}/${kind}`) && all.covers(group, kind, namespace),
  };
}
