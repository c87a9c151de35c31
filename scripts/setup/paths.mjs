// Where things are. Plain Node 20, no packages: this runs before `npm ci`.
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

const windows = process.platform === 'win32';

/** Per-user cache folder of gate, the same one that the `env-paths` package gives to the program itself. */
export function cacheRoot(env = process.env) {
  if (windows) return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'gitops-gate', 'Cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'gitops-gate');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gitops-gate');
}

/** Folder that holds `<tool>-<version>/`. */
export function toolRoot(env = process.env) {
  return env.GATE_TOOL_CACHE ? resolve(env.GATE_TOOL_CACHE) : join(cacheRoot(env), 'tools');
}

/** File name of a program on this platform. */
export function programName(name) {
  return windows ? `${name}.exe` : name;
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** First program of that name on PATH, or undefined. Relative PATH entries are skipped: the checkout may be hostile. */
export function which(name, env = process.env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const file = join(folder, programName(name));
    if (isProgram(file)) return file;
  }
  return undefined;
}

/** Go, also where its installers put it without touching PATH. */
export function findGo(env = process.env) {
  const usual = windows
    ? ['C:\\Program Files\\Go\\bin\\go.exe']
    : ['/usr/local/go/bin/go', '/opt/homebrew/bin/go', '/usr/lib/go/bin/go', join(homedir(), 'go-sdk', 'bin', 'go')];
  return which('go', env) ?? usual.find(isProgram);
}
