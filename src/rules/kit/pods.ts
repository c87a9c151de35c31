import { escapePointer, groupOf, splitKind } from '../../core/json.ts';
import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { Entry, KubeObject } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';

/** The pod template of a workload, or the pod itself. */
export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
  /** Pointer to the template's spec: `/spec/template/spec`. */
  readonly path: string;
}

/** `group/Kind` of everything that makes pods from a template, with the way to the template. */
const templatePaths: Readonly<Record<string, readonly string[]>> = {
  '/Pod': [],
  '/ReplicationController': ['spec', 'template'],
  'apps/Deployment': ['spec', 'template'],
  'apps/StatefulSet': ['spec', 'template'],
  'apps/DaemonSet': ['spec', 'template'],
  'apps/ReplicaSet': ['spec', 'template'],
  'batch/Job': ['spec', 'template'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
  'argoproj.io/Rollout': ['spec', 'template'],
};

/** Old groups of the same kinds (`extensions/v1beta1` Deployment). */
const groupAliases: Readonly<Record<string, string>> = { extensions: 'apps' };

export const workloadKinds: readonly string[] = Object.keys(templatePaths);

function kindKey(object: KubeObject): string {
  const group = groupOf(object.apiVersion);
  return `${groupAliases[group] ?? group}/${object.kind}`;
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** The value at a list of keys, or undefined. Never reads the prototype. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) current = child(current, key);
  return current;
}

/** A string at a list of keys, or undefined when it is something else. */
export function stringAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = at(value, ...keys);
  return typeof found === 'string' ? found : undefined;
}

/** A number at a list of keys; also reads numbers written as strings. */
export function numberAt(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = at(value, ...keys);
  if (typeof found === 'number') return found;
  return typeof found === 'string' && /^-?\d+$/.test(found) ? Number(found) : undefined;
}

/** A list at a list of keys; [] when it is something else. */
export function listAt<T = unknown>(value: unknown, ...keys: readonly string[]): readonly T[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? (found as T[]) : [];
}

/** A map of strings (labels, annotations); entries of other types are left out. */
export function stringMapAt(value: unknown, ...keys: readonly string[]): Record<string, string> {
  const found = at(value, ...keys);
  const result: Record<string, string> = {};
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return result;
  for (const [key, entry] of Object.entries(found)) if (typeof entry === 'string') result[key] = entry;
  return result;
}

/** Is this a kind that makes pods from a template? */
export function isWorkload(object: KubeObject): boolean {
  return Object.hasOwn(templatePaths, kindKey(object));
}

/** The pod template of a workload (or the Pod's own metadata and spec); undefined for other kinds and malformed ones. */
export function podTemplate(object: KubeObject): PodTemplate | undefined {
  const way = templatePaths[kindKey(object)];
  if (way === undefined) return undefined;
  const template = at(object, ...way);
  const spec = at(template, 'spec');
  if (typeof spec !== 'object' || spec === null) return undefined;
  return {
    labels: stringMapAt(template, 'metadata', 'labels'),
    annotations: stringMapAt(template, 'metadata', 'annotations'),
    spec: spec as V1PodSpec,
    path: `/${[...way, 'spec'].join('/')}`,
  };
}

/** A container of a template with its pointer. */
export interface ContainerAt {
  readonly container: V1Container;
  readonly path: string;
  readonly list: 'containers' | 'initContainers' | 'ephemeralContainers';
  /** A restartable init container (`restartPolicy: Always`): runs beside the main containers. */
  readonly sidecar: boolean;
}

/** All containers of a template: init containers first, as they run. */
export function containersOf(template: PodTemplate): readonly ContainerAt[] {
  const result: ContainerAt[] = [];
  for (const list of ['initContainers', 'containers'] as const) {
    for (const container of listAt<V1Container>(template.spec, list)) {
      if (typeof container !== 'object' || container === null) continue;
      result.push({
        container,
        list,
        path: `${template.path}/${list}/${escapePointer(String(container.name ?? ''))}`,
        sidecar: list === 'initContainers' && container.restartPolicy === 'Always',
      });
    }
  }
  return result;
}

/** A workload of a side with its template. */
export interface WorkloadEntry {
  readonly entry: Entry;
  readonly template: PodTemplate;
}

/** All workloads of a scope (all scopes when absent), with API defaults applied. */
export function workloads(world: World, scope?: string): readonly WorkloadEntry[] {
  const result: WorkloadEntry[] = [];
  for (const key of workloadKinds) {
    for (const entry of world.ofKind(...splitKind(key), scope)) {
      const template = podTemplate(entry.effective);
      if (template !== undefined) result.push({ entry, template });
    }
  }
  for (const kind of ['Deployment', 'DaemonSet', 'ReplicaSet']) {
    for (const entry of world.ofKind('extensions', kind, scope)) {
      const template = podTemplate(entry.effective);
      if (template !== undefined) result.push({ entry, template });
    }
  }
  return result;
}

/** Workloads of one namespace in one scope. */
export function workloadsIn(world: World, scope: string, namespace: string | undefined): readonly WorkloadEntry[] {
  const entries = world.inNamespace(scope, namespace ?? 'default');
  const result: WorkloadEntry[] = [];
  for (const entry of entries) {
    const template = podTemplate(entry.effective);
    if (template !== undefined) result.push({ entry, template });
  }
  return result;
}

/**
 * Desired number of pods with API defaults: `spec.replicas` (default 1), 1 for a Pod, parallelism for a Job.
 * Undefined for a DaemonSet: one per eligible node.
 */
export function desiredPods(object: KubeObject): number | undefined {
  switch (object.kind) {
    case 'DaemonSet':
      return undefined;
    case 'Job':
      return numberAt(object, 'spec', 'parallelism') ?? 1;
    case 'CronJob':
      return numberAt(object, 'spec', 'jobTemplate', 'spec', 'parallelism') ?? 1;
    case 'Pod':
      return 1;
    default:
      return numberAt(object, 'spec', 'replicas') ?? 1;
  }
}
