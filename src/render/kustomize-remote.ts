import { join } from 'node:path';
import type { JsonObject } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { digestOfPath } from './chart-fetch.ts';
import { exists } from './context.ts';
import type { RenderContext } from './context.ts';
import { fail } from './failure.ts';
import { kustomizationFile, readKustomization } from './kustomize-closure.ts';
import type { KustomizeClosure, Remote } from './kustomize-closure.ts';
import { insideTree } from './tree-path.ts';

export interface ResolvedRemotes {
  /** Entry as written -> absolute path of its folder in a checkout. */
  readonly folders: ReadonlyMap<string, string>;
  readonly identity: unknown;
}

/**
 * Finds the checkouts that the operator configured (`gitRepositories`) for bases in other repositories. Nothing is
 * fetched: a base without a checkout ends the rendering.
 * @param overrides gets the kustomizations whose entries have to be rewritten
 */
export async function resolveRemotes(
  closure: KustomizeClosure,
  tree: Tree,
  context: RenderContext,
  overrides: Map<string, JsonObject>,
): Promise<ResolvedRemotes> {
  const folders = new Map<string, string>();
  const identity: unknown[] = [];
  for (const remote of closure.remotes) {
    const folder = await checkoutOf(remote, context);
    folders.set(remote.url, folder);
    identity.push([remote.url, await digestOfPath(folder)]);
  }
  if (folders.size === 0) return { folders, identity };
  for (const folder of closure.folders) {
    const file = kustomizationFile(tree, folder);
    const named = closure.remotes.some((remote) => remote.file === file);
    if (file !== undefined && named && !overrides.has(folder)) overrides.set(folder, readKustomization(tree, file));
  }
  return { folders, identity };
}

async function checkoutOf(remote: Remote, context: RenderContext): Promise<string> {
  const wanted = normal(remote.url.split('?')[0] ?? remote.url);
  for (const [configured, folder] of Object.entries(context.config.gitRepositories)) {
    const repository = normal(configured).replace(/\.git$/, '');
    if (wanted !== repository && !wanted.startsWith(`${repository}/`) && !wanted.startsWith(`${repository}.git`))
      continue;
    const rest = wanted
      .slice(repository.length)
      .replace(/^\.git/, '')
      .replace(/^\/+/, '');
    const path = join(folder, insideTree(rest === '' ? '.' : rest, 'The path'));
    if (await exists(path)) return path;
  }
  return fail({
    kind: 'missing-input',
    unreachable: true,
    message: `The kustomization reads from elsewhere: ${remote.url}`,
    location: { file: remote.file },
    next: 'gate fetches no bases. Name a folder with a checkout in gate.yaml (gitRepositories), or vendor the files into the repository.',
  });
}

/** Host and path only, without scheme and user; the host in lower case. */
function normal(url: string): string {
  const bare = url
    .replace(/^git::/, '')
    .replace(/^gh:/, 'github.com/')
    .replace(/^[a-z+]+:\/\//i, '')
    .replace(/^[^/@]*@/, '')
    .replace(/^([^/:]+):(?!\d+\/)/, '$1/')
    .replaceAll(/\/{2,}/g, '/')
    .replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  return slash === -1 ? bare.toLowerCase() : bare.slice(0, slash).toLowerCase() + bare.slice(slash);
}
