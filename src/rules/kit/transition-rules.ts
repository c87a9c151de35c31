import type { KubeObject } from '../../core/model.ts';
import { getOrMake, memo } from './memo.ts';
import { at, listAt, stringAt } from './pods.ts';
import { escapePointer } from '../../core/json.ts';

/** A field of a custom resource that its CRD declares immutable. */
export interface FrozenField {
  /** Names from the root of the object. */
  readonly fields: readonly string[];
  readonly path: string;
  /** The message of the CRD author, when there is one. */
  readonly message: string;
}

// The usual way to write "may not change"; other rules with oldSelf need a CEL evaluation.
const sameAsBefore = /^\s*(self\s*==\s*oldSelf|oldSelf\s*==\s*self)\s*$/;
const fieldsOf = memo((_crd: KubeObject) => new Map<string, readonly FrozenField[]>());

const maxDepth = 24;
const maxNodes = 50_000;

/**
 * Fields with the validation rule `self == oldSelf` in the schema of a version (`x-kubernetes-validations`).
 * Only fields that are reached through `properties`: inside lists and maps the elements cannot be told apart.
 */
export function frozenFields(crd: KubeObject, version: string): readonly FrozenField[] {
  return getOrMake(fieldsOf(crd), version, () => walk(crd, version));
}

function walk(crd: KubeObject, version: string): readonly FrozenField[] {
  const entry = listAt(crd, 'spec', 'versions').find((candidate) => stringAt(candidate, 'name') === version);
  const root = at(entry, 'schema', 'openAPIV3Schema');
  const found: FrozenField[] = [];
  const queue: { readonly schema: unknown; readonly fields: readonly string[] }[] = [{ schema: root, fields: [] }];
  for (let visited = 0; visited < maxNodes; visited++) {
    const next = queue.pop();
    if (next === undefined) break;
    for (const rule of listAt(next.schema, 'x-kubernetes-validations')) {
      if (!sameAsBefore.test(stringAt(rule, 'rule') ?? '')) continue;
      found.push({
        fields: next.fields,
        path: next.fields.map((field) => `/${escapePointer(field)}`).join(''),
        message: stringAt(rule, 'message') ?? 'failed rule: self == oldSelf',
      });
    }
    const properties = at(next.schema, 'properties');
    if (typeof properties !== 'object' || properties === null || next.fields.length >= maxDepth) continue;
    for (const [name, schema] of Object.entries(properties)) queue.push({ schema, fields: [...next.fields, name] });
  }
  return found;
}
