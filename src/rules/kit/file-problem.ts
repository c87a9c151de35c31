import type { Problem } from '../../core/rule.ts';

/** A problem about a line of a file of the tree that is no Kubernetes object. */
export function problemInFile(
  file: string,
  line: number,
  rest: Omit<Problem, 'resource' | 'target' | 'path' | 'location'> & { readonly target?: string },
): Problem {
  const { target = '', ...other } = rest;
  return {
    resource: { group: '', version: '', kind: 'File', name: file },
    target,
    path: `line:${line}`,
    location: { file, line },
    ...other,
  };
}
