import type { KubeObject, ResourceRef } from '../core/model.ts';
import { groupOf } from '../core/json.ts';

/**
 * Kinds that moved out of the group `extensions`: the API server stores one object whichever group it was written in
 * (pkg/apis/extensions/v1beta1 of Kubernetes), so the move of a manifest is no deletion.
 */
const movedKinds: ReadonlyMap<string, string> = new Map([
  ['Deployment', 'apps'],
  ['DaemonSet', 'apps'],
  ['ReplicaSet', 'apps'],
  ['Ingress', 'networking.k8s.io'],
  ['NetworkPolicy', 'networking.k8s.io'],
  ['PodSecurityPolicy', 'policy'],
]);

/** Identity of an object without its version; usable as a map key. */
export function identityOf(ref: Pick<ResourceRef, 'group' | 'kind' | 'namespace' | 'name'>): string {
  const group = ref.group === 'extensions' ? (movedKinds.get(ref.kind) ?? ref.group) : ref.group;
  return `${group}\0${ref.kind}\0${ref.namespace ?? ''}\0${ref.name}`;
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
