/** Whether the content of a revision follows the branch that the change goes to. */
export type Reach = { readonly reachable: true } | { readonly reachable: false; readonly because: string };

const commit = /^[0-9a-f]{40}$/i;
const shortCommit = /^(?=[0-9a-f]*\d)[0-9a-f]{7,39}$/i;
/** `v1.2.3`, `1.2`, `release-1.2.3`, `shop/v1.2.3`, also with a pre-release. */
const versionTag = /^(?:[\w.-]+[/-])?v?\d+(?:\.\d+){1,3}(?:[-+][\w.+-]+)?$/i;
/** Semver ranges choose among tags. */
const range = /^[~^<>=]|^v?\d+(?:\.\d+)?\.[x*]$|^\*$|\|\|/i;
const defaultBranches = new Set(['HEAD', 'main', 'master']);

/**
 * Does a change of this repository reach an Application that reads `targetRevision`?
 * @param targetRevision as written; '' means HEAD
 * @param branches that the change goes to; empty when unknown: then only what looks like a tag or commit is pinned
 */
export function reachOf(targetRevision: string, branches: readonly string[]): Reach {
  // No ref is that long, and the patterns below are not made for it.
  if (targetRevision.length > 250) return pinned('a revision that cannot be a branch');
  const name = targetRevision
    .trim()
    .replace(/^refs\/heads\//, '')
    .replace(/^origin\//, '');
  if (name === '' || name === 'HEAD' || branches.includes(name)) return { reachable: true };
  if (commit.test(name)) return pinned(`commit ${name.slice(0, 10)}`);
  if (name.startsWith('refs/tags/')) return pinned(`tag ${name.slice('refs/tags/'.length)}`);
  if (range.test(name))
    return {
      reachable: false,
      because: `follows tags in the range ${name}: this change reaches it only with a new tag`,
    };
  if (versionTag.test(name) && !/^release[-/]/i.test(name)) return pinned(`tag ${name}`);
  if (branches.length > 0) {
    if (shortCommit.test(name)) return pinned(`commit ${name}`);
    return {
      reachable: false,
      because: `follows ${name}, and this change goes to ${branches.join(', ')}: it reaches it only when it gets there`,
    };
  }
  if (!defaultBranches.has(name) && shortCommit.test(name)) return pinned(`commit ${name}`);
  return { reachable: true };
}

function pinned(what: string): Reach {
  return { reachable: false, because: `pinned to ${what}: this change reaches it only when the pin moves` };
}
