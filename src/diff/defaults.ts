import type { KubeObject } from '../core/model.ts';
import { core } from './defaults/core.ts';
import type { Defaulter } from './defaults/kinds.ts';
import { policy } from './defaults/policy.ts';
import { workloads } from './defaults/workloads.ts';

const defaulters: ReadonlyMap<string, Defaulter> = new Map(Object.entries({ ...workloads, ...core, ...policy }));

/** Group of an `apiVersion`: '' for the core group (`v1`). */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** Version of an `apiVersion` without its group. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/**
 * The object as the API server would store it: defaults of pkg/apis/<group>/v1/defaults.go (Kubernetes 1.34)
 * for built-in kinds, and of the pod template in well-known workload kinds of other projects.
 * Defaults that depend on the API version (v1beta1 webhooks, extensions/v1beta1 workloads) follow `apiVersion`.
 *
 * Aliases are folded as storage does: Secret `stringData` into `data`, `serviceAccount` into `serviceAccountName`.
 * @param object as rendered; never changed. What needs no default is shared with the result.
 */
export function withDefaults(object: KubeObject): KubeObject {
  const { apiVersion } = object;
  const group = groupOf(apiVersion);
  const defaulter = defaulters.get(`${group}/${object.kind}`);
  // The casts are sound: defaulters only add fields and keep apiVersion, kind and metadata.
  return defaulter === undefined ? object : (defaulter(object, versionOf(apiVersion), group) as KubeObject);
}
