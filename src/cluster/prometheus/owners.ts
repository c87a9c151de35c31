import type { Row } from './rows.ts';
import { isName } from './rows.ts';

export interface Workload {
  readonly kind: string;
  readonly name: string;
}

/** Finds the workload of a pod that is known by its name only, dead or alive. */
export type OwnerOf = (namespace: string, pod: string) => Workload | undefined;

/** `workload_type` of kubernetes-mixin. */
const workloadTypes: Readonly<Record<string, string>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
  replicaset: 'ReplicaSet',
  replicationcontroller: 'ReplicationController',
  job: 'Job',
  cronjob: 'CronJob',
  rollout: 'Rollout',
  pod: 'Pod',
};

/** The kind that a label names: `deployment` or `Deployment`. */
export function kindOf(type: string): string | undefined {
  const known = type.toLowerCase();
  if (Object.hasOwn(workloadTypes, known)) return workloadTypes[known];
  return /^[A-Z][A-Za-z0-9]{0,62}$/.test(type) ? type : undefined;
}

/**
 * Owners as kube-state-metrics knows them: the controller of the pod, and above a ReplicaSet or Job its own. A pod
 * without a controller, or one that its Node owns (a static pod), stands for itself.
 * @param known tells a Deployment from a bare ReplicaSet where the owners of ReplicaSets are not scraped
 */
export function ownersFromRows(rows: Iterable<Row>, known: OwnerOf | undefined): OwnerOf {
  const pods = new Map<string, Workload>();
  const above = new Map<string, Workload | 'top'>();
  for (const row of rows) {
    const namespace = row.label('namespace');
    if (!isName(namespace)) continue;
    const pod = row.label('pod');
    const kind = row.label('owner_kind') ?? '';
    const owner = { kind, name: row.label('owner_name') ?? '' };
    const replicaSet = row.label('replicaset');
    const job = row.label('job_name');
    const workload = row.label('workload');
    if (replicaSet !== undefined || job !== undefined) {
      const key = replicaSet === undefined ? `${namespace}/Job/${job}` : `${namespace}/ReplicaSet/${replicaSet}`;
      above.set(key, isOwner(owner) ? owner : 'top');
    } else if (pod !== undefined && workload !== undefined) {
      const type = kindOf(row.label('workload_type') ?? '');
      const key = `${namespace}/${pod}`;
      // kube_pod_owner itself says more than the rule that was recorded from it.
      if (type !== undefined && isName(workload) && !pods.has(key)) pods.set(key, { kind: type, name: workload });
    } else if (pod !== undefined) {
      pods.set(`${namespace}/${pod}`, isOwner(owner) ? owner : { kind: 'Pod', name: pod });
    }
  }
  return (namespace, pod) => {
    const owner = pods.get(`${namespace}/${pod}`);
    if (owner === undefined || (owner.kind !== 'ReplicaSet' && owner.kind !== 'Job')) return owner;
    const top = above.get(`${namespace}/${owner.kind}/${owner.name}`);
    if (top === undefined) return known?.(namespace, pod) ?? owner;
    return top === 'top' ? owner : top;
  };
}

/** kube-state-metrics writes `<none>` (before 2.0 and for some kinds) or nothing where there is no owner. */
function isOwner({ kind, name }: Workload): boolean {
  return kindOf(kind) !== undefined && kind !== 'Node' && isName(name);
}

/**
 * Owners by the names that controllers give to pods, where nothing else is known: `<deployment>-<hash>-<5>`,
 * `<statefulset>-<ordinal>`, `<daemonset>-<5>`, `<cronjob>-<minutes>-<5>` (k8s.io/apiserver/pkg/storage/names/generate.go,
 * pkg/controller/statefulset/stateful_set_utils.go). Two workloads that fit are none.
 */
export function ownersByName(workloads: Iterable<Workload & { readonly namespace: string }>): OwnerOf {
  const known = new Set<string>();
  for (const { namespace, kind, name } of workloads) known.add(`${namespace}/${kind}/${name}`);
  return (namespace, pod) => {
    const candidates = candidatesFor(pod).filter(({ kind, name }) => known.has(`${namespace}/${kind}/${name}`));
    return candidates.length === 1 ? candidates[0] : undefined;
  };
}

function candidatesFor(pod: string): Workload[] {
  const found: Workload[] = [{ kind: 'Pod', name: pod }];
  const random = /^(.+)-[a-z0-9]{5}$/.exec(pod)?.[1];
  const ordinal = /^(.+)-[0-9]{1,6}$/.exec(pod)?.[1];
  if (ordinal !== undefined) found.push({ kind: 'StatefulSet', name: ordinal });
  if (random === undefined) return found;
  for (const kind of ['DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job']) found.push({ kind, name: random });
  const hashed = /^(.+)-[a-z0-9]{1,10}$/.exec(random)?.[1];
  if (hashed !== undefined) for (const kind of ['Deployment', 'Rollout']) found.push({ kind, name: hashed });
  const timed = /^(.+)-[0-9]{8}$/.exec(random)?.[1];
  if (timed !== undefined) found.push({ kind: 'CronJob', name: timed });
  return found;
}
