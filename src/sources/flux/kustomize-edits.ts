import type { FluxKustomizeEdits, Json, JsonObject, KustomizePatchSet } from '../../core/model.ts';
import { get, objects, text, texts } from '../argocd/values.ts';

/**
 * `patches`, and the older patchesStrategicMerge and patchesJson6902, as entries of a kustomization's `patches`, in
 * the order in which kustomize runs them. Only `patch` and `target` are read
 * (fluxcd/pkg/kustomize kustomize_generator.go, getPatches; apis/kustomize kustomize_types.go).
 */
export function patchesOf(holder: JsonObject | undefined): readonly JsonObject[] {
  const strategic = objects(get(holder, 'patchesStrategicMerge')).map((patch): JsonObject => ({
    patch: JSON.stringify(patch),
  }));
  const patches = objects(get(holder, 'patches')).map((entry) =>
    patchEntry(get(entry, 'patch') ?? '', get(entry, 'target')),
  );
  const json = objects(get(holder, 'patchesJson6902')).map((entry) =>
    patchEntry(JSON.stringify(get(entry, 'patch') ?? []), get(entry, 'target')),
  );
  return [...strategic, ...patches, ...json];
}

function patchEntry(patch: Json, target: Json | undefined): JsonObject {
  return target === undefined || target === null ? { patch } : { patch, target };
}

/** `images` with the fields that Flux knows. */
export function imagesOf(holder: JsonObject | undefined): readonly JsonObject[] {
  return objects(get(holder, 'images')).map((image) => {
    const result: JsonObject = {};
    for (const field of ['name', 'newName', 'newTag', 'digest']) {
      const value = get(image, field);
      if (value !== undefined) result[field] = value;
    }
    return result;
  });
}

/** `postRenderers[].kustomize` of a HelmRelease, in order; undefined when there are none. */
export function postRenderersOf(spec: JsonObject | undefined): readonly KustomizePatchSet[] | undefined {
  const sets = objects(get(spec, 'postRenderers')).flatMap((entry) => {
    const kustomize = get(entry, 'kustomize');
    if (typeof kustomize !== 'object' || kustomize === null || Array.isArray(kustomize)) return [];
    return [{ patches: patchesOf(kustomize), images: imagesOf(kustomize) }];
  });
  return sets.length === 0 ? undefined : sets;
}

/** The fields of a Kustomization's spec that Flux writes into the kustomization file before it builds. */
export function editsOf(spec: JsonObject | undefined, ignore: string | undefined): FluxKustomizeEdits {
  const patches = patchesOf(spec);
  const images = imagesOf(spec);
  const components = texts(get(spec, 'components'));
  const targetNamespace = text(get(spec, 'targetNamespace'));
  const namePrefix = text(get(spec, 'namePrefix'));
  const nameSuffix = text(get(spec, 'nameSuffix'));
  return {
    ...(targetNamespace === undefined ? {} : { targetNamespace }),
    ...(namePrefix === undefined ? {} : { namePrefix }),
    ...(nameSuffix === undefined ? {} : { nameSuffix }),
    ...(patches.length === 0 ? {} : { patches }),
    ...(components.length === 0 ? {} : { components }),
    ...(get(spec, 'ignoreMissingComponents') === true ? { ignoreMissingComponents: true } : {}),
    ...(images.length === 0 ? {} : { images }),
    ...(ignore === undefined ? {} : { ignore }),
  };
}
