import type { FieldChange, KubeObject } from '../core/model.ts';
import { isFields, own } from './defaults/fill.ts';
import { effectiveObject } from './entries.ts';
import type { KindSchema } from './list-keys.ts';
import { isByHand, ownerOf } from './managers.ts';
import { differences, type Difference, unescapePointer } from './walk.ts';

/**
 * Says for every changed field what the cluster holds and who caused the change: a field that already has the new value
 * was changed there before this change (`base-moved`); one that has neither the old nor the new one is in `conflict`,
 * and the change overwrites what somebody set there.
 * @param live undefined when the object is not in the cluster or nothing is known of it
 * @param isOthers does something else than a person set the field in the cluster, such as an autoscaler? Then there is no
 *   conflict to speak of
 */
export function attributeFields(
  fields: readonly FieldChange[],
  live: KubeObject | undefined,
  apiVersion: string,
  schema: KindSchema,
  isOthers: (path: string) => boolean = () => false,
): readonly FieldChange[] {
  if (live === undefined || live.apiVersion !== apiVersion) return fields;
  const effective = effectiveObject(live);
  return fields.map((field) => {
    const value = valueAt(effective, field.path, schema);
    const known = value === undefined || value === null ? field : { ...field, live: value };
    if (holds(value, field.after, field, schema)) return { ...known, attribution: 'base-moved' };
    if (value === undefined || value === null || holds(value, field.before, field, schema)) return known;
    if (isOthers(field.path)) return known;
    const by = ownerOf(live, field.path, schema);
    return { ...known, conflict: true, ...(by === undefined || !isByHand(by) ? {} : { by }) };
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
export function setByGit(found: readonly Difference[]): readonly Difference[] {
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
