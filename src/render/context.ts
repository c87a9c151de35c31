import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../core/config.ts';
import type { Exec, ExecRequest, ExecResult, ToolPaths } from '../core/ports.ts';
import { defaultVersions } from './engine-versions.ts';
import { fail } from './failure.ts';
import { onExit } from './on-exit.ts';

/** What every renderer of one run shares. */
export interface RenderContext {
  readonly exec: Exec;
  readonly tools: ToolPaths;
  readonly config: Config;
  readonly redactKey: Uint8Array;
  /** Runs a task when one of the slots is free. */
  readonly limited: <Result>(task: () => Promise<Result>) => Promise<Result>;
  readonly workspace: Workspace;
  readonly counters: { helmRuns: number; kustomizeRuns: number; cacheHits: number };
  readonly toolsUsed: Map<string, string>;
  /** What the reader should know of the run itself. */
  readonly notes: Set<string>;
}

/** Hexadecimal SHA-256 of a text or of a JSON value (with its keys in the order given). */
export function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex');
}

/** A limit on how many tasks run at once, first come first served. */
export function createLimit(slots: number): <Result>(task: () => Promise<Result>) => Promise<Result> {
  let free = Math.max(1, slots);
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/** The temporary folder of one run. */
export interface Workspace {
  /** A file with this text; equal texts share one file. */
  textFile(text: string, extension: string): Promise<string>;
  /** A folder that is filled once per key, also when several ask at the same time. */
  folder(key: string, fill: (path: string) => Promise<void>): Promise<string>;
  /** A new empty folder. */
  newFolder(): Promise<string>;
  /** Environment with an empty home for helm and kustomize: no plugins, repositories, registries or kubeconfig of the user. */
  environment(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/** Makes the temporary folder when it is first needed; it is removed by `close` or when gate ends. */
export function createWorkspace(): Workspace {
  let root: Promise<string> | undefined;
  let made: string | undefined;
  let forget = (): void => undefined;
  const removeNow = (): void => {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
  };
  const open = (): Promise<string> => {
    root ??= mkdtemp(join(tmpdir(), 'gitops-gate-render-')).then((path) => {
      made = path;
      forget = onExit(removeNow);
      return path;
    });
    return root;
  };
  const files = new Map<string, Promise<string>>();
  const folders = new Map<string, Promise<string>>();
  let environment: Promise<Readonly<Record<string, string>>> | undefined;
  return {
    async textFile(text, extension) {
      const name = `${digestOf(text).slice(0, 32)}.${extension}`;
      const path = join(await open(), name);
      let written = files.get(name);
      if (written === undefined) {
        written = writeFile(path, text, { mode: 0o600 }).then(() => path);
        files.set(name, written);
      }
      return written;
    },
    folder(key, fill) {
      let folder = folders.get(key);
      if (folder === undefined) {
        folder = open().then(async (path) => {
          const target = join(path, digestOf(key).slice(0, 32));
          await mkdir(target);
          await fill(target);
          return target;
        });
        folders.set(key, folder);
      }
      return folder;
    },
    async newFolder() {
      const path = join(await open(), randomUUID());
      await mkdir(path);
      return path;
    },
    environment() {
      environment ??= open().then(isolatedHome);
      return environment;
    },
    async close() {
      if (root === undefined) return;
      const path = await root;
      forget();
      await rm(path, { recursive: true, force: true });
      root = undefined;
      made = undefined;
      environment = undefined;
      files.clear();
      folders.clear();
    },
  };
}

async function isolatedHome(root: string): Promise<Readonly<Record<string, string>>> {
  const home = join(root, 'home');
  await mkdir(home, { recursive: true });
  return {
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local'),
    HELM_CACHE_HOME: join(home, 'helm-cache'),
    HELM_CONFIG_HOME: join(home, 'helm-config'),
    HELM_DATA_HOME: join(home, 'helm-data'),
    HELM_NO_PLUGINS: '1',
    KUSTOMIZE_PLUGIN_HOME: join(home, 'kustomize-plugins'),
    TMPDIR: root,
  };
}

/**
 * helm and kustomize live for milliseconds: Go's garbage collector costs a fifth of their time and frees nothing that
 * matters. It starts only when the memory limit comes near (runtime/debug.SetMemoryLimit).
 */
const shortLived = { GOGC: 'off', GOMEMLIMIT: '1GiB' } as const;

/**
 * Runs helm or kustomize in a free slot and in the isolated environment. Ends the rendering when the tool could not
 * be started, ran into a limit or was interrupted; its own exit code is the caller's business.
 */
export async function runTool(
  context: RenderContext,
  tool: 'helm' | 'kustomize',
  request: ExecRequest,
): Promise<ExecResult> {
  const environment = await context.workspace.environment();
  const result = await context.limited(async () => {
    if (tool === 'helm') context.counters.helmRuns++;
    else context.counters.kustomizeRuns++;
    return context.exec.run({ ...request, env: { ...shortLived, ...environment, ...request.env } });
  });
  if (result.spawnError !== undefined)
    fail({ kind: 'tool', message: `${tool} could not be started: ${result.spawnError}` });
  if (result.stopped === 'timeout') {
    fail({
      kind: 'limit',
      message: `${tool} did not finish within ${Math.round((request.timeoutMs ?? 120_000) / 1000)} seconds and was ended`,
      next: 'Look for an endless loop or a very large range in the templates.',
    });
  }
  if (result.stopped === 'output-limit') {
    fail({
      kind: 'limit',
      message: `${tool} printed more than ${Math.round((request.maxOutputBytes ?? 64 * 1024 * 1024) / 1024 / 1024)} MiB and was ended`,
      next: 'Look for a range that repeats without end in the templates.',
    });
  }
  if (result.stopped === 'interrupted') fail({ kind: 'tool', message: `${tool} was interrupted` });
  return result;
}

/** A tool version that a source should be rendered with. */
export interface ToolWish {
  readonly version: string | undefined;
  /** False: follows from the version of the engine; the default line stands in when it is not installed. */
  readonly chosen: boolean;
}

/**
 * Finds the tool and remembers that it was used, for the report.
 * @throws GateError tool.missing
 */
export async function useTool(
  context: RenderContext,
  tool: 'helm' | 'kustomize',
  wish: ToolWish,
): Promise<{ readonly path: string; readonly version: string }> {
  const found = await context.tools.find(tool, wish.version).catch((error: unknown) => {
    if (wish.chosen || wish.version === undefined || wish.version === defaultVersions[tool]) throw error;
    context.notes.add(
      `${tool} ${wish.version}, which the newest or configured Argo CD or Flux version renders with, is not installed; ` +
        `${tool} ${defaultVersions[tool]} was used.`,
    );
    return context.tools.find(tool, undefined);
  });
  context.toolsUsed.set(`${tool} ${found.version}`, found.version);
  return found;
}

/** Copies a file or folder; links inside are followed, as the tree never holds one that leads out of it. */
export async function copyInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, dereference: true, errorOnExist: false, force: true });
}

/** Writes a file so that readers see the old or the new content, never a part. */
export async function writeAtomically(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeFile(temporary, content, { mode });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
