import { quantityNanos } from '../../core/quantity.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { objectAt, objectsAt, textAt, valueAt } from '../fields.ts';

/** Nano units: exact sums. Absent: nothing is requested. */
export interface PodRequests {
  readonly cpu?: bigint;
  readonly memory?: bigint;
}

const resources = ['cpu', 'memory'] as const;
type Amounts = { -readonly [Name in keyof PodRequests]: bigint };

/**
 * What the scheduler counts for a pod (k8s.io/component-helpers resource.PodRequests, with the resources of the status
 * as clusters with in-place resize have them): containers and sidecars together, or the largest init container beside
 * the sidecars before it if that is more; requests of the pod itself win over both; overhead comes on top.
 */
export function podRequests(pod: JsonObject): PodRequests {
  const spec = objectAt(pod, 'spec');
  const statuses = resizedContainers(pod);
  const total: Amounts = {};
  const sidecars: Amounts = {};
  const init: Amounts = {};
  for (const container of objectsAt(spec, 'containers')) add(total, requestsOf(container, statuses));
  for (const container of objectsAt(spec, 'initContainers')) {
    if (container['restartPolicy'] === 'Always') {
      const amounts = requestsOf(container, statuses);
      add(total, amounts);
      add(sidecars, amounts);
      raise(init, sidecars);
    } else {
      const amounts = amountsOf(valueAt(container, 'resources', 'requests'));
      add(amounts, sidecars);
      raise(init, amounts);
    }
  }
  raise(total, init);
  Object.assign(total, amountsOf(valueAt(spec, 'resources', 'requests')));
  add(total, amountsOf(valueAt(spec, 'overhead')));
  return total;
}

/** The larger of two in each resource. */
export function largerRequests(left: PodRequests, right: PodRequests): PodRequests {
  const result = { ...left };
  raise(result, right);
  return result;
}

interface Resized {
  readonly infeasible: boolean;
  readonly statuses: ReadonlyMap<string, JsonObject>;
}

/** Statuses that say what a container has while it is resized. */
function resizedContainers(pod: JsonObject): Resized {
  const lists = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => objectsAt(pod, 'status', list));
  const resize = objectsAt(pod, 'status', 'conditions').find(({ type }) => type === 'PodResizePending');
  return {
    infeasible: resize?.['reason'] === 'Infeasible',
    statuses: new Map(
      lists.flatMap((status) => {
        const name = textAt(status, 'name');
        return name === undefined || valueAt(status, 'resources') === undefined ? [] : [[name, status]];
      }),
    ),
  };
}

function requestsOf(container: JsonObject, { infeasible, statuses }: Resized): Amounts {
  const own = amountsOf(valueAt(container, 'resources', 'requests'));
  const status = statuses.get(textAt(container, 'name') ?? '');
  if (status === undefined) return own;
  const now = amountsOf(valueAt(status, 'resources', 'requests'));
  raise(now, amountsOf(valueAt(status, 'allocatedResources')));
  if (!infeasible) raise(now, own);
  return now;
}

function amountsOf(list: Json | undefined): Amounts {
  const result: Amounts = {};
  for (const name of resources) {
    const text = valueAt(list, name);
    const amount = typeof text === 'string' || typeof text === 'number' ? quantityNanos(text) : undefined;
    if (amount !== undefined) result[name] = amount;
  }
  return result;
}

function add(into: Amounts, amounts: PodRequests): void {
  for (const name of resources) {
    const amount = amounts[name];
    if (amount !== undefined) into[name] = (into[name] ?? 0n) + amount;
  }
}

function raise(into: Amounts, amounts: PodRequests): void {
  for (const name of resources) {
    const amount = amounts[name];
    const known = into[name];
    if (amount !== undefined && (known === undefined || known < amount)) into[name] = amount;
  }
}
