import type { Discovery, NotEvaluated, Target } from '../core/model.ts';
import type { SourcedObject } from '../core/ports.ts';
import { get } from './argocd/values.ts';
import { mapClusters } from './flux/clusters.ts';
import type { FluxContext } from './flux/context.ts';
import { helmReleaseTarget } from './flux/helm-release.ts';
import { kustomizationTarget, type FluxSurroundings } from './flux/kustomization.ts';
import { groups, indexObjects, readObjects, type FluxObject } from './flux/objects.ts';
import { findRoots, isDeclaration, isKustomization } from './flux/roots.ts';
import { createSourceResolver } from './flux/sources.ts';
import { kustomizeTarget } from './kustomize.ts';

export type { FluxContext } from './flux/context.ts';

/**
 * Finds the targets that Flux Kustomizations and HelmReleases declare.
 *
 * Objects in plain files count only when nothing in the tree applies them: what a Flux Kustomization or a Kustomize
 * root applies exists as rendered, and is found when the rendered objects are given in a later call (with `parent`).
 * A Kustomize root that applies Flux objects and that no Kustomization reads is returned as a target of its own.
 *
 * @param objects objects of plain files, or objects that targets rendered; others than Flux's are used to resolve
 * references (ConfigMaps, Secrets, sources)
 */
export function discoverFlux(objects: readonly SourcedObject[], context: FluxContext): Discovery {
  const read = readObjects(objects);
  if (!read.some((item) => isDeclaration(item) || item.group === groups.operator))
    return { targets: [], notEvaluated: [] };
  const index = indexObjects(read, context.tree);
  const sources = createSourceResolver(context, index);
  const plain = findRoots(index, createSourceResolver(context, index), context.tree);
  const around: FluxSurroundings = { context, index, sources, clusters: mapClusters(plain.roots) };
  const given = new Set(read);
  const rendered = read.filter((item) => item.parent !== undefined && isDeclaration(item));
  const found = [...plain.roots.filter((item) => given.has(item)), ...rendered];
  const declared = found.filter((item) => !isPlaceholder(item));
  const targets: Target[] = declared.map((item) =>
    isKustomization(item) ? kustomizationTarget(item, around) : helmReleaseTarget(item, around),
  );
  const plainGiven = read.some((item) => item.parent === undefined);
  if (plainGiven) {
    for (const directory of plain.kustomizeRoots) {
      const cluster = around.clusters.clusterOf(`${directory}/kustomization.yaml`);
      targets.push({ ...kustomizeTarget(context.tree, context.config, directory, cluster), rendersTargets: true });
    }
  }
  return {
    targets,
    notEvaluated: [...sources.notes(), ...decryptionNote(declared), ...placeholderNotes(found), ...unreadKinds(read)],
  };
}

/** One note for all: repositories with SOPS have hundreds of such Kustomizations. */
function decryptionNote(declared: readonly FluxObject[]): readonly NotEvaluated[] {
  const decrypting = declared.filter(
    (item) => isKustomization(item) && get(item.object, 'spec', 'decryption') !== undefined,
  );
  const first = decrypting[0];
  if (first === undefined) return [];
  return [
    {
      what: 'encrypted values (SOPS)',
      reason: `${decrypting.length} Kustomization(s) decrypt Secrets in the cluster; here they are compared as they stand, encrypted`,
      location: first.location,
      weight: 'note',
    },
  ];
}

/** `${APP}` as a name: a piece of a component that nothing in the tree uses, or a variable that nothing sets. */
function isPlaceholder(item: FluxObject): boolean {
  return /\$\{|\{\{/u.test(item.name);
}

function placeholderNotes(found: readonly FluxObject[]): readonly NotEvaluated[] {
  return found.filter(isPlaceholder).map((item) => ({
    what: `${item.kind} ${item.name}`,
    reason: 'its name is a placeholder that something else fills in',
    location: item.location,
    weight: 'note' as const,
  }));
}

/** Kinds of the Flux Operator that generate objects from templates of their own. */
function unreadKinds(objects: readonly FluxObject[]): readonly NotEvaluated[] {
  return objects
    .filter((item) => item.group === groups.operator && item.kind === 'ResourceSet')
    .map((item) => ({
      what: `ResourceSet ${item.namespace ?? 'flux-system'}/${item.name}`,
      reason: 'its objects are generated in the cluster from templates and inputs of the Flux Operator',
      location: item.location,
      next: 'Render it with `flux-operator build resourceset` and give the result to gate as an explicit target.',
      weight: 'note' as const,
    }));
}
