import type { KubeObject, ResourceRef } from '../core/model.ts';
import { groupOf } from './defaults.ts';

/** Identity of an object without its version; usable as a map key. */
export function identityOf(ref: Pick<ResourceRef, 'group' | 'kind' | 'namespace' | 'name'>): string {
  return `${ref.group}\0${ref.kind}\0${ref.namespace ?? ''}\0${ref.name}`;
}

/** Identity of a live object, as {@link identityOf} has it. */
export function identityOfObject(object: KubeObject): string {
  const { name, namespace } = object.metadata;
  return identityOf({
    group: groupOf(object.apiVersion),
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/** `Deployment shop/api`, for sentences. */
export function describe(ref: Pick<ResourceRef, 'kind' | 'namespace' | 'name'>): string {
  return `${ref.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;
}
