import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';

/** The per-user cache folder of gate; it may not exist yet. */
export function userCacheFolder(): string {
  return envPaths('gitops-gate', { suffix: '' }).cache;
}

/** Folder with `<tool>-<version>/<tool>`; `$GATE_TOOL_CACHE` overrides. */
export function toolCacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['GATE_TOOL_CACHE'] || join(userCacheFolder(), 'tools');
}

/** Makes a folder that only this user can read. @throws the file system's error */
export async function makePrivateFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}
