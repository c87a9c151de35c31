import { Type } from 'typebox';
import type { V1Probe } from '@kubernetes/client-node';
import type { Entry } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import {
  at,
  containersOf,
  listAt,
  numberAt,
  podTemplate,
  stringAt,
  type ContainerAt,
  type PodTemplate,
} from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { servicesSelecting } from '../kit/routes.ts';
import { readyEndpoints, trafficFacts } from '../kit/services.ts';
import { examples } from './examples/readiness-weakened.ts';

interface Handler {
  /** 3: asks the application; 2: only the socket; 1: always succeeds. */
  readonly strength: 1 | 2 | 3;
  readonly text: string;
}

const alwaysTrue = /^(true|:|exit 0|echo\b[^|&;]*)$/;

function handlerOf(probe: V1Probe): Handler {
  if (probe.httpGet !== undefined && probe.httpGet !== null)
    return { strength: 3, text: `httpGet ${probe.httpGet.path ?? '/'}` };
  if (probe.grpc !== undefined && probe.grpc !== null) return { strength: 3, text: 'grpc' };
  if (probe.tcpSocket !== undefined && probe.tcpSocket !== null)
    return { strength: 2, text: `tcpSocket ${String(probe.tcpSocket.port)}` };
  const command = listAt<unknown>(probe, 'exec', 'command').map(String);
  const shell = /(^|\/)(ba|da|a|z)?sh$/.test(command[0] ?? '') && command[1] === '-c';
  const line = (shell ? command.slice(2) : command).join(' ').trim();
  const trivial = alwaysTrue.test(line.replace(/^\/(usr\/)?bin\//, ''));
  return { strength: trivial ? 1 : 3, text: `exec ${command.join(' ')}` };
}

/** Facts about who would notice: the Services, their ready endpoints, the number of pods. */
function consequenceFacts(services: readonly Entry[], live: LiveWorld | undefined): string[] {
  const facts = [`Services that select these pods: ${services.map((s) => s.ref.name).join(', ')}`];
  for (const { ref } of services) {
    const namespace = ref.namespace ?? 'default';
    const ready = readyEndpoints(live, namespace, ref.name);
    if (ready !== undefined) facts.push(`Service ${ref.name} has ${ready.ready} ready endpoints now`);
    facts.push(...trafficFacts(live, namespace, ref.name));
  }
  return facts;
}

function* checkContainer(
  entry: Entry,
  was: ContainerAt,
  now: ContainerAt,
  facts: readonly string[],
): Iterable<Problem> {
  const before = was.container.readinessProbe;
  const after = now.container.readinessProbe;
  const name = now.container.name;
  const path = `${now.path}/readinessProbe`;
  const who = `container ${name} of ${formatRef(entry.ref)}`;
  if (before === undefined || before === null) return;
  const old = handlerOf(before);
  if (after === undefined || after === null) {
    yield problemAt(entry, path, {
      message: `Without a readinessProbe ${who} counts as ready the moment its process runs: Services send it requests before it can answer, and a rollout no longer stops at a broken version.`,
      evidence: { before: old.text, after: null, facts },
      fix: `Keep the readinessProbe (${old.text}) of container ${name}.`,
    });
    return;
  }
  const fresh = handlerOf(after);
  if (fresh.strength < old.strength) {
    const effect =
      fresh.strength === 1
        ? 'the probe always succeeds'
        : 'an open socket is enough, also while the application cannot serve';
    yield problemAt(entry, path, {
      message: `The readinessProbe of ${who} changes from ${old.text} to ${fresh.text}: ${effect}, so traffic reaches pods that are not ready.`,
      novelty: 'worsened',
      evidence: { before: old.text, after: fresh.text, facts },
      fix: `Keep the readinessProbe of container ${name} on ${old.text}.`,
    });
    return;
  }
  const timeoutBefore = before.timeoutSeconds ?? 1;
  const timeoutAfter = after.timeoutSeconds ?? 1;
  if (timeoutAfter * 2 <= timeoutBefore) {
    yield problemAt(entry, `${path}/timeoutSeconds`, {
      message: `The readinessProbe of ${who} fails after ${timeoutAfter} s instead of ${timeoutBefore} s: one slow dependency can take all pods out of the Service at the same time.`,
      novelty: 'worsened',
      confidence: 'likely',
      evidence: {
        before: timeoutBefore,
        after: timeoutAfter,
        facts: ['default of timeoutSeconds: 1', ...facts],
      },
      fix: `Keep readinessProbe.timeoutSeconds of container ${name} above the slowest answer of what the probe asks (it was ${timeoutBefore}).`,
    });
  }
}

function* checkWorkload(
  context: RuleContext<unknown>,
  before: Entry,
  after: Entry,
  templates: { readonly was: PodTemplate; readonly now: PodTemplate },
): Iterable<Problem> {
  const scope = after.target.scope;
  const services = servicesSelecting(context.after, scope, after.ref.namespace, templates.now.labels);
  // Workers take no requests: readiness only paces their rollout.
  if (services.length === 0) return;
  const facts = consequenceFacts(services, context.live(scope));
  const previous = new Map(containersOf(templates.was).map((found) => [found.container.name, found]));
  for (const now of containersOf(templates.now)) {
    const was = previous.get(now.container.name);
    if (was !== undefined && now.list === 'containers') yield* checkContainer(after, was, now, facts);
  }
  const old = numberAt(before.effective, 'spec', 'minReadySeconds') ?? 0;
  const fresh = numberAt(after.effective, 'spec', 'minReadySeconds') ?? 0;
  if (old > 0 && fresh === 0)
    yield problemAt(after, '/spec/minReadySeconds', {
      message: `${formatRef(after.ref)} no longer waits ${old} s before a new pod counts as available: a version that fails shortly after its start replaces all pods.`,
      novelty: 'worsened',
      evidence: { before: old, after: fresh, facts },
      fix: `Keep spec.minReadySeconds above the warm-up of the load balancer (it was ${old}).`,
    });
}

function* checkService(before: Entry, after: Entry): Iterable<Problem> {
  if (at(after.effective, 'spec', 'publishNotReadyAddresses') !== true) return;
  if (at(before.effective, 'spec', 'publishNotReadyAddresses') === true) return;
  // Headless Services of clustered software publish unready peers on purpose.
  if (stringAt(after.effective, 'spec', 'clusterIP') === 'None') return;
  yield problemAt(after, '/spec/publishNotReadyAddresses', {
    message: `${formatRef(after.ref)} now sends requests to pods that are not ready (publishNotReadyAddresses), so readiness probes no longer protect its clients.`,
    evidence: { before: false, after: true },
    fix: `Set publishNotReadyAddresses on a separate headless Service for the peers and leave ${formatRef(after.ref)} as it was.`,
  });
}

export default defineRule({
  id: 'readiness-weakened',
  since: '0.1.0',
  family: 'Probes and rollout',
  title: 'Readiness probe weakened',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'argoproj.io/Rollout', '/Service'],
  live: ['discovery.k8s.io/EndpointSlice'],
  summary: 'Pods behind a Service count as ready too early, or drop out of it too easily.',
  docs: {
    why: 'A pod is an endpoint of its Services while it is Ready. Without a `readinessProbe` a container is ready as soon as its process runs; a `tcpSocket` probe only shows that something listens. A rolling update waits for readiness (and `minReadySeconds`) before it removes the next old pod, so a weaker probe also removes the brake that stops a broken version. The other way round, a much shorter `timeoutSeconds` lets one slow dependency make every pod unready at once.',
    fix: 'Keep a probe that asks the application, with a timeout above the slowest healthy answer, and `minReadySeconds` above the warm-up of the load balancer.',
    ignoreWhen: 'The pods take no requests, or the mesh or load balancer has its own health check.',
  },
  references: [
    'https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/',
    'ministryofjustice/cloud-platform incident 2023-11-01',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const change of context.changes) {
      const { before, after } = change;
      if (before === undefined || after === undefined) continue;
      if (after.ref.kind === 'Service' && after.ref.group === '') {
        yield* checkService(before, after);
        continue;
      }
      const was = podTemplate(before.effective);
      const now = podTemplate(after.effective);
      if (was !== undefined && now !== undefined) yield* checkWorkload(context, before, after, { was, now });
    }
  },
});
