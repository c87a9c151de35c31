import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../core/model.ts';

/** Answers of API servers that say themselves whether they are still good. */
export interface DiskCache {
  /** Undefined when it is not there or damaged. */
  read(key: string): Json | undefined;
  /** A cache that cannot be written is no error: the next run asks again. */
  write(key: string, value: Json): void;
}

const maxFiles = 500;

/**
 * One JSON file per key in a folder of the user. What was not used longest goes when there are more than 500.
 * @param folder made when it is needed, readable by the user only
 */
export function createDiskCache(folder: string): DiskCache {
  const fileOf = (key: string): string =>
    join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 40)}.json`);
  return {
    read(key) {
      const file = fileOf(key);
      try {
        const value = JSON.parse(readFileSync(file, 'utf8')) as Json;
        const now = new Date();
        utimesSync(file, now, now);
        return value;
      } catch {
        return undefined;
      }
    },
    write(key, value) {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // Another run may read it at this moment.
        const temporary = join(folder, `.${process.pid}-${Math.random().toString(36).slice(2)}`);
        writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
        renameSync(temporary, fileOf(key));
        prune(folder);
      } catch {
        // A full disk or a read-only home.
      }
    },
  };
}

function prune(folder: string): void {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  if (names.length <= maxFiles) return;
  const byAge = names
    .map((name) => ({ file: join(folder, name), used: statSync(join(folder, name)).mtimeMs }))
    .toSorted((left, right) => left.used - right.used);
  for (const { file } of byAge.slice(0, names.length - maxFiles)) rmSync(file, { force: true });
}
