import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TreePair, TreeRequest } from '../core/ports.ts';
import { makeTemporaryDirectory } from './cleanup.ts';
import { materialize, parseListing, type Listing } from './materialize.ts';
import { readRepository } from './repository.ts';
import { chooseSides } from './sides.ts';
import type { GitRunner } from './simple-git.ts';
import { changedPaths, createTree } from './tree.ts';
import { filterNames, writeWorkingTree } from './working-tree.ts';

/**
 * Opens two commits, or a commit and the working tree.
 * @param ciBase name of the branch that a pull request goes to, as the CI says; '' when it does not
 */
export async function openRefs(
  git: GitRunner,
  request: TreeRequest & { kind: 'refs' },
  ciBase: string,
): Promise<TreePair> {
  const repository = await readRepository(git, request.directory);
  const sides = await chooseSides(git, repository, request, ciBase);
  const folder = makeTemporaryDirectory('git');
  try {
    const beforeListing = listTree(git, sides.before.revision);
    beforeListing.catch(() => {}); // Awaited below; until then a failure must not count as unhandled.
    let reader = git;
    let afterListing: Promise<Listing>;
    if (sides.after.revision === 'working-tree') {
      const scratch = join(folder.path, 'scratch');
      const folders = {
        gitDirectory: repository.gitDirectory,
        objects: resolve(request.directory, repository.objects),
      };
      const { tree, env } = await writeWorkingTree(git, folders, filterNames(repository.settings), scratch);
      reader = withEnvironment(git, env);
      afterListing = listTree(reader, tree);
    } else {
      afterListing =
        sides.after.revision === sides.before.revision ? beforeListing : listTree(git, sides.after.revision);
    }

    const roots = { before: join(folder.path, 'before'), after: join(folder.path, 'after') };
    for (const root of Object.values(roots)) mkdirSync(root);
    const listings = await Promise.all([beforeListing, afterListing]);
    const same = sameListing(listings[0], listings[1]);
    const jobs = same
      ? [{ listing: listings[0], root: roots.after }]
      : [
          { listing: listings[1], root: roots.after },
          { listing: listings[0], root: roots.before },
        ];
    const [afterParts, beforeParts = afterParts] = await materialize(reader, jobs);
    if (afterParts === undefined || beforeParts === undefined) throw new Error('materialize returned nothing');
    const after = createTree({
      ...afterParts,
      root: roots.after,
      label: same ? `${sides.after.label}, nothing differs` : sides.after.label,
      ...commitOf(sides.after.revision),
    });
    const before = createTree({
      ...beforeParts,
      root: same ? roots.after : roots.before,
      label: sides.before.label,
      ...commitOf(sides.before.revision),
    });
    return {
      before,
      after,
      changed: same ? [] : changedPaths(before, after),
      remotes: repository.remotes,
      branches: sides.branches,
      close: () => folder.remove(),
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function commitOf(revision: string | undefined): { revision: string } | Record<string, never> {
  return revision === undefined || revision === 'working-tree' ? {} : { revision };
}

/** @param revision undefined for an empty tree */
async function listTree(git: GitRunner, revision: string | undefined): Promise<Listing> {
  if (revision === undefined) return parseListing('');
  return parseListing(await git.run(['ls-tree', '-r', '-l', '-z', '--full-tree', revision]));
}

function sameListing(left: Listing, right: Listing): boolean {
  if (left === right) return true;
  if (left.entries.length !== right.entries.length) return false;
  return left.entries.every((entry, index) => {
    const other = right.entries[index];
    return (
      other !== undefined &&
      entry.path === other.path &&
      entry.hash === other.hash &&
      entry.type === other.type &&
      entry.executable === other.executable
    );
  });
}

function withEnvironment(git: GitRunner, env: Readonly<Record<string, string>>): GitRunner {
  return {
    run: (args, options = {}) => git.run(args, { ...options, env: { ...options.env, ...env } }),
    readObjects: (ids) => git.readObjects(ids, env),
  };
}
