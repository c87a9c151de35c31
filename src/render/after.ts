import type { AfterRender, Engine, KubeObject, Manifest } from '../core/model.ts';
import { refOf } from './objects.ts';
import { createScopes, scopesInCrds } from './scope.ts';
import type { Scopes } from './scope.ts';

/** Gives namespaced objects without a namespace this one. Objects are copied where they change. */
export function setDefaultNamespace(
  manifests: readonly Manifest[],
  namespace: string,
  scopes: Scopes = createScopes(),
): Manifest[] {
  return manifests.map((manifest) => {
    const { object, ref } = manifest;
    if (object.metadata.namespace !== undefined || scopes.isClusterScoped(ref.group, ref.kind)) return manifest;
    return withMetadata(manifest, { ...object.metadata, namespace });
  });
}

/**
 * What the engine does with rendered objects before it applies them, in its order: namespaces, common metadata,
 * created Namespace, and for Argo CD the objects that occur twice.
 * Substitution of variables is not in here: it works on text, see substitute.ts.
 * @param extraScopes scopes from CustomResourceDefinitions known from elsewhere
 * @returns new manifests and warnings for people
 */
export function applyAfterRender(
  manifests: readonly Manifest[],
  after: AfterRender,
  engine: Engine,
  extraScopes: ReadonlyMap<string, 'Cluster' | 'Namespaced'> = new Map(),
): { readonly manifests: readonly Manifest[]; readonly warnings: readonly string[] } {
  const found = scopesInCrds(manifests.map((manifest) => manifest.object));
  const scopes = createScopes(new Map([...extraScopes, ...found]));
  const warnings: string[] = [];
  let result: readonly Manifest[] = manifests;
  if (engine === 'argocd') result = result.map((manifest) => dropNamespace(manifest, scopes));
  if (after.defaultNamespace !== undefined) result = setDefaultNamespace(result, after.defaultNamespace, scopes);
  if (after.commonMetadata !== undefined) {
    const { labels, annotations } = after.commonMetadata;
    result = result.map((manifest) => addMetadata(manifest, labels, annotations));
  }
  result = addNamespace(result, after);
  if (engine === 'argocd') result = lastWins(result, warnings);
  // A namespace on a cluster-scoped object means nothing to the API server; the identity leaves it out.
  result = result.map((manifest) => {
    if (manifest.ref.namespace === undefined || !scopes.isClusterScoped(manifest.ref.group, manifest.ref.kind))
      return manifest;
    const { namespace: _none, ...ref } = manifest.ref;
    return { ...manifest, ref };
  });
  return { manifests: result, warnings };
}

/** Argo CD `NormalizeTargetObjects` (controller/state.go): cluster-scoped objects lose their namespace. */
function dropNamespace(manifest: Manifest, scopes: Scopes): Manifest {
  const { namespace, ...metadata } = manifest.object.metadata;
  if (namespace === undefined || !scopes.isClusterScoped(manifest.ref.group, manifest.ref.kind)) return manifest;
  return withMetadata(manifest, metadata as KubeObject['metadata']);
}

/** Argo CD `NormalizeTargetObjects`: of objects with one identity the last is applied, with RepeatedResourceWarning. */
function lastWins(manifests: readonly Manifest[], warnings: string[]): readonly Manifest[] {
  const last = new Map<string, number>();
  const twice = new Map<string, number>();
  manifests.forEach((manifest, index) => {
    const { group, kind, namespace, name } = manifest.ref;
    const key = `${group}/${kind}/${namespace ?? ''}/${name}`;
    if (last.has(key)) twice.set(key, (twice.get(key) ?? 1) + 1);
    last.set(key, index);
  });
  if (twice.size === 0) return manifests;
  for (const [key, count] of twice) {
    warnings.push(`${key.replace(/^\//, '')} is rendered ${count} times; Argo CD applies the last one`);
  }
  const kept = new Set(last.values());
  return manifests.filter((_manifest, index) => kept.has(index));
}

type Strings = Readonly<Record<string, string>> | undefined;

/** Flux commonMetadata: overrides labels and annotations of every object (fluxcd/pkg/ssa SetCommonMetadata). */
function addMetadata(manifest: Manifest, labels: Strings, annotations: Strings): Manifest {
  const { metadata } = manifest.object;
  return withMetadata(manifest, {
    ...metadata,
    ...(labels === undefined ? {} : { labels: { ...metadata.labels, ...labels } }),
    ...(annotations === undefined ? {} : { annotations: { ...metadata.annotations, ...annotations } }),
  });
}

function addNamespace(manifests: readonly Manifest[], after: AfterRender): readonly Manifest[] {
  const created = after.createNamespace;
  if (created === undefined) return manifests;
  const exists = manifests.some(({ ref }) => ref.group === '' && ref.kind === 'Namespace' && ref.name === created.name);
  if (exists) return manifests;
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: created.name,
      ...(created.labels === undefined ? {} : { labels: { ...created.labels } }),
      ...(created.annotations === undefined ? {} : { annotations: { ...created.annotations } }),
    },
  };
  return [...manifests, { ref: refOf(object), object, provenance: {} }];
}

function withMetadata(manifest: Manifest, metadata: KubeObject['metadata']): Manifest {
  const object: KubeObject = { ...manifest.object, metadata };
  return { ...manifest, object, ref: refOf(object) };
}
