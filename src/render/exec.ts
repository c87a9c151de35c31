import { execa } from 'execa';
import type { Exec, ExecRequest, ExecResult } from '../core/ports.ts';
import { messageOf } from '../core/errors.ts';
import { onExit } from './on-exit.ts';

const defaultTimeoutMs = 120_000;
const defaultMaxOutputBytes = 64 * 1024 * 1024;

/** Variables that a child may see. No cluster, cloud or forge credentials: KUBECONFIG, GITHUB_TOKEN, AWS_* stay out. */
const allowedVariables = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const;

/**
 * The allow-listed part of an environment.
 * @param source usually `process.env`
 */
export function allowedEnvironment(source: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of allowedVariables) {
    const value = source[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/**
 * The one door for child processes. Every child leads its own process group, so that a timeout, the output limit,
 * the abort signal or the end of gate ends its descendants too.
 * @param options.signal aborted on Ctrl-C: running children are killed, later ones are not started
 * @returns a port that never throws for a failing process
 */
export function createExec(
  options: { readonly signal?: AbortSignal; readonly environment?: Readonly<Record<string, string | undefined>> } = {},
): Exec {
  const base = allowedEnvironment(options.environment ?? process.env);
  const running = new Set<(reason: 'interrupted') => void>();
  const endAll = (): void => {
    for (const end of running) end('interrupted');
  };
  options.signal?.addEventListener('abort', endAll, { once: true });

  return {
    async run(request: ExecRequest): Promise<ExecResult> {
      if (options.signal?.aborted === true) return { ...nothing, stopped: 'interrupted' };
      return runOne(request, base, running);
    },
  };
}

const nothing = { stdout: '', stderr: '', exitCode: undefined, signal: undefined } as const;

async function runOne(
  request: ExecRequest,
  base: Readonly<Record<string, string>>,
  running: Set<(reason: 'interrupted') => void>,
): Promise<ExecResult> {
  let stopped: ExecResult['stopped'];
  const child = execa(request.file, [...request.args], {
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    env: { ...base, ...request.env },
    extendEnv: false,
    ...(request.input === undefined ? { stdin: 'ignore' as const } : { input: request.input }),
    buffer: false,
    encoding: 'buffer',
    reject: false,
    // A process group of its own; ended below, because execa's own limits end the direct child only.
    detached: true,
    cleanup: false,
  });
  const end = (reason: NonNullable<ExecResult['stopped']>): void => {
    if (stopped !== undefined) return;
    stopped = reason;
    killGroup(child.pid);
    // A descendant that left the group may hold the pipes open; do not wait for it.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  running.add(end);
  const forget = onExit(() => end('interrupted'));
  const timer = setTimeout(() => end('timeout'), request.timeoutMs ?? defaultTimeoutMs);

  const limit = request.maxOutputBytes ?? defaultMaxOutputBytes;
  let size = 0;
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const collect = (into: Buffer[]) => (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) end('output-limit');
    else into.push(chunk);
  };
  child.stdout?.on('data', collect(stdout)).on('error', ignore);
  child.stderr?.on('data', collect(stderr)).on('error', ignore);

  try {
    const result = await child;
    const output = {
      stdout: Buffer.concat(stdout).toString('utf8'),
      stderr: Buffer.concat(stderr).toString('utf8'),
      exitCode: result.exitCode,
      signal: result.signal,
      ...(stopped === undefined ? {} : { stopped }),
    };
    // Neither an exit code nor a signal: the program was never started (ENOENT, EACCES, a missing working directory).
    if (result.exitCode === undefined && result.signal === undefined && stopped === undefined) {
      return {
        ...output,
        spawnError:
          result.cause === undefined ? (result.shortMessage ?? 'could not be started') : messageOf(result.cause),
      };
    }
    return output;
  } catch (error) {
    return { ...nothing, spawnError: messageOf(error) };
  } finally {
    clearTimeout(timer);
    running.delete(end);
    forget();
  }
}

function ignore(): void {
  // The stream of a child that we ended.
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
