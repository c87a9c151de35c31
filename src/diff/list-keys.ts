import type { CrdIndex } from './crd-lists.ts';
import { groupOf } from '../core/json.ts';
import { builtinRule, byNameOrdered, type ListRule } from './list-table.ts';

/** Groups of the API server itself; everything else is a custom resource. */
const builtinGroups = new Set([
  '',
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'extensions',
  'events.k8s.io',
  'networking.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'scheduling.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'certificates.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'resource.k8s.io',
  'storagemigration.k8s.io',
  'internal.apiserver.k8s.io',
]);

/** Is the kind served by the API server itself (not by a CRD)? */
export function isBuiltinGroup(group: string): boolean {
  return builtinGroups.has(group);
}

/** What the walk needs to know of one kind. */
export interface KindSchema {
  /** Built-in kinds: empty values are not stored, quantities are known by their place. */
  readonly builtin: boolean;
  /** @param fields names of the mappings and lists from the root to the list itself, without keys of elements */
  listRule(fields: readonly string[]): ListRule | undefined;
}

/** Kinds of other projects that embed a pod template and are compared like workloads. */
const podTemplateKinds = new Set([
  'argoproj.io/Rollout',
  'apps.kruise.io/CloneSet',
  'apps.kruise.io/StatefulSet',
  'apps.kruise.io/DaemonSet',
]);

/**
 * @param crds from {@link indexCrds}; for a kind without one, lists whose elements all have a unique `name` are keyed
 *   by it and their order counts (a VirtualService's routes are tried in order)
 */
export function schemaOf(apiVersion: string, kind: string, crds: CrdIndex): KindSchema {
  const group = groupOf(apiVersion);
  if (isBuiltinGroup(group)) return { builtin: true, listRule: (fields) => builtinRule(kind, fields) };
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  const lists = crds.get(`${group}/${kind}/${version}`);
  const template = podTemplateKinds.has(`${group}/${kind}`);
  return {
    builtin: false,
    listRule(fields) {
      if (template && fields[1] === 'template') return builtinRule(kind, fields);
      if (fields[0] === 'metadata') return builtinRule(kind, fields);
      return lists?.get(fields.join('/')) ?? byNameOrdered;
    },
  };
}
