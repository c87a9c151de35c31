import type { SourceLocation } from '../../core/errors.ts';
import type { JsonObject } from '../../core/model.ts';
import { resolveInTree } from '../tree-paths.ts';
import type { ArgoContext } from './context.ts';
import type { Ownership } from './ownership.ts';
import { reachOf } from './revision.ts';
import type { RefSource } from './value-files.ts';
import { get, scalarText, text } from './values.ts';

/** util/argo/argo.go GetRefSources: names are unique and plain, and must not belong to a chart. */
export function refSources(
  sources: readonly JsonObject[],
  location: SourceLocation,
  context: ArgoContext,
  ownership: Ownership,
): ReadonlyMap<string, RefSource> {
  const refs = new Map<string, RefSource>();
  for (const source of sources) {
    const name = text(get(source, 'ref'));
    if (name === undefined) continue;
    if (!/^[a-zA-Z0-9_-]+$/.test(name))
      refs.set(name, {
        kind: 'refused',
        reason: `the ref "${name}" has characters other than letters, digits, _ and -`,
      });
    else if (refs.has(name)) refs.set(name, { kind: 'refused', reason: `two sources have the ref "${name}"` });
    else if (text(get(source, 'chart')) !== undefined)
      refs.set(name, { kind: 'refused', reason: `the source with the ref "${name}" is a chart` });
    else refs.set(name, whereIs(name, source, sources, location, context, ownership));
  }
  return refs;
}

function whereIs(
  name: string,
  source: JsonObject,
  sources: readonly JsonObject[],
  location: SourceLocation,
  context: ArgoContext,
  ownership: Ownership,
): RefSource {
  const url = text(get(source, 'repoURL')) ?? '';
  // Value files that exist here are as good a sign as a source path.
  const files = sources.flatMap((item) => {
    const written = get(item, 'helm', 'valueFiles');
    return Array.isArray(written) ? written.filter((file): file is string => typeof file === 'string') : [];
  });
  const wanted = files
    .filter((file) => file.startsWith(`$${name}/`))
    .map((file) => resolveInTree('', file.slice(name.length + 2)));
  const exists = wanted.some(
    (file) => file !== undefined && (context.tree.isFile(file) || context.tree.isDirectory(file)),
  );
  if (!ownership.isOurs(url, exists, location))
    return { kind: 'elsewhere', reason: `repository ${url} is not this one` };
  const reach = reachOf(scalarText(get(source, 'targetRevision')) ?? '', context.branches);
  return reach.reachable
    ? { kind: 'tree' }
    : { kind: 'elsewhere', reason: `its source is ${reach.because.split(':')[0] ?? ''}` };
}
