import { existsSync } from 'node:fs';
import { simpleGit, type SimpleGitOptions } from 'simple-git';
import { GateError, messageOf } from '../core/errors.ts';
import type { Git } from '../core/ports.ts';
import { openDirectories } from './directories.ts';
import { openRefs } from './refs.ts';

export interface GitOptions {
  /** Variables of the process that runs gate: PATH, HOME and the like are passed on, GITHUB_BASE_REF names the base in CI. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the running git. */
  readonly signal?: AbortSignal;
}

/** Runs git in one directory. */
export interface GitRunner {
  /**
   * @returns standard output; also when git exits with an error code and prints no error (as `merge-base` without result does)
   * @throws GateError git.missing, git.not-a-repository, git.unsafe-directory, git.failed
   */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Output of `git cat-file --batch` for these object ids. */
  readObjects(ids: readonly string[], env?: Readonly<Record<string, string>>): Promise<Buffer>;
}

export interface RunOptions {
  /** Git variables of this run: see `allowedVariables`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration of this run, over that of the user. */
  readonly config?: readonly (readonly [key: string, value: string])[];
}

/** The Git adapter. All processes of git are started here, by simple-git. */
export function createGit(options: GitOptions): Git {
  return {
    async open(request) {
      if (request.kind === 'directories') return openDirectories(request.before, request.after);
      return openRefs(createRunner(request.directory, options), request, options.environment['GITHUB_BASE_REF'] ?? '');
    },
  };
}

/**
 * Configuration of every run. Nothing that the user has configured as a command may run because of what is in the tree:
 * no hooks (an index that is written runs post-index-change), no file system monitor; filters are switched off where files are added.
 */
const quietConfig: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.quotePath', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['gc.auto', '0'],
  ['submodule.recurse', 'false'],
];

const passedOn =
  /^(path|home|xdg_config_home|tmpdir|temp|tmp|user|logname|userprofile|homedrive|homepath|systemroot|windir|comspec|pathext|appdata|localappdata|programdata|programfiles.*|ssh_auth_sock|https?_proxy|no_proxy)$/i;

/** Everything else that begins with GIT_ is kept from the child, also when gate itself was started with it. */
const allowedVariables = [
  'GIT_ATTR_NOSYSTEM',
  'GIT_TERMINAL_PROMPT',
  'GIT_OPTIONAL_LOCKS',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_CONFIG_COUNT',
];

/** Exported for tests. @throws GateError git.no-directory */
export function createRunner(directory: string, { environment, signal }: GitOptions): GitRunner {
  if (!existsSync(directory)) {
    throw new GateError({
      code: 'git.no-directory',
      message: `${directory} does not exist`,
      fault: 'user',
      next: 'Run gate inside the repository, or name its folder.',
    });
  }
  const base: Record<string, string> = {
    LC_ALL: 'C.UTF-8',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  };
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && passedOn.test(name)) base[name] = value;

  // One instance per run: an instance runs its tasks one after the other.
  function instance(run: RunOptions, input?: string) {
    const config = [...quietConfig, ...(run.config ?? [])];
    const env: Record<string, string> = { ...base, ...run.env, GIT_CONFIG_COUNT: String(config.length) };
    // Not `-c key=value`: the name of a filter may hold `=`.
    for (const [index, [key, value]] of config.entries()) {
      env[`GIT_CONFIG_KEY_${index}`] = key;
      env[`GIT_CONFIG_VALUE_${index}`] = value;
    }
    const settings: Partial<SimpleGitOptions> = {
      baseDir: directory,
      allowEnvironment: [...allowedVariables, ...Object.keys(env).filter((name) => name.startsWith('GIT_CONFIG_'))],
      // Each of these switches something off here: hooks, monitor and filters are set to nothing.
      unsafe: {
        allowUnsafeConfigEnvCount: true,
        allowUnsafeHooksPath: true,
        allowUnsafeFsMonitor: true,
        allowUnsafeFilter: true,
      },
      ...(signal === undefined ? {} : { abort: signal }),
      ...(input === undefined ? {} : { input: () => input }),
    };
    return simpleGit(settings).env(env);
  }

  return {
    async run(args, options = {}) {
      try {
        return await instance(options).raw([...args]);
      } catch (error) {
        throw explain(error, directory, args);
      }
    },
    async readObjects(ids, env = {}) {
      try {
        return (await instance({ env }, `${ids.join('\n')}\n`).binaryCatFile(['--batch'])) as Buffer;
      } catch (error) {
        throw explain(error, directory, ['cat-file', '--batch']);
      }
    },
  };
}

function explain(error: unknown, directory: string, args: readonly string[]): GateError {
  const text = messageOf(error).trim();
  if (/not a git repository/i.test(text)) {
    return new GateError({
      code: 'git.not-a-repository',
      message: `${directory} is not inside a Git repository`,
      fault: 'user',
      next: 'Run gate inside a repository, or compare two folders: gate check --before DIR --after DIR.',
      cause: error,
    });
  }
  if (/ENOENT/.test(text)) {
    return new GateError({
      code: 'git.missing',
      message: 'git was not found on PATH',
      fault: 'tool',
      next: 'Install git, or compare two folders: gate check --before DIR --after DIR.',
      cause: error,
    });
  }
  if (/dubious ownership/.test(text)) {
    return new GateError({
      code: 'git.unsafe-directory',
      message: `git refuses ${directory}: it belongs to another user`,
      fault: 'user',
      next: `If you trust it: git config --global --add safe.directory ${directory}`,
      cause: error,
    });
  }
  return new GateError({
    code: 'git.failed',
    message: `git ${args[0] ?? ''} failed: ${text.split('\n').slice(0, 3).join(' / ')}`,
    fault: 'tool',
    cause: error,
  });
}
