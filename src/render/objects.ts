import { isObject } from '../core/json.ts';
import { GateError } from '../core/errors.ts';
import type { DuplicateKey, Json, JsonObject, KubeObject, Manifest, Provenance, ResourceRef } from '../core/model.ts';
import { redactObject } from '../core/redact.ts';
import type { RawDuplicate, YamlDocument } from '../core/yaml/read.ts';

/** Splits `apps/v1` into group and version; the core group is ''. */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash === -1
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The identity of an object as it stands, without any default. */
export function refOf(object: KubeObject): ResourceRef {
  const { namespace, name } = object.metadata;
  return {
    ...splitApiVersion(object.apiVersion),
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
  };
}

/**
 * Turns one document into manifests: lists are expanded, Secrets redacted, duplicate keys named.
 * @param file file of the tree, for messages and provenance; undefined for tool output
 * @throws GateError `render.not-an-object` with the line
 */
export function manifestsOf(
  document: YamlDocument,
  redactKey: Uint8Array,
  provenance: Provenance,
  file: string | undefined,
  substitute?: (object: JsonObject) => Json,
): Manifest[] {
  const manifests: Manifest[] = [];
  for (const plain of expandList(document.value, document, file)) {
    const object =
      substitute === undefined ? plain : asKubeObject(substitute(plain as unknown as JsonObject), document, file);
    const duplicateKeys = document.duplicates.map((duplicate) => describeDuplicate(duplicate, document.value, file));
    const redacted = redactObject(object as unknown as JsonObject, redactKey) as unknown as KubeObject;
    manifests.push({
      ref: refOf(redacted),
      object: redacted,
      provenance,
      ...(duplicateKeys.length === 0 ? {} : { duplicateKeys }),
    });
  }
  return manifests;
}

/** An object with an `items` list is a list for every client of Kubernetes (apimachinery unstructured IsList). */
function expandList(value: Json, document: YamlDocument, file: string | undefined): KubeObject[] {
  if (value === null) return [];
  if (
    isObject(value) &&
    Array.isArray(value['items']) &&
    typeof value['kind'] === 'string' &&
    value['kind'].endsWith('List')
  ) {
    const itemKind = value['kind'].slice(0, -'List'.length);
    const inherited = itemKind === '' ? {} : { apiVersion: value['apiVersion'] ?? '', kind: itemKind };
    return value['items'].flatMap((item) =>
      expandList(isObject(item) ? { ...inherited, ...item } : item, document, file),
    );
  }
  return [asKubeObject(value, document, file)];
}

function asKubeObject(value: Json, document: YamlDocument, file: string | undefined): KubeObject {
  const missing = whatIsMissing(value);
  if (missing !== undefined) {
    throw new GateError({
      code: 'render.not-an-object',
      message: `The document is not a Kubernetes object: ${missing}`,
      fault: 'user',
      ...(file === undefined ? {} : { location: { file, line: document.line } }),
      next: 'Give it apiVersion, kind and metadata.name, or take the file out of what is rendered.',
    });
  }
  const object = value as JsonObject;
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  // Kinds without a name (kustomize inputs, generateName objects) still need an identity.
  const name =
    typeof metadata['name'] === 'string'
      ? metadata['name']
      : typeof metadata['generateName'] === 'string'
        ? `${metadata['generateName']}*`
        : '';
  const { namespace, ...others } = metadata;
  return {
    ...object,
    metadata: { ...others, name, ...(typeof namespace === 'string' && namespace !== '' ? { namespace } : {}) },
  } as unknown as KubeObject;
}

function whatIsMissing(value: Json): string | undefined {
  if (!isObject(value)) return `it is ${Array.isArray(value) ? 'a list' : 'a plain value'}`;
  if (typeof value['apiVersion'] !== 'string' || value['apiVersion'] === '') return 'apiVersion is missing';
  if (typeof value['kind'] !== 'string' || value['kind'] === '') return 'kind is missing';
  if (value['metadata'] !== undefined && value['metadata'] !== null && !isObject(value['metadata']))
    return 'metadata is not a mapping';
  return undefined;
}

/** The path in the notation of findings: list entries by their name where they have one. */
function describeDuplicate(duplicate: RawDuplicate, root: Json, file: string | undefined): DuplicateKey {
  let path = '';
  let at: Json | undefined = root;
  for (const segment of duplicate.path) {
    at =
      typeof segment === 'number'
        ? Array.isArray(at)
          ? at[segment]
          : undefined
        : isObject(at) && Object.hasOwn(at, segment)
          ? at[segment]
          : undefined;
    const name = typeof segment === 'number' && isObject(at) ? at['name'] : undefined;
    path += `/${String(typeof name === 'string' ? name : segment)
      .replaceAll('~', '~0')
      .replaceAll('/', '~1')}`;
  }
  return {
    path,
    key: duplicate.key,
    lines: duplicate.lines,
    ...(file === undefined ? {} : { location: { file, line: duplicate.lines[1] } }),
  };
}
