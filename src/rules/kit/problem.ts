import type { Entry, ResourceRef } from '../../core/model.ts';
import type { Problem } from '../../core/rule.ts';

/** `Deployment shop/api`, `Namespace shop`. */
export function formatRef(ref: ResourceRef): string {
  return ref.namespace === undefined ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}

/** A problem about an object of a side; fills resource, target and location. */
export function problemAt(entry: Entry, path: string, rest: Omit<Problem, 'resource' | 'target' | 'path'>): Problem {
  const { file, line } = entry.provenance;
  return {
    resource: entry.ref,
    target: entry.target.id,
    path,
    ...(file === undefined ? {} : { location: line === undefined ? { file } : { file, line } }),
    ...rest,
  };
}
