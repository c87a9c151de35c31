import { openCache } from '../../wire.ts';

/** `gate cache clear`. */
export async function clearCache(): Promise<number> {
  const cache = openCache();
  const bytes = await cache.clear();
  process.stdout.write(`Removed ${megabytes(bytes)} from ${cache.folder}\n`);
  return 0;
}

/** `gate cache info`. */
export async function cacheInfo(): Promise<number> {
  const cache = openCache();
  const { bytes, entries } = await cache.size();
  process.stdout.write(`${cache.folder}: ${entries} entries, ${megabytes(bytes)}\n`);
  return 0;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
