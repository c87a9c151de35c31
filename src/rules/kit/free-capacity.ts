import { parseQuantity } from '../../core/quantity.ts';
import type { LiveWorld } from '../../core/rule.ts';
import { misfit } from './node-fit.ts';
import { amountsAt, podAmounts } from './pod-resources.ts';
import type { PodTemplate } from './pods.ts';

/**
 * How many more pods of a template the nodes take right now, beside what runs on them; undefined when nodes or pods were
 * not read, or nodes do not say what they have. Pods of a workload count with the requests of its largest one, so there
 * may be more room than this.
 */
export function roomFor(live: LiveWorld | undefined, template: PodTemplate): number | undefined {
  if (live?.covers('', 'Node') !== true || !live.covers('', 'Pod')) return undefined;
  const used = usedByNode(live);
  const wanted = podAmounts(template, 'requests');
  let room = 0;
  for (const node of live.ofKind('', 'Node')) {
    const allocatable = amountsAt(node, 'status', 'allocatable');
    if (Object.keys(allocatable).length === 0) return undefined;
    if (misfit(template, node, false) !== undefined) continue;
    const taken = used.get(node.metadata.name) ?? { cpu: 0, memory: 0, pods: 0 };
    const slots = [
      (allocatable['pods'] ?? 110) - taken.pods,
      share((allocatable['cpu'] ?? 0) - taken.cpu, wanted['cpu']),
      share((allocatable['memory'] ?? 0) - taken.memory, wanted['memory']),
    ];
    room += Math.max(0, Math.floor(Math.min(...slots)));
  }
  return room;
}

function share(free: number, wanted: number | undefined): number {
  return wanted === undefined || wanted === 0 ? Number.POSITIVE_INFINITY : free / wanted;
}

function usedByNode(live: LiveWorld): ReadonlyMap<string, { cpu: number; memory: number; pods: number }> {
  const used = new Map<string, { cpu: number; memory: number; pods: number }>();
  for (const { nodes, requests } of live.pods()) {
    const cpu = requests.cpu === undefined ? 0 : (parseQuantity(requests.cpu) ?? 0);
    const memory = requests.memory === undefined ? 0 : (parseQuantity(requests.memory) ?? 0);
    for (const [node, pods] of Object.entries(nodes)) {
      const sum = used.get(node) ?? { cpu: 0, memory: 0, pods: 0 };
      used.set(node, { cpu: sum.cpu + cpu * pods, memory: sum.memory + memory * pods, pods: sum.pods + pods });
    }
  }
  return used;
}
