import { groupOf } from '../../core/json.ts';
import type { WorkloadPods } from '../../core/cluster.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { objectsAt, objectAt, textAt, valueAt } from '../fields.ts';

export type Owner = WorkloadPods['owner'];

/**
 * The controller of an object (metav1.GetControllerOf). A single owner that is not marked counts as well: people leave
 * `controller: true` out when they write one by hand. The mirror pod of a static pod is owned by its Node, which
 * nobody declares: it stands for itself.
 */
export function controllerOf(object: JsonObject): Owner | undefined {
  const owners = objectsAt(object, 'metadata', 'ownerReferences');
  const owner =
    owners.find((candidate) => candidate['controller'] === true) ?? (owners.length === 1 ? owners[0] : undefined);
  const kind = textAt(owner, 'kind');
  const name = textAt(owner, 'name');
  if (kind === undefined || name === undefined || kind === 'Node') return undefined;
  return { group: groupOf(textAt(owner, 'apiVersion') ?? ''), kind, name };
}

/** Owners of ReplicaSets and Jobs, which stand between a pod and what a repository declares. */
export interface Owners {
  /** Takes the metadata of a ReplicaSet or Job; everything else is ignored. */
  add(object: JsonObject): void;
  /** One step up from the controller of a pod. Undefined: it is the top, or was not seen. */
  of(namespace: string, owner: Owner): Owner | 'top' | undefined;
}

export function createOwners(): Owners {
  const owners = new Map<string, Owner | 'top'>();
  return {
    add(object) {
      const kind = textAt(object, 'kind');
      const name = textAt(object, 'metadata', 'name');
      if (name === undefined || (kind !== 'ReplicaSet' && kind !== 'Job')) return;
      const namespace = textAt(object, 'metadata', 'namespace') ?? 'default';
      owners.set(`${namespace}/${kind}/${name}`, controllerOf(object) ?? 'top');
    },
    of: (namespace, owner) =>
      owner.group === 'apps' || owner.group === 'batch' || owner.group === 'extensions'
        ? owners.get(`${namespace}/${owner.kind}/${owner.name}`)
        : undefined,
  };
}

/**
 * The owner above a ReplicaSet or Job that was not read, from names alone: a Deployment names its ReplicaSets
 * `<name>-<pod-template-hash>` (pkg/controller/deployment/sync.go), an Argo Rollout does it with its own label, and a
 * CronJob names its Jobs `<name>-<minutes since 1970 of the schedule>` (pkg/controller/cronjob/utils.go, getJobName).
 */
export function guessOwner(pod: JsonObject, owner: Owner): Owner | undefined {
  if (owner.kind === 'ReplicaSet') {
    for (const [label, group, kind] of [
      ['rollouts-pod-template-hash', 'argoproj.io', 'Rollout'],
      ['pod-template-hash', 'apps', 'Deployment'],
    ] as const) {
      const hash = textAt(pod, 'metadata', 'labels', label);
      const name = hash === undefined ? undefined : withoutSuffix(owner.name, `-${hash}`);
      if (name !== undefined) return { group, kind, name };
    }
    return undefined;
  }
  if (owner.kind !== 'Job' || owner.group !== 'batch') return undefined;
  const minutes = /-(\d{8})$/.exec(owner.name)?.[1];
  const created = Date.parse(String(valueAt(pod, 'metadata', 'creationTimestamp') ?? '')) / 60_000;
  // Eight digits may be a date: only the minute at which the pod was created, or up to a day before, is a schedule.
  if (minutes === undefined || !(created - Number(minutes) > -5 && created - Number(minutes) < 24 * 60))
    return undefined;
  const name = withoutSuffix(owner.name, `-${minutes}`);
  return name === undefined ? undefined : { group: 'batch', kind: 'CronJob', name };
}

function withoutSuffix(text: string, suffix: string): string | undefined {
  return text.length > suffix.length && text.endsWith(suffix) ? text.slice(0, -suffix.length) : undefined;
}

// Written by controllers, different for each pod, revision or run.
const passingLabels = new Set([
  'pod-template-hash',
  'rollouts-pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-completion-index',
]);

/** Labels of a pod that a template may have given it. */
export function lastingLabels(pod: JsonObject): Map<string, string> {
  const labels = Object.entries(objectAt(pod, 'metadata', 'labels')) as [string, Json][];
  return new Map(
    labels.flatMap(([key, value]) => (typeof value === 'string' && !passingLabels.has(key) ? [[key, value]] : [])),
  );
}
