import { versionOf } from '../core/json.ts';
import { groupOf } from '../core/json.ts';
import type { KubeObject } from '../core/model.ts';
import { core } from './defaults/core.ts';
import type { Defaulter } from './defaults/kinds.ts';
import { policy } from './defaults/policy.ts';
import { workloads } from './defaults/workloads.ts';

const defaulters: ReadonlyMap<string, Defaulter> = new Map(Object.entries({ ...workloads, ...core, ...policy }));

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
