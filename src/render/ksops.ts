import { isObject } from '../core/json.ts';
import type { Json, JsonObject } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { readDocuments } from '../core/yaml/read.ts';
import { digestOf } from './context.ts';
import { kustomizationFile, readKustomization } from './kustomize-closure.ts';
import { relativeTo } from './tree-path.ts';

/** Kustomizations that name encrypted files as resources where they had a KSOPS generator decrypt them. */
export interface SealedResources {
  /** Kustomization by folder, as overrides of the files in the tree. */
  readonly overrides: ReadonlyMap<string, JsonObject>;
  /** Encrypted files by tree path: their objects without the `sops` part, as YAML. */
  readonly files: ReadonlyMap<string, string>;
  /** One of them lies outside of its kustomization, which KSOPS does not mind and kustomize does. */
  readonly outside: boolean;
}

/**
 * KSOPS (viaduct.ai/v1, kind ksops) is a generator that prints the files that it names, decrypted by SOPS. gate neither
 * runs programs nor holds keys, but kind, name and namespace of the objects stand in clear, so the files are taken as
 * they are: objects are found, values are compared encrypted.
 *
 * @param folders whose kustomizations are built
 * @param given overrides of the engine for these folders
 * @returns undefined when no kustomization uses KSOPS, or one in a way that cannot be followed without the keys
 */
export function sealedResources(
  tree: Tree,
  folders: readonly string[],
  given: ReadonlyMap<string, JsonObject>,
): SealedResources | undefined {
  const overrides = new Map<string, JsonObject>();
  const files = new Map<string, string>();
  let outside = false;
  for (const folder of folders) {
    const file = kustomizationFile(tree, folder);
    const kustomization = given.get(folder) ?? (file === undefined ? undefined : readKustomization(tree, file));
    const generators = kustomization?.['generators'];
    if (kustomization === undefined || !Array.isArray(generators)) continue;
    const kept: Json[] = [];
    const named: string[] = [];
    for (const generator of generators) {
      const names = typeof generator === 'string' ? filesOf(tree, folder, generator) : undefined;
      if (names === undefined) kept.push(generator);
      else named.push(...names);
    }
    if (named.length === 0) continue;
    const made: string[] = [];
    const merged: Json[] = [];
    for (const name of named) {
      const path = relativeTo(folder, name, 'The path');
      const objects = tree.isFile(path) ? objectsIn(tree.readText(path) ?? '') : undefined;
      if (objects === undefined) return undefined;
      merged.push(...objects.filter(isMerged).map((object) => ({ patch: JSON.stringify(asPatch(object)) })));
      const own = objects.filter((object) => !isMerged(object));
      if (own.length === 0) continue;
      made.push(name);
      files.set(path, own.map((object) => JSON.stringify(withoutOptions(object))).join('\n---\n'));
      if (folder !== '' && !path.startsWith(`${folder}/`)) outside = true;
    }
    const { generators: _replaced, resources, patches, ...rest } = kustomization;
    overrides.set(folder, {
      ...rest,
      resources: [...asList(resources), ...made],
      ...(merged.length === 0 && patches === undefined ? {} : { patches: [...merged, ...asList(patches)] }),
      ...(kept.length === 0 ? {} : { generators: kept }),
    });
  }
  return overrides.size === 0 ? undefined : { overrides, files, outside };
}

/** The files that a generator entry (a path, or YAML in place) has KSOPS decrypt; undefined: it is something else. */
function filesOf(tree: Tree, folder: string, generator: string): readonly string[] | undefined {
  const inline = generator.includes('\n');
  const path = inline || /^[a-z+]+:\/\//i.test(generator) ? undefined : relativeTo(folder, generator, 'The path');
  if (!inline && (path === undefined || !tree.isFile(path))) return undefined;
  const names: string[] = [];
  for (const document of documentsIn(path === undefined ? generator : (tree.readText(path) ?? ''))) {
    const { apiVersion, kind, files, secretFrom } = isObject(document) ? document : {};
    if (typeof apiVersion !== 'string' || !apiVersion.startsWith('viaduct.ai/')) return undefined;
    // What `secretFrom` makes is spread over encrypted files without kind and name.
    if (typeof kind !== 'string' || !/^ksops(-exec)?$/.test(kind) || secretFrom !== undefined) return undefined;
    for (const file of Array.isArray(files) ? files : []) {
      if (typeof file !== 'string') return undefined;
      names.push(file);
    }
  }
  return names.length === 0 ? undefined : names;
}

/** Objects of one encrypted file, without what SOPS adds. Undefined when it holds no object, or kind and name are encrypted too: then nobody can tell what it is. */
function objectsIn(text: string): readonly JsonObject[] | undefined {
  const objects: JsonObject[] = [];
  for (const document of documentsIn(text)) {
    if (document === null) continue;
    if (!isObject(document)) return undefined;
    const { sops: _sops, ...object } = document;
    const { apiVersion, kind, metadata } = object;
    const name = isObject(metadata) ? metadata['name'] : undefined;
    if (![apiVersion, kind, name].every((value) => typeof value === 'string' && !value.startsWith('ENC[')))
      return undefined;
    objects.push(marked(object) as JsonObject);
  }
  return objects.length === 0 ? undefined : objects;
}

/** Encrypted text becomes a mark that differs when it does: what reaches the cluster is not this text. */
function marked(value: Json): Json {
  if (typeof value === 'string') return value.startsWith('ENC[') ? `sealed:${digestOf(value).slice(0, 12)}` : value;
  if (Array.isArray(value)) return value.map(marked);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, marked(item)]));
}

/** Options of generated objects (kustomize api/resource/resource.go, api/internal/utils/annotations.go). */
const optionPrefix = 'kustomize.config.k8s.io/';

function optionOf(object: JsonObject, name: string): Json | undefined {
  const metadata = object['metadata'];
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined;
  return isObject(annotations) ? annotations[optionPrefix + name] : undefined;
}

/** A generator may merge into, or replace the data of, an object that the resources hold. */
function isMerged(object: JsonObject): boolean {
  return ['merge', 'replace'].includes(String(optionOf(object, 'behavior')));
}

function asPatch(object: JsonObject): JsonObject {
  const plain = withoutOptions(object);
  if (optionOf(object, 'behavior') === 'merge') return plain;
  const replaced = ['data', 'stringData', 'binaryData'].flatMap((field) => {
    const values = plain[field];
    return isObject(values) ? [[field, { $patch: 'replace', ...values }]] : [];
  });
  return { ...plain, ...(Object.fromEntries(replaced) as JsonObject) };
}

function withoutOptions(object: JsonObject): JsonObject {
  const metadata = object['metadata'];
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined;
  if (!isObject(metadata) || !isObject(annotations)) return object;
  const { annotations: _all, ...rest } = metadata;
  const left = Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(optionPrefix)));
  return { ...object, metadata: Object.keys(left).length === 0 ? rest : { ...rest, annotations: left } };
}

function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function documentsIn(text: string): readonly Json[] {
  try {
    return readDocuments(text).map((document) => document.value);
  } catch {
    // kustomize says what is wrong with it.
    return [];
  }
}
