import type { SourceLocation } from '../../core/errors.ts';
import type { NotEvaluated } from '../../core/model.ts';
import { isLocalRepository, normalizeRepositoryUrl, repositoryName, sameRepository } from '../repository.ts';
import type { ArgoContext } from './context.ts';

/** Decides which repository URLs mean this repository; remembers what it had to assume. */
export interface Ownership {
  /** Is `url` this repository? `pathExists`: the path or file that it is wanted for exists in the tree. */
  isOurs(url: string, pathExists: boolean, location: SourceLocation): boolean;
  /** One note per assumed URL. */
  notes(): readonly NotEvaluated[];
}

/**
 * The URL of a source is ours when it is one of the remotes in any spelling. Two cases are assumed and noted:
 * nothing is known about the remotes (two folders, a clone of a local path), or a remote has the same repository
 * name under another owner or host (a fork, a mirror) and the path exists here.
 */
export function createOwnership(context: Pick<ArgoContext, 'remotes'>): Ownership {
  const remotes = context.remotes.filter((url) => url.trim() !== '' && !isLocalRepository(url));
  const assumed = new Map<string, NotEvaluated>();
  return {
    isOurs(url, pathExists, location) {
      if (url.trim() === '') return false;
      if (context.remotes.some((remote) => sameRepository(remote, url))) return true;
      if (!pathExists) return false;
      const sameName = remotes.some((remote) => repositoryName(remote) === repositoryName(url));
      if (remotes.length > 0 && !sameName) return false;
      const key = normalizeRepositoryUrl(url);
      if (!assumed.has(key)) {
        assumed.set(key, {
          what: `repository ${url}`,
          reason: sameName
            ? `taken for this repository: it has the name of the remote ${remotes.find((remote) => repositoryName(remote) === repositoryName(url))}, and the paths that Applications read from it exist here`
            : 'taken for this repository: no git remote is known, and the paths that Applications read from it exist here',
          location,
          next: 'List the URL in gate.yaml under repositoryUrls, so that nothing has to be assumed.',
          weight: 'note',
        });
      }
      return true;
    },
    notes: () => [...assumed.values()],
  };
}
