/**
 * `Kustomization.spec.path` as a tree path, '' for the root. The controller joins it securely to the root of the
 * artifact: a leading `/` means the root, and `..` cannot leave it (kustomization_controller.go, securejoin).
 */
export function fluxPath(path: string | undefined): string {
  const parts: string[] = [];
  for (const part of (path ?? '').split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
