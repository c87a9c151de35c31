import { Type } from 'typebox';
import type { V1Container } from '@kubernetes/client-node';
import type { Entry } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { at, containersOf, listAt, numberAt, podTemplate, type ContainerAt, type PodTemplate } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { servicesSelecting } from '../kit/routes.ts';
import { examples } from './examples/graceful-shutdown-regressed.ts';

interface Options {
  readonly drainSeconds: number;
}

/** Controllers whose pods serve until they are told to stop. */
const servingKinds = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Rollout']);

function* check(context: RuleContext<Options>): Iterable<Problem> {
  for (const { before, after } of context.changes) {
    if (before === undefined || after === undefined || !servingKinds.has(after.ref.kind)) continue;
    const old = podTemplate(before.effective);
    const now = podTemplate(after.effective);
    if (old === undefined || now === undefined) continue;
    const services = servicesSelecting(context.after, after.target.scope, after.ref.namespace, now.labels).map(
      (service) => service.ref.name,
    );
    if (services.length === 0) continue;
    yield* judgeGrace(after, old, now, services, context.options.drainSeconds);
    yield* judgeHooks(after, old, now, services);
  }
}

/** The grace period no longer covers what has to happen between the deletion of the pod and its end. */
function* judgeGrace(
  after: Entry,
  old: PodTemplate,
  now: PodTemplate,
  services: readonly string[],
  drain: number,
): Iterable<Problem> {
  const was = numberAt(old.spec, 'terminationGracePeriodSeconds') ?? 30;
  const is = numberAt(now.spec, 'terminationGracePeriodSeconds') ?? 30;
  const sleepBefore = longestSleep(old);
  const sleep = longestSleep(now);
  const path = `${now.path}/terminationGracePeriodSeconds`;
  const serving = `pods behind Service ${services.slice(0, 3).join(', ')}`;
  if (is === 0 && was > 0 && after.ref.kind === 'StatefulSet') {
    yield problemAt(after, path, {
      message: `terminationGracePeriodSeconds of ${formatRef(after.ref)} goes from ${was} to 0: ${serving} are killed at once, and a StatefulSet may start the replacement while the old pod still writes.`,
      fix: `Set terminationGracePeriodSeconds of ${formatRef(after.ref)} back to ${was}.`,
      evidence: { before: was, after: is },
    });
    return;
  }
  const needed = sleep + drain;
  if (is >= needed || (is >= was && sleep <= sleepBefore)) return;
  if (was < sleepBefore + drain && is - sleep >= was - sleepBefore) return;
  yield problemAt(after, path, {
    message: `${capitalised(serving)} (${formatRef(after.ref)}) get ${is} s to stop${is < was ? ` instead of ${was} s` : ''}${sleep > 0 ? `, of which preStop sleeps ${sleep} s` : ''}: ${is <= sleep ? 'the containers are killed before they receive SIGTERM' : `${is - sleep} s are left to finish requests, and they are killed after that`}.`,
    fix: `Set terminationGracePeriodSeconds of ${formatRef(after.ref)} to at least ${needed} (preStop ${sleep} s + ${drain} s to drain)${is < was && was >= needed ? `, for example back to ${was}` : ''}.`,
    evidence: {
      before: { terminationGracePeriodSeconds: was, preStopSleep: sleepBefore },
      after: { terminationGracePeriodSeconds: is, preStopSleep: sleep },
      facts: [
        `the preStop hook runs inside the grace period, which starts when the pod is deleted`,
        `counted for draining: ${drain} s (option drainSeconds)`,
      ],
    },
  });
}

/** A preStop hook is gone: SIGTERM arrives while load balancers and kube-proxy still send requests. */
function* judgeHooks(after: Entry, old: PodTemplate, now: PodTemplate, services: readonly string[]): Iterable<Problem> {
  const current = new Map(containersOf(now).map((item) => [item.container.name, item]));
  for (const { container } of containersOf(old).filter(runsWithPod)) {
    const item = current.get(container.name);
    const hook = at(container, 'lifecycle', 'preStop');
    if (item === undefined || hook === undefined || hook === null) continue;
    const kept = at(item.container, 'lifecycle', 'preStop');
    if (kept !== undefined && kept !== null) continue;
    yield problemAt(after, `${item.path}/lifecycle/preStop`, {
      message: `Container ${container.name} of ${formatRef(after.ref)} loses its preStop hook (${describeHook(container)}): it gets SIGTERM while Service ${services.slice(0, 3).join(', ')} still sends it requests, so every rollout and drain drops some.`,
      fix: `Put lifecycle.preStop back on container ${container.name} (a sleep that outlasts the deregistration of the pod, for example 5 to 15 s).`,
      evidence: {
        before: describeHook(container),
        after: null,
        facts: [
          'the removal of an endpoint reaches every node and load balancer some seconds after the pod is deleted; SIGTERM is sent without waiting for that',
        ],
      },
    });
  }
}

function runsWithPod({ list, sidecar }: ContainerAt): boolean {
  return list === 'containers' || sidecar;
}

function longestSleep(template: PodTemplate): number {
  return Math.max(
    0,
    ...containersOf(template)
      .filter(runsWithPod)
      .map(({ container }) => sleepSeconds(container)),
  );
}

/** Seconds that the hook sleeps: `sleep.seconds`, or `sleep N` in a command; 0 when it does something else. */
function sleepSeconds(container: V1Container): number {
  const native = numberAt(container, 'lifecycle', 'preStop', 'sleep', 'seconds');
  if (native !== undefined) return native;
  const command = listAt<unknown>(container, 'lifecycle', 'preStop', 'exec', 'command')
    .map(String)
    .join(' ')
    .slice(0, 2000);
  const match = /(?:^|[\s;&|/])sleep (\d{1,6})(s|m)?(?![\w.])/.exec(command);
  return match === null ? 0 : Number(match[1]) * (match[2] === 'm' ? 60 : 1);
}

function describeHook(container: V1Container): string {
  const seconds = sleepSeconds(container);
  if (seconds > 0) return `sleep ${seconds} s`;
  const hook = at(container, 'lifecycle', 'preStop');
  if (at(hook, 'httpGet') !== undefined) return 'httpGet';
  const command = listAt<unknown>(hook, 'exec', 'command').map(String).join(' ');
  return command.length > 60 ? `${command.slice(0, 60)}…` : command;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export default defineRule<Options>({
  id: 'graceful-shutdown-regressed',
  since: '0.1.0',
  family: 'Disruption',
  title: 'Graceful shutdown regressed',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', '/Service'],
  live: [],
  summary: 'Pods behind a Service get less time to stop, or lose the preStop hook that lets traffic drain.',
  docs: {
    why: 'When a pod is deleted, two things start at the same moment: endpoints are removed, which reaches kube-proxy, ingress controllers and load balancers some seconds later, and the pod is stopped: preStop, then SIGTERM, then SIGKILL when `terminationGracePeriodSeconds` are over. preStop counts against that period. Without a preStop hook, or with a period that preStop uses up, a pod is gone while it still gets requests, at every rollout and every drain. A grace period of 0 on a StatefulSet lets two pods of the same identity run at once.',
    fix: 'Let preStop sleep for longer than the deregistration delay of the load balancer, and set `terminationGracePeriodSeconds` to more than preStop plus the longest request.',
    ignoreWhen: 'Clients retry, or the process itself keeps serving for some seconds after SIGTERM.',
  },
  references: [
    'https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination',
    "Ravelin: Kubernetes' dirty endpoint secret and ingress",
  ],
  options: Type.Object({
    drainSeconds: Type.Number({
      default: 10,
      minimum: 0,
      description: 'Seconds that pods need after preStop to finish what they do.',
    }),
  }),
  examples,
  check,
});
