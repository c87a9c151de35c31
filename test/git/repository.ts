import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll } from 'vitest';
import { createGit } from '../../src/git/simple-git.ts';
import type { Git, TreePair, TreeRequest } from '../../src/core/ports.ts';

const made: string[] = [];
afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

export function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), 'gate-test-git-'));
  made.push(path);
  return path;
}

/** A home without configuration, so that the developer's own git settings take no part. */
const home = temporary();

export const environment = { PATH: process.env['PATH'] ?? '', HOME: home };

export interface TestRepository {
  readonly path: string;
  git(...args: string[]): string;
  gitInput(input: string, ...args: string[]): string;
  write(files: Record<string, string | Buffer>): void;
  /** Adds everything and commits; returns the commit id. */
  commit(message?: string): string;
  open(request?: { base?: string; head?: string; directory?: string; ciBase?: string }): Promise<TreePair>;
}

export function createRepository(branch = 'main'): TestRepository {
  const path = temporary();
  const repository = useRepository(path);
  repository.git('init', '-q', '-b', branch);
  return repository;
}

export function useRepository(path: string): TestRepository {
  function gitInput(input: string, ...args: string[]): string {
    const env = {
      ...environment,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    };
    return execaSync('git', args, { cwd: path, env, extendEnv: false, input }).stdout;
  }
  const git = (...args: string[]): string => gitInput('', ...args);
  return {
    path,
    git,
    gitInput,
    write(files) {
      for (const [file, content] of Object.entries(files)) {
        mkdirSync(dirname(join(path, file)), { recursive: true });
        writeFileSync(join(path, file), content);
      }
    },
    commit(message = 'change') {
      git('add', '--all');
      git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    open({ base, head, directory = path, ciBase } = {}) {
      const request: TreeRequest = {
        kind: 'refs',
        directory,
        ...(base === undefined ? {} : { base }),
        ...(head === undefined ? {} : { head }),
      };
      return gitPort(ciBase).open(request);
    },
  };
}

export function gitPort(ciBase?: string): Git {
  return createGit({ environment: { ...environment, GITHUB_BASE_REF: ciBase } });
}
