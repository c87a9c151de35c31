import type { ClusterState, WorkloadPods } from '../../core/cluster.ts';
import type { KubeObject } from '../../core/model.ts';
import type { LiveWorld } from '../../core/rule.ts';

/**
 * What of a cluster was read completely. A kind that could not be read is never covered; one that the cluster does not
 * serve is: there is none. Namespaces count one by one when the kind was read in some only.
 */
export function coverage(
  state: ClusterState,
  byKind: ReadonlyMap<string, readonly KubeObject[]>,
  podsByNamespace: ReadonlyMap<string, readonly WorkloadPods[]>,
): LiveWorld['covers'] {
  const served = servedKinds(state.apiVersions);
  const namespaces = new Set([
    ...state.objects.map((object) => object.metadata.namespace),
    ...podsByNamespace.keys(),
    ...state.helmReleases.map((release) => release.namespace),
  ]);
  /**
   * A dump without a header may hold one namespace only. Of a namespace that it shows nothing of, nothing is known,
   * unless the kind was seen in several namespaces, or the list of Namespaces says that it does not exist.
   */
  const readIn = (key: string, namespace: string): boolean => {
    if (state.allNamespaces === true || namespaces.has(namespace)) return true;
    const listed = byKind.get('/Namespace') ?? [];
    if (listed.length > 0 && !listed.some((object) => object.metadata.name === namespace)) return true;
    if (key === '/Pod') return podsByNamespace.size > 1;
    return new Set((byKind.get(key) ?? []).map((object) => object.metadata.namespace)).size > 1;
  };
  return (group, kind, namespace) => {
    const key = `${group}/${kind}`;
    // A list of the whole cluster may be forbidden while one of this namespace is not.
    if (namespace !== undefined && state.kindsInNamespaces?.get(key)?.has(namespace) === true) return true;
    const unread = state.unread.some(
      (entry) =>
        // `group/*`: the extension API server of the group is away, so that nothing of it is known.
        (entry.kind === key || entry.kind === `${group}/*`) &&
        (namespace === undefined || entry.namespaces === undefined || entry.namespaces.includes(namespace)),
    );
    if (unread) return false;
    if (served?.(group, key) === false) return true;
    return state.kinds.has(key) && (namespace === undefined || readIn(key, namespace));
  };
}

/**
 * Does the cluster serve a kind? Undefined when its APIs are not known. Only a list that names core kinds (`v1/Pod`)
 * is taken to be complete: one that somebody wrote by hand for Helm often is not.
 */
function servedKinds(
  apiVersions: readonly string[] | undefined,
): ((group: string, key: string) => boolean) | undefined {
  if (apiVersions?.includes('v1/Pod') !== true) return undefined;
  const kinds = new Set<string>();
  const groups = new Set<string>();
  for (const text of apiVersions) {
    const parts = text.split('/');
    const core = /^v\d/.test(parts[0] ?? '');
    const kind = parts[core ? 1 : 2];
    const group = core ? '' : (parts[0] ?? '');
    if (kind === undefined) continue;
    kinds.add(`${group}/${kind}`);
    groups.add(group);
  }
  // A group that names versions only is served, with kinds that nobody listed.
  for (const text of apiVersions) {
    const [group = ''] = text.split('/');
    if (!/^v\d/.test(group) && !groups.has(group)) groups.add(`${group}/*`);
  }
  return (group, key) => kinds.has(key) || groups.has(`${group}/*`);
}
