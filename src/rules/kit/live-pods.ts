import type { ContainerPods, WorkloadPods } from '../../core/cluster.ts';
import type { Entry } from '../../core/model.ts';
import type { LiveWorld } from '../../core/rule.ts';
import { podTemplate } from './pods.ts';
import { matchesLabels } from './select.ts';

/**
 * The pods that a workload of Git runs with: those that it owns, else pods without an owner that have all labels of its
 * template. [] when there are none, and when pods were not read.
 */
export function podsOf(live: LiveWorld | undefined, { ref, effective }: Entry): readonly WorkloadPods[] {
  if (live === undefined) return [];
  const namespace = ref.namespace ?? 'default';
  const own = live.podsOf(namespace, ref.kind, ref.name);
  if (own !== undefined) return [own];
  const labels = podTemplate(effective)?.labels ?? {};
  if (Object.keys(labels).length === 0) return [];
  return live.pods(namespace).filter((pods) => pods.owner.kind === 'Pod' && matchesLabels(labels, pods.labels));
}

/** One container of a workload over its pods. */
export function containerPods(live: LiveWorld | undefined, entry: Entry, container: string): readonly ContainerPods[] {
  return podsOf(live, entry).flatMap((pods) => pods.containers.filter(({ name }) => name === container));
}

/** Pods that have not ended. */
export function activePods(pods: Pick<WorkloadPods, 'total' | 'phases'>): number {
  return pods.total - (pods.phases['Succeeded'] ?? 0) - (pods.phases['Failed'] ?? 0);
}

/** Pods in which the container was last ended by the kernel for lack of memory. */
export function oomKilled(containers: readonly ContainerPods[]): number {
  return containers.reduce((sum, { lastTerminated }) => sum + (lastTerminated['OOMKilled'] ?? 0), 0);
}
