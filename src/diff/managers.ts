import type { KubeObject } from '../core/model.ts';
import { escapePointer } from '../core/json.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';
import type { KindSchema } from './list-keys.ts';
import { unescapePointer } from './walk.ts';

/** One entry of `metadata.managedFields`: who owns which fields. */
interface Manager {
  readonly name: string;
  readonly time: string;
  readonly fields: Fields;
}

/**
 * Programs by which people change objects past Git. Everything else is an engine, a controller, or writes through a
 * subresource.
 */
const byHand =
  /^(?:kubectl-(?:edit|patch|set|label|annotate|scale|replace|taint)|k9s|node-fetch|Mozilla|headlamp|freelens|dashboard)$/;

/** Was the object read with its managed fields? Without them nobody can say who owns what. */
export function hasManagers(live: KubeObject): boolean {
  return managersOf(live).length > 0;
}

export function isByHand(manager: string): boolean {
  return byHand.test(manager);
}

const cache = new WeakMap<KubeObject, readonly Manager[]>();

function managersOf(live: KubeObject): readonly Manager[] {
  let managers = cache.get(live);
  if (managers === undefined) {
    const entries = own(live.metadata, 'managedFields');
    managers = (Array.isArray(entries) ? entries : []).flatMap((entry: unknown): Manager[] => {
      if (!isFields(entry) || own(entry, 'subresource') === 'status') return [];
      const [name, fields, time] = [own(entry, 'manager'), own(entry, 'fieldsV1'), own(entry, 'time')];
      if (typeof name !== 'string' || !isFields(fields)) return [];
      return [{ name, fields, time: typeof time === 'string' ? time : '' }];
    });
    cache.set(live, managers);
  }
  return managers;
}

/** The manager that owns the field at a path (or something at or below it), the latest of several. */
export function ownerOf(live: KubeObject, path: string, schema: KindSchema): string | undefined {
  const owners = managersOf(live).filter((manager) => owns(manager.fields, live, path, schema));
  return owners.toSorted((left, right) => (left.time < right.time ? -1 : 1)).at(-1)?.name;
}

/** Does any of the named managers own the field? (Argo CD `managedFieldsManagers`.) */
export function isOwnedBy(live: KubeObject, path: string, names: ReadonlySet<string>, schema: KindSchema): boolean {
  return managersOf(live).some(({ name, fields }) => names.has(name) && owns(fields, live, path, schema));
}

/**
 * Did somebody send a field that the live object does not have? Owners are recorded before the server drops what is
 * behind a closed feature gate (apiserver endpoints/handlers/create.go, then registry strategy PrepareForCreate), and a
 * field that somebody takes away later loses its owners.
 */
export function wasDropped(live: KubeObject, path: string, schema: KindSchema): boolean {
  return managersOf(live).some(({ fields }) => owns(fields, live, path, schema, true));
}

/**
 * Walks the field set along a path. A set that ends before the path does owns everything below (an atomic list or
 * mapping); one that goes on below it owns a part of the value.
 */
function owns(set: Fields, live: KubeObject, path: string, schema: KindSchema, exactly = false): boolean {
  let at: Fields = set;
  let value: unknown = live;
  const fields: string[] = [];
  for (const segment of path.split('/').slice(1).map(unescapePointer)) {
    if (Object.keys(at).length === 0) return !exactly;
    let next: unknown;
    if (Array.isArray(value)) {
      const element = elementAt(value, segment, fields, schema);
      next = isFields(element) ? ofElement(at, element) : undefined;
      value = element;
    } else {
      next = own(at, `f:${segment}`);
      value = isFields(value) ? own(value, segment) : undefined;
      fields.push(segment);
    }
    if (!isFields(next)) return false;
    at = next;
  }
  return true;
}

function elementAt(list: readonly unknown[], segment: string, fields: readonly string[], schema: KindSchema): unknown {
  const rule = schema.listRule(fields);
  const keyed = rule?.type === 'map' ? list.find((item) => isFields(item) && rule.keyOf(item) === segment) : undefined;
  return keyed ?? (/^\d{1,6}$/.test(segment) ? list[Number(segment)] : undefined);
}

/** The entry `k:{"name":"app"}` of a field set that means this element. */
function ofElement(set: Fields, element: Fields): Fields | undefined {
  for (const [name, inner] of Object.entries(set)) {
    const keys = name.startsWith('k:') ? keysOf(name.slice(2)) : undefined;
    if (keys === undefined || !isFields(inner)) continue;
    if (Object.entries(keys).every(([key, value]) => own(element, key) === value)) return inner;
  }
  return undefined;
}

function keysOf(text: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** A field that somebody set by hand. */
export interface HandSet {
  readonly path: string;
  readonly fields: readonly string[];
  readonly value: unknown;
  readonly by: string;
  /** A whole element of a list. */
  readonly element: boolean;
}

const maxHandSet = 500;

/** Everything that people own on the live object: leaves, and elements of lists as a whole before what is in them. */
export function setByHand(live: KubeObject, schema: KindSchema): readonly HandSet[] {
  const found: HandSet[] = [];
  for (const manager of managersOf(live)) {
    if (isByHand(manager.name)) collect(manager.fields, live, '', [], manager.name, schema, found);
  }
  return found;
}

function collect(
  set: Fields,
  value: unknown,
  path: string,
  fields: readonly string[],
  by: string,
  schema: KindSchema,
  into: HandSet[],
): void {
  if (into.length >= maxHandSet || fields.length > 60) return;
  const names = Object.keys(set).filter((name) => name !== '.');
  if (names.length === 0) {
    if (value !== undefined) into.push({ path, fields, value, by, element: false });
    return;
  }
  for (const name of names) {
    const inner = own(set, name);
    if (!isFields(inner)) continue;
    if (name.startsWith('f:') && isFields(value)) {
      const key = name.slice(2);
      const next = own(value, key);
      if (next !== undefined) collect(inner, next, `${path}/${escapePointer(key)}`, [...fields, key], by, schema, into);
    } else if (name.startsWith('k:') && Array.isArray(value)) {
      collectElement(name.slice(2), inner, value, { path, fields, by, schema }, into);
    }
  }
}

function collectElement(
  keyText: string,
  inner: Fields,
  list: readonly unknown[],
  at: { readonly path: string; readonly fields: readonly string[]; readonly by: string; readonly schema: KindSchema },
  into: HandSet[],
): void {
  const keys = keysOf(keyText);
  const element = list.find(
    (item): item is Fields =>
      keys !== undefined && isFields(item) && Object.entries(keys).every(([key, value]) => own(item, key) === value),
  );
  const rule = at.schema.listRule(at.fields);
  const key = element !== undefined && rule?.type === 'map' ? rule.keyOf(element) : undefined;
  if (element === undefined || key === undefined) return;
  const path = `${at.path}/${escapePointer(key)}`;
  if (Object.hasOwn(inner, '.')) into.push({ path, fields: at.fields, value: element, by: at.by, element: true });
  collect(inner, element, path, at.fields, at.by, at.schema, into);
}
