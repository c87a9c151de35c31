import { afterEach } from 'vitest';
import type { Forge, StickyComment, CheckRun, Written } from '../../src/core/forge.ts';
import type { GateError } from '../../src/core/errors.ts';
import { createGitHub, type GitHubOptions } from '../../src/forge/github.ts';
import { startGitHub, type GitHub, type GitHubOptions as ServerOptions } from '../kit/github/server.ts';
import { headSha, type Token } from '../kit/github/state.ts';

const open: GitHub[] = [];

afterEach(async () => {
  // Throws when a request was one that GitHub's description does not allow.
  for (const github of open.splice(0)) await github.close();
});

/** A GitHub that is checked and closed after the test. */
export async function github(options: ServerOptions = {}): Promise<GitHub> {
  const server = await startGitHub(options);
  open.push(server);
  return server;
}

/** The adapter with a token of that server. */
export async function forgeOf(
  server: GitHub,
  token: Partial<Token> = {},
  options: Partial<GitHubOptions> = {},
): Promise<Forge> {
  return createGitHub({
    token: server.token(token).token,
    apiUrl: server.url,
    repository: 'acme/shop-gitops',
    deadline: Date.now() + 20_000,
    version: 'test',
    ...options,
  });
}

export function sticky(changes: Partial<StickyComment> = {}): StickyComment {
  return {
    instance: 'production',
    revision: { headSha, order: [7, 1] },
    bodies: ['## pass\n\nNothing changes.'],
    ...changes,
  };
}

export function check(changes: Partial<CheckRun> = {}): CheckRun {
  return {
    name: 'gate / production',
    externalId: 'gitops-gate:production',
    headSha,
    conclusion: 'success',
    title: 'pass',
    summaries: ['Nothing changes.'],
    annotations: [],
    ...changes,
  };
}

/** The problem of something that was refused. */
export function refusal(written: Written): GateError {
  if (written.outcome !== 'refused') throw new Error(`expected a refusal, got ${written.outcome}`);
  return written.problem;
}

/** Operation ids of the requests so far. */
export function operations(server: GitHub): string[] {
  return server.log.map((entry) => entry.operation);
}
