import { Type } from 'typebox';
import type { Confidence, Entry } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf, type PodMaker } from '../kit/cluster-view.ts';
import { deletionConfidence, deletions, type Deletion } from '../kit/deletions.ts';
import { declarationKinds, liveKinds, podMakerKinds } from '../kit/live-kinds.ts';
import { indexMakers, type MakerIndex } from '../kit/maker-index.ts';
import { getOrMake } from '../kit/memo.ts';
import { podTemplate } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { consumersOf } from '../kit/routes.ts';
import { formatSelector, matchesLabels } from '../kit/select.ts';
import {
  checkPorts,
  checkSelector,
  checkTargetPorts,
  consumerFacts,
  isExternal,
  judge,
  routesTo,
  selectorOf,
  type ServicePair,
} from '../kit/service-endpoints.ts';
import { declaresPort, servicePorts } from '../kit/service-ports.ts';
import { weaker } from '../kit/severity.ts';
import { counterpart } from '../kit/touched.ts';
import { unseenFact } from '../kit/unseen.ts';
import { examples } from './examples/service-endpoints-lost.ts';

interface Side {
  readonly before: MakerIndex;
  readonly after: MakerIndex;
}

/** Pods of another application, or of a Job, begin to receive the requests. */
function* checkCapture(pair: ServicePair, jobs: readonly Entry[]): Iterable<Problem> {
  const { before, after, matched, context } = pair;
  const selector = selectorOf(after);
  const old = selectorOf(before);
  if (Object.keys(selector).length === 0 || matched.before.length === 0) return;
  const wider = !matchesLabels(old, selector) && matchesLabels(selector, old);
  const had = new Set(matched.before.map(({ ref }) => `${ref.kind}/${ref.name}`));
  const reaches = (maker: PodMaker) =>
    servicePorts(after.effective).some(
      ({ target }) => typeof target === 'number' || /^\d+$/.test(target) || declaresPort(maker, target),
    );
  const captured: PodMaker[] = wider
    ? matched.after.filter((maker) => !had.has(`${maker.ref.kind}/${maker.ref.name}`) && reaches(maker))
    : [];
  for (const job of jobs) {
    const template = podTemplate(job.effective);
    if (template === undefined || !matchesLabels(selector, template.labels)) continue;
    const previous = counterpart(context.before, job);
    const oldLabels = previous === undefined ? undefined : podTemplate(previous.effective)?.labels;
    if (oldLabels !== undefined && matchesLabels(old, oldLabels)) continue;
    const maker: PodMaker = { ref: job.ref, object: job.effective, template, pods: 1, entry: job };
    if (reaches(maker)) captured.push(maker);
  }
  const [first] = captured;
  if (first === undefined) return;
  const names = captured.map(({ ref }) => formatRef(ref));
  const judged = judge(pair, 'high', 'determined');
  yield problemAt(after, '/spec/selector', {
    message: `${formatRef(after.ref)} now also selects the pods of ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}: a share of its requests goes there and fails or is answered by the wrong application.`,
    severity: judged.severity,
    confidence: judged.confidence,
    novelty: 'introduced',
    evidence: {
      before: formatSelector({ matchLabels: old }),
      after: formatSelector({ matchLabels: selector }),
      facts: [
        ...judged.facts,
        `labels of ${names[0] ?? ''}: ${formatSelector({ matchLabels: first.template.labels })}`,
        ...consumerFacts(routesTo(pair)),
      ],
    },
    fix: wider
      ? `Keep the label that told them apart (${Object.keys(old)
          .filter((key) => !Object.hasOwn(selector, key))
          .join(', ')}) in the selector of ${formatRef(after.ref)}.`
      : `Give the pods of ${names[0] ?? ''} labels of their own, or add a label to the selector of ${formatRef(after.ref)} that they do not have.`,
    rootCause: `service-capture:${after.target.scope}/${formatRef(after.ref)}`,
  });
}

/** The Service itself is removed while something still routes to it. */
function* checkRemoval(context: RuleContext<unknown>, deletion: Deletion): Iterable<Problem> {
  const { entry } = deletion;
  if (entry.ref.kind !== 'Service' || entry.ref.group !== '' || deletion.outcome === 'kept') return;
  const consumers = consumersOf(context.after, entry).filter(
    ({ entry: owner }) => !/Webhook|APIService/.test(owner.ref.kind),
  );
  const [first] = consumers;
  if (first === undefined) return;
  const names = [...new Set(consumers.map(({ entry: owner }) => formatRef(owner.ref)))];
  const unseen = unseenFact(context.after, entry.target.scope, entry.ref.namespace);
  const base: Confidence =
    deletion.live === undefined ? deletionConfidence(deletion) : deletion.outcome === 'deleted' ? 'proven' : 'likely';
  yield problemAt(first.entry, first.path, {
    message: `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''} still ${names.length === 1 ? 'routes' : 'route'} to ${formatRef(entry.ref)}, which this change removes: these requests fail.`,
    confidence: unseen === undefined ? base : weaker(base, 'likely'),
    evidence: {
      before: formatRef(entry.ref),
      after: null,
      facts: [
        deletion.why,
        ...consumers.slice(0, 6).map(({ entry: owner, path }) => `${formatRef(owner.ref)} ${path}`),
        ...(unseen === undefined ? [] : [unseen]),
      ],
    },
    fix: `Point ${names.slice(0, 3).join(', ')} to the new Service first, and remove ${formatRef(entry.ref)} in a later change.`,
    rootCause: `service-endpoints-lost:${entry.target.scope}/${formatRef(entry.ref)}`,
  });
}

/** Namespaces in which Services, pods or routes change. */
function touchedNamespaces(context: RuleContext<unknown>): ReadonlyMap<string, { scope: string; namespace: string }> {
  const result = new Map<string, { scope: string; namespace: string }>();
  for (const change of context.changes) {
    for (const entry of [change.before, change.after]) {
      if (entry?.ref.namespace === undefined) continue;
      const { scope } = entry.target;
      const { namespace } = entry.ref;
      getOrMake(result, `${scope}\u0000${namespace}`, () => ({ scope, namespace }));
    }
  }
  return result;
}

export default defineRule({
  id: 'service-endpoints-lost',
  since: '0.1.0',
  family: 'Services, Ingress, Gateway API',
  title: 'Service loses its endpoints',
  severity: 'critical',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    '/Service',
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'batch/Job',
    'batch/CronJob',
    'networking.k8s.io/Ingress',
    'gateway.networking.k8s.io/HTTPRoute',
    'networking.istio.io/VirtualService',
  ],
  live: liveKinds(podMakerKinds, 'discovery.k8s.io/EndpointSlice'),
  liveOf: declarationKinds,
  summary: 'A Service selects no pods any more, sends to a port that is gone, or takes in pods of another application.',
  docs: {
    why: 'The endpoints of a Service are the ready pods that carry every label of its selector. A changed label on either side, a renamed container port behind a named `targetPort`, or a port that an Ingress still names leaves the Service in place and its requests without an answer; nothing fails at apply time. A selector that loses a label takes in pods of other workloads: canaries, Jobs of the same release.',
    fix: 'Change labels and selectors in two steps with a superset in between; keep old ports until the routes have moved.',
    ignoreWhen: 'An operator makes the pods, or the Service is no longer used.',
  },
  references: [
    'https://github.com/prometheus-community/helm-charts/issues/1009',
    'https://github.com/prometheus-community/helm-charts/issues/1021',
    'https://kubernetes.io/docs/concepts/services-networking/service/',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const { scope, namespace } of touchedNamespaces(context).values()) {
      const inside = context.after.inNamespace(scope, namespace);
      const services = inside.filter((entry) => entry.ref.kind === 'Service' && entry.ref.group === '');
      if (services.length === 0) continue;
      const jobs = inside.filter((entry) => entry.ref.group === 'batch');
      const makers: Side = {
        before: indexMakers(viewOf(context, 'before', scope).podMakers(namespace)),
        after: indexMakers(viewOf(context, 'after', scope).podMakers(namespace)),
      };
      for (const after of services) {
        const before = counterpart(context.before, after);
        if (before === undefined) continue;
        const pair: ServicePair = {
          context,
          before,
          after,
          matched: {
            before: makers.before.matching(selectorOf(before)),
            after: isExternal(after) ? [] : makers.after.matching(selectorOf(after)),
          },
        };
        yield* checkSelector(pair);
        yield* checkTargetPorts(pair);
        yield* checkPorts(pair);
        yield* checkCapture(pair, jobs);
      }
    }
    for (const deletion of deletions(context)) yield* checkRemoval(context, deletion);
  },
});
