import type { DriftEntry, Entry, FieldChange, KubeObject, NotEvaluated } from '../core/model.ts';
import { isFields, own } from './defaults/fill.ts';
import { effectiveObject } from './entries.ts';
import { identityOf, identityOfObject, describe } from './identity.ts';
import { ignoreRulesFor, withoutIgnored } from './ignore.ts';
import { fieldImpacts } from './impact.ts';
import type { KindSchema } from './list-keys.ts';
import { comparable, isMasked, isTrackingKey } from './normalize.ts';
import { differences, type Difference, unescapePointer } from './walk.ts';

/** The live objects of one cluster by identity. */
export type LiveIndex = ReadonlyMap<string, KubeObject>;

export function indexLive(objects: readonly KubeObject[]): LiveIndex {
  return new Map(objects.map((object) => [identityOfObject(object), object]));
}

/** The live object of an entry in the same API version; another version may name its fields differently. */
export function liveOf(entry: Entry, index: LiveIndex | undefined): KubeObject | undefined {
  return index?.get(identityOf(entry.ref));
}

/**
 * Says for every changed field what the cluster holds and who caused the change: a field that already has the new value
 * was changed there before this change (`base-moved`).
 * @param live undefined when the object is not in the cluster or nothing is known of it
 */
export function attributeFields(
  fields: readonly FieldChange[],
  live: KubeObject | undefined,
  apiVersion: string,
  schema: KindSchema,
): readonly FieldChange[] {
  if (live === undefined || live.apiVersion !== apiVersion) return fields;
  const effective = effectiveObject(live);
  return fields.map((field) => {
    const value = valueAt(effective, field.path, schema);
    const known = value === undefined || value === null ? field : { ...field, live: value };
    return holds(value, field.after, field, schema) ? { ...known, attribution: 'base-moved' } : known;
  });
}

function holds(live: unknown, wanted: unknown, field: FieldChange, schema: KindSchema): boolean {
  if (wanted === undefined || wanted === null) return live === undefined || live === null;
  if (live === undefined || live === null) return false;
  // Compared where it stands, so that quantities and keyed lists are recognised.
  const names = field.path.split('/').slice(1).map(unescapePointer);
  return setByGit(differences(nest(names, wanted), nest(names, live), schema)).length === 0;
}

function nest(names: readonly string[], value: unknown): unknown {
  return names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
}

/** What the left side sets and the right side has not; fields that only the right side has are none of Git's business. */
function setByGit(found: readonly Difference[]): readonly Difference[] {
  return found.filter((difference) => difference.before !== undefined);
}

/** The value at a pointer whose segments may be keys of list elements. */
export function valueAt(object: unknown, path: string, schema: KindSchema): unknown {
  let value = object;
  const fields: string[] = [];
  for (const segment of path.split('/').slice(1).map(unescapePointer)) {
    if (Array.isArray(value)) {
      const rule = schema.listRule(fields);
      const list = value as readonly unknown[];
      const keyed =
        rule?.type === 'map' ? list.find((item) => isFields(item) && rule.keyOf(item) === segment) : undefined;
      value = keyed ?? (/^\d{1,6}$/.test(segment) ? list[Number(segment)] : undefined);
    } else if (isFields(value)) {
      value = own(value, segment);
      fields.push(segment);
    } else {
      return undefined;
    }
  }
  return value;
}

/**
 * What the cluster holds otherwise than Git's before side, on fields that Git sets. Fields that only the server or a
 * controller sets, defaults that Git does not spell out and the target's ignoreDifferences are no drift.
 * @returns undefined when the object is in line with Git
 */
export function driftOf(
  entry: Entry,
  live: KubeObject,
  schema: KindSchema,
): { readonly drift?: DriftEntry; readonly notes: readonly NotEvaluated[] } {
  if (live.apiVersion !== entry.object.apiVersion) return { notes: [] };
  const ignore = ignoreRulesFor(entry.ref, entry.target.apply.ignoreDifferences);
  const notes = ignore.unsupported.map((expression) => ({
    what: `ignoreDifferences of ${entry.target.name}`,
    target: entry.target.id,
    reason: `the jq expression ${JSON.stringify(expression)} is not understood, so what it ignores may be listed as drift of ${describe(entry.ref)}`,
    weight: 'note' as const,
  }));
  const wanted = withoutIgnored(comparable(entry.effective, false), ignore.ways);
  const found = withoutIgnored(comparable(effectiveObject(live), false), ignore.ways);
  const real = setByGit(differences(wanted, found, schema)).filter(
    (difference) => isGitsField(entry, difference, schema) && !isMasked(difference.path, entry.nondeterministic),
  );
  if (real.length === 0) return { notes };
  const impacts = fieldImpacts(entry, { ...entry, effective: effectiveObject(live) }, real);
  return {
    notes,
    drift: {
      ref: entry.ref,
      target: entry.target.id,
      fields: real.map((difference, index) => ({
        path: difference.path,
        before: difference.before,
        ...(difference.after === undefined ? {} : { live: difference.after }),
        impact: impacts[index] ?? 'none',
        attribution: 'drift',
      })),
    },
  };
}

/** Does Git itself hold the field (not only the API's default), and does it decide it? */
function isGitsField(entry: Entry, difference: Difference, schema: KindSchema): boolean {
  const { fields } = difference;
  if (fields[0] === 'metadata') {
    // Finalizers and owners are added and taken away by controllers.
    if (fields[1] === 'finalizers' || fields[1] === 'ownerReferences') return false;
    if (fields[1] === 'labels' || fields[1] === 'annotations') {
      const key = fields[2];
      if (key !== undefined && isTrackingKey(key)) return false;
    }
  }
  if (fields[0] === 'rules' && entry.ref.kind === 'ClusterRole' && isAggregated(entry.object)) return false;
  return spelledOut(entry.object, difference.path, schema);
}

/** Rules of an aggregated ClusterRole are written by the controller. */
function isAggregated(object: KubeObject): boolean {
  return (own(object, 'aggregationRule') ?? null) !== null;
}

function spelledOut(object: KubeObject, path: string, schema: KindSchema): boolean {
  const direct = valueAt(object, path, schema);
  if (direct !== undefined && direct !== null) return true;
  // `stringData` is stored as `data`.
  return object.kind === 'Secret' && path.startsWith('/data/')
    ? valueAt(object, `/stringData/${path.slice(6)}`, schema) !== undefined
    : false;
}
