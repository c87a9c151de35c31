import { parseQuantity } from '../../core/quantity.ts';
import type { PodTemplate } from './pods.ts';
import { at, containersOf, listAt, stringAt } from './pods.ts';

/** Amounts by resource name in base units (cores, bytes): `{cpu: 0.5, memory: 1073741824}`. */
export type Amounts = Readonly<Record<string, number>>;

/** Container defaults of the LimitRanges of a namespace, as the LimitRanger admission plugin fills them in. */
export interface ContainerDefaults {
  readonly limits: Amounts;
  readonly requests: Amounts;
}

export const noDefaults: ContainerDefaults = { limits: {}, requests: {} };

/** A quantity at a place as a number, or undefined when there is none or it is malformed. */
export function quantityAt(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = at(value, ...keys);
  return typeof found === 'string' || typeof found === 'number' ? parseQuantity(found) : undefined;
}

/** A map of quantities; malformed ones are left out. */
export function amountsAt(value: unknown, ...keys: readonly string[]): Record<string, number> {
  const found = at(value, ...keys);
  const result: Record<string, number> = {};
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return result;
  for (const [name, text] of Object.entries(found)) {
    if (name === '__proto__' || (typeof text !== 'string' && typeof text !== 'number')) continue;
    const amount = parseQuantity(text);
    if (amount !== undefined) result[name] = amount;
  }
  return result;
}

/**
 * Container defaults of LimitRange objects of one namespace.
 * `default` falls back to `max`, `defaultRequest` to `default`, then `min` (k8s pkg/apis/core/v1/defaults.go).
 */
export function containerDefaults(limitRanges: readonly unknown[]): ContainerDefaults {
  const limits: Record<string, number> = {};
  const requests: Record<string, number> = {};
  for (const range of limitRanges) {
    for (const item of listAt(range, 'spec', 'limits')) {
      if (stringAt(item, 'type') !== 'Container') continue;
      const itemLimits = { ...amountsAt(item, 'max'), ...amountsAt(item, 'default') };
      const itemRequests = {
        ...amountsAt(item, 'min'),
        ...itemLimits,
        ...amountsAt(item, 'defaultRequest'),
      };
      Object.assign(limits, itemLimits);
      Object.assign(requests, itemRequests);
    }
  }
  return { limits, requests };
}

/** Requests and limits of one container after API defaulting (requests copy limits) and LimitRange defaults. */
export function containerResources(
  container: unknown,
  defaults: ContainerDefaults = noDefaults,
): { readonly requests: Amounts; readonly limits: Amounts } {
  const ownLimits = amountsAt(container, 'resources', 'limits');
  const ownRequests = amountsAt(container, 'resources', 'requests');
  // Requests are copied from the container's own limits before LimitRanger runs.
  const requests = { ...defaults.requests, ...ownLimits, ...ownRequests };
  return { requests, limits: { ...defaults.limits, ...ownLimits } };
}

/**
 * What one pod counts for in the scheduler and in quota (k8s.io/component-helpers resource.PodRequests/PodLimits):
 * containers plus sidecars, or the largest init container if that is more, plus overhead; pod-level resources win.
 */
export function podAmounts(
  template: PodTemplate,
  field: 'requests' | 'limits',
  defaults: ContainerDefaults = noDefaults,
): Amounts {
  const total: Record<string, number> = {};
  const sidecars: Record<string, number> = {};
  const init: Record<string, number> = {};
  for (const { container, list, sidecar } of containersOf(template)) {
    const amounts = containerResources(container, defaults)[field];
    if (list === 'containers') add(total, amounts);
    else if (sidecar) {
      add(total, amounts);
      add(sidecars, amounts);
      raise(init, sidecars);
    } else {
      const here = { ...amounts };
      add(here, sidecars);
      raise(init, here);
    }
  }
  raise(total, init);
  Object.assign(total, amountsAt(template.spec, 'resources', field));
  add(total, amountsAt(template.spec, 'overhead'));
  return total;
}

/** Containers (init ones too) that set no amount for a resource, also not through defaults. */
export function containersWithout(
  template: PodTemplate,
  field: 'requests' | 'limits',
  resource: string,
  defaults: ContainerDefaults = noDefaults,
): readonly string[] {
  if (amountsAt(template.spec, 'resources', field)[resource] !== undefined) return [];
  return containersOf(template).flatMap(({ container }) =>
    containerResources(container, defaults)[field][resource] === undefined ? [String(container.name ?? '')] : [],
  );
}

function add(into: Record<string, number>, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) into[name] = (into[name] ?? 0) + amount;
}

function raise(into: Record<string, number>, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) into[name] = Math.max(into[name] ?? 0, amount);
}
