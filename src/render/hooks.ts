import type { Engine, KubeObject, Manifest } from '../core/model.ts';

const argocdHook = 'argocd.argoproj.io/hook';
const helmHook = 'helm.sh/hook';

/**
 * Phases of an object that is a hook: Argo CD's own annotation wins over Helm's (gitops-engine hook.Types).
 * Undefined: not a hook.
 */
export function hookPhases(object: KubeObject): readonly string[] | undefined {
  return phases(object, argocdHook) ?? phases(object, helmHook);
}

function phases(object: KubeObject, annotation: string): readonly string[] | undefined {
  const value: unknown = object.metadata.annotations?.[annotation];
  if (typeof value !== 'string') return undefined;
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 0 ? undefined : names;
}

/**
 * Keeps the hook mark only where the engine runs hooks: Argo CD both kinds, Helm and Flux's HelmRelease Helm's own,
 * Flux's Kustomization none. For plain folders and overlays the engine is not known, so both count.
 */
export function hooksOfEngine(manifests: readonly Manifest[], engine: Engine, sourceType: string): readonly Manifest[] {
  if (engine === 'argocd' || engine === 'plain' || engine === 'kustomize') return manifests;
  const helmRuns = sourceType === 'helm';
  return manifests.map((manifest) => {
    if (manifest.hook === undefined) return manifest;
    const hook = helmRuns ? phases(manifest.object, helmHook) : undefined;
    const { hook: _dropped, ...rest } = manifest;
    return hook === undefined ? rest : { ...rest, hook };
  });
}
