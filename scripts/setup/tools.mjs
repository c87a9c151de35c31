// The tools of tools.json in exactly these versions: from PATH, else built by Go into the user's cache.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildClusterTools } from './cluster-tools.mjs';
import { findGo, programName, root, toolRoot, which } from './paths.mjs';
import { withLock } from './lock.mjs';
import { gist, run } from './run.mjs';
import { SetupError, say, ticking } from './say.mjs';
import { folderOf, goEnvironment, isComplete, publish, withWorkFolder } from './store.mjs';

/**
 * The pinned tools. `line: second` ones are wanted by tests only (two Helm lines side by side, workflow files), `cluster` and
 * `cluster-second` ones by tests against real API servers.
 */
export function pinnedTools() {
  return JSON.parse(readFileSync(join(root, 'scripts', 'tools.json'), 'utf8')).tools;
}

/** Built from a module of its own, with others of the same module at once. */
const isClusterTool = (tool) => tool.line.startsWith('cluster');

const versionArguments = {
  helm: ['version', '--template', '{{.Version}}'],
  kustomize: ['version'],
  kubectl: ['version', '--client'],
};

/** The version that a program on PATH prints is exactly the wanted one. */
async function fitsOnPath(tool) {
  const file = which(tool.name);
  if (file === undefined) return false;
  const { code, output } = await run(file, versionArguments[tool.name] ?? ['--version'], { timeoutMs: 10_000 });
  if (code !== 0) return false;
  if (!isClusterTool(tool)) return output.trim().split('+')[0] === `v${tool.version}`;
  // `Kubernetes v1.34.3`, `Client Version: v1.34.3`, `etcd Version: 3.6.5`
  return /(?:Version:|Kubernetes) v?(\S+)/.exec(output)?.[1] === tool.version;
}

/** Go, or a clear refusal. */
function goFor(label) {
  const go = findGo();
  if (go !== undefined) return go;
  throw new SetupError(
    `${label} is not on PATH and Go, which would build it, was not found`,
    `install Go 1.26 or newer (https://go.dev/dl), or put ${label} on PATH`,
  );
}

async function build(tool) {
  const label = `${tool.name} ${tool.version}`;
  const go = goFor(label);
  await withWorkFolder(`${tool.name}-${tool.version}`, async (work) => {
    const stop = ticking(`building ${label} with go install (once per user, about ${tool.about})`);
    const args = ['install', '-trimpath', `-ldflags=${tool.ldflags}`, `${tool.module}@v${tool.version}`];
    const { code, output } = await run(go, args, { cwd: work, env: goEnvironment(go, work) });
    const seconds = stop();
    if (code !== 0 || !existsSync(join(work, programName(tool.name)))) {
      throw new SetupError(
        `building ${label} failed after ${seconds} s (${go} ${args.join(' ')}):\n${gist(output)}`,
        `check the network, GOPROXY and the version of Go (1.26 or newer), or put ${label} on PATH`,
      );
    }
    publish(tool, work);
    say(`${label} is ready after ${seconds} s`);
  });
}

/** Tools that are built together, in the order of tools.json: those of one version of one module. */
function groups(tools) {
  const found = new Map();
  for (const tool of tools) {
    const key = isClusterTool(tool) ? `${tool.module}@${tool.version}` : `${tool.name}-${tool.version}`;
    found.set(key, [...(found.get(key) ?? []), tool]);
  }
  return [...found.values()];
}

async function missingOf(tools) {
  const missing = [];
  for (const tool of tools) {
    if (!isComplete(folderOf(tool), tool.name) && !(await fitsOnPath(tool))) missing.push(tool);
  }
  return missing;
}

/** Makes pinned tools available. Gives true when something had to be done. @throws SetupError */
export async function ensureTools(tools) {
  let worked = false;
  // One after another: a Go build uses all cores by itself.
  for (const group of groups(tools)) {
    const missing = await missingOf(group);
    const [first] = missing;
    if (first === undefined) continue;
    mkdirSync(toolRoot(), { recursive: true });
    const names = missing.map((tool) => `${tool.name} ${tool.version}`).join(', ');
    const lock = isClusterTool(first)
      ? join(toolRoot(), `${first.module.replaceAll('/', '-')}-${first.version}.lock`)
      : `${folderOf(first)}.lock`;
    const built = await withLock(lock, names, async () => {
      const left = missing.filter((tool) => !isComplete(folderOf(tool), tool.name));
      if (left.length === 0) return false;
      if (isClusterTool(first)) await buildClusterTools(left, goFor(`${first.name} ${first.version}`));
      else await build(first);
      return true;
    });
    worked = built || worked;
  }
  return worked;
}
