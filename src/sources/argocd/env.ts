/**
 * Stands for the commit that Argo CD will check out. It is not known before the merge, and it differs with every
 * commit: the same text on both sides keeps it out of the comparison.
 */
export const revisionPlaceholder = '0'.repeat(40);

/** The build environment of one source (reposerver/repository/repository.go newEnv). */
export function buildEnvironment(source: {
  readonly appName: string;
  readonly destinationNamespace: string;
  readonly project: string;
  readonly repoURL: string;
  readonly path: string;
  readonly targetRevision: string;
  readonly revision: string;
}): ReadonlyMap<string, string> {
  return new Map([
    ['ARGOCD_APP_NAME', source.appName],
    ['ARGOCD_APP_NAMESPACE', source.destinationNamespace],
    ['ARGOCD_APP_PROJECT_NAME', source.project],
    ['ARGOCD_APP_REVISION', source.revision],
    ['ARGOCD_APP_REVISION_SHORT', source.revision.slice(0, 7)],
    ['ARGOCD_APP_REVISION_SHORT_8', source.revision.slice(0, 8)],
    ['ARGOCD_APP_SOURCE_REPO_URL', source.repoURL],
    ['ARGOCD_APP_SOURCE_PATH', source.path],
    ['ARGOCD_APP_SOURCE_TARGET_REVISION', source.targetRevision],
  ]);
}

const special = new Set(['*', '#', '$', '@', '!', '?', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);

/**
 * Go's `os.Expand` with Argo CD's rule that `$$` is a dollar sign (types.go Env.Envsubst). Unknown variables are
 * empty; `${` without a closing brace or with an empty name swallows what Go swallows.
 */
export function substitute(text: string, environment: ReadonlyMap<string, string>): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0 || dollar === text.length - 1) return result + text.slice(at);
    result += text.slice(at, dollar);
    const { name, length } = variableAt(text, dollar + 1);
    if (name === '' && length > 0) {
      // Invalid syntax: the characters are eaten.
    } else if (name === '') {
      // `$` before something that cannot be a name stays.
      result += '$';
    } else {
      result += name === '$' ? '$' : (environment.get(name) ?? '');
    }
    at = dollar + 1 + length;
  }
  return result;
}

/** Go's `os.getShellName`: the name after `$` and how many characters it takes. */
function variableAt(text: string, start: number): { readonly name: string; readonly length: number } {
  const first = text.charAt(start);
  if (first === '{') {
    const second = text.charAt(start + 1);
    if (special.has(second) && text.charAt(start + 2) === '}') return { name: second, length: 3 };
    const end = text.indexOf('}', start + 1);
    if (end < 0) return { name: '', length: 1 };
    return end === start + 1 ? { name: '', length: 2 } : { name: text.slice(start + 1, end), length: end - start + 1 };
  }
  if (special.has(first)) return { name: first, length: 1 };
  let end = start;
  while (end < text.length && /[A-Za-z0-9_]/.test(text.charAt(end))) end += 1;
  return { name: text.slice(start, end), length: end - start };
}
