import type { RenderResult, Target } from '../core/model.ts';
import { coverageOf } from '../sources/detect-context.ts';
import { readsPath } from '../core/inputs.ts';

interface Discovered {
  readonly targets: ReadonlyMap<string, Target>;
  readonly rendered: ReadonlyMap<string, RenderResult>;
  /** Ids of the conventional targets that were expanded. */
  readonly conventional: ReadonlySet<string>;
}

/**
 * Overlays and charts that were expanded because nothing seemed to declare them, and that an engine object found
 * later does declare: an app-of-apps one level above was itself only found by convention.
 * @returns their ids
 */
export function declaredByOthers({ targets, conventional }: Discovered): readonly string[] {
  const engines = [...targets.values()].filter((target) => target.engine === 'argocd' || target.engine === 'flux');
  const fileOf = (id: string): string | undefined => targets.get(id)?.origin.file;
  const declared = new Set<string>();
  for (const id of conventional) {
    const file = fileOf(id);
    if (file === undefined) continue;
    const owner = engines.find(
      (target) =>
        // What it renders itself, or what the same chart renders for another environment, does not declare it: an
        // app-of-apps that manages itself has to be applied by someone first.
        !target.parents.some((parent) => fileOf(parent) === file || declared.has(parent)) &&
        coverageOf([target]).covers(file),
    );
    if (owner !== undefined) declared.add(id);
  }
  return [...declared];
}

/**
 * Argo CD objects in files that a kustomization or a folder reads as resources: what is deployed is what that renders
 * (with its namespace, its patches, per environment), not the file as it stands.
 * @returns ids of the targets that such a file declares by itself, and of those that they rendered
 */
export function renderedInstead({ targets, rendered }: Discovered): readonly string[] {
  const readers = [...rendered.values()].flatMap((result) => {
    if (!result.ok || result.target.inputs === 'unknown' || !targets.has(result.target.id)) return [];
    const names = result.manifests
      .filter((manifest) => manifest.ref.group === 'argoproj.io')
      .map((manifest) => ({ kind: manifest.ref.kind, name: manifest.ref.name }));
    return names.length === 0 ? [] : [{ target: result.target, names }];
  });
  const dropped = new Set<string>();
  for (const target of targets.values()) {
    const declaration = target.declaredBy;
    if (target.engine !== 'argocd' || target.parents.length > 0 || declaration === undefined) continue;
    const replaced = readers.some(
      (reader) =>
        reader.target.id !== target.id &&
        !reader.target.parents.includes(target.id) &&
        readsPath(reader.target, target.origin.file) !== false &&
        // namePrefix and nameSuffix leave the name inside.
        reader.names.some((made) => made.kind === declaration.kind && made.name.includes(declaration.name)),
    );
    if (replaced) dropped.add(target.id);
  }
  if (dropped.size === 0) return [];
  return [...targets.values()]
    .filter((target) => dropped.has(target.id) || target.parents.some((parent) => dropped.has(parent)))
    .map((target) => target.id);
}
