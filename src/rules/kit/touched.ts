import type { Entry, ResourceChange, ResourceRef } from '../../core/model.ts';
import type { RuleContext, World } from '../../core/rule.ts';

/** Identity of an object without its API version; usable as a map key. */
export function identityOf(scope: string, ref: ResourceRef): string {
  return [scope, ref.group, ref.kind, ref.namespace ?? '', ref.name].join('\u0000');
}

/** Identity of an entry in its cluster. */
export function entryIdentity(entry: Entry): string {
  return identityOf(entry.target.scope, entry.ref);
}

/** The changes of this pull request by the identity of the object after it (before it, for removals). */
export function changesByIdentity(context: RuleContext<unknown>): ReadonlyMap<string, ResourceChange> {
  const result = new Map<string, ResourceChange>();
  for (const change of context.changes) {
    const entry = change.after ?? change.before;
    if (entry !== undefined) result.set(entryIdentity(entry), change);
  }
  return result;
}

/** The same object on the other side; undefined when it is not there under that name. */
export function counterpart(world: World, entry: Entry): Entry | undefined {
  const { group, kind, namespace, name } = entry.ref;
  return world.get(entry.target.scope, group, kind, namespace, name);
}
