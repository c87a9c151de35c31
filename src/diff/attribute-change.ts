import type { Entry, FieldChange } from '../core/model.ts';
import { attributeFields } from './attribute.ts';
import { keptByEngine } from './kept-by-engine.ts';
import type { KindSchema } from './list-keys.ts';
import { type LiveIndex, liveOf } from './live.ts';
import { isByHand, ownerOf } from './managers.ts';
import { mutatorsOf } from './mutating.ts';
import { scalerOf, type Scalers } from './scalers.ts';

/**
 * The changed fields of an object with what the cluster holds of them. What an autoscaler, a mutating webhook or the
 * engine itself decides there is nobody's edit.
 * @param index undefined when nothing is known of the cluster
 */
export function attributed(
  fields: readonly FieldChange[],
  after: Entry,
  schema: KindSchema,
  { index, scalers }: { readonly index: LiveIndex | undefined; readonly scalers: Scalers },
): readonly FieldChange[] {
  const live = liveOf(after, index);
  if (live === undefined) return fields;
  const isScaled = scalerOf(after, scalers) !== undefined;
  const isKept = keptByEngine(after, live, schema);
  // A webhook may have written it when Git's own value was applied; a person's edit is known by its field manager.
  const mayBeMutated = (path: string): boolean => {
    const by = ownerOf(live, path, schema);
    return (by === undefined || !isByHand(by)) && mutatorsOf(live, index?.objects ?? []).length > 0;
  };
  return attributeFields(
    fields,
    live,
    after.object.apiVersion,
    schema,
    (path) => (isScaled && path === '/spec/replicas') || isKept(path) || mayBeMutated(path),
  );
}
