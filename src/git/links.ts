/** As Linux: more links than this on one path count as a loop (ELOOP). */
const maximumHops = 40;

/**
 * Follows the symbolic links of a tree without touching the disk.
 *
 * @param path relative to the root of the tree
 * @param links path of a link -> its target as stored
 * @returns the path that is meant, relative to the root ('' for the root);
 *   undefined when it leaves the tree, goes in a loop, or a link on the way is absolute
 */
export function followLinks(path: string, links: ReadonlyMap<string, string>): string | undefined {
  const todo = path.split('/').toReversed();
  const done: string[] = [];
  let hops = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (done.length === 0) return undefined;
      done.pop();
      continue;
    }
    done.push(part);
    const target = links.size === 0 ? undefined : links.get(done.join('/'));
    if (target === undefined) continue;
    hops += 1;
    if (hops > maximumHops || target.startsWith('/') || isWindowsAbsolute(target)) return undefined;
    done.pop();
    todo.push(...target.split('/').toReversed());
  }
  return done.join('/');
}

function isWindowsAbsolute(target: string): boolean {
  return process.platform === 'win32' && (/^[a-z]:/i.test(target) || target.includes('\\'));
}

/** Why a link was not kept, for `Tree.problems`; undefined when it stays inside the tree. */
export function linkProblem(path: string, links: ReadonlyMap<string, string>): string | undefined {
  if (followLinks(path, links) !== undefined) return undefined;
  const target = links.get(path) ?? '';
  return `symbolic link to ${JSON.stringify(target)} leaves the tree or goes in a loop; it was left out`;
}

/**
 * Is a path, as a tree object names it, safe to write below a folder? Git refuses such names in an index
 * (verify_path in read-cache.c), but a tree object made by hand can hold them.
 */
export function isSafePath(path: string): boolean {
  if (path.includes('\0') || path.includes('\uFFFD')) return false;
  if (process.platform === 'win32' && /[\\:]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git');
}
