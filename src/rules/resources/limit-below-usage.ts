import { Type } from 'typebox';
import type { Entry } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import { formatQuantity } from '../../core/quantity.ts';
import { heapOf } from '../kit/heap.ts';
import {
  judgeLimit,
  killsUnderPresentLimit,
  usageOf,
  type LimitedResource,
  type LimitJudgement,
  type Usage,
} from '../kit/limit-use.ts';
import { at, containersOf, listAt, podTemplate, stringAt, type ContainerAt } from '../kit/pods.ts';
import { escapePointer } from '../../core/json.ts';
import { quantityAt } from '../kit/pod-resources.ts';
import { asServerSays } from '../kit/dry-run.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { servicesSelecting } from '../kit/routes.ts';
import { examples } from './examples/limit-below-usage.ts';

interface Options {
  readonly minimumCut: number;
}

function effect(resource: LimitedResource, judgement: LimitJudgement): string {
  if (resource === 'cpu')
    return judgement.confidence === 'proven'
      ? 'which is below what it uses, so it is throttled and answers late'
      : 'and use above it is throttled, which shows as latency';
  return judgement.confidence === 'proven'
    ? 'which is below what it uses, so the kernel kills it (OOMKilled) as soon as it reaches its usual size'
    : 'and a use above it is an OOM kill';
}

interface LimitChange {
  readonly entry: Entry;
  readonly path: string;
  readonly who: string;
  readonly resource: LimitedResource;
  readonly before: number | undefined;
  readonly after: number;
  readonly usage: Usage | undefined;
  readonly killed?: number;
  readonly facts: readonly string[];
}

function* report(change: LimitChange, minimumCut: number): Iterable<Problem> {
  const { entry, resource, before, after, usage } = change;
  if (before !== undefined && after >= before) return;
  const judgement = judgeLimit(after, usage, resource, before === undefined ? 0 : (change.killed ?? 0));
  if (judgement === undefined) return;
  if (judgement.confidence === 'hint' && before !== undefined && 1 - after / before < minimumCut) return;
  const unit = resource === 'memory' ? 'bytes' : 'cores';
  const now = formatQuantity(after, unit);
  const was = before === undefined ? 'no limit' : formatQuantity(before, unit);
  const ratio = before === undefined ? [] : [`new limit / old limit = ${Math.round((after / before) * 100)} %`];
  yield problemAt(entry, change.path, {
    message: `${change.who} gets a ${resource} limit of ${now} instead of ${was}, ${effect(resource, judgement)}.`,
    severity: judgement.severity,
    confidence: judgement.confidence,
    novelty: before === undefined ? 'introduced' : 'worsened',
    evidence: {
      before: before === undefined ? null : was,
      after: now,
      ...(usage === undefined ? {} : { live: usage.text }),
      facts: [...ratio, ...judgement.facts, ...change.facts],
      ...(usage === undefined && judgement.confidence !== 'proven'
        ? {
            wouldChange: `with ${resource === 'memory' ? 'memoryWorkingSetP99' : 'cpuP99'} of the container in the snapshot this becomes proven, or goes away`,
          }
        : {}),
    },
    fix:
      usage === undefined
        ? `Set ${change.path} to at least 1.3 times the highest use of the last two weeks, and name that figure in the change.`
        : `Set ${change.path} to at least ${formatQuantity(roundUp(usage.amount * 1.3, unit), unit)} (1.3 x ${usage.text})${resource === 'cpu' ? ', or leave the CPU limit out' : ''}.`,
  });
}

function roundUp(amount: number, unit: 'bytes' | 'cores'): number {
  const step = unit === 'bytes' ? 2 ** 20 * 16 : 0.05;
  return Math.ceil(amount / step) * step;
}

function* checkContainer(
  entry: Entry,
  now: ContainerAt,
  was: ContainerAt | undefined,
  live: LiveWorld | undefined,
  context: { readonly servedByService: boolean; readonly minimumCut: number },
): Iterable<Problem> {
  if (was === undefined) return;
  const name = String(now.container.name);
  const who = `Container ${name} of ${formatRef(entry.ref)}`;
  for (const resource of ['memory', 'cpu'] as const) {
    const before = quantityAt(was.container, 'resources', 'limits', resource);
    const after = quantityAt(now.container, 'resources', 'limits', resource);
    if (after === undefined || after <= 0) continue;
    const usage = usageOf(live, entry, name, resource);
    // Throttling hurts where somebody waits for an answer.
    if (resource === 'cpu' && usage === undefined && !context.servedByService) continue;
    const facts: string[] = [];
    const killed = resource === 'memory' ? killsUnderPresentLimit(live, entry, name) : 0;
    if (resource === 'memory') {
      const heapBefore = heapOf(was.container);
      const heapAfter = heapOf(now.container);
      if (heapBefore !== undefined && heapAfter !== undefined && before !== undefined) {
        const shrunk = heapAfter.bytes / after <= heapBefore.bytes / before && heapAfter.bytes < heapBefore.bytes;
        if (shrunk && usage === undefined && killed === 0) continue;
      }
      if (heapAfter !== undefined)
        facts.push(
          `${heapAfter.source} allows ${formatQuantity(heapAfter.bytes, 'bytes')}, ${Math.round((heapAfter.bytes / after) * 100)} % of the new limit`,
        );
    }
    const path = `${now.path}/resources/limits/${resource}`;
    yield* report({ entry, path, who, resource, before, after, usage, killed, facts }, context.minimumCut);
  }
  yield* checkHeap(entry, now, was, who);
}

/** The heap limit of the runtime came to 90 % of the memory limit or more, while the limit itself did not shrink. */
function* checkHeap(entry: Entry, now: ContainerAt, was: ContainerAt, who: string): Iterable<Problem> {
  const heap = heapOf(now.container);
  const limit = quantityAt(now.container, 'resources', 'limits', 'memory');
  if (heap === undefined || limit === undefined || limit <= 0) return;
  const oldHeap = heapOf(was.container);
  const oldLimit = quantityAt(was.container, 'resources', 'limits', 'memory');
  const share = heap.bytes / limit;
  const oldShare = oldHeap === undefined || oldLimit === undefined ? 0 : oldHeap.bytes / oldLimit;
  // A shrinking limit is reported as such, with the heap as a fact.
  if (share < heap.allowed || share <= oldShare || (oldLimit !== undefined && limit < oldLimit)) return;
  yield problemAt(entry, `${now.path}/resources/limits/memory`, {
    message: `${who} may use ${formatQuantity(heap.bytes, 'bytes')} of heap (${heap.source}) within a memory limit of ${formatQuantity(limit, 'bytes')}: stacks, buffers and the runtime itself no longer fit, and the kernel kills it (OOMKilled) when the heap fills up.`,
    confidence: share > 1 ? 'likely' : 'hint',
    novelty: oldShare === 0 ? 'introduced' : 'worsened',
    evidence: {
      before: oldHeap === undefined ? null : formatQuantity(oldHeap.bytes, 'bytes'),
      after: formatQuantity(heap.bytes, 'bytes'),
      facts: [`heap / limit = ${Math.round(share * 100)} %`],
    },
    fix: `Leave a quarter of the limit to what is not heap: ${heap.source} at most ${formatQuantity(Math.floor((limit * 0.75) / 2 ** 20) * 2 ** 20, 'bytes')}, or a larger memory limit.`,
  });
}

/** Pod-level limits (spec.resources) and the upper bound of a VerticalPodAutoscaler. */
function* checkOther(before: Entry, after: Entry, minimumCut: number): Iterable<Problem> {
  const template = podTemplate(after.effective);
  const old = podTemplate(before.effective);
  if (template !== undefined && old !== undefined) {
    const limit = quantityAt(template.spec, 'resources', 'limits', 'memory');
    if (limit !== undefined && limit > 0)
      yield* report(
        {
          entry: after,
          path: `${template.path}/resources/limits/memory`,
          who: `Each pod of ${formatRef(after.ref)}`,
          resource: 'memory',
          before: quantityAt(old.spec, 'resources', 'limits', 'memory'),
          after: limit,
          usage: undefined,
          facts: ['pod-level limit: all containers together'],
        },
        minimumCut,
      );
  }
  if (after.ref.group !== 'autoscaling.k8s.io' || after.ref.kind !== 'VerticalPodAutoscaler') return;
  const policies = (entry: Entry) =>
    new Map(
      listAt(entry.effective, 'spec', 'resourcePolicy', 'containerPolicies').map((policy) => [
        stringAt(policy, 'containerName') ?? '*',
        policy,
      ]),
    );
  const previous = policies(before);
  for (const [container, policy] of policies(after)) {
    const limit = quantityAt(policy, 'maxAllowed', 'memory');
    const was = previous.get(container);
    if (limit === undefined || limit <= 0 || was === undefined || at(was, 'maxAllowed') === undefined) continue;
    yield* report(
      {
        entry: after,
        path: `/spec/resourcePolicy/containerPolicies/${escapePointer(container)}/maxAllowed/memory`,
        who: `Container ${container} under ${formatRef(after.ref)}`,
        resource: 'memory',
        before: quantityAt(was, 'maxAllowed', 'memory'),
        after: limit,
        usage: undefined,
        facts: ['maxAllowed bounds what the autoscaler may give'],
      },
      minimumCut,
    );
  }
}

/** The API server refuses a limit below the request of the same container. */
function* checkRequests(before: Entry | undefined, after: Entry): Iterable<Problem> {
  const template = podTemplate(after.object);
  if (template === undefined) return;
  const old = before === undefined ? undefined : podTemplate(before.object);
  const exceeds = (container: unknown, resource: LimitedResource) => {
    const request = quantityAt(container, 'resources', 'requests', resource);
    const limit = quantityAt(container, 'resources', 'limits', resource);
    return request !== undefined && limit !== undefined && request > limit ? { request, limit } : undefined;
  };
  const previous = new Map(
    (old === undefined ? [] : containersOf(old)).map(({ container }) => [container.name, container]),
  );
  for (const { container, path } of containersOf(template)) {
    for (const resource of ['memory', 'cpu'] as const) {
      const found = exceeds(container, resource);
      if (found === undefined || exceeds(previous.get(container.name), resource) !== undefined) continue;
      const unit = resource === 'memory' ? 'bytes' : 'cores';
      const [request, limit] = [formatQuantity(found.request, unit), formatQuantity(found.limit, unit)];
      yield problemAt(after, `${path}/resources/limits/${resource}`, {
        message: `Container ${container.name} of ${formatRef(after.ref)} asks for ${request} ${resource} and limits itself to ${limit}: the API server refuses that (must be less than or equal to ${resource} limit).`,
        confidence: 'determined',
        willNotApply: true,
        evidence: { after: `request ${request}, limit ${limit}` },
        fix: `Raise resources.limits.${resource} of container ${container.name} to at least ${request}, or lower the request.`,
      });
    }
  }
}

function* checkWorkload(context: RuleContext<Options>, before: Entry, after: Entry): Iterable<Problem> {
  const template = podTemplate(after.effective);
  const old = podTemplate(before.effective);
  if (template === undefined || old === undefined) return;
  const { scope } = after.target;
  const servedByService = servicesSelecting(context.after, scope, after.ref.namespace, template.labels).length > 0;
  const previous = new Map(containersOf(old).map((found) => [found.container.name, found]));
  for (const now of containersOf(template))
    yield* checkContainer(after, now, previous.get(now.container.name), context.live(scope), {
      servedByService,
      minimumCut: context.options.minimumCut,
    });
}

export default defineRule<Options>({
  id: 'limit-below-usage',
  since: '0.1.0',
  family: 'Replicas, resources, quota, autoscaling',
  title: 'Limit below usage',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'hint',
  needs: 'live',
  kinds: [
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'batch/CronJob',
    'argoproj.io/Rollout',
    'autoscaling.k8s.io/VerticalPodAutoscaler',
  ],
  live: ['/Pod'],
  summary: 'A memory or CPU limit is lowered or introduced, perhaps below what the container uses.',
  docs: {
    why: 'A container that reaches its memory limit is killed by the kernel (exit 137, OOMKilled) and restarts; under the same load it is killed again. A CPU limit is enforced per 100 ms period: a container that used its share waits for the next one, which shows as latency. Whether a new limit is too small is a question of measured use, so without live evidence this rule only reports the ratio.',
    fix: 'Memory limit at least 1.3 times the highest use; lower the heap setting of the runtime together with the limit. Leave CPU limits out where policy allows, and set CPU requests.',
    ignoreWhen: 'Measured use is well below the new limit.',
  },
  references: [
    'https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-limits-are-run',
    'ministryofjustice/cloud-platform incidents 2021-09-04 and 2023-07-25',
  ],
  options: Type.Object({
    minimumCut: Type.Number({
      default: 0.1,
      minimum: 0,
      maximum: 1,
      description: 'Without live evidence, cuts smaller than this share of the old limit are not reported.',
    }),
  }),
  examples,
  *check(context) {
    for (const change of context.changes) {
      const { before, after } = change;
      if (after !== undefined) {
        const options = { whenAccepted: 'withdraw', about: (message: string) => message.includes('limit') } as const;
        yield* asServerSays(context, after, options, checkRequests(before, after));
      }
      if (before === undefined || after === undefined) continue;
      yield* checkWorkload(context, before, after);
      yield* checkOther(before, after, context.options.minimumCut);
    }
  },
});
