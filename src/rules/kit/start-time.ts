import type { Entry } from '../../core/model.ts';
import type { LiveWorld } from '../../core/rule.ts';
import { containerPods } from './live-pods.ts';

/**
 * How long a container needed to become ready, from metrics (p95) or, without them, from the running pods:
 * the fastest of those that never restarted, because a later readiness flip only makes the figure larger.
 */
export function startSeconds(
  live: LiveWorld,
  entry: Entry,
  container: string,
): { readonly seconds: number; readonly source: string } | undefined {
  const { kind, name, namespace = 'default' } = entry.ref;
  const metric = live
    .metrics(namespace, kind, name)
    .find((candidate) => candidate.container === container && candidate.startSecondsP95 !== undefined);
  if (metric?.startSecondsP95 !== undefined) return { seconds: metric.startSecondsP95, source: '95th percentile' };
  const seen = containerPods(live, entry, container).flatMap((pods) => pods.startSeconds ?? []);
  return seen.length === 0
    ? undefined
    : { seconds: Math.min(...seen), source: 'fastest running pod, container start to Ready' };
}
