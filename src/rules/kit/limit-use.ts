import { parseQuantity } from '../../core/quantity.ts';
import type { Confidence, Entry, Severity } from '../../core/model.ts';
import type { LiveWorld } from '../../core/rule.ts';
import { containerPods, oomKilled } from './live-pods.ts';

export type LimitedResource = 'memory' | 'cpu';

/** What a container uses at the 99th percentile. */
export interface Usage {
  readonly amount: number;
  readonly text: string;
}

/** Measured use of a container; undefined when nobody measured it. */
export function usageOf(
  live: LiveWorld | undefined,
  entry: Entry,
  container: string,
  resource: LimitedResource,
): Usage | undefined {
  const { kind, name, namespace = 'default' } = entry.ref;
  const metric = live?.metrics(namespace, kind, name).find((candidate) => candidate.container === container);
  const text = resource === 'memory' ? metric?.memoryWorkingSetP99 : metric?.cpuP99;
  const amount = text === undefined ? undefined : parseQuantity(text);
  return text === undefined || amount === undefined ? undefined : { amount, text };
}

/** Pods in which the kernel has ended the container for lack of memory, under the limit that is in force now. */
export function killsUnderPresentLimit(live: LiveWorld | undefined, entry: Entry, container: string): number {
  return oomKilled(containerPods(live, entry, container));
}

export interface LimitJudgement {
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly facts: readonly string[];
}

/** Usage against the new limit. Undefined: the cluster shows that the limit leaves 30 % of room. */
export function judgeLimit(
  limit: number,
  usage: Usage | undefined,
  resource: LimitedResource,
  killed: number,
): LimitJudgement | undefined {
  const share = usage === undefined ? 0 : Math.round((usage.amount / limit) * 100);
  const facts = [
    ...(usage === undefined ? [] : [`live: 99th percentile of use ${usage.text} = ${share} % of the new limit`]),
    ...(killed === 0 ? [] : [`live: OOMKilled in ${killed} ${killed === 1 ? 'pod' : 'pods'} under the present limit`]),
  ];
  // What did not fit into more does not fit into less, also when a percentile hides the peak.
  if (resource === 'memory' && killed > 0) return { severity: 'critical', confidence: 'proven', facts };
  if (usage === undefined) return { severity: 'high', confidence: 'hint', facts };
  if (usage.amount >= limit)
    return { severity: resource === 'memory' ? 'critical' : 'high', confidence: 'proven', facts };
  if (usage.amount * 1.3 <= limit) return undefined;
  return { severity: 'high', confidence: 'likely', facts };
}
