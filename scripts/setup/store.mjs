// The per-user folder of built tools: `<tool>-<version>/` with the program and a marker that is written last.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { programName, toolRoot } from './paths.mjs';
import { isAlive } from './lock.mjs';

const markerName = 'complete.json';
const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Where a tool is, or will be. */
export const folderOf = (tool) => join(toolRoot(), `${tool.name}-${tool.version}`);

/**
 * Is the cached tool whole? Told by its marker (written last) and not by what the tool prints: a Helm built
 * without linker flags prints only `v3.19`. The content is hashed only when size or time moved.
 */
export function isComplete(folder, name) {
  const file = join(folder, programName(name));
  try {
    const marker = JSON.parse(readFileSync(join(folder, markerName), 'utf8'));
    const { size, mtimeMs } = statSync(file);
    if (marker.platform !== `${process.platform}-${process.arch}`) return false;
    if (size !== marker.bytes) return false;
    return mtimeMs === marker.mtimeMs || hashOf(file) === marker.sha256;
  } catch {
    return false;
  }
}

/** Folders that killed runs left behind. A live process of this machine keeps its own. */
function removeLeftovers(parent, prefix) {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length).split('-')[0]);
    const old = Date.now() - statSync(join(parent, name)).mtimeMs > 3_600_000;
    if (old || !isAlive(pid)) removeFolder(join(parent, name));
  }
}

/** Also while an orphaned compiler still writes into it: what it leaves goes with the next run. */
function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Runs `work` with a temporary folder beside the tools, which is removed afterwards, also by a signal. */
export async function withWorkFolder(label, work) {
  const parent = toolRoot();
  const prefix = `.${label}.tmp-`;
  mkdirSync(parent, { recursive: true });
  removeLeftovers(parent, prefix);
  const folder = mkdtempSync(join(parent, `${prefix}${process.pid}-`));
  const remove = () => removeFolder(folder);
  process.once('exit', remove);
  try {
    return await work(folder);
  } finally {
    process.removeListener('exit', remove);
    remove();
  }
}

/** Environment of a Go command that builds for this machine, with `GOBIN` set to the folder. */
export function goEnvironment(go, folder) {
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOWORK: 'off' };
  // A cross-compiling shell must not decide what runs here.
  for (const name of ['GOOS', 'GOARCH', 'GOEXPERIMENT']) delete env[name];
  env.PATH = [dirname(go), env.PATH].filter(Boolean).join(delimiter);
  return env;
}

/** Writes the marker beside the program in `work` and moves the folder to its place in one step. */
export function publish(tool, work) {
  const file = join(work, programName(tool.name));
  const { size, mtimeMs } = statSync(file);
  const marker = {
    tool: tool.name,
    version: tool.version,
    module: tool.module,
    platform: `${process.platform}-${process.arch}`,
    bytes: size,
    mtimeMs,
    sha256: hashOf(file),
  };
  writeFileSync(join(work, markerName), `${JSON.stringify(marker, null, 2)}\n`);
  const folder = folderOf(tool);
  // A broken one there is moved away; a whole one is kept.
  if (isComplete(folder, tool.name)) return;
  if (existsSync(folder)) {
    const broken = `${folder}.broken-${process.pid}-${Date.now()}`;
    renameSync(folder, broken);
    removeFolder(broken);
  }
  try {
    renameSync(work, folder);
  } catch (error) {
    if (!isComplete(folder, tool.name)) throw error;
  }
}
