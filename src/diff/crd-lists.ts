import type { KubeObject } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';
import { atomic, byFields, type ListRule, set } from './list-table.ts';

/** Keys of one kind's lists as its CRD declares them, by the names of the fields from the root (`spec/listeners`). */
export type CrdLists = ReadonlyMap<string, ListRule>;

/** What CRDs say about lists, by `group/Kind/version`. */
export type CrdIndex = ReadonlyMap<string, CrdLists>;

const maxSchemaDepth = 60;

/**
 * Collects `x-kubernetes-list-type` and `x-kubernetes-list-map-keys` of CRDs.
 * @param crds CustomResourceDefinitions (apiextensions v1 or v1beta1); other objects are skipped
 */
export function indexCrds(crds: Iterable<KubeObject>): CrdIndex {
  const result = new Map<string, CrdLists>();
  for (const [key, schema] of schemasOf(crds)) {
    const lists = new Map<string, ListRule>();
    collect(schema, '', lists, 0);
    result.set(key, lists);
  }
  return result;
}

/** OpenAPI schemas of custom kinds by `group/Kind/version` (apiextensions v1 or v1beta1); of equal ones the last counts. */
export function* schemasOf(crds: Iterable<KubeObject>): Iterable<readonly [key: string, schema: Fields]> {
  for (const crd of crds) {
    const spec = own(crd, 'spec');
    if (crd.kind !== 'CustomResourceDefinition' || !isFields(spec)) continue;
    const names = own(spec, 'names');
    const kind = isFields(names) ? own(names, 'kind') : undefined;
    const group = own(spec, 'group');
    const versions = own(spec, 'versions');
    if (typeof kind !== 'string' || typeof group !== 'string' || !Array.isArray(versions)) continue;
    for (const version of versions as unknown[]) {
      if (!isFields(version)) continue;
      const holder = own(version, 'schema') ?? own(spec, 'validation');
      const schema = isFields(holder) ? own(holder, 'openAPIV3Schema') : undefined;
      const name = own(version, 'name');
      if (isFields(schema) && typeof name === 'string') yield [`${group}/${kind}/${name}`, schema];
    }
  }
}

function collect(schema: Fields, path: string, into: Map<string, ListRule>, depth: number): void {
  if (depth > maxSchemaDepth) return;
  const type = own(schema, 'x-kubernetes-list-type');
  const keys = own(schema, 'x-kubernetes-list-map-keys');
  if (type === 'map' && Array.isArray(keys)) {
    const names = keys.filter((key): key is string => typeof key === 'string');
    into.set(path, byFields(...names));
  } else if (type === 'set') {
    into.set(path, set);
  } else if (type === 'atomic') {
    into.set(path, atomic);
  }
  const properties = own(schema, 'properties');
  if (isFields(properties)) {
    for (const [name, inner] of Object.entries(properties)) {
      if (isFields(inner)) collect(inner, path === '' ? name : `${path}/${name}`, into, depth + 1);
    }
  }
  for (const below of ['items', 'additionalProperties']) {
    const inner = own(schema, below);
    // The element of a list has the path of the list; keys of maps are any name.
    if (isFields(inner)) collect(inner, below === 'items' ? path : `${path}/*`, into, depth + 1);
  }
}

/**
 * Custom kinds (`group/Kind`) whose status is plain data: their CRD has no status subresource in any version, so what
 * Git says about it is applied. Kinds without a known CRD are not in here; nearly all have the subresource.
 */
export function statusIsData(crds: Iterable<KubeObject>): ReadonlySet<string> {
  const result = new Set<string>();
  for (const crd of crds) {
    const spec = own(crd, 'spec');
    if (crd.kind !== 'CustomResourceDefinition' || !isFields(spec)) continue;
    const names = own(spec, 'names');
    const kind = isFields(names) ? own(names, 'kind') : undefined;
    const versions = own(spec, 'versions');
    const holders = [spec, ...(Array.isArray(versions) ? versions : [])].filter(isFields);
    const hasStatus = holders.some((holder) => {
      const subresources = own(holder, 'subresources');
      return isFields(subresources) && isFields(own(subresources, 'status'));
    });
    if (typeof kind === 'string' && !hasStatus) result.add(`${String(own(spec, 'group'))}/${kind}`);
  }
  return result;
}
