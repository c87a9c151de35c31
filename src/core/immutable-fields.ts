import type { KubeObject } from './model.ts';
import { compareQuantities } from './quantity.ts';

/** The value below own properties only; undefined when the way breaks off. */
export function field(object: unknown, segments: readonly string[]): unknown {
  let value = object;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}

export function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0;
}

export function present(before: KubeObject, after: KubeObject, path: readonly string[], value: string): boolean {
  return field(before, path) === value || field(after, path) === value;
}

export function sameSet(left: unknown, right: unknown): boolean {
  const a = new Set<unknown>(Array.isArray(left) ? left : []);
  const b = new Set<unknown>(Array.isArray(right) ? right : []);
  return a.size === b.size && [...a].every((item) => b.has(item));
}

export function shrinks(before: KubeObject, after: KubeObject): boolean {
  const path = ['spec', 'resources', 'requests', 'storage'];
  const old = field(before, path);
  const now = field(after, path);
  if (!isQuantityText(old) || !isQuantityText(now)) return false;
  return (compareQuantities(now, old) ?? 0) < 0;
}

function isQuantityText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** A Pod's spec without what may change in place. */
export function fixedPodSpec(pod: KubeObject): unknown {
  const spec = field(pod, ['spec']);
  if (typeof spec !== 'object' || spec === null) return spec;
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    terminationGracePeriodSeconds: _grace,
    schedulingGates: _gates,
    ...rest
  } = spec as Record<string, unknown>;
  for (const list of ['containers', 'initContainers']) {
    const items = rest[list];
    if (!Array.isArray(items)) continue;
    rest[list] = items.map((item: unknown) =>
      typeof item === 'object' && item !== null ? { ...item, image: undefined, imagePullPolicy: undefined } : item,
    );
  }
  return rest;
}
