import type { JsonObject } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';
import { isBuiltinGroup } from './list-keys.ts';
import { keyText, mergeKeyOf, retainsKeys } from './predict-lists.ts';
import { sameJson } from './walk.ts';

/** Which patch a client sends that applies without server-side apply. */
export type PatchKind =
  /** `kubectl apply`, Argo CD: strategic three-way merge; for kinds of a CRD a JSON three-way merge. */
  | 'kubectl'
  /** Helm's client-side upgrade: the same, but for CRDs and their kinds only what changed between two manifests. */
  | 'helm';

/** Deeper than any Kubernetes object; what lies below is taken over as one value. */
const maxDepth = 120;

interface Merge {
  /** Lists with a patch merge key are merged by it; otherwise a list is one value. */
  readonly strategic: boolean;
  readonly kind: string;
  /** Only what differs between before and after is applied. */
  readonly twoWay: boolean;
}

/**
 * The object that a client-side apply leads to: live with what changes applied over it.
 * Source: CreateThreeWayMergePatch (apimachinery strategicpatch), CreateThreeWayJSONMergePatch (jsonmergepatch),
 * kubectl pkg/cmd/apply/patcher.go, Helm pkg/kube/client.go createPatch.
 * @param live as the server holds it
 * @param before what was applied last (last-applied annotation, stored release); undefined: nothing is taken away
 * @param after what is applied now; fields that are null are removed
 * @returns a new object without status and without what only the server writes, except `resourceVersion`
 */
export function predictApply(
  live: JsonObject,
  before: JsonObject | undefined,
  after: JsonObject,
  patch: PatchKind,
): JsonObject {
  const apiVersion = typeof after['apiVersion'] === 'string' ? after['apiVersion'] : '';
  const kind = typeof after['kind'] === 'string' ? after['kind'] : '';
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const isCrd = group === 'apiextensions.k8s.io';
  const strategic = isBuiltinGroup(group) && !isCrd;
  const merge: Merge = { strategic, kind, twoWay: patch === 'helm' && !strategic };
  const { status: _status, ...rest } = mergeFields(merge, live, before, after, []) as JsonObject;
  return { ...rest, apiVersion, kind, metadata: writable(rest['metadata']) };
}

/** Metadata that a client may send in an update. */
function writable(metadata: unknown): JsonObject {
  if (!isFields(metadata)) return {};
  const {
    managedFields: _managers,
    uid: _uid,
    creationTimestamp: _created,
    generation: _generation,
    selfLink: _link,
    ...rest
  } = metadata as JsonObject;
  return rest;
}

function mergeValue(merge: Merge, live: unknown, before: unknown, after: unknown, fields: readonly string[]): unknown {
  if (merge.twoWay && before !== undefined && sameJson(before, after)) return live;
  if (fields.length >= maxDepth) return after;
  if (isFields(after)) {
    const base = isFields(live) ? live : {};
    return mergeFields(merge, base, isFields(before) ? before : undefined, after, fields);
  }
  if (Array.isArray(after) && Array.isArray(live) && merge.strategic) {
    const key = mergeKeyOf(merge.kind, fields);
    if (key === '') return mergeScalars(live, Array.isArray(before) ? before : [], after);
    if (key !== undefined) return mergeItems(merge, live, Array.isArray(before) ? before : [], after, fields, key);
  }
  return after;
}

function mergeFields(
  merge: Merge,
  live: Fields,
  before: Fields | undefined,
  after: Fields,
  fields: readonly string[],
): Fields {
  const result = new Map<string, unknown>(Object.entries(live));
  for (const key of Object.keys(before ?? {})) {
    if (!Object.hasOwn(after, key)) result.delete(key);
  }
  for (const [key, value] of Object.entries(after)) {
    if (value === null || value === undefined) {
      // Helm's two-way patch says nothing of a field that was null before too.
      if (!(merge.twoWay && before !== undefined && own(before, key) === null)) result.delete(key);
      continue;
    }
    const merged = mergeValue(merge, own(live, key), before === undefined ? undefined : own(before, key), value, [
      ...fields,
      key,
    ]);
    if (merged === undefined) result.delete(key);
    else result.set(key, merged);
  }
  if (merge.strategic && retainsKeys(merge.kind, fields) && !sameJson(Object.fromEntries(result), live)) {
    for (const key of result.keys()) if (!Object.hasOwn(after, key)) result.delete(key);
  }
  return Object.fromEntries(result);
}

/** `finalizers` and the like: a set of words. */
function mergeScalars(live: readonly unknown[], before: readonly unknown[], after: readonly unknown[]): unknown[] {
  const others = live.filter((item) => !after.includes(item) && !before.includes(item));
  const placed = (item: unknown): Placed => ({ value: item, place: live.indexOf(item) });
  return interleave(after.map(placed), others.map(placed));
}

function mergeItems(
  merge: Merge,
  live: readonly unknown[],
  before: readonly unknown[],
  after: readonly unknown[],
  fields: readonly string[],
  key: string,
): readonly unknown[] {
  const now = byKey(after, key);
  const held = byKey(live, key);
  const old = byKey(before, key);
  if (now === undefined || held === undefined) return after;
  const places = new Map([...held.keys()].map((name, place) => [name, place]));
  const place = (name: string): number => places.get(name) ?? -1;
  const own = [...now].map(([name, item]): Placed => {
    const here = held.get(name);
    const value = here === undefined ? item : mergeFields(merge, here, old?.get(name), item, fields);
    return { value, place: place(name) };
  });
  const others = [...held].flatMap(([name, value]): Placed[] =>
    now.has(name) || old?.has(name) === true ? [] : [{ value, place: place(name) }],
  );
  return interleave(own, others);
}

interface Placed {
  readonly value: unknown;
  /** Position in the live list; -1: it is not there. */
  readonly place: number;
}

/**
 * Elements of Git in the order of Git; one that only the live object has stands before the next one of Git that follows
 * it there (strategicpatch mergeSortedSlice).
 */
function interleave(own: readonly Placed[], others: readonly Placed[]): unknown[] {
  const result = [...own];
  let from = 0;
  for (const other of others) {
    while (from < result.length && (result[from]?.place ?? -1) < other.place) from++;
    result.splice(from++, 0, other);
  }
  return result.map(({ value }) => value);
}

/** Undefined when elements cannot be told apart. */
function byKey(list: readonly unknown[], key: string): Map<string, Fields> | undefined {
  const result = new Map<string, Fields>();
  for (const item of list) {
    if (!isFields(item)) return undefined;
    const text = keyText(own(item, key));
    if (text === undefined || result.has(text)) return undefined;
    result.set(text, item);
  }
  return result;
}
