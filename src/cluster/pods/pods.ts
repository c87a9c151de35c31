import type { WorkloadPods } from '../../core/cluster.ts';
import type { JsonObject } from '../../core/model.ts';
import { formatQuantity } from '../../core/quantity.ts';
import { redactCredentials } from '../../core/redact.ts';
import { objectsAt, textAt, valueAt } from '../fields.ts';
import { addContainers, containersOf, mergeContainers, type ContainerTallies } from './pod-containers.ts';
import { controllerOf, createOwners, guessOwner, lastingLabels, type Owner } from './pod-owner.ts';
import { largerRequests, podRequests, type PodRequests } from './pod-requests.ts';
import { addCounts, count, earliest, mostFrequent, percentile, recordOf, type FirstText } from './tally.ts';

/** Counts pods by workload while they stream by; what it keeps grows with the workloads, not with the pods. */
export interface PodSummary {
  add(pod: JsonObject): void;
  /** A ReplicaSet or a Job, of which only the metadata matter; before or after the pods. */
  addOwner(object: JsonObject): void;
  /** Sorted by namespace, kind and name; the same for any order of the pods. */
  finish(): readonly WorkloadPods[];
}

const noKey = new Uint8Array(32);

/**
 * @param redactKey key of the fingerprints that replace credentials in the messages of the kubelet and the scheduler
 */
export function createPodSummary(redactKey: Uint8Array = noKey): PodSummary {
  const owners = createOwners();
  const groups = new Map<string, Group>();
  const hide = (text: string) => redactCredentials(text, redactKey).slice(0, 300);
  return {
    add(pod) {
      const name = textAt(pod, 'metadata', 'name');
      if (name === undefined) return;
      const namespace = textAt(pod, 'metadata', 'namespace') ?? 'default';
      const direct = controllerOf(pod);
      const guess = direct === undefined ? undefined : guessOwner(pod, direct);
      const owner = direct ?? { group: '', kind: 'Pod', name };
      // Pods that one owner started and whose names speak of another count apart until the owner is known.
      const key = [namespace, owner.group, owner.kind, owner.name, guess?.kind ?? '', guess?.name ?? ''].join('\0');
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = emptyGroup(namespace, owner, guess)));
      addPod(group, pod, name, hide);
    },
    addOwner: (object) => owners.add(object),
    finish() {
      const merged = new Map<string, Group>();
      for (const group of groups.values()) {
        const above = owners.of(group.namespace, group.owner);
        const owner = above === 'top' ? group.owner : (above ?? group.guess ?? group.owner);
        const key = sortKey(group.namespace, owner);
        let whole = merged.get(key);
        if (whole === undefined) merged.set(key, (whole = emptyGroup(group.namespace, owner, undefined)));
        merge(whole, group);
      }
      return [...merged].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => workloadOf(group));
    },
  };
}

function sortKey(namespace: string, { group, kind, name }: Owner): string {
  return [namespace, kind, name, group].join('\0');
}

interface Group {
  readonly namespace: string;
  readonly owner: Owner;
  /** The owner above, as the names of the pods have it. */
  readonly guess: Owner | undefined;
  total: number;
  ready: number;
  readonly phases: Map<string, number>;
  readonly nodes: Map<string, number>;
  /** Undefined: no pod yet. */
  labels: Map<string, string> | undefined;
  readonly accounts: Map<string, number>;
  readonly pullSecrets: Set<string>;
  requests: PodRequests;
  readonly containers: ContainerTallies;
  /** Pods by whole seconds from start to ready. */
  readonly starts: Map<number, number>;
  unschedulable: FirstText | undefined;
}

function emptyGroup(namespace: string, owner: Owner, guess: Owner | undefined): Group {
  return {
    namespace,
    owner,
    guess,
    total: 0,
    ready: 0,
    phases: new Map(),
    nodes: new Map(),
    labels: undefined,
    accounts: new Map(),
    pullSecrets: new Set(),
    requests: {},
    containers: new Map(),
    starts: new Map(),
    unschedulable: undefined,
  };
}

function addPod(group: Group, pod: JsonObject, name: string, hide: (text: string) => string): void {
  const conditions = objectsAt(pod, 'status', 'conditions');
  const condition = (type: string) => conditions.find((candidate) => candidate['type'] === type);
  const phase = textAt(pod, 'status', 'phase') ?? 'Unknown';
  const becameReady = condition('Ready');
  const readyAt =
    becameReady?.['status'] === 'True' ? Date.parse(textAt(becameReady, 'lastTransitionTime') ?? '') : undefined;

  group.total++;
  // A pod that terminates takes no traffic any more, whatever its probes say.
  if (readyAt !== undefined && valueAt(pod, 'metadata', 'deletionTimestamp') === undefined) group.ready++;
  count(group.phases, phase);
  // A pod that has ended occupies no node.
  if (phase !== 'Succeeded' && phase !== 'Failed') count(group.nodes, textAt(pod, 'spec', 'nodeName') ?? '');
  const labels = lastingLabels(pod);
  if (group.labels === undefined) group.labels = labels;
  else keepCommon(group.labels, labels);
  const account = textAt(pod, 'spec', 'serviceAccountName') ?? textAt(pod, 'spec', 'serviceAccount');
  if (account !== undefined) count(group.accounts, account);
  for (const secret of objectsAt(pod, 'spec', 'imagePullSecrets')) {
    const secretName = textAt(secret, 'name');
    if (secretName !== undefined) group.pullSecrets.add(secretName);
  }
  group.requests = largerRequests(group.requests, podRequests(pod));
  addContainers(group.containers, pod, readyAt, hide);
  const seconds = Math.round(((readyAt ?? Number.NaN) - Date.parse(textAt(pod, 'status', 'startTime') ?? '')) / 1000);
  if (seconds >= 0 && !hasRestarted(pod)) count(group.starts, seconds);
  const scheduled = condition('PodScheduled');
  const message = textAt(scheduled, 'message');
  if (scheduled?.['status'] === 'False' && message !== undefined && textAt(pod, 'spec', 'nodeName') === undefined) {
    group.unschedulable = earliest(group.unschedulable, { pod: name, text: hide(message) });
  }
}

function hasRestarted(pod: JsonObject): boolean {
  return ['initContainerStatuses', 'containerStatuses'].some((list) =>
    objectsAt(pod, 'status', list).some((status) => status['restartCount'] !== 0),
  );
}

function keepCommon(into: Map<string, string>, other: ReadonlyMap<string, string>): void {
  for (const [key, value] of into) if (other.get(key) !== value) into.delete(key);
}

function merge(into: Group, from: Group): void {
  into.total += from.total;
  into.ready += from.ready;
  addCounts(into.phases, from.phases);
  addCounts(into.nodes, from.nodes);
  if (into.labels === undefined) into.labels = new Map(from.labels);
  else keepCommon(into.labels, from.labels ?? new Map());
  addCounts(into.accounts, from.accounts);
  for (const secret of from.pullSecrets) into.pullSecrets.add(secret);
  into.requests = largerRequests(into.requests, from.requests);
  mergeContainers(into.containers, from.containers);
  addCounts(into.starts, from.starts);
  into.unschedulable = earliest(into.unschedulable, from.unschedulable);
}

function workloadOf(group: Group): WorkloadPods {
  const serviceAccount = mostFrequent(group.accounts);
  const startSecondsP95 = percentile(group.starts, 0.95);
  return {
    namespace: group.namespace,
    owner: group.owner,
    total: group.total,
    ready: group.ready,
    phases: recordOf(group.phases),
    nodes: recordOf(group.nodes),
    labels: recordOf(group.labels ?? new Map<string, string>()),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    pullSecrets: [...group.pullSecrets].toSorted(),
    requests: requestTexts(group.requests),
    containers: containersOf(group.containers),
    ...(startSecondsP95 === undefined ? {} : { startSecondsP95 }),
    ...(group.unschedulable === undefined ? {} : { unschedulable: group.unschedulable.text }),
  };
}

function requestTexts({ cpu, memory }: PodRequests): WorkloadPods['requests'] {
  return {
    ...(cpu === undefined ? {} : { cpu: formatQuantity(Number(cpu) / 1e9, 'cores') }),
    ...(memory === undefined ? {} : { memory: formatQuantity(Number(memory) / 1e9, 'bytes') }),
  };
}
