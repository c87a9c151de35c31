import type { Entry, KubeObject, Manifest, RenderResult, Target } from '../core/model.ts';
import { withDefaults } from './defaults.ts';

/** Both sides of one target, as far as both can be trusted. */
export interface TargetPair {
  readonly id: string;
  readonly before: readonly Manifest[];
  readonly after: readonly Manifest[];
  readonly beforeTarget?: Target;
  readonly afterTarget?: Target;
}

/**
 * Joins the targets of both sides by id. A target that did not render on a side where it exists is left out on both:
 * its objects are neither deleted nor unchanged, they are unknown.
 */
export function joinTargets(
  before: readonly RenderResult[],
  after: readonly RenderResult[],
): { readonly pairs: readonly TargetPair[]; readonly withheld: readonly Target[] } {
  const left = new Map(before.map((result) => [result.target.id, result]));
  const right = new Map(after.map((result) => [result.target.id, result]));
  const pairs: TargetPair[] = [];
  const withheld: Target[] = [];
  for (const id of new Set([...left.keys(), ...right.keys()])) {
    const old = left.get(id);
    const now = right.get(id);
    if (old?.ok === false || now?.ok === false) {
      withheld.push((now ?? old)!.target);
      continue;
    }
    pairs.push({
      id,
      before: old?.manifests ?? [],
      after: now?.manifests ?? [],
      ...(old === undefined ? {} : { beforeTarget: old.target }),
      ...(now === undefined ? {} : { afterTarget: now.target }),
    });
  }
  return { pairs, withheld };
}

/** Objects are shared between sides and runs, so their defaults are computed once. */
const effectiveOf = new WeakMap<KubeObject, KubeObject>();

/** As {@link withDefaults}, computed once per object. */
export function effectiveObject(object: KubeObject): KubeObject {
  let effective = effectiveOf.get(object);
  if (effective === undefined) {
    effective = withDefaults(object);
    effectiveOf.set(object, effective);
  }
  return effective;
}

/** The entry of a rendered object. */
export function entryOf(manifest: Manifest, target: Target): Entry {
  const effective = effectiveObject(manifest.object);
  const { ref, object, provenance, duplicateKeys, nondeterministic, hook } = manifest;
  return {
    ref,
    object,
    effective,
    target,
    provenance,
    ...(duplicateKeys === undefined ? {} : { duplicateKeys }),
    ...(nondeterministic === undefined ? {} : { nondeterministic }),
    ...(hook === undefined ? {} : { hook }),
  };
}
