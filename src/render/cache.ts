import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import type { Json, Manifest } from '../core/model.ts';
import { writeAtomically } from './context.ts';
import { makePrivateFolder, userCacheFolder } from './folders.ts';

/** What one tool run gave: parsed and redacted. */
export interface Rendered {
  readonly manifests: readonly Manifest[];
  readonly warnings: readonly string[];
}

/** Results of earlier runs, by a digest of everything that went in. Shared by processes; losing it costs only time. */
export interface RenderCache {
  /** Folder of the cache. */
  readonly folder: string;
  /** Secret of this user for fingerprints of Secret values: 32 bytes, kept with the cache. */
  redactKey(): Promise<Uint8Array>;
  get(key: string): Promise<Rendered | undefined>;
  put(key: string, value: Rendered): Promise<void>;
  /** Removes the entries used least recently until the cache is below its size. */
  trim(): Promise<void>;
  /** Removes rendered results and fetched charts. Gives the number of bytes freed. */
  clear(): Promise<number>;
  size(): Promise<{ readonly entries: number; readonly bytes: number }>;
  /** Why nothing is kept: a full disk, a read-only folder. Undefined: all is well. */
  readonly problem: string | undefined;
}

const defaultMaxBytes = 1024 * 1024 * 1024;
/** An entry counts as used again only after this time, to save writes. */
const touchAfterMs = 60 * 60 * 1000;
const formatVersion = 'v1';

/**
 * Opens the cache of rendered manifests and fetched charts. Nothing is created before the first write.
 * @param options.folder default: the per-user cache folder of gate
 * @param options.maxBytes default 1 GiB
 */
export function createRenderCache(options: { readonly folder?: string; readonly maxBytes?: number } = {}): RenderCache {
  const folder = options.folder ?? userCacheFolder();
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const entries = join(folder, 'render', formatVersion);
  let problem: string | undefined;
  let key: Promise<Uint8Array> | undefined;
  const fileOf = (digest: string): string => join(entries, digest.slice(0, 2), `${digest}.json`);
  const trim = async (): Promise<void> => {
    const found = (await listEntries(entries)).toSorted((left, right) => left.used - right.used);
    let total = found.reduce((sum, entry) => sum + entry.bytes, 0);
    for (const entry of found) {
      if (total <= maxBytes) return;
      await rm(entry.path, { force: true });
      total -= entry.bytes;
    }
  };
  return {
    folder,
    get problem() {
      return problem;
    },
    redactKey() {
      key ??= readOrMakeKey(folder);
      return key;
    },
    async get(digest) {
      const path = fileOf(digest);
      try {
        const text = await readFile(path, 'utf8');
        const value: unknown = JSON.parse(text);
        if (!isRendered(value)) return undefined;
        const now = new Date();
        const { mtimeMs } = await stat(path);
        if (now.getTime() - mtimeMs > touchAfterMs) await utimes(path, now, now).catch(() => undefined);
        return value;
      } catch {
        // Absent, damaged or unreadable: render again.
        return undefined;
      }
    },
    async put(digest, value) {
      if (problem !== undefined) return;
      try {
        await writeAtomically(fileOf(digest), JSON.stringify(value));
      } catch (error) {
        problem = `The cache in ${folder} cannot be written (${messageOf(error)}); results are not kept between runs.`;
      }
    },
    trim: () => trim().catch(() => undefined),
    async clear() {
      const { bytes } = await this.size();
      await rm(join(folder, 'render'), { recursive: true, force: true });
      await rm(join(folder, 'charts'), { recursive: true, force: true });
      return bytes;
    },
    async size() {
      const found = [...(await listEntries(join(folder, 'render'))), ...(await listEntries(join(folder, 'charts')))];
      return { entries: found.length, bytes: found.reduce((sum, entry) => sum + entry.bytes, 0) };
    },
  };
}

/** The cache is a folder that anything may have written to. */
function isRendered(value: unknown): value is Rendered {
  const entry = value as Json;
  if (!isObject(entry) || !Array.isArray(entry['warnings']) || !Array.isArray(entry['manifests'])) return false;
  return entry['manifests'].every(
    (manifest) =>
      isObject(manifest) &&
      isObject(manifest['ref']) &&
      isObject(manifest['provenance']) &&
      isObject(manifest['object']) &&
      isObject(manifest['object']['metadata']),
  );
}

async function listEntries(folder: string): Promise<{ path: string; bytes: number; used: number }[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.isFile())
      .map(async (name) => {
        const path = join(name.parentPath, name.name);
        // Another process may be trimming too.
        const info = await stat(path).catch(() => undefined);
        return info === undefined ? undefined : { path, bytes: info.size, used: info.mtimeMs };
      }),
  );
  return found.filter((entry) => entry !== undefined);
}

async function readOrMakeKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, 'redact-key');
  const read = async (): Promise<Uint8Array | undefined> => {
    const known = await readFile(path).catch(() => undefined);
    return known?.length === 32 ? known : undefined;
  };
  const made = randomBytes(32);
  const temporary = `${path}.${process.pid}.${made.toString('hex').slice(0, 8)}`;
  try {
    const known = await read();
    if (known !== undefined) return known;
    await makePrivateFolder(folder);
    await writeFile(temporary, made, { mode: 0o600, flag: 'wx' });
    // A link appears whole or not at all, and only one process can make it.
    await link(temporary, path);
    return made;
  } catch {
    // Another process was first; or the folder cannot be written, and fingerprints are equal within this run only.
    return (await read()) ?? made;
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
