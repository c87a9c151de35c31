import type { Entry } from '../../core/model.ts';
import { stringMapAt } from './pods.ts';

/** Does the engine delete and create this object when the API server refuses the update? The setting that says so. */
export function recreates(entry: Entry): string | undefined {
  const { apply, engine } = entry.target;
  const annotations = stringMapAt(entry.object, 'metadata', 'annotations');
  if (engine === 'argocd') {
    const options = (annotations['argocd.argoproj.io/sync-options'] ?? '').split(',').map((option) => option.trim());
    if (options.includes('Force=true')) return 'sync option Force=true on the object';
    if (options.includes('Force=false')) return undefined;
    return apply.force === true ? 'sync option Force=true of the Application' : undefined;
  }
  if (engine === 'flux' && apply.mode !== 'helm') {
    const own = annotations['kustomize.toolkit.fluxcd.io/force']?.toLowerCase();
    if (own === 'enabled') return 'kustomize.toolkit.fluxcd.io/force: enabled';
    return apply.force === true ? 'spec.force of the Kustomization' : undefined;
  }
  return undefined;
}

/**
 * Argo CD runs `kubectl auth reconcile` on `rbac.authorization.k8s.io/v1` before it applies, and that deletes and creates
 * a binding whose `roleRef` differs (gitops-engine resource_ops.go rbacReconcile).
 */
export function reconcilesRole(entry: Entry): boolean {
  const { group, version, kind } = entry.ref;
  if (entry.target.engine !== 'argocd' || group !== 'rbac.authorization.k8s.io' || version !== 'v1') return false;
  return kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
}
