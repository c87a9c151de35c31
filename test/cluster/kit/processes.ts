import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Programs that live no longer than the test file that started them, and their folder. */
export interface Processes {
  /** A temporary folder, removed at the end. */
  readonly folder: string;
  /** Starts a program whose output goes to `<name>.log` in the folder. */
  start(name: string, file: string, args: readonly string[]): Started;
  /** Kills all of them, at once: nothing of theirs is needed later. */
  stop(): Promise<void>;
}

export interface Started {
  readonly pid: number;
  /** The end of its output. */
  log(): string;
  isRunning(): boolean;
  kill(): Promise<void>;
}

/** @param label part of the folder's name */
export function startProcesses(label: string): Processes {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `gitops-gate-${label}-`)));
  const watchdog = spawn(process.execPath, [new URL('watchdog.ts', import.meta.url).pathname], {
    // Its own group: Ctrl-C in a terminal reaches the run, not the one who cleans up after it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  // It may be gone already when the machine shuts down.
  watchdog.stdin.on('error', () => {});
  watchdog.stdin.write(`folder ${folder}\n`);
  const running: Started[] = [];
  return {
    folder,
    start(name, file, args) {
      const log = join(folder, `${name}.log`);
      const output = openSync(log, 'a');
      const child = spawn(file, args, { cwd: folder, stdio: ['ignore', output, output], env: { HOME: folder } });
      closeSync(output);
      if (child.pid === undefined) throw new Error(`${file} cannot be started`);
      watchdog.stdin.write(`pid ${child.pid}\n`);
      const started = handle(child, child.pid, log);
      running.push(started);
      return started;
    },
    async stop() {
      await Promise.all(running.map((started) => started.kill()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      watchdog.stdin.end('done\n');
    },
  };
}

function handle(child: ChildProcess, pid: number, log: string): Started {
  const ended = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    isRunning,
    log: () => readFileSync(log, 'utf8').slice(-4_000),
    async kill() {
      if (isRunning()) child.kill('SIGKILL');
      await ended;
    },
  };
}
