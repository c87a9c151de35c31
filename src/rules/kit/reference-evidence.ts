import type { Entry, ResourceRef } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { generatedBy } from './generators.ts';
import { getOrMake, memo } from './memo.ts';
import { referencesOf, type Reference } from './references.ts';

function key(scope: string, namespace: string | undefined, kind: string, name: string): string {
  return [scope, namespace ?? '', kind, name].join('\u0000');
}

interface Evidence {
  /** Objects that something names. */
  readonly named: ReadonlySet<string>;
  /** Per scope and kind: references that Git itself resolves, and those it does not. */
  readonly counts: ReadonlyMap<string, { resolved: number; unresolved: number }>;
}

const evidenceOf = memo((world: World): Evidence => {
  const named = new Set<string>();
  const counts = new Map<string, { resolved: number; unresolved: number }>();
  for (const entry of world.entries) {
    const { scope } = entry.target;
    for (const reference of referencesOf(entry.effective)) {
      const namespace =
        reference.namespace === null ? undefined : (reference.namespace ?? entry.ref.namespace ?? 'default');
      const id = key(scope, namespace, reference.kind, reference.name);
      if (reference.optional || reference.use === 'imagePullSecret' || named.has(id)) continue;
      named.add(id);
      const count = getOrMake(counts, `${scope}\u0000${reference.kind}`, () => ({ resolved: 0, unresolved: 0 }));
      const there =
        world.get(scope, reference.group, reference.kind, namespace, reference.name) !== undefined ||
        (namespace !== undefined && generatedBy(world, scope, namespace, reference.kind, reference.name) !== undefined);
      if (there) count.resolved += 1;
      else count.unresolved += 1;
    }
  }
  return { named, counts };
});

/** An object with those of its references that name one other object. */
export interface Owner {
  readonly entry: Entry;
  readonly references: readonly Reference[];
}

const ownersOfWorld = memo((world: World) => {
  const index = new Map<string, { entry: Entry; references: Reference[] }[]>();
  for (const entry of world.entries) {
    for (const reference of referencesOf(entry.effective)) {
      const namespace =
        reference.namespace === null ? undefined : (reference.namespace ?? entry.ref.namespace ?? 'default');
      const list = getOrMake(
        index,
        key(entry.target.scope, namespace, `${reference.group}/${reference.kind}`, reference.name),
        () => [],
      );
      const last = list.at(-1);
      if (last?.entry === entry) last.references.push(reference);
      else list.push({ entry, references: [reference] });
    }
  }
  return index;
});

/** Everything on a side that names this object, optional references included. */
export function ownersOf(world: World, scope: string, ref: ResourceRef): readonly Owner[] {
  return ownersOfWorld(world).get(key(scope, ref.namespace, `${ref.group}/${ref.kind}`, ref.name)) ?? [];
}

/** Did something name this object on that side already (with a reference that is not optional)? */
export function wasReferenced(
  world: World,
  scope: string,
  namespace: string | undefined,
  kind: string,
  name: string,
): boolean {
  return evidenceOf(world).named.has(key(scope, namespace, kind, name));
}

/** Git holds every object of the kind that is named in this cluster, and there are several: a missing one is no habit. */
export function managesAll(world: World, scope: string, kind: string): boolean {
  const count = evidenceOf(world).counts.get(`${scope}\u0000${kind}`);
  return count !== undefined && count.resolved >= 3 && count.unresolved === 0;
}

/** Names by scope, namespace, kind and length: typing errors change the length by one at most. */
const namesOfWorld = memo((world: World) => {
  const index = new Map<string, string[]>();
  for (const { ref, target } of world.entries)
    getOrMake(index, key(target.scope, ref.namespace, ref.kind, String(ref.name.length)), () => []).push(ref.name);
  return index;
});

/** An object of the kind in the namespace whose name differs by one or two characters: a likely typing error. */
export function nearest(
  world: World,
  scope: string,
  namespace: string | undefined,
  kind: string,
  name: string,
): string | undefined {
  if (name.length < 5 || namespace === undefined) return undefined;
  const names = namesOfWorld(world);
  for (const length of [name.length, name.length - 1, name.length + 1]) {
    const found = names.get(key(scope, namespace, kind, String(length)))?.find((other) => isTypo(other, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** One insertion, deletion, replacement or swap of neighbours; a different number at the end is another object. */
function isTypo(left: string, right: string): boolean {
  if (left === right || Math.abs(left.length - right.length) > 1) return false;
  let start = 0;
  while (start < left.length && left[start] === right[start]) start++;
  let end = 0;
  while (end < Math.min(left.length, right.length) - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const a = left.slice(start, left.length - end);
  const b = right.slice(start, right.length - end);
  if (/^\d*$/.test(a) && /^\d*$/.test(b)) return false;
  if (a.length <= 1 && b.length <= 1) return true;
  return a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0];
}
