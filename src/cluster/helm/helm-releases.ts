import { gunzipSync } from 'node:zlib';
import type { HelmReleaseRecord, UnreadKind } from '../../core/cluster.ts';
import { messageOf } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { numberAt, textAt, valueAt } from '../fields.ts';
import { manifestApis } from './manifest-apis.ts';

/** The pseudo kind under which release records are asked for and counted. */
export const helmReleaseKind = 'helm/Release';

/** Collects the releases of a cluster from the Secrets and ConfigMaps that Helm keeps them in. */
export interface HelmReleases {
  /**
   * Takes an object that holds a revision of a release. Lists come sorted by name, so only the newest revision of the
   * release at hand is kept undecoded.
   * @returns false for every other object
   */
  add(object: JsonObject): boolean;
  /** The newest revision of each release, sorted; and the namespaces in which one could not be decoded. */
  finish(): { readonly releases: readonly HelmReleaseRecord[]; readonly unread: readonly UnreadKind[] };
}

/**
 * Does Helm keep a revision of a release in this object? (helm pkg/storage/driver/secrets.go and cfgmaps.go, the same in
 * Helm 3 and 4; Flux uses the Secret driver.)
 */
export function isReleaseStorage(object: JsonObject): boolean {
  if (object['kind'] === 'Secret') return object['type'] === 'helm.sh/release.v1';
  return (
    object['kind'] === 'ConfigMap' &&
    textAt(object, 'metadata', 'labels', 'owner') === 'helm' &&
    (textAt(object, 'metadata', 'name') ?? '').startsWith('sh.helm.release.v1.') &&
    valueAt(object, 'data', 'release') !== undefined
  );
}

interface Revision {
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly object: JsonObject;
}

/** Which revision of which release a storage object (or its metadata) holds; from its labels, else from its name. */
export function revisionOf(object: JsonObject): Omit<Revision, 'object'> | undefined {
  const namespace = textAt(object, 'metadata', 'namespace') ?? 'default';
  const byName = /^sh\.helm\.release\.v1\.(.{1,240})\.v(\d{1,9})$/.exec(textAt(object, 'metadata', 'name') ?? '');
  const name = textAt(object, 'metadata', 'labels', 'name') ?? byName?.[1];
  const version = textAt(object, 'metadata', 'labels', 'version') ?? byName?.[2] ?? '';
  if (name === undefined || !/^\d{1,9}$/.test(version)) return undefined;
  return { namespace, name, revision: Number(version) };
}

export function createHelmReleases(): HelmReleases {
  const records = new Map<string, HelmReleaseRecord>();
  const failures = new Map<string, { readonly revision: number; readonly namespace: string; readonly text: string }>();
  let pending: Revision | undefined;

  const decode = (): void => {
    if (pending === undefined) return;
    const { namespace, name, revision, object } = pending;
    pending = undefined;
    const key = `${namespace}\0${name}`;
    if (revision <= Math.max(records.get(key)?.revision ?? -1, failures.get(key)?.revision ?? -1)) return;
    records.delete(key);
    failures.delete(key);
    try {
      records.set(key, readRelease(object, namespace, name, revision));
    } catch (cause) {
      failures.set(key, {
        revision,
        namespace,
        text: `revision ${revision} of release ${name}: ${messageOf(cause).slice(0, 200)}`,
      });
    }
  };

  return {
    add(object) {
      if (!isReleaseStorage(object)) return false;
      const found = revisionOf(object);
      if (found === undefined) return true;
      if (pending?.name === found.name && pending.namespace === found.namespace) {
        if (found.revision > pending.revision) pending = { ...found, object };
        return true;
      }
      decode();
      pending = { ...found, object };
      return true;
    },
    finish() {
      decode();
      const byPlace = (left: HelmReleaseRecord, right: HelmReleaseRecord): number =>
        `${left.namespace}\0${left.name}` < `${right.namespace}\0${right.name}` ? -1 : 1;
      return {
        releases: [...records.values()].toSorted(byPlace),
        unread: [...failures.values()]
          .toSorted((left, right) => (`${left.namespace} ${left.text}` < `${right.namespace} ${right.text}` ? -1 : 1))
          .map(({ namespace, text }) => ({
            kind: helmReleaseKind,
            namespaces: [namespace],
            reason: `a stored Helm release cannot be read: ${text}`,
            next: 'Look at it with `helm history`; Helm cannot read it either.',
          })),
      };
    },
  };
}

/** A Secret holds 1 MiB; charts with their files unpack to a few MB. More is an attack or no release. */
const maxReleaseBytes = 32 * 1024 * 1024;

function readRelease(object: JsonObject, namespace: string, name: string, revision: number): HelmReleaseRecord {
  const encoded = textAt(object, 'data', 'release');
  if (encoded === undefined) throw new Error('the object holds no release');
  // The API encodes the bytes of a Secret, which are themselves Helm's base64.
  const text = object['kind'] === 'Secret' ? Buffer.from(encoded, 'base64').toString('latin1') : encoded;
  const release = parseRelease(unpack(Buffer.from(text, 'base64')));
  if (!isObject(release) || !isObject(release['info'])) throw new Error('it holds something else than a release');
  const appVersion = textAt(release, 'chart', 'metadata', 'appVersion');
  return {
    namespace: textAt(release, 'namespace') ?? namespace,
    name,
    revision: numberAt(release, 'version') ?? revision,
    status: textAt(release, 'info', 'status') ?? textAt(object, 'metadata', 'labels', 'status') ?? 'unknown',
    chart: textAt(release, 'chart', 'metadata', 'name') ?? '',
    chartVersion: textAt(release, 'chart', 'metadata', 'version') ?? '',
    ...(appVersion === undefined ? {} : { appVersion }),
    apis: manifestApis(textAt(release, 'manifest') ?? ''),
  };
}

/** The message of JSON.parse quotes what it read, which holds values: it must not get any further. */
function parseRelease(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString('utf8')) as Json;
  } catch {
    throw new Error('it is not JSON');
  }
}

/** Gzip, or plain JSON of releases from before Helm compressed them (helm pkg/storage/driver/util.go decodeRelease). */
function unpack(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: maxReleaseBytes });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Error('it unpacks to more than 32 MiB', { cause });
    }
    throw cause;
  }
}
