import { Type } from 'typebox';
import type { KubeObject } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { roomFor } from '../kit/free-capacity.ts';
import { foreignObjects } from '../kit/live-entry.ts';
import { at, desiredPods, numberAt, workloads, type WorkloadEntry } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';

const stateful = new Set(['StatefulSet']);

/** Priority of the pods of a workload by the classes of one side; undefined when the class is not known there. */
function priorityOf(workload: WorkloadEntry, classes: ReadonlyMap<string, KubeObject>): number | undefined {
  const name = workload.template.spec.priorityClassName;
  if (name === 'system-node-critical') return 2_000_001_000;
  if (name === 'system-cluster-critical') return 2_000_000_000;
  if (name === undefined || name === '') {
    for (const found of classes.values()) if (at(found, 'globalDefault') === true) return valueOf(found);
    return 0;
  }
  const found = classes.get(name);
  return found === undefined ? undefined : valueOf(found);
}

function valueOf(priorityClass: KubeObject): number {
  return numberAt(priorityClass, 'value') ?? 0;
}

function preempts(workload: WorkloadEntry, classes: ReadonlyMap<string, KubeObject>): boolean {
  const found = classes.get(workload.template.spec.priorityClassName ?? '');
  return found === undefined || at(found, 'preemptionPolicy') !== 'Never';
}

const group = 'scheduling.k8s.io';

/** Classes of one side: rendered ones, and those that only the cluster has. */
function classesOf(
  context: RuleContext<unknown>,
  side: 'before' | 'after',
  scope: string,
): ReadonlyMap<string, KubeObject> {
  return new Map([
    ...foreignObjects(context, scope, group, 'PriorityClass').map((found) => [found.metadata.name, found] as const),
    ...context[side].ofKind(group, 'PriorityClass', scope).map((entry) => [entry.ref.name, entry.effective] as const),
  ]);
}

function* raisedAbove(context: RuleContext<unknown>, scope: string): Iterable<Problem> {
  const classes = classesOf(context, 'after', scope);
  const earlier = classesOf(context, 'before', scope);
  const before = new Map(workloads(context.before, scope).map((workload) => [keyOf(workload), workload]));
  const after = workloads(context.after, scope);
  const raised = after.filter((workload) => {
    const now = priorityOf(workload, classes);
    const old = before.get(keyOf(workload));
    const was = old === undefined ? 0 : (priorityOf(old, earlier) ?? 0);
    return now !== undefined && now > was && now > 0 && preempts(workload, classes);
  });
  for (const workload of raised) {
    const priority = priorityOf(workload, classes) ?? 0;
    // Who stands below now and did not before: pods without a class are priority 0.
    const victims = after.filter((other) => {
      if (keyOf(other) === keyOf(workload) || other.entry.ref.kind === 'Job' || other.entry.ref.kind === 'CronJob')
        return false;
      const theirs = priorityOf(other, classes);
      return theirs !== undefined && theirs < priority && before.has(keyOf(other));
    });
    if (victims.length === 0) continue;
    const important = victims.filter(({ entry }) => stateful.has(entry.ref.kind));
    const shown = [...important, ...victims.filter((victim) => !important.includes(victim))];
    const wanted = desiredPods(workload.entry.effective) ?? 1;
    const room = roomFor(context.live(scope), workload.template);
    const fits = room !== undefined && room >= wanted;
    yield problemAt(workload.entry, `${workload.template.path}/priorityClassName`, {
      // With room on the nodes nobody is preempted today; the next node that goes away changes that.
      ...(fits ? { severity: 'medium' as const, confidence: 'likely' as const } : {}),
      message:
        `The pods of ${formatRef(workload.entry.ref)} get priority ${priority}. On a full node the scheduler deletes pods of lower priority to place them: ` +
        `${names(shown)} ${victims.length === 1 ? 'becomes a victim' : 'become victims'}, and a disruption budget is honoured only as far as possible.`,
      evidence: {
        before: before.get(keyOf(workload))?.template.spec.priorityClassName ?? 'no class (priority 0)',
        after: workload.template.spec.priorityClassName ?? 'global default class',
        facts: [
          `${victims.length} running workloads are below ${priority}, ${important.length} of them stateful`,
          'preemption cascades: a deleted pod that itself outranks others preempts them in turn',
          ...(room === undefined ? [] : [`live: the nodes take ${room} more of these pods, ${wanted} are asked for`]),
        ],
        ...(room === undefined
          ? { wouldChange: 'nodes with free capacity for these pods in the snapshot make it harmless today' }
          : {}),
      },
      rootCause: `priority:${scope}:${workload.template.spec.priorityClassName ?? 'default'}`,
      fix: `Set preemptionPolicy: Never on the class first, or give ${names(shown)} a class of at least the same value before raising others.`,
    });
  }
}

function names(list: readonly WorkloadEntry[]): string {
  const first = list.slice(0, 3).map(({ entry }) => formatRef(entry.ref));
  return list.length > 3 ? `${first.join(', ')} and ${list.length - 3} more` : first.join(', ');
}

function keyOf({ entry }: WorkloadEntry): string {
  return `${entry.ref.kind}/${entry.ref.namespace ?? ''}/${entry.ref.name}`;
}

function* newDefault(context: RuleContext<unknown>, scope: string): Iterable<Problem> {
  const earlier = classesOf(context, 'before', scope);
  const isDefault = (found: KubeObject | undefined) => at(found, 'globalDefault') === true;
  if ([...earlier.values()].some(isDefault)) return;
  for (const entry of context.after.ofKind(group, 'PriorityClass', scope)) {
    if (!isDefault(entry.effective)) continue;
    yield problemAt(entry, '/globalDefault', {
      message: `${formatRef(entry.ref)} becomes the default class: pods created from now on get priority ${valueOf(entry.effective)}, running ones keep 0, so every restarted pod can preempt one that has not restarted yet.`,
      evidence: {
        after: valueOf(entry.effective),
        facts: ['priority is set at admission and never changes on a running pod'],
      },
      fix: `Set preemptionPolicy: Never on ${formatRef(entry.ref)} until all workloads have been restarted.`,
    });
  }
}

const twoWorkloads = (apiClass: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
${apiClass}      containers: [{name: api, image: registry.example.org/api:3.1.0}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ingester, namespace: metrics}
spec:
  serviceName: ingester
  selector: {matchLabels: {app: ingester}}
  template:
    metadata: {labels: {app: ingester}}
    spec:
      containers: [{name: ingester, image: registry.example.org/ingester:2.0.0}]
`;

const highClass = `---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000000
`;

/** A node of that many pods, on which the ingester runs. */
const room = (pods: string) => `---
apiVersion: v1
kind: Node
metadata: {name: node-a}
status: {allocatable: {cpu: "4", memory: 16Gi, pods: "${pods}"}}
---
apiVersion: v1
kind: Pod
metadata: {name: ingester-0, namespace: metrics, labels: {app: ingester}}
spec:
  nodeName: node-a
  containers: [{name: ingester, image: 'registry.example.org/ingester:2.0.0', resources: {requests: {cpu: "3"}}}]
status: {phase: Running}
`;

export default defineRule({
  id: 'priority-preemption-risk',
  since: '0.1.0',
  family: 'Scheduling',
  title: 'Priority preemption risk',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: ['scheduling.k8s.io/PriorityClass', 'apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet'],
  live: ['/Node', '/Pod', `${group}/PriorityClass`],
  summary: 'Pods are raised above running workloads, which the scheduler may now delete to make room.',
  docs: {
    why: 'A pending pod of higher priority preempts pods of lower priority on a node where it then fits (kube-scheduler, DefaultPreemption). Pods without a class have priority 0, so the first class that is introduced makes every other workload a victim. PodDisruptionBudgets are respected only best-effort.',
    fix: 'Introduce classes with `preemptionPolicy: Never`, give the important and the stateful workloads their class first, and allow preemption last.',
    ignoreWhen:
      'The cluster always has free capacity for the raised pods, or the victims are batch work that may be deleted.',
  },
  references: [
    'Grafana Labs, how a production outage was caused using Kubernetes pod priorities (2019-07-19)',
    'https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/',
  ],
  options: Type.Object({}),
  examples: [
    {
      name: 'the first class puts the stateful ingester below the API',
      before: twoWorkloads(''),
      after: twoWorkloads('      priorityClassName: high\n') + highClass,
      expect: [{ resource: 'Deployment/shop/api', message: 'StatefulSet metrics/ingester' }],
    },
    {
      name: 'the class is in the cluster only',
      before: twoWorkloads(''),
      after: twoWorkloads('      priorityClassName: high\n'),
      live: highClass,
      expect: [{ resource: 'Deployment/shop/api', message: 'priority 1000000', severity: 'high' }],
    },
    {
      name: 'the nodes have room for the raised pods today',
      before: twoWorkloads(''),
      after: twoWorkloads('      priorityClassName: high\n') + highClass,
      live: room('16'),
      expect: [{ resource: 'Deployment/shop/api', severity: 'medium', confidence: 'likely' }],
    },
    {
      name: 'the nodes are full',
      before: twoWorkloads(''),
      after: twoWorkloads('      priorityClassName: high\n') + highClass,
      live: room('1'),
      expect: [{ resource: 'Deployment/shop/api', severity: 'high' }],
    },
    {
      name: 'the class does not preempt',
      before: twoWorkloads(''),
      after: `${twoWorkloads('      priorityClassName: high\n')}${highClass}preemptionPolicy: Never\n`,
      expect: [],
    },
    {
      name: 'a class is added and nobody uses it yet',
      before: twoWorkloads(''),
      after: twoWorkloads('') + highClass,
      expect: [],
    },
    {
      name: 'the class becomes the global default',
      before: twoWorkloads('') + highClass,
      after: `${twoWorkloads('')}${highClass}globalDefault: true\n`,
      expect: [{ resource: 'PriorityClass/high', path: '/globalDefault' }],
    },
  ],
  *check(context) {
    const scopes = new Set(context.changes.flatMap((change) => change.after?.target.scope ?? []));
    for (const scope of scopes) {
      yield* newDefault(context, scope);
      yield* raisedAbove(context, scope);
    }
  },
});
