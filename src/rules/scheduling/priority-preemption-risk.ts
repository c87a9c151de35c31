import { Type } from 'typebox';
import type { Entry } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { at, numberAt, workloads, type WorkloadEntry } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';

const stateful = new Set(['StatefulSet']);

/** Priority of the pods of a workload by the classes of one side; undefined when the class is not known there. */
function priorityOf(workload: WorkloadEntry, classes: ReadonlyMap<string, Entry>): number | undefined {
  const name = workload.template.spec.priorityClassName;
  if (name === 'system-node-critical') return 2_000_001_000;
  if (name === 'system-cluster-critical') return 2_000_000_000;
  if (name === undefined || name === '') {
    for (const entry of classes.values()) if (at(entry.effective, 'globalDefault') === true) return valueOf(entry);
    return 0;
  }
  const entry = classes.get(name);
  return entry === undefined ? undefined : valueOf(entry);
}

function valueOf(entry: Entry): number {
  return numberAt(entry.effective, 'value') ?? 0;
}

function preempts(workload: WorkloadEntry, classes: ReadonlyMap<string, Entry>): boolean {
  const entry = classes.get(workload.template.spec.priorityClassName ?? '');
  return entry === undefined || at(entry.effective, 'preemptionPolicy') !== 'Never';
}

function classesOf(context: RuleContext<unknown>, side: 'before' | 'after', scope: string): ReadonlyMap<string, Entry> {
  return new Map(
    context[side].ofKind('scheduling.k8s.io', 'PriorityClass', scope).map((entry) => [entry.ref.name, entry]),
  );
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
    yield problemAt(workload.entry, `${workload.template.path}/priorityClassName`, {
      message:
        `The pods of ${formatRef(workload.entry.ref)} get priority ${priority}. On a full node the scheduler deletes pods of lower priority to place them: ` +
        `${names(shown)} ${victims.length === 1 ? 'becomes a victim' : 'become victims'}, and a disruption budget is honoured only as far as possible.`,
      evidence: {
        before: before.get(keyOf(workload))?.template.spec.priorityClassName ?? 'no class (priority 0)',
        after: workload.template.spec.priorityClassName ?? 'global default class',
        facts: [
          `${victims.length} running workloads are below ${priority}, ${important.length} of them stateful`,
          'preemption cascades: a deleted pod that itself outranks others preempts them in turn',
        ],
        wouldChange: 'nodes with free capacity for these pods in the snapshot make it harmless today',
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
  const hadDefault = [...earlier.values()].some((entry) => at(entry.effective, 'globalDefault') === true);
  for (const entry of classesOf(context, 'after', scope).values()) {
    const old = earlier.get(entry.ref.name);
    if (
      at(entry.effective, 'globalDefault') !== true ||
      (old !== undefined && at(old.effective, 'globalDefault') === true)
    )
      continue;
    if (hadDefault) continue;
    yield problemAt(entry, '/globalDefault', {
      message: `${formatRef(entry.ref)} becomes the default class: pods created from now on get priority ${valueOf(entry)}, running ones keep 0, so every restarted pod can preempt one that has not restarted yet.`,
      evidence: { after: valueOf(entry), facts: ['priority is set at admission and never changes on a running pod'] },
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
  live: [],
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
