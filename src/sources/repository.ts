/** Hosts whose paths ignore case, also when self-hosted under a name that says so (`github.example.org`). */
const caseInsensitiveHost = /(?:^|[.-])(?:github|gitlab|bitbucket|gitea|forgejo|azure)(?:[.-]|$)/;

/** SSH on port 443 uses another host name. */
const hostAliases: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
  'altssh.bitbucket.org': 'bitbucket.org',
  'ssh.dev.azure.com': 'dev.azure.com',
  'vs-ssh.visualstudio.com': 'dev.azure.com',
};

const defaultPorts: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80', 'git:': '9418' };

interface Parts {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

/** Splits a URL, an scp-like address (`git@host:org/repo`) or a local path. */
function split(url: string): Parts {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url);
  if (scheme !== null) {
    const rest = url.slice(scheme[0].length);
    const slash = rest.indexOf('/');
    const authority = slash < 0 ? rest : rest.slice(0, slash);
    const hostAndPort = authority.slice(authority.lastIndexOf('@') + 1);
    const port = /:(\d*)$/.exec(hostAndPort);
    return {
      scheme: `${(scheme[1] ?? '').toLowerCase()}:`,
      host: (port === null ? hostAndPort : hostAndPort.slice(0, port.index)).toLowerCase(),
      port: port?.[1] ?? '',
      path: slash < 0 ? '' : rest.slice(slash),
    };
  }
  const scp = /^(?:[^@/\s:]+@)?([^:/\s@]{2,}):(.*)$/.exec(url);
  if (scp !== null) return { scheme: 'ssh:', host: (scp[1] ?? '').toLowerCase(), port: '', path: scp[2] ?? '' };
  return { scheme: 'file:', host: '', port: '', path: url };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Azure DevOps: https `org/project/_git/repo` and ssh `v3/org/project/repo` are the same repository. */
function azurePath(host: string, segments: readonly string[]): readonly string[] {
  const rest =
    segments[0] === 'v3'
      ? segments.slice(1)
      : segments.filter((segment) => segment.toLowerCase() !== 'defaultcollection');
  const organisation = /^([^.]+)\.visualstudio\.com$/.exec(host)?.[1];
  const full = organisation === undefined || segments[0] === 'v3' ? rest : [organisation, ...rest];
  const git = full.indexOf('_git');
  if (git < 0) return full;
  const repository = full.slice(git + 1);
  // `org/_git/repo` is short for the repository of the project with the same name.
  return git === 1 ? [...full.slice(0, 1), ...repository, ...repository] : [...full.slice(0, git), ...repository];
}

/**
 * One spelling for all spellings of a Git repository URL: `host[:port]/path`, without user, scheme, default port,
 * `.git` and trailing slashes. The host is lower-cased; the path only on services that ignore its case.
 * SSH ports are dropped: they say where the SSH daemon listens, not which repository it is.
 *
 * Argo CD compares more narrowly (`util/git/git.go` NormalizeGitURL keeps scheme and port): there the Application
 * names a URL that works, here any remote of the same repository must be recognised.
 *
 * @param url as written in a manifest or by `git remote -v`; local paths and `file://` URLs give `file:<path>`
 * @returns '' for an empty string
 */
export function normalizeRepositoryUrl(url: string): string {
  const trimmed = url.trim();
  if (trimmed === '') return '';
  const { scheme, host: writtenHost, port, path } = split(trimmed);
  const cleanPath = decode(path)
    .split('/')
    .filter((segment) => segment !== '')
    .join('/')
    .replace(/\.git$/i, '');
  if (scheme === 'file:') return `file:/${cleanPath}`;
  const azure =
    writtenHost === 'dev.azure.com' || writtenHost === 'ssh.dev.azure.com' || writtenHost.endsWith('.visualstudio.com');
  const host = azure
    ? 'dev.azure.com'
    : Object.hasOwn(hostAliases, writtenHost)
      ? (hostAliases[writtenHost] ?? writtenHost)
      : writtenHost;
  let segments: readonly string[] = cleanPath.split('/');
  if (azure) segments = azurePath(writtenHost, segments);
  // Bitbucket Data Center: https has `/scm/` in front, ssh has not; project keys ignore case.
  const bitbucketServer = segments.length === 3 && segments[0] === 'scm';
  if (bitbucketServer) segments = segments.slice(1);
  const joined = segments.join('/');
  const ssh = scheme === 'ssh:' || scheme === 'git+ssh:' || scheme === 'ssh+git:';
  const shownPort = ssh || port === '' || port === defaultPorts[scheme] ? '' : `:${port}`;
  return `${host}${shownPort}/${caseInsensitiveHost.test(host) || bitbucketServer ? joined.toLowerCase() : joined}`;
}

/** Do two URLs name the same repository? Never true for an empty one. */
export function sameRepository(a: string, b: string): boolean {
  const left = normalizeRepositoryUrl(a);
  const right = normalizeRepositoryUrl(b);
  if (left === '' || right === '') return false;
  if (left === right) return true;
  // The ssh form of a Bitbucket Data Center repository does not show that its path ignores case.
  return (/\/scm\//i.test(a) || /\/scm\//i.test(b)) && left.toLowerCase() === right.toLowerCase();
}

/** Last path segment of a repository URL in lower case, '' when there is none: `shop-config`. */
export function repositoryName(url: string): string {
  return (normalizeRepositoryUrl(url).split('/').at(-1) ?? '').toLowerCase();
}

/** True for a local path or `file://` URL: it does not tell where the repository lives. */
export function isLocalRepository(url: string): boolean {
  return normalizeRepositoryUrl(url).startsWith('file:');
}
