import type { GitRunner } from './simple-git.ts';

export interface Ref {
  /** Full name: `refs/remotes/origin/main`. */
  readonly name: string;
  readonly commit: string;
  /** Full name of the ref that a symbolic ref stands for. */
  readonly symbolic?: string;
}

export interface Repository {
  readonly bare: boolean;
  readonly shallow: boolean;
  /** Absolute. */
  readonly gitDirectory: string;
  /** Folder of the object database, absolute or relative to the directory that git ran in. */
  readonly objects: string;
  readonly refs: ReadonlyMap<string, Ref>;
  /** Short name of the current branch; undefined when HEAD is detached or has no commit yet. */
  readonly currentBranch: string | undefined;
  /** Settings that matter here: remote URLs, filters, init.defaultBranch. */
  readonly settings: readonly (readonly [string, string])[];
  /** URLs without credentials. */
  readonly remotes: readonly string[];
  /** `origin`, or the only remote; undefined without. */
  readonly mainRemote: string | undefined;
}

/**
 * Reads what is to be known of a repository before the sides are chosen.
 * @throws GateError git.not-a-repository, git.missing, git.unsafe-directory
 */
export async function readRepository(git: GitRunner, directory: string): Promise<Repository> {
  // First alone: its error is the one to show when there is no repository.
  const facts = await git.run([
    'rev-parse',
    '--is-bare-repository',
    '--is-shallow-repository',
    '--absolute-git-dir',
    '--git-path',
    'objects',
  ]);
  const [bare, shallow, gitDirectory = directory, objects = ''] = facts.trimEnd().split('\n');
  const [refLines, settingsText] = await Promise.all([
    git.run([
      'for-each-ref',
      '--format=%(refname)%00%(objectname)%00%(*objectname)%00%(symref)%00%(HEAD)',
      'refs/heads',
      'refs/remotes',
      'refs/tags',
    ]),
    git.run(['config', '--null', '--list']),
  ]);
  const refs = new Map<string, Ref>();
  let currentBranch: string | undefined;
  for (const line of refLines.split('\n')) {
    const [name = '', object = '', peeled = '', symbolic = '', head = ''] = line.split('\0');
    if (name === '') continue;
    refs.set(name, { name, commit: peeled === '' ? object : peeled, ...(symbolic === '' ? {} : { symbolic }) });
    if (head === '*') currentBranch = name.replace(/^refs\/heads\//, '');
  }
  const settings = settingsText.split('\0').flatMap((record) => {
    const cut = record.indexOf('\n');
    return !relevantSetting.test(record)
      ? []
      : [[cut === -1 ? record : record.slice(0, cut), cut === -1 ? '' : record.slice(cut + 1)] as const];
  });
  const urls = settings.filter(([key]) => key.startsWith('remote.'));
  const names = [...new Set(urls.map(([key]) => key.slice('remote.'.length, -'.url'.length)))];
  return {
    bare: bare === 'true',
    shallow: shallow === 'true',
    gitDirectory,
    objects,
    refs,
    currentBranch,
    settings,
    remotes: [...new Set(urls.map(([, url]) => withoutCredentials(url)))],
    mainRemote: names.includes('origin') ? 'origin' : names.length === 1 ? names[0] : undefined,
  };
}

/** At the start of `key LF value`. */
const relevantSetting = /^(remote\.[^\n]*\.url|filter\.[^\n]*|init\.defaultbranch)(\n|$)/;

/** `https://token@host/x` -> `https://host/x`. The user of an ssh URL is part of the address and stays. */
function withoutCredentials(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@]*@/i, '$1');
}
