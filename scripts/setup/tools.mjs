// helm and kustomize in the exact versions of tools.json: from PATH, else built by Go into the user's cache.
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
import { findGo, programName, root, toolRoot, which } from './paths.mjs';
import { isAlive, withLock } from './lock.mjs';
import { gist, run } from './run.mjs';
import { SetupError, say, ticking } from './say.mjs';

/** The pinned tools. `line: second` ones are wanted by tests that prove two Helm lines side by side. */
export function pinnedTools() {
  return JSON.parse(readFileSync(join(root, 'scripts', 'tools.json'), 'utf8')).tools;
}

const folderOf = (tool) => join(toolRoot(), `${tool.name}-${tool.version}`);
const markerName = 'complete.json';
const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

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

/** The version that a program on PATH prints is exactly the wanted one. */
async function fitsOnPath(tool) {
  const file = which(tool.name);
  if (file === undefined) return undefined;
  const args = tool.name === 'helm' ? ['version', '--template', '{{.Version}}'] : ['version'];
  const { code, output } = await run(file, args, { timeoutMs: 10_000 });
  return code === 0 && output.trim().split('+')[0] === `v${tool.version}` ? file : undefined;
}

function goEnvironment(go, folder) {
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' };
  // A cross-compiling shell must not decide what runs here.
  for (const name of ['GOOS', 'GOARCH', 'GOEXPERIMENT']) delete env[name];
  env.PATH = [dirname(go), env.PATH].filter(Boolean).join(delimiter);
  return env;
}

/** Folders that killed runs left behind. A live process of this machine keeps its own. */
function removeLeftovers(parent, prefix) {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length).split('-')[0]);
    const old = Date.now() - statSync(join(parent, name)).mtimeMs > 3_600_000;
    if (old || !isAlive(pid)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

async function build(tool) {
  const go = findGo();
  const label = `${tool.name} ${tool.version}`;
  if (go === undefined) {
    throw new SetupError(
      `${label} is not on PATH and Go, which would build it, was not found`,
      `install Go 1.26 or newer (https://go.dev/dl), or put ${label} on PATH`,
    );
  }
  const parent = toolRoot();
  const prefix = `.${tool.name}-${tool.version}.tmp-`;
  removeLeftovers(parent, prefix);
  const work = mkdtempSync(join(parent, `${prefix}${process.pid}-`));
  const removeWork = () => rmSync(work, { recursive: true, force: true });
  process.once('exit', removeWork);
  try {
    const stop = ticking(`building ${label} with go install (once per user, about ${tool.about})`);
    const args = ['install', '-trimpath', `-ldflags=${tool.ldflags}`, `${tool.module}@v${tool.version}`];
    const { code, output } = await run(go, args, { cwd: work, env: goEnvironment(go, work) });
    const seconds = stop();
    const file = join(work, programName(tool.name));
    if (code !== 0 || !existsSync(file)) {
      throw new SetupError(
        `building ${label} failed after ${seconds} s (${go} ${args.join(' ')}):\n${gist(output)}`,
        `check the network, GOPROXY and the version of Go (1.26 or newer), or put ${label} on PATH`,
      );
    }
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
    publish(work, folderOf(tool), tool.name);
    say(`${label} is ready after ${seconds} s`);
  } finally {
    process.removeListener('exit', removeWork);
    removeWork();
  }
}

/** Moves the finished folder to its place in one step. A broken one there is moved away; a whole one is kept. */
function publish(work, folder, name) {
  if (isComplete(folder, name)) return;
  if (existsSync(folder)) {
    const broken = `${folder}.broken-${process.pid}-${Date.now()}`;
    renameSync(folder, broken);
    rmSync(broken, { recursive: true, force: true });
  }
  try {
    renameSync(work, folder);
  } catch (error) {
    if (!isComplete(folder, name)) throw error;
  }
}

/** Makes one pinned tool available. Gives true when something had to be done. @throws SetupError */
export async function ensureTool(tool) {
  const folder = folderOf(tool);
  if (isComplete(folder, tool.name)) return false;
  if ((await fitsOnPath(tool)) !== undefined) return false;
  mkdirSync(toolRoot(), { recursive: true });
  return withLock(`${folder}.lock`, `${tool.name} ${tool.version}`, async () => {
    if (isComplete(folder, tool.name)) return false;
    await build(tool);
    return true;
  });
}
