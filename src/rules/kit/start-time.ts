import type { Entry, KubeObject } from '../../core/model.ts';
import type { LiveWorld } from '../../core/rule.ts';
import { at, listAt, podTemplate, stringAt, stringMapAt } from './pods.ts';
import { matchesLabels } from './select.ts';

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
  const labels = podTemplate(entry.effective)?.labels ?? {};
  if (Object.keys(labels).length === 0) return undefined;
  let fastest: number | undefined;
  for (const pod of live.ofKind('', 'Pod')) {
    if (pod.metadata.namespace !== namespace) continue;
    if (!matchesLabels(labels, stringMapAt(pod, 'metadata', 'labels'))) continue;
    const seconds = readyAfter(pod, container);
    if (seconds !== undefined && (fastest === undefined || seconds < fastest)) fastest = seconds;
  }
  return fastest === undefined
    ? undefined
    : { seconds: fastest, source: 'fastest running pod, container start to Ready' };
}

function readyAfter(pod: KubeObject, container: string): number | undefined {
  const ready = listAt(pod, 'status', 'conditions').find(
    (condition) => stringAt(condition, 'type') === 'Ready' && stringAt(condition, 'status') === 'True',
  );
  const status = listAt(pod, 'status', 'containerStatuses').find(
    (candidate) => stringAt(candidate, 'name') === container,
  );
  if (ready === undefined || at(status, 'restartCount') !== 0) return undefined;
  const started = Date.parse(stringAt(status, 'state', 'running', 'startedAt') ?? '');
  const became = Date.parse(stringAt(ready, 'lastTransitionTime') ?? '');
  const seconds = Math.round((became - started) / 1000);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
