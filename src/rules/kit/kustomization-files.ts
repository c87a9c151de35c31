import { posix } from 'node:path';
import type { ChangedYaml } from '../../core/rule.ts';
import { readDocuments, YamlError } from '../../core/yaml/read.ts';
import { listAt } from './pods.ts';

const names = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

/** Local files and folders that a kustomization names, relative to the root of the tree. */
function resourcesOf(path: string, text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  try {
    return readDocuments(text).flatMap(({ value }) =>
      ['resources', 'bases', 'components'].flatMap((field) =>
        listAt<unknown>(value, field).flatMap((resource) =>
          typeof resource === 'string' && !resource.includes('://') && !/^git@|\?ref=/.test(resource)
            ? [posix.normalize(posix.join(posix.dirname(path), resource)).replace(/\/$/, '')]
            : [],
        ),
      ),
    );
  } catch (error) {
    if (error instanceof YamlError) return [];
    throw error;
  }
}

/**
 * Entries that left a kustomization in this change while the file or folder stays in the tree and no other changed
 * kustomization names it now.
 */
export function droppedResources(
  files: readonly ChangedYaml[],
): readonly { readonly kustomization: string; readonly resource: string }[] {
  const own = files.filter(
    ({ path, before, after }) => names.has(posix.basename(path)) && before !== undefined && after !== undefined,
  );
  if (own.length === 0) return [];
  const deleted = files.filter(({ after }) => after === undefined).map(({ path }) => path);
  const named = new Set(
    files.filter(({ path }) => names.has(posix.basename(path))).flatMap(({ path, after }) => resourcesOf(path, after)),
  );
  return own.flatMap(({ path, before }) =>
    resourcesOf(path, before)
      .filter((resource) => !named.has(resource))
      .filter((resource) => !deleted.some((gone) => gone === resource || gone.startsWith(`${resource}/`)))
      .map((resource) => ({ kustomization: path, resource })),
  );
}
