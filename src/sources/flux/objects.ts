import type { SourceLocation } from '../../core/errors.ts';
import type { JsonObject, Target } from '../../core/model.ts';
import type { SourcedObject, Tree } from '../../core/ports.ts';
import { get, text } from '../argocd/values.ts';
import { readDeclarations } from '../read-yaml.ts';
import { directoryOf } from '../tree-paths.ts';

/** An object with its identity read out. */
export interface FluxObject {
  readonly object: JsonObject;
  readonly location: SourceLocation;
  readonly parent: Target | undefined;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** As written; undefined when the object names none. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Groups of Flux kinds; other versions of a group are read alike. */
export const groups = {
  kustomize: 'kustomize.toolkit.fluxcd.io',
  helm: 'helm.toolkit.fluxcd.io',
  source: 'source.toolkit.fluxcd.io',
  operator: 'fluxcd.controlplane.io',
} as const;

/** Reads the identity of objects; those without kind or name are left out. A FluxInstance adds what it creates. */
export function readObjects(objects: readonly SourcedObject[]): readonly FluxObject[] {
  return objects.flatMap((item): readonly FluxObject[] => {
    const read = readObject(item.object, item.location, item.parent);
    if (read === undefined) return [];
    return read.group === groups.operator && read.kind === 'FluxInstance' ? [read, ...createdByInstance(read)] : [read];
  });
}

function readObject(object: JsonObject, location: SourceLocation, parent: Target | undefined): FluxObject | undefined {
  const apiVersion = text(get(object, 'apiVersion'));
  const kind = text(get(object, 'kind'));
  const name = text(get(object, 'metadata', 'name'));
  if (apiVersion === undefined || kind === undefined || name === undefined) return undefined;
  const slash = apiVersion.indexOf('/');
  return {
    object,
    location,
    parent,
    group: slash === -1 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    namespace: text(get(object, 'metadata', 'namespace')) ?? parent?.afterRender.defaultNamespace,
    name,
  };
}

/**
 * Flux Operator: `FluxInstance.spec.sync` makes a source and a Kustomization of one name
 * (flux-operator docs/api/v1/fluxinstance.md, "Sync configuration"; the name defaults to the namespace).
 */
function createdByInstance(instance: FluxObject): readonly FluxObject[] {
  const sync = get(instance.object, 'spec', 'sync');
  const kind = text(get(instance.object, 'spec', 'sync', 'kind'));
  if (typeof sync !== 'object' || sync === null || kind === undefined) return [];
  const namespace = instance.namespace ?? 'flux-system';
  const name = text(get(instance.object, 'spec', 'sync', 'name')) ?? namespace;
  const url = get(instance.object, 'spec', 'sync', 'url') ?? '';
  const ref = text(get(instance.object, 'spec', 'sync', 'ref')) ?? '';
  const path = text(get(instance.object, 'spec', 'sync', 'path')) ?? './';
  const metadata = { name, namespace };
  const made: readonly JsonObject[] = [
    {
      apiVersion: `${groups.source}/v1`,
      kind,
      metadata,
      spec: { url, ref: kind === 'GitRepository' ? { name: ref } : { tag: ref } },
    },
    {
      apiVersion: `${groups.kustomize}/v1`,
      kind: 'Kustomization',
      metadata,
      spec: { path, prune: true, sourceRef: { kind, name } },
    },
  ];
  return made.flatMap((object) => readObject(object, instance.location, instance.parent) ?? []);
}

/** Finds the objects that Flux objects refer to. */
export interface ObjectIndex {
  readonly all: readonly FluxObject[];
  /**
   * The object of that identity that is closest to `near`: rendered for the same cluster before files of the tree,
   * among files the one that shares the longest leading path. `ambiguous`: several files with different content are
   * equally close.
   */
  find(wanted: WantedObject, near: FluxObject): FluxObject | 'ambiguous' | undefined;
}

export interface WantedObject {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** Further condition, for example that a Secret is readable. */
  readonly accept?: (object: FluxObject) => boolean;
}

/**
 * Indexes the given objects, and the objects in plain files of the tree when the given ones were rendered: a
 * rendered Kustomization may refer to a source or a ConfigMap that another Kustomization brings.
 */
export function indexObjects(objects: readonly FluxObject[], tree: Tree): ObjectIndex {
  const rendered = objects.some((item) => item.parent !== undefined);
  const all = rendered ? [...objects, ...plainObjects(tree)] : objects;
  const byName = Map.groupBy(all, (item) => `${item.group}/${item.kind}/${item.name}`);
  return {
    all,
    find(wanted, near) {
      const candidates = (byName.get(`${wanted.group}/${wanted.kind}/${wanted.name}`) ?? []).filter(
        (item) =>
          // The namespace may come from a kustomization around a plain file.
          (item.namespace === undefined || wanted.namespace === undefined || item.namespace === wanted.namespace) &&
          (wanted.accept === undefined || wanted.accept(item)),
      );
      const sibling = candidates.findLast((item) => item.parent !== undefined && sameCluster(item.parent, near));
      return (
        sibling ??
        closest(
          candidates.filter((item) => item.parent === undefined),
          near,
        )
      );
    },
  };
}

const plain = new WeakMap<Tree, readonly FluxObject[]>();

function plainObjects(tree: Tree): readonly FluxObject[] {
  let objects = plain.get(tree);
  if (objects === undefined) plain.set(tree, (objects = readObjects(readDeclarations(tree).objects)));
  return objects;
}

function sameCluster(parent: Target, near: FluxObject): boolean {
  return near.parent === undefined || parent.cluster === near.parent.cluster;
}

function closest(candidates: readonly FluxObject[], near: FluxObject): FluxObject | 'ambiguous' | undefined {
  if (candidates.length <= 1) return candidates[0];
  const origins = [near.location.file, ...(near.parent === undefined ? [] : [near.parent.origin.file])];
  const closeness = (item: FluxObject): number =>
    Math.max(...origins.map((origin) => sharedSegments(directoryOf(item.location.file), directoryOf(origin))));
  const best = Math.max(...candidates.map(closeness));
  const nearest = candidates.filter((item) => closeness(item) === best);
  const contents = new Set(nearest.map((item) => JSON.stringify(item.object)));
  return contents.size === 1 ? nearest[0] : 'ambiguous';
}

function sharedSegments(a: string, b: string): number {
  const left = a.split('/');
  const right = b.split('/');
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared += 1;
  return shared;
}
