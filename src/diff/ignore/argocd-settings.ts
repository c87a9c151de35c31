import { isObject } from '../../core/json.ts';
import type { Json, JsonObject, KubeObject } from '../../core/model.ts';
import { readDocuments } from '../../core/yaml/read.ts';
import { isFields, own } from '../defaults/fill.ts';

/** What the ConfigMap `argocd-cm` says about comparing objects, for all Applications of that Argo CD. */
export interface ArgoSettings {
  /** As items of `spec.ignoreDifferences`. */
  readonly ignore: readonly JsonObject[];
  /** Whose status counts for nothing (`ignoreResourceStatusField`). */
  readonly ignoreStatus: 'all' | 'crd' | 'none';
  /** `group/Kind` -> places that hold a type of Kubernetes, written without what is empty. */
  readonly knownTypes: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Keys whose text is no YAML of the wanted shape. */
  readonly unreadable: readonly string[];
}

export const defaultSettings: ArgoSettings = { ignore: [], ignoreStatus: 'all', knownTypes: new Map(), unreadable: [] };

const prefix = 'resource.customizations';

/**
 * Reads the ConfigMap (argo-cd util/settings/settings.go GetResourceOverrides): the map `resource.customizations`, the
 * keys `resource.customizations.<type>.<group_Kind>` with `all` for every kind, and `resource.compareoptions`.
 * Anything that is not there keeps Argo CD's default.
 */
export function argoSettings(configMap: KubeObject | undefined): ArgoSettings {
  const data = configMap === undefined ? undefined : own(configMap, 'data');
  if (!isFields(data)) return defaultSettings;
  const read = reader();
  const ignore: JsonObject[] = [];
  const knownTypes = new Map<string, (readonly string[])[]>();
  for (const key of Object.keys(data).toSorted()) {
    const value = data[key];
    if (typeof value !== 'string' || !key.startsWith(prefix)) continue;
    if (key === prefix) {
      const all = read.mapping(key, value);
      for (const [kind, override] of Object.entries(all)) {
        if (isObject(override)) addOverride(kind, override, read, ignore, knownTypes);
      }
      continue;
    }
    const [, , type, ...rest] = key.split('.');
    const kind = kindOfKey(rest.join('.'));
    if (type === 'ignoreDifferences') ignore.push({ ...read.mapping(key, value), ...kind });
    if (type === 'knownTypeFields') addKnownTypes(kind, read.any(key, value), knownTypes);
  }
  const compare = own(data, 'resource.compareoptions');
  const options = typeof compare === 'string' ? read.mapping('resource.compareoptions', compare) : {};
  return {
    ignore,
    ignoreStatus: statusOption(options['ignoreResourceStatusField']),
    knownTypes,
    unreadable: read.unreadable,
  };
}

function statusOption(value: Json | undefined): ArgoSettings['ignoreStatus'] {
  if (value === 'crd') return 'crd';
  return value === 'none' || value === 'off' || value === false || value === 'false' ? 'none' : 'all';
}

/** An entry of the old map: its `ignoreDifferences` is YAML in a text. */
function addOverride(
  key: string,
  override: JsonObject,
  read: Reader,
  ignore: JsonObject[],
  knownTypes: Map<string, (readonly string[])[]>,
): void {
  const slash = key.indexOf('/');
  const kind = { group: slash === -1 ? '' : key.slice(0, slash), kind: key.slice(slash + 1) };
  const written = override['ignoreDifferences'];
  if (typeof written === 'string') ignore.push({ ...read.mapping(`${prefix}: ${key}`, written), ...kind });
  else if (isObject(written)) ignore.push({ ...written, ...kind });
  addKnownTypes(kind, override['knownTypeFields'], knownTypes);
}

function addKnownTypes(
  { group, kind }: { readonly group: string; readonly kind: string },
  fields: Json | undefined,
  into: Map<string, (readonly string[])[]>,
): void {
  if (!Array.isArray(fields)) return;
  for (const item of fields) {
    const field = isObject(item) ? item['field'] : undefined;
    if (typeof field !== 'string') continue;
    const key = `${group}/${kind}`;
    into.set(key, [...(into.get(key) ?? []), field.split('.')]);
  }
}

/** `apps_Deployment`, `Service`, `all`. */
function kindOfKey(text: string): { readonly group: string; readonly kind: string } {
  if (text === 'all') return { group: '*', kind: '*' };
  const [first = '', second] = text.split('_');
  return second === undefined ? { group: '', kind: first } : { group: first, kind: second };
}

interface Reader {
  readonly mapping: (key: string, text: string) => JsonObject;
  readonly any: (key: string, text: string) => Json | undefined;
  readonly unreadable: string[];
}

function reader(): Reader {
  const unreadable: string[] = [];
  const any = (key: string, text: string): Json | undefined => {
    try {
      return readDocuments(text)[0]?.value;
    } catch {
      unreadable.push(key);
      return undefined;
    }
  };
  const mapping = (key: string, text: string): JsonObject => {
    const value = any(key, text);
    if (isObject(value)) return value;
    if (value !== undefined && value !== null && !unreadable.includes(key)) unreadable.push(key);
    return {};
  };
  return { mapping, any, unreadable };
}
