import { GateError } from '../core/errors.ts';
import { closestAll } from '../core/suggest.ts';
import type { Repository } from './repository.ts';
import type { GitRunner } from './simple-git.ts';

export interface Side {
  readonly label: string;
  /** Full commit id; undefined: the empty tree. */
  readonly revision: string | 'working-tree' | undefined;
}

export interface Sides {
  readonly before: Side;
  readonly after: Side;
  /** Branches that the change goes to. */
  readonly branches: readonly string[];
}

interface Wanted {
  readonly base?: string;
  readonly head?: string;
}

/** A branch to compare with: the ref and the branch's own name. */
interface BaseBranch {
  readonly name: string;
  readonly ref: string;
  readonly commit: string;
}

/**
 * Decides what is compared. Without `head` the working tree; without `base` the merge-base with the default branch:
 * `GITHUB_BASE_REF`, else `origin/HEAD`, else `main`, `master` or `init.defaultBranch`, the remote's branch before the local one.
 * @throws GateError git.unknown-ref, git.shallow, git.no-merge-base, git.bare-repository
 */
export async function chooseSides(
  git: GitRunner,
  repository: Repository,
  wanted: Wanted,
  ciBase: string,
): Promise<Sides> {
  if (wanted.head === undefined && repository.bare) {
    throw new GateError({
      code: 'git.bare-repository',
      message: 'a bare repository has no working tree',
      fault: 'user',
      next: 'Name the commit to judge: gate check --base REF --head REF.',
    });
  }
  const defaultBranch = findDefaultBranch(repository, ciBase);
  const headCommit = await resolveCommit(git, repository, wanted.head ?? 'HEAD', wanted.head === undefined);
  const after: Side =
    wanted.head === undefined
      ? {
          label:
            repository.currentBranch === undefined ? 'working tree' : `working tree of ${repository.currentBranch}`,
          revision: 'working-tree',
        }
      : { label: label(wanted.head, headCommit), revision: headCommit };

  if (wanted.base !== undefined) {
    const commit = await resolveCommit(git, repository, wanted.base, false);
    const branch = branchName(repository, wanted.base) ?? ciName(ciBase) ?? defaultBranch?.name;
    return {
      before: { label: label(wanted.base, commit), revision: commit },
      after,
      branches: branch === undefined ? [] : [branch],
    };
  }
  if (headCommit === undefined)
    return { before: { label: 'empty (no commit yet)', revision: undefined }, after, branches: [] };
  if (defaultBranch === undefined) throw noDefaultBranch(repository, ciBase);

  const branches = [defaultBranch.name];
  const onDefault = wanted.head === undefined && repository.currentBranch === defaultBranch.name;
  if (onDefault && defaultBranch.ref.startsWith('refs/heads/')) {
    const text = `last commit of ${defaultBranch.name} (${short(headCommit)}), since that is the default branch: only what is not committed is judged`;
    return { before: { label: text, revision: headCommit }, after, branches };
  }
  const base = await mergeBase(git, repository, defaultBranch, headCommit, wanted.head ?? 'HEAD');
  const shown = defaultBranch.ref.replace(/^refs\/(heads|remotes)\//, '');
  const where = base === defaultBranch.commit ? label(shown, base) : `merge-base with ${shown} (${short(base ?? '')})`;
  const why = onDefault ? `, since ${defaultBranch.name} is the default branch: what is not pushed is judged` : '';
  return { before: { label: where + why, revision: base }, after, branches };
}

function findDefaultBranch(repository: Repository, ciBase: string): BaseBranch | undefined {
  const { refs, mainRemote, settings } = repository;
  const ci = ciName(ciBase);
  const remoteHead = mainRemote === undefined ? undefined : refs.get(`refs/remotes/${mainRemote}/HEAD`)?.symbolic;
  const remoteDefault = remoteHead?.slice(`refs/remotes/${mainRemote ?? ''}/`.length);
  const configured = settings.findLast(([key]) => key === 'init.defaultbranch')?.[1];
  const names = ci === undefined ? [remoteDefault, 'main', 'master', configured] : [ci];
  // The remote's branches come first, all of them: a local `main` may be old while the remote calls its branch `master`.
  for (const prefix of [...(mainRemote === undefined ? [] : [`refs/remotes/${mainRemote}/`]), 'refs/heads/']) {
    for (const name of names) {
      const ref = name === undefined ? undefined : refs.get(prefix + name);
      if (name !== undefined && ref !== undefined) return { name, ref: ref.name, commit: ref.commit };
    }
  }
  return undefined;
}

/** The variable names a branch; anything else in it is not trusted as a name of a ref. */
function ciName(ciBase: string): string | undefined {
  const name = ciBase.replace(/^refs\/heads\//, '');
  return /^[^-\s~^:?*[\\][^\s~^:?*[\\]*$/.test(name) && !name.includes('..') ? name : undefined;
}

function branchName({ refs, mainRemote }: Repository, ref: string): string | undefined {
  const short = ref.replace(/^refs\/(heads|remotes)\//, '');
  const ofRemote =
    mainRemote !== undefined && short.startsWith(`${mainRemote}/`) ? short.slice(mainRemote.length + 1) : undefined;
  if (ofRemote !== undefined && refs.has(`refs/remotes/${short}`) && ofRemote !== 'HEAD') return ofRemote;
  if (refs.has(`refs/heads/${short}`)) return short;
  return mainRemote !== undefined && refs.has(`refs/remotes/${mainRemote}/${short}`) ? short : undefined;
}

/** @returns undefined only when `mayBeUnborn` and the current branch has no commit yet */
async function resolveCommit(
  git: GitRunner,
  repository: Repository,
  ref: string,
  mayBeUnborn: boolean,
): Promise<string | undefined> {
  // A name that begins with a dash would be read as an option.
  const names =
    ref.startsWith('-') || ref === ''
      ? []
      : [ref, ...(repository.mainRemote === undefined ? [] : [`refs/remotes/${repository.mainRemote}/${ref}`])];
  let cause: unknown;
  for (const name of names) {
    try {
      const commit = (await git.run(['rev-parse', '--verify', '--quiet', `${name}^{commit}`])).trim();
      if (/^[0-9a-f]{40,64}$/.test(commit)) return commit;
    } catch (error) {
      cause = error;
    }
  }
  if (mayBeUnborn) return undefined;
  if (repository.shallow) throw shallow(`${ref} is not in this shallow clone`, cause);
  throw unknownRef(repository, ref, cause);
}

async function mergeBase(
  git: GitRunner,
  repository: Repository,
  base: BaseBranch,
  head: string,
  shownHead: string,
): Promise<string | undefined> {
  if (base.commit === head) return head;
  const found = (await git.run(['merge-base', base.commit, head])).trim().split('\n')[0];
  if (found !== undefined && found !== '') return found;
  if (repository.shallow)
    throw shallow(`this shallow clone does not hold the commit where ${shownHead} left ${base.name}`);
  throw new GateError({
    code: 'git.no-merge-base',
    message: `${shownHead} and ${base.name} have no commit in common`,
    fault: 'user',
    next: 'Name the commit to compare with: gate check --base REF.',
  });
}

function shallow(message: string, cause?: unknown): GateError {
  return new GateError({
    code: 'git.shallow',
    message,
    fault: 'user',
    next: 'Fetch the history: git fetch --unshallow (GitHub Actions: actions/checkout with fetch-depth: 0).',
    cause,
  });
}

function unknownRef(repository: Repository, ref: string, cause: unknown): GateError {
  const known = [...repository.refs.keys()].map((name) => name.replace(/^refs\/(heads|remotes|tags)\//, ''));
  const near = closestAll(ref, new Set(known), 3);
  return new GateError({
    code: 'git.unknown-ref',
    message: `${JSON.stringify(ref)} is not a commit, branch or tag of this repository`,
    fault: 'user',
    next:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : 'See git branch --all and git tag; fetch it first if it is on the remote.',
    cause,
  });
}

function noDefaultBranch(repository: Repository, ciBase: string): GateError {
  const ci = ciName(ciBase);
  const looked =
    ci === undefined
      ? 'origin/HEAD, main, master and init.defaultBranch'
      : `the branch ${ci} that GITHUB_BASE_REF names`;
  if (repository.shallow)
    return shallow(`this shallow clone does not hold the base to compare with (looked for ${looked})`);
  const next =
    ci === undefined
      ? 'Name it: gate check --base REF.'
      : `Fetch it: git fetch ${repository.mainRemote ?? 'origin'} ${ci}, or name the base: gate check --base REF.`;
  return new GateError({
    code: 'git.unknown-ref',
    message: `no base to compare with (looked for ${looked})`,
    fault: 'user',
    next,
  });
}

function label(ref: string, commit: string | undefined): string {
  const id = short(commit ?? '');
  return commit?.startsWith(ref) === true && ref.length >= 7 ? id : `${ref} (${id})`;
}

function short(commit: string): string {
  return commit.slice(0, 7);
}
