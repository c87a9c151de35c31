import { isObject } from '../core/json.ts';
import { gunzipSync } from 'node:zlib';
import type { Json, JsonObject, KubeObject, Manifest } from '../core/model.ts';
import { refOf } from './objects.ts';
import type { Rendered } from './cache.ts';

/** Template functions of Helm and Sprig whose result differs from run to run. */
const randomFunctions =
  /\b(?:rand(?:AlphaNum|Alpha|Numeric|Ascii|Bytes|Int)|uuidv4|gen(?:CA|SelfSignedCert|SignedCert|PrivateKey)(?:WithKey)?|now|ago|unixEpoch|htpasswd|bcrypt|encryptAES|shuffle|getHostByName)\b/;

const replacement = '<random>';

/** May a template with this text print something else each time? Words in comments count too: that costs one more run. */
export function mayBeRandom(text: string): boolean {
  return randomFunctions.test(text);
}

/** The same question for a packaged chart. An archive that cannot be unpacked counts as random. */
export function archiveMayBeRandom(archive: Uint8Array): boolean {
  try {
    return mayBeRandom(gunzipSync(archive, { maxOutputLength: 256 * 1024 * 1024 }).toString('latin1'));
  } catch {
    return true;
  }
}

/**
 * Compares two renders of the same input and masks what differs: `<random>` in the object, its paths in
 * `nondeterministic`. Of a text with several lines only the differing lines are masked.
 */
export function maskDifferences(first: Rendered, second: Rendered): Rendered {
  if (first.manifests.length !== second.manifests.length) {
    return {
      ...first,
      warnings: [
        ...first.warnings,
        `Two renders of the same input gave ${first.manifests.length} and ${second.manifests.length} objects; random parts are not masked`,
      ],
    };
  }
  return {
    ...first,
    manifests: first.manifests.map((manifest, index) => maskManifest(manifest, second.manifests[index])),
  };
}

function maskManifest(manifest: Manifest, other: Manifest | undefined): Manifest {
  if (other === undefined) return manifest;
  const paths: string[] = [];
  const object = mask(
    manifest.object as unknown as Json,
    other.object as unknown as Json,
    '',
    paths,
  ) as unknown as KubeObject;
  return paths.length === 0 ? manifest : { ...manifest, object, ref: refOf(object), nondeterministic: paths };
}

function mask(left: Json, right: Json | undefined, path: string, paths: string[]): Json {
  if (left === right) return left;
  if (typeof left === 'string' && typeof right === 'string') {
    paths.push(path);
    return maskText(left, right);
  }
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    return left.map((item, index) => mask(item, right[index], `${path}/${segment(item, index)}`, paths));
  }
  if (isObject(left) && isObject(right)) {
    const result: JsonObject = {};
    for (const key of Object.keys(left)) {
      const value = left[key] ?? null;
      const masked = Object.hasOwn(right, key) ? mask(value, right[key], `${path}/${escape(key)}`, paths) : value;
      Object.defineProperty(result, key, { value: masked, enumerable: true, configurable: true, writable: true });
    }
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      if (Object.hasOwn(left, key) !== Object.hasOwn(right, key)) paths.push(`${path}/${escape(key)}`);
    }
    return result;
  }
  paths.push(path);
  return replacement;
}

function maskText(left: string, right: string): string {
  const mine = left.split('\n');
  const theirs = right.split('\n');
  if (mine.length === 1 || mine.length !== theirs.length) return replacement;
  return mine.map((line, index) => (line === theirs[index] ? line : replacement)).join('\n');
}

/** Keyed lists are named by their entries' names in all paths. */
function segment(item: Json, index: number): string {
  return isObject(item) && typeof item['name'] === 'string' ? escape(item['name']) : String(index);
}

function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
