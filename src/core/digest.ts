import { createHash } from 'node:crypto';
import { isObject } from './json.ts';
import type { Json, JsonObject, Manifest, ResourceRef } from './model.ts';

/** What a target renders, as far as it can be told again by anybody at any time. Digests are `sha256:` and 64 hex digits. */
export interface RenderedDigest {
  /** Of all objects. */
  readonly digest: string;
  /** Of each object, by {@link objectKey}. */
  readonly objects: ReadonlyMap<string, string>;
}

/** Identity of an object without its version; usable as a map key. */
export function objectKey({ group, kind, namespace = '', name }: Omit<ResourceRef, 'version'>): string {
  return [group, kind, namespace, name].join('\0');
}

/**
 * Digest of rendered manifests: the same for every user, machine and commit that renders the same objects, so that what
 * was decided at a pull request is found again at its squash-merged commit.
 *
 * Left out, because it is no content: order of documents and keys, YAML style, comments (they are not in the objects).
 * Masked: values of Secrets (their keys count) and whatever follows from them and would let somebody try guesses: redacted
 * text, whose fingerprints differ by user, the SOPS envelope, checksum annotations, the suffix that kustomize computes
 * from a generated Secret. What differs from render to render is `<random>` in the manifests already. Hooks count.
 *
 * As rendered, without the API server's defaults: `replicas: 1` spelled out is another digest than no `replicas`. It is
 * another request (it takes the field away from an autoscaler), and tables of defaults differ between versions of
 * Kubernetes and gate, which would void every record at an upgrade.
 *
 * Pure; linear in the size of the objects but for sorting.
 */
export function digestManifests(manifests: readonly Pick<Manifest, 'ref' | 'object'>[]): RenderedDigest {
  const names = generatedSecrets(manifests);
  const objects = new Map<string, string>();
  for (const { ref, object } of manifests) {
    const key = maskName(objectKey(ref), ref.name, names);
    const own = sha256(`gate object 1\n${canonical(object as unknown as Json, names, '')}`);
    // The same identity twice: the engine applies one over the other, so here the order is content.
    const earlier = objects.get(key);
    objects.set(key, earlier === undefined ? own : sha256(`${earlier}\n${own}`));
  }
  const lines = [...objects].map(([key, own]) => `${JSON.stringify(key)} ${own}`).toSorted();
  // Callers look objects up by the name that they have.
  for (const { ref } of manifests) {
    const masked = maskName(objectKey(ref), ref.name, names);
    const own = objects.get(masked);
    if (own !== undefined) objects.set(objectKey(ref), own);
  }
  return { digest: sha256(['gate manifests 1', ...lines].join('\n')), objects };
}

/** `sha256:` and the digest of a text. */
export function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

// ---------------------------------------------------------------------------------------------
// Names that kustomize generates from the content of Secrets
// ---------------------------------------------------------------------------------------------

/** kustomize api/hasher encode(): ten hexadecimal digits, some of them as other letters. */
const hashed = /^(.+-)[2456789bcdfghkmt]{10}$/;

/** Names to replace, with what stands in their place. Two Secrets with one stem stay as they are: they must not be confused. */
function generatedSecrets(manifests: readonly Pick<Manifest, 'ref'>[]): ReadonlyMap<string, string> {
  const stems = new Map<string, Set<string>>();
  for (const { ref } of manifests) {
    if (ref.kind !== 'Secret' || ref.group !== '') continue;
    const stem = hashed.exec(ref.name)?.[1];
    if (stem !== undefined) stems.set(stem, (stems.get(stem) ?? new Set()).add(ref.name));
  }
  return new Map(
    [...stems].flatMap(([stem, names]) => (names.size === 1 ? [...names].map((name) => [name, `${stem}*`]) : [])) as [
      string,
      string,
    ][],
  );
}

function maskName(key: string, name: string, names: ReadonlyMap<string, string>): string {
  const masked = names.get(name);
  return masked === undefined ? key : `${key.slice(0, key.length - name.length)}${masked}`;
}

// ---------------------------------------------------------------------------------------------
// One form for every way to write an object
// ---------------------------------------------------------------------------------------------

const redacted = /redacted:(?:[0-9a-f]{12}|sops)/g;
const checksumName = /checksum|hash|(?:^|[^a-z])(?:sha|md5)/i;
const checksum = /^(?:[0-9a-f]{32,128})$/i;

/** @param field name of the key that holds the value, '' at the root */
function canonical(value: Json, names: ReadonlyMap<string, string>, field: string): string {
  if (typeof value === 'string') return JSON.stringify(names.get(value) ?? maskText(value, field));
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, names, field)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const plain = withoutValues(value);
  let text = '{';
  for (const key of Object.keys(plain).sort()) {
    const entry = plain[key];
    if (entry === undefined) continue;
    const written = field === 'annotations' && isChecksum(key, entry) ? '"checksum"' : canonical(entry, names, key);
    text += `${text === '{' ? '' : ','}${JSON.stringify(key)}:${written}`;
  }
  return `${text}}`;
}

function maskText(value: string, field: string): string {
  // An image named "redacted" with a tag of twelve digits must not hide its tag. No image holds a credential.
  return field === 'image' || !value.includes('redacted:') ? value : value.replace(redacted, 'redacted:');
}

function isChecksum(key: string, value: Json): boolean {
  return typeof value === 'string' && checksum.test(value) && checksumName.test(key);
}

/** A Secret, also one inside of another object, with its keys only. */
function withoutValues(object: JsonObject): JsonObject {
  if (object['kind'] !== 'Secret' || (object['apiVersion'] !== 'v1' && object['apiVersion'] !== undefined))
    return object;
  const { data, stringData, sops: _envelope, ...rest } = object;
  return {
    ...rest,
    ...(data === undefined ? {} : { data: keysOf(data) }),
    ...(stringData === undefined ? {} : { stringData: keysOf(stringData) }),
  };
}

function keysOf(values: Json): Json {
  return isObject(values) ? Object.keys(values).toSorted() : null;
}
