import { Type } from 'typebox';
import type { Confidence, Entry, Novelty, ResourceChange, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf, type ClusterView } from '../kit/cluster-view.ts';
import {
  allBudgets,
  allowanceOf,
  budgetOfEntry,
  describeBudget,
  evictsUnhealthy,
  type Budget,
} from '../kit/disruption-budget.ts';
import { guardedBy, nodeChurn, totalPods, type Guarded } from '../kit/guarded.ts';
import { declarationKinds, disruptionKinds, liveKinds } from '../kit/live-kinds.ts';
import { at, containersOf, numberAt, podTemplate, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { rolloutPace } from '../kit/rollout.ts';
import { formatRefs } from '../kit/services.ts';
import { changesByIdentity, counterpart, entryIdentity } from '../kit/touched.ts';
import { examples } from './examples/pdb-deadlocks-unhealthy-app.ts';

/** What is left when a rollout of a workload fails and its new pods never become ready. */
interface FailedRollout {
  readonly guarded: Guarded;
  readonly pods: number;
  readonly healthy: number;
  readonly desired: number;
}

function* check(context: RuleContext): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const budget of allBudgets(context.after)) {
    if (evictsUnhealthy(budget)) continue;
    const entry = budget.entry!;
    const scope = entry.target.scope;
    const view = viewOf(context, 'after', scope);
    const guarded = guardedBy(view, budget);
    if (guarded.length === 0 || totalPods(guarded) === 0) continue;
    const previous = counterpart(context.before, entry);
    const old = previous === undefined ? undefined : budgetOfEntry(context.before, previous);
    if (old !== undefined && evictsUnhealthy(old)) {
      yield report(context, budget, guarded, {
        path: '/spec/unhealthyPodEvictionPolicy',
        novelty: 'introduced',
        message: `${formatRef(entry.ref)} no longer lets unready pods of ${formatRefs(guarded.map(({ maker }) => maker.ref))} be evicted (it was AlwaysAllow): when they run but are not ready, drains of their nodes are answered 429 until they recover.`,
        facts: [],
      });
      continue;
    }
    yield* rolloutDeadlock(context, budget, old, guarded, changes);
  }
}

/** The same change gives a guarded workload a rollout that, if it fails, freezes the nodes of its unready pods. */
function* rolloutDeadlock(
  context: RuleContext,
  budget: Budget,
  old: Budget | undefined,
  guarded: readonly Guarded[],
  changes: ReadonlyMap<string, ResourceChange>,
): Iterable<Problem> {
  for (const item of guarded) {
    const { entry } = item.maker;
    const change = entry === undefined ? undefined : changes.get(entryIdentity(entry));
    if (entry === undefined || change?.before === undefined) continue;
    const what = whatChanges(change);
    if (what.length === 0) continue;
    const failed = stuckAfter(budget, item, totalPods(guarded));
    if (failed === undefined) continue;
    // The arithmetic held already: an ordinary release under an old budget is no news, tighter probes are.
    const before = old === undefined ? undefined : stuckBefore(context, old, change.before);
    const novelty: Novelty = before === undefined || probesTightened(change) ? 'introduced' : 'touched-preexisting';
    const { pods, healthy, desired } = failed;
    yield report(context, budget, guarded, {
      path: '/spec/unhealthyPodEvictionPolicy',
      novelty,
      message: `If the rollout of ${formatRef(entry.ref)} (${what.join(', ')} ${what.length > 1 || what[0] === 'probes' ? 'change' : 'changes'}) leaves its new pods running but not ready, ${formatRef(budget.entry!.ref)} (${describeBudget(budget)}) blocks the eviction of exactly those pods: ${healthy} of ${pods} healthy, ${desired} required, so every drain of their nodes is answered 429 until they recover.`,
      facts: [
        `a failed rollout leaves ${healthy} healthy pods (${describePace(item, pods)})`,
        'unhealthyPodEvictionPolicy IfHealthyBudget, the default, evicts an unready pod only while the required number of pods is healthy and more than 0 are required',
      ],
    });
    return;
  }
}

function stuckBefore(context: RuleContext, old: Budget, before: Entry): FailedRollout | undefined {
  const view: ClusterView = viewOf(context, 'before', before.target.scope);
  const guarded = guardedBy(view, old);
  const same = guarded.find(({ maker }) => maker.entry === before);
  return same === undefined ? undefined : stuckAfter(old, same, totalPods(guarded));
}

/** The eviction arithmetic of pkg/registry/core/pod/storage/eviction.go for an unready pod after a failed rollout. */
function stuckAfter(budget: Budget, guarded: Guarded, total: number): FailedRollout | undefined {
  if (guarded.pods === 0) return undefined;
  const { object } = guarded.maker;
  if (stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return undefined;
  const lost = Math.min(guarded.pods, rolloutPace(object, guarded.pods).unavailable);
  if (lost === 0) return undefined;
  const healthy = total - lost;
  const allowance = allowanceOf(budget, total, healthy);
  if (allowance === undefined) return undefined;
  const desired = allowance.desiredHealthy;
  // With nothing required (one pod, maxUnavailable: 1) an unready pod is held too, but that is no fault of the budget.
  if (healthy >= desired) return undefined;
  return { guarded, pods: total, healthy, desired };
}

function describePace({ maker, pods }: Guarded, total: number): string {
  if (maker.ref.kind === 'StatefulSet') return 'a StatefulSet replaces one pod at a time';
  if (stringAt(maker.object, 'spec', 'strategy', 'type') === 'Recreate')
    return 'strategy Recreate stops all pods first';
  return `maxUnavailable of the rolling update allows ${rolloutPace(maker.object, pods).unavailable} of ${total} to be away`;
}

/** Which of image, probes and configuration of the pods this change touches. */
function whatChanges({ before, after }: ResourceChange): readonly ('image' | 'probes' | 'configuration')[] {
  const result: ('image' | 'probes' | 'configuration')[] = [];
  const [old, now] = [before, after].map((entry) => (entry === undefined ? undefined : podTemplate(entry.effective)));
  if (old === undefined || now === undefined) return result;
  const pick = (fields: readonly string[]) => (template: typeof now) =>
    JSON.stringify(
      containersOf(template).map(({ container }) => [
        container.name,
        ...fields.map((field) => at(container, field) ?? null),
      ]),
    );
  const differs = (fields: readonly string[]) => pick(fields)(old) !== pick(fields)(now);
  if (differs(['image'])) result.push('image');
  if (differs(['readinessProbe', 'livenessProbe', 'startupProbe'])) result.push('probes');
  const volumes = JSON.stringify(old.spec.volumes ?? []) !== JSON.stringify(now.spec.volumes ?? []);
  if (differs(['command', 'args', 'env', 'envFrom']) || volumes) result.push('configuration');
  return result;
}

const probeKinds = ['readinessProbe', 'livenessProbe', 'startupProbe'] as const;
const handlers = ['httpGet', 'tcpSocket', 'exec', 'grpc'] as const;

/** A readiness or liveness probe is added, asks something else, or gives up earlier than before. */
function probesTightened({ before, after }: ResourceChange): boolean {
  const [old, now] = [before, after].map((entry) => (entry === undefined ? undefined : podTemplate(entry.effective)));
  if (old === undefined || now === undefined) return false;
  const previous = new Map(containersOf(old).map(({ container }) => [container.name, container]));
  return containersOf(now).some(({ container }) => {
    const was = previous.get(container.name);
    return (
      was !== undefined && probeKinds.some((kind) => isTighter(was[kind], container[kind], kind === 'startupProbe'))
    );
  });
}

/** A removed startup probe exposes the container to its liveness probe from the start. */
function isTighter(old: unknown, now: unknown, startup: boolean): boolean {
  if (now === undefined || now === null) return startup && old !== undefined && old !== null;
  if (old === undefined || old === null) return !startup;
  if (handlers.some((handler) => JSON.stringify(at(old, handler)) !== JSON.stringify(at(now, handler)))) return true;
  return ['timeoutSeconds', 'periodSeconds', 'failureThreshold', 'initialDelaySeconds'].some(
    (field) => (numberAt(now, field) ?? 0) < (numberAt(old, field) ?? 0),
  );
}

function report(
  context: RuleContext,
  budget: Budget,
  guarded: readonly Guarded[],
  found: {
    readonly path: string;
    readonly novelty: Novelty;
    readonly message: string;
    readonly facts: readonly string[];
  },
): Problem {
  const entry = budget.entry!;
  const live = context.live(entry.target.scope);
  const status = live?.get('policy', 'PodDisruptionBudget', budget.namespace, budget.name);
  const healthy = numberAt(status, 'status', 'currentHealthy');
  const desired = numberAt(status, 'status', 'desiredHealthy');
  const down = healthy !== undefined && desired !== undefined && healthy < desired;
  const churn = nodeChurn(live);
  const severity: Severity = down && churn !== undefined ? 'critical' : 'high';
  const confidence: Confidence = down ? 'proven' : 'likely';
  return problemAt(entry, found.path, {
    message: found.message,
    severity,
    confidence,
    novelty: found.novelty,
    fix: `Set unhealthyPodEvictionPolicy: AlwaysAllow in ${formatRef(entry.ref)}.`,
    evidence: {
      after: {
        unhealthyPodEvictionPolicy: stringAt(budget.object, 'spec', 'unhealthyPodEvictionPolicy') ?? 'IfHealthyBudget',
        pods: totalPods(guarded),
      },
      ...(healthy === undefined || desired === undefined
        ? {}
        : { live: { currentHealthy: healthy, desiredHealthy: desired } }),
      facts: [
        ...found.facts,
        ...(down ? [`now: currentHealthy ${healthy}, desiredHealthy ${desired}; a drain is impossible already`] : []),
        ...(churn === undefined ? [] : [churn]),
      ],
      ...(live === undefined
        ? {
            wouldChange:
              'With the live status of the budget and the nodes: pods that are unhealthy now prove it, a drain under way on top makes it critical.',
          }
        : {}),
    },
  });
}

export default defineRule({
  id: 'pdb-deadlocks-unhealthy-app',
  since: '0.1.0',
  family: 'Disruption',
  title: 'PDB deadlocks an unhealthy app',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'likely',
  needs: 'joined',
  kinds: ['policy/PodDisruptionBudget', 'apps/Deployment', 'apps/StatefulSet', '/Node'],
  live: liveKinds(disruptionKinds),
  liveOf: declarationKinds,
  summary: 'Pods that run but are not ready cannot be evicted, so a broken application holds its nodes.',
  docs: {
    why: 'With `unhealthyPodEvictionPolicy: IfHealthyBudget`, the default, an unready pod in phase Running may be evicted only while the application is healthy without it. When a rollout fails, a probe is wrong or a dependency is down, the number of healthy pods falls below what the budget requires, and the eviction of even the broken pods is answered 429. A crash-looping pod is in phase Running too. The node cannot be drained, so node repair and upgrades wait for an application that may be waiting for a new node.',
    fix: 'Set `unhealthyPodEvictionPolicy: AlwaysAllow`: healthy pods stay guarded, unready ones no longer hold a node.',
    ignoreWhen:
      'A quorum store in which the eviction of an unready member does harm; then set `IfHealthyBudget` on purpose and waive it.',
  },
  references: [
    'k8s.io/kubernetes pkg/registry/core/pod/storage/eviction.go',
    'https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy',
  ],
  options: Type.Object({}),
  examples,
  check,
});
