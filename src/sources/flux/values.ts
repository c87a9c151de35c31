import type { JsonObject, SetValue, ValuesLayer } from '../../core/model.ts';
import { asObject, get, objects, text } from '../argocd/values.ts';
import type { FluxContext } from './context.ts';
import type { FluxObject, ObjectIndex } from './objects.ts';
import { readData } from './variables.ts';

export interface HelmReleaseValues {
  readonly layers: readonly ValuesLayer[];
  readonly set: readonly SetValue[];
  /** Files of the tree that were read. */
  readonly files: readonly string[];
}

/**
 * Values of a HelmRelease: `valuesFrom` in order, then `values`, then the entries with `targetPath`
 * (fluxcd/pkg/chartutil values.go, ChartValuesFromReferences). The controller merges `values` once more at the end,
 * so where `values` and a `targetPath` set the same leaf, either can win there; here `targetPath` wins, as its
 * documentation says.
 */
export function valuesOf(item: FluxObject, index: ObjectIndex, context: FluxContext): HelmReleaseValues {
  const layers: ValuesLayer[] = [];
  const set: SetValue[] = [];
  const files: string[] = [];
  for (const reference of objects(get(item.object, 'spec', 'valuesFrom'))) {
    const kind = text(get(reference, 'kind')) ?? '';
    const name = text(get(reference, 'name')) ?? '';
    const key = text(get(reference, 'valuesKey')) ?? 'values.yaml';
    const optional = get(reference, 'optional') === true;
    const label = `${kind} ${item.namespace === undefined ? '' : `${item.namespace}/`}${name}`;
    const read = readData(kind, name, item, index, context);
    if (!read.ok) {
      layers.push({ kind: 'unavailable', label: `${label} (${read.reason})`, optional });
      continue;
    }
    if (read.file !== undefined) files.push(read.file);
    const value = read.data.get(key);
    if (value === undefined) {
      if (!optional) layers.push({ kind: 'unavailable', label: `${label} (has no key ${key})`, optional });
      continue;
    }
    const path = text(get(reference, 'targetPath'));
    if (path === undefined) layers.push({ kind: 'text', yaml: value, label: `${label} key ${key}` });
    else set.push(setValue(path, value, get(reference, 'literal') === true));
  }
  const inline = asObject(get(item.object, 'spec', 'values'));
  if (inline !== undefined) layers.push({ kind: 'inline', values: inline satisfies JsonObject, label: 'spec.values' });
  return { layers, set, files };
}

/** ReplacePathValue and ReplacePathLiteralValue: a quoted value is a string, a literal one is escaped. */
function setValue(name: string, value: string, literal: boolean): SetValue {
  if (literal) return { name, value: value.replace(/[\\,[\]{}]/gu, String.raw`\$&`), type: 'set-string' };
  const quoted = /^'.*'$|^".*"$/su.test(value);
  return quoted
    ? { name, value: value.replace(/^['"]+|['"]+$/gu, ''), type: 'set-string' }
    : { name, value, type: 'set' };
}
