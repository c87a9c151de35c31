import type { Entry, KubeObject } from '../core/model.ts';
import { type Fields, own } from './defaults/fill.ts';

/**
 * Does the engine apply the object at all? Flux leaves objects alone that carry `ssa: Ignore` or `reconcile: disabled`,
 * in Git or in the cluster, and creates those with `ssa: IfNotPresent` once (kustomize_controller.go apply,
 * ssa/manager_apply.go shouldSkipApply); helm-controller does not compare those with `driftDetection: disabled`.
 */
export function engineHandling(entry: Entry, live: KubeObject | undefined): 'left-alone' | 'created-once' | 'applied' {
  if (entry.target.engine !== 'flux') return 'applied';
  const marks = [entry.object, ...(live === undefined ? [] : [live])];
  const has = (name: string, value: string, objects = marks): boolean =>
    objects.some(({ metadata }) =>
      [metadata.labels, metadata.annotations].some(
        (map) => map !== undefined && String(own(map, name)).toLowerCase() === value,
      ),
    );
  if (has('kustomize.toolkit.fluxcd.io/ssa', 'ignore') || has('kustomize.toolkit.fluxcd.io/reconcile', 'disabled')) {
    return 'left-alone';
  }
  if (
    has('helm.toolkit.fluxcd.io/driftdetection', 'disabled') ||
    has('helm.toolkit.fluxcd.io/driftDetection', 'disabled')
  ) {
    return 'left-alone';
  }
  return has('kustomize.toolkit.fluxcd.io/ssa', 'ifnotpresent', [entry.object]) ? 'created-once' : 'applied';
}

/** A finished Job with a time to live goes away by itself (TTL-after-finished controller). */
export function removesItself(object: KubeObject): boolean {
  const spec = object['spec'] as Fields | undefined;
  return object.kind === 'Job' && spec !== undefined && typeof own(spec, 'ttlSecondsAfterFinished') === 'number';
}

/** Why the object is still there though it is deleted. */
export function deleting(live: KubeObject, since: string): string {
  const finalizers = own(live.metadata, 'finalizers');
  const held =
    Array.isArray(finalizers) && finalizers.length > 0 ? `, held by ${finalizers.slice(0, 3).join(', ')}` : '';
  return `it is being deleted since ${since}${held}`;
}
