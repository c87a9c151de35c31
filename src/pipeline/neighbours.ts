import type { ResourceChange, Target } from '../core/model.ts';
import type { Selected } from './selection.ts';

/** Kinds that objects of other targets refer to: removing or changing one can break a target that the change does not touch. */
const providers = new Set([
  'ConfigMap',
  'Secret',
  'Service',
  'ServiceAccount',
  'PersistentVolumeClaim',
  'Namespace',
  'ResourceQuota',
  'LimitRange',
  'PodDisruptionBudget',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'CustomResourceDefinition',
  'APIService',
]);

const workloads = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout']);

/** Could this change break or be explained by objects of a target that it does not touch? */
function reachesOthers(change: ResourceChange): boolean {
  if (providers.has(change.ref.kind)) return change.impact !== 'none' && change.impact !== 'metadata';
  if (!workloads.has(change.ref.kind)) return false;
  if (change.action === 'removed' || change.action === 'renamed') return true;
  return change.fields.some((field) => field.path.startsWith('/spec/template/metadata/labels'));
}

/**
 * Unaffected targets that share a cluster (and possibly a namespace) with a change that reaches beyond its own target.
 * They are rendered too, so that rules see who depends on what goes away.
 */
export function neighbours(changes: readonly ResourceChange[], selection: readonly Selected[]): readonly Selected[] {
  const touched: { readonly scope: string; readonly namespace: string | undefined }[] = [];
  for (const change of changes) {
    const target = (change.after ?? change.before)?.target;
    if (target !== undefined && reachesOthers(change)) {
      touched.push({ scope: target.scope, namespace: change.ref.namespace });
    }
  }
  if (touched.length === 0) return [];
  return selection.filter((selected) => {
    if (selected.action !== 'skip' || selected.status !== 'unaffected' || selected.after === undefined) return false;
    return touched.some((place) => mayShare(selected.after, place));
  });
}

function mayShare(target: Target | undefined, place: { scope: string; namespace: string | undefined }): boolean {
  if (target === undefined || target.scope !== place.scope) return false;
  const own = target.afterRender.defaultNamespace;
  return place.namespace === undefined || own === undefined || own === place.namespace;
}
