import { Type } from 'typebox';
import type { DryRunAnswer } from '../../core/cluster.ts';
import type { Entry, ResourceChange, Severity } from '../../core/model.ts';
import { defineRule, type RuleContext } from '../../core/rule.ts';
import { answerFacts, pointerOf, shortMessage } from '../kit/dry-run.ts';
import { at, desiredPods, podTemplate, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { progressDeadline, rolloutPace } from '../kit/rollout.ts';
import { examples } from './examples/pods-rejected-by-api.ts';

interface Effect {
  readonly severity: Severity;
  readonly text: string;
}

/** What the cluster is left with when no pod of the new template can be created. */
function effectOf(change: ResourceChange, entry: Entry): Effect {
  const { kind } = entry.ref;
  const name = formatRef(entry.ref);
  if (kind === 'Job' || kind === 'CronJob')
    return { severity: 'high', text: `${name} creates no pod, so its work is not done` };
  if (change.action !== 'changed') return { severity: 'high', text: `${name} is accepted and never gets a pod` };
  const before = change.before?.effective ?? entry.effective;
  if (
    stringAt(entry.effective, 'spec', 'updateStrategy', 'type') === 'OnDelete' ||
    kind === 'ReplicaSet' ||
    kind === 'ReplicationController'
  ) {
    return { severity: 'medium', text: `each pod of ${name} that is replaced does not come back` };
  }
  if (kind === 'DaemonSet') {
    const pace = rolloutPace(entry.effective, 1);
    if (pace.surge > 0) return { severity: 'high', text: `the rollout of ${name} stands still` };
    const all = at(entry.effective, 'spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable') === '100%';
    return all
      ? { severity: 'critical', text: `the rollout of ${name} removes its pods from all nodes and brings none back` }
      : { severity: 'high', text: `the rollout of ${name} removes pods and stands still without them` };
  }
  const pods = Math.min(desiredPods(before) ?? 1, desiredPods(entry.effective) ?? 1);
  const lost = Math.min(pods, rolloutPace(entry.effective, pods).unavailable);
  if (pods > 0 && lost >= pods) {
    return {
      severity: 'critical',
      text: `the rollout of ${name} takes away ${pods === 1 ? 'its only pod' : `all ${pods} pods`} and brings none back`,
    };
  }
  const loss = lost === 0 ? 'with the old pods only' : `without ${lost} of ${pods} pods`;
  const deadline = kind === 'Deployment' ? `, reported as failed after ${progressDeadline(entry.effective)} s` : '';
  return { severity: 'high', text: `the rollout of ${name} stands still ${loss}${deadline}` };
}

/** One quota refuses pods of many workloads; the rule that computes it offline finds the same cause. */
function rootCause(entry: Entry, answer: DryRunAnswer): string {
  const { scope } = entry.target;
  const { kind, namespace = 'default', name } = entry.ref;
  const message = answer.message ?? '';
  const exceeded = /exceeded quota: ([^\s,:]+),/.exec(message)?.[1];
  if (exceeded !== undefined) return `quota-blocks-rollout:${scope}/${namespace}/${exceeded}`;
  const unset = /failed quota: ([^\s,:]+): must specify/.exec(message)?.[1];
  if (unset !== undefined) return `quota-must-specify:${scope}/${namespace}/${unset}`;
  const dead = /failed calling webhook "([^"]+)"/.exec(message)?.[1];
  if (dead !== undefined) return `webhook-unreachable:${scope}:${dead}`;
  return `pods-refused:${scope}:${kind}/${namespace}/${name}`;
}

function fixFor(entry: Entry, answer: DryRunAnswer): string {
  const message = answer.message ?? '';
  const name = formatRef(entry.ref);
  const quota = /(?:exceeded|failed) quota: ([^\s,:]+)/.exec(message)?.[1];
  if (quota !== undefined) return `Make room in ResourceQuota ${quota} first, or ask for less in ${name}.`;
  if (message.includes('PodSecurity'))
    return `Change the securityContext of ${name} as the message says, or move it to a namespace with a fitting level.`;
  if (/per (?:Container|Pod) is/.test(message))
    return `Set requests and limits of ${name} inside the bounds of the LimitRange, or change the LimitRange first.`;
  if (/PriorityClass/.test(message)) return `Create the PriorityClass before ${name}, or name one that exists.`;
  return `Correct the pod template of ${name}, or what refuses its pods, before the sync.`;
}

function* checkChange(context: RuleContext<unknown>, change: ResourceChange) {
  const entry = change.after;
  if (entry === undefined) return;
  const said = context.dryRun(entry.target.id, entry.ref);
  const answer = said?.pod;
  if (said === undefined || answer?.outcome !== 'rejected') return;
  // Refused itself: then there are no pods either, and one finding says so.
  if (said.apply?.outcome === 'rejected') return;
  const { severity, text } = effectOf(change, entry);
  const template = podTemplate(entry.object);
  const field = answer.causes?.[0]?.field;
  const inPod = pointerOf(field, { spec: template?.spec });
  const base = template === undefined ? '' : template.path.replace(/\/spec$/, '');
  yield problemAt(entry, `${base}${inPod === '' ? '/spec' : inPod}`, {
    message: `The API server accepts ${formatRef(entry.ref)} and refuses its pods: ${shortMessage(answer)}. So ${text}.`,
    severity,
    evidence: { facts: answerFacts(said, answer) },
    fix: fixFor(entry, answer),
    rootCause: rootCause(entry, answer),
  });
}

export default defineRule({
  id: 'pods-rejected-by-api',
  since: '0.1.0',
  family: 'Probes and rollout',
  title: 'Pods rejected by the API server',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'proven',
  needs: 'live',
  kinds: [
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'apps/ReplicaSet',
    'batch/Job',
    'batch/CronJob',
    'argoproj.io/Rollout',
  ],
  live: [],
  summary: 'The workload is accepted, and a pod of its new template is refused, so the rollout stands still.',
  docs: {
    why: 'ResourceQuota, LimitRange, Pod Security, missing PriorityClasses and ServiceAccounts, and webhooks on pods act when the controller creates a pod, not when the workload is applied. The sync succeeds, then `FailedCreate` events follow and the rollout stands still. With `--dry-run-pods` gate makes a pod of each changed template as the controller would and sends it with `dryRun=All`: the server judges it and stores nothing. A quota is checked for one pod, as it is used now.',
    fix: 'Change the pod template as the server asks, or first what refuses it: raise the quota, correct the webhook, create the PriorityClass.',
    ignoreWhen:
      'What refuses the pods changes before the sync, outside of this change; or a webhook asks for the owner of a pod, which gate cannot name.',
  },
  references: [
    'k8s:pkg/quota/v1/evaluator/core/pods.go',
    'https://kubernetes.io/docs/concepts/security/pod-security-admission/',
    'https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const change of context.changes) yield* checkChange(context, change);
  },
});
