import { isObject } from '../core/json.ts';
import type { Json, JsonObject, KubeObject, ResourceChange } from '../core/model.ts';

/** Way to the pod template of kinds that make pods. */
const templates: Readonly<Record<string, readonly string[]>> = {
  '/ReplicationController': ['spec', 'template'],
  'apps/Deployment': ['spec', 'template'],
  'apps/StatefulSet': ['spec', 'template'],
  'apps/DaemonSet': ['spec', 'template'],
  'apps/ReplicaSet': ['spec', 'template'],
  'batch/Job': ['spec', 'template'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
  'argoproj.io/Rollout': ['spec', 'template'],
};

/** Longest `generateName` that the API server does not cut. */
const maxPrefix = 58;

/**
 * A pod as the controller of a workload would create it; undefined when the change makes no new pods: another kind, the
 * template is as before, no replicas, suspended. Without `ownerReferences`: they need the uid of objects that do not
 * exist yet.
 */
export function podOf(change: ResourceChange): JsonObject | undefined {
  const entry = change.after;
  if (entry === undefined) return undefined;
  const way = templates[`${entry.ref.group}/${entry.ref.kind}`];
  if (way === undefined || !makesPods(entry.object)) return undefined;
  if (change.action !== 'added' && change.action !== 'renamed' && !templateChanged(change, way)) return undefined;
  const template = at(entry.object as unknown as Json, way);
  if (!isObject(template) || !isObject(template['spec'])) return undefined;
  const own = isObject(template['metadata']) ? template['metadata'] : {};
  const { name } = entry.ref;
  const namespace = entry.ref.namespace ?? entry.target.afterRender.defaultNamespace ?? 'default';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name.slice(0, maxPrefix - 1)}-`,
      namespace,
      labels: { ...(isObject(own['labels']) ? own['labels'] : {}), ...controllerLabels(entry.ref.kind, name) },
      ...(own['annotations'] === undefined ? {} : { annotations: own['annotations'] }),
      ...(own['finalizers'] === undefined ? {} : { finalizers: own['finalizers'] }),
    },
    spec: specOf(entry.object, template['spec'], name),
  };
}

/** A template that only moves labels of the workload itself rolls nothing out. */
function templateChanged(change: ResourceChange, way: readonly string[]): boolean {
  const prefix = `/${way.join('/')}/`;
  const claims = '/spec/volumeClaimTemplates';
  return change.fields.some(({ path }) => path.startsWith(prefix) || path.startsWith(claims));
}

function makesPods(object: KubeObject): boolean {
  const spec = object['spec'] as Json | undefined;
  if (!isObject(spec)) return false;
  if (spec['suspend'] === true || spec['paused'] === true) return false;
  if (object.kind === 'Job') return spec['parallelism'] !== 0;
  return spec['replicas'] !== 0;
}

/** Labels that the controllers add (k8s pkg/controller/{deployment,daemon,statefulset,job}). The hashes are made up. */
function controllerLabels(kind: string, name: string): JsonObject {
  switch (kind) {
    case 'Deployment':
    case 'Rollout':
      return { 'pod-template-hash': 'dryrun' };
    case 'DaemonSet':
      return { 'controller-revision-hash': 'dryrun', 'pod-template-generation': '1' };
    case 'StatefulSet':
      return {
        'controller-revision-hash': `${name.slice(0, 50)}-dryrun`,
        'statefulset.kubernetes.io/pod-name': `${name}-0`.slice(-63),
        'apps.kubernetes.io/pod-index': '0',
      };
    case 'Job':
    case 'CronJob': {
      const job = name.slice(0, 63);
      const uid = '00000000-0000-0000-0000-000000000000';
      return {
        'batch.kubernetes.io/job-name': job,
        'batch.kubernetes.io/controller-uid': uid,
        'job-name': job,
        'controller-uid': uid,
      };
    }
    default:
      return {};
  }
}

function specOf(workload: KubeObject, spec: JsonObject, name: string): JsonObject {
  if (workload.kind === 'StatefulSet') return statefulSpec(workload, spec, name);
  if (workload.kind === 'DaemonSet') return daemonSpec(spec);
  return spec;
}

/** stateful_set_utils.go: host name, subdomain, and a volume for each claim template (which replaces one of its name). */
function statefulSpec(workload: KubeObject, spec: JsonObject, name: string): JsonObject {
  const own = workload['spec'] as JsonObject;
  const claims = (Array.isArray(own['volumeClaimTemplates']) ? own['volumeClaimTemplates'] : []).flatMap((claim) => {
    const metadata = isObject(claim) ? claim['metadata'] : undefined;
    const claimName = isObject(metadata) ? metadata['name'] : undefined;
    return typeof claimName === 'string' ? [claimName] : [];
  });
  const volumes = (Array.isArray(spec['volumes']) ? spec['volumes'] : []).filter(
    (volume) => !isObject(volume) || !claims.includes(String(volume['name'])),
  );
  const { serviceName } = own;
  return {
    ...spec,
    hostname: `${name}-0`,
    ...(typeof serviceName === 'string' && serviceName !== '' ? { subdomain: serviceName } : {}),
    volumes: [
      ...claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: `${claim}-${name}-0` } })),
      ...volumes,
    ],
  };
}

/** daemonset_util.go: what every daemon pod tolerates, and the node that it is made for. */
function daemonSpec(spec: JsonObject): JsonObject {
  const pressure = ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'];
  const noSchedule = spec['hostNetwork'] === true ? [...pressure, 'network-unavailable'] : pressure;
  const added: JsonObject[] = [
    ...['not-ready', 'unreachable'].map((key) => toleration(key, 'NoExecute')),
    ...noSchedule.map((key) => toleration(key, 'NoSchedule')),
  ];
  const affinity = isObject(spec['affinity']) ? spec['affinity'] : {};
  const field = { key: 'metadata.name', operator: 'In', values: ['gate-dry-run'] };
  return {
    ...spec,
    tolerations: [...(Array.isArray(spec['tolerations']) ? spec['tolerations'] : []), ...added],
    affinity: {
      ...affinity,
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [field] }] },
      },
    },
  };
}

function toleration(key: string, effect: string): JsonObject {
  return { key: `node.kubernetes.io/${key}`, operator: 'Exists', effect };
}

function at(value: Json, way: readonly string[]): Json | undefined {
  let current: Json | undefined = value;
  for (const key of way) current = isObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  return current;
}
