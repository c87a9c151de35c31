import { Type } from 'typebox';
import type { Confidence, Entry, KubeObject, ResourceChange, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { formatQuantity } from '../../core/quantity.ts';
import { amountsAt, containerDefaults, containersWithout, type ContainerDefaults } from '../kit/pod-resources.ts';
import { podTemplate, stringMapAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { demands, total, type Demand } from '../kit/quota-demand.ts';
import { hardOf, quotaCounts, requiredByQuota } from '../kit/quota.ts';
import { progressDeadline } from '../kit/rollout.ts';
import { changesByIdentity, counterpart, entryIdentity } from '../kit/touched.ts';
import { examples } from './examples/quota-blocks-rollout.ts';

/** A quota of a namespace that this change touches: from Git, or only in the cluster. */
interface QuotaCase {
  readonly scope: string;
  readonly namespace: string;
  readonly name: string;
  readonly quota: KubeObject;
  readonly before: KubeObject | undefined;
  readonly entry?: Entry;
  readonly live?: KubeObject;
}

function text(resource: string, amount: number): string {
  const cores = /(^|\.)cpu$/.test(resource);
  const bytes = /memory|storage$|^hugepages-/.test(resource);
  return formatQuantity(amount, cores ? 'cores' : bytes ? 'bytes' : 'count');
}

/** Quotas of the namespaces in which this change adds, changes or rolls something. */
function cases(context: RuleContext<unknown>): QuotaCase[] {
  const touched = new Set<string>();
  for (const change of context.changes) {
    const entry = change.after;
    if (entry?.ref.namespace !== undefined) touched.add(`${entry.target.scope}\u0000${entry.ref.namespace}`);
  }
  const result: QuotaCase[] = [];
  for (const key of touched) {
    const [scope = '', namespace = ''] = key.split('\u0000');
    const world = context.live(scope);
    for (const entry of context.after.inNamespace(scope, namespace)) {
      if (entry.ref.kind !== 'ResourceQuota' || entry.ref.group !== '') continue;
      const live = world?.get('', 'ResourceQuota', namespace, entry.ref.name);
      const before = counterpart(context.before, entry)?.effective;
      const base = { scope, namespace, name: entry.ref.name, quota: entry.effective, before, entry };
      result.push(live === undefined ? base : { ...base, live });
    }
    for (const live of world?.ofKind('', 'ResourceQuota') ?? []) {
      const { name } = live.metadata;
      if (live.metadata.namespace !== namespace) continue;
      // In Git on a side: judged above, or removed by this change.
      if (context.before.get(scope, '', 'ResourceQuota', namespace, name) !== undefined) continue;
      if (context.after.get(scope, '', 'ResourceQuota', namespace, name) !== undefined) continue;
      result.push({ scope, namespace, name, quota: live, before: live, live });
    }
  }
  return result;
}

interface Excess {
  readonly resource: string;
  readonly hard: number;
  readonly steady: number;
  readonly peak: number;
  readonly proven: boolean;
  readonly line: string;
}

interface Sides {
  readonly after: readonly Demand[];
  readonly before: readonly Demand[];
}

/** Does a resource go over its bound, and was it not like that before? */
function excessOf(found: QuotaCase, { after, before }: Sides, resource: string): Excess | undefined {
  const hard = hardOf(found.quota)[resource];
  if (hard === undefined) return undefined;
  const used = amountsAt(found.live, 'status', 'used')[resource];
  const steadyAfter = total(after, 'steady', resource);
  const steadyBefore = total(before, 'steady', resource);
  const surge = total(after, 'surge', resource);
  // What already runs is known from the cluster, else from the manifests.
  const steady = used === undefined ? steadyAfter : used + steadyAfter - steadyBefore;
  const peak = steady + surge;
  if (peak <= hard) return undefined;
  const oldHard = found.before === undefined ? undefined : hardOf(found.before)[resource];
  if (oldHard !== undefined) {
    const oldSteady = used ?? steadyBefore;
    const oldPeak = oldSteady + total(before, 'surge', resource);
    // The same shortage as before this change.
    if (oldPeak > oldHard && peak - hard <= oldPeak - oldHard && (steady <= hard || oldSteady > oldHard))
      return undefined;
  }
  const start =
    used === undefined ? `${text(resource, steadyAfter)} in the manifests` : `${text(resource, used)} used now`;
  const delta =
    used === undefined
      ? ''
      : ` ${steady - used < 0 ? '-' : '+'} ${text(resource, Math.abs(steady - used))} by this change`;
  const more = surge === 0 ? '' : ` + ${text(resource, surge)} surge`;
  return {
    resource,
    hard,
    steady,
    peak,
    proven: used !== undefined,
    line: `${resource}: ${start}${delta}${more} = ${text(resource, peak)} of ${text(resource, hard)}`,
  };
}

/** Did the API server refuse a pod of this workload with these words? */
function refusesPods(context: RuleContext<unknown>, entry: Entry, words: string): boolean {
  const pod = context.dryRun(entry.target.id, entry.ref)?.pod;
  return pod?.outcome === 'rejected' && pod.message?.includes(words) === true;
}

function* checkAmounts(context: RuleContext<unknown>, found: QuotaCase, sides: Sides): Iterable<Problem> {
  const excesses = Object.keys(hardOf(found.quota)).flatMap((resource) => excessOf(found, sides, resource) ?? []);
  const worst = excesses.find((excess) => excess.steady > excess.hard) ?? excesses[0];
  if (worst === undefined) return;
  const short = worst.steady > worst.hard;
  const rolling = sides.after.filter((demand) => demand.surgePods > 0);
  const stuck = rolling.filter((demand) => !demand.canShrink);
  const severity: Severity = short || stuck.length > 0 ? 'high' : 'medium';
  const refused = sides.after.find(({ entry }) => refusesPods(context, entry, `exceeded quota: ${found.name},`));
  const known = worst.proven || refused !== undefined;
  const confidence: Confidence = known ? 'proven' : found.entry === undefined ? 'likely' : 'determined';
  const first = stuck[0] ?? rolling[0] ?? sides.after[0];
  const where = found.entry ?? first?.entry;
  if (where === undefined) return;
  const quota = `ResourceQuota ${found.namespace}/${found.name}`;
  const effect = short
    ? `the API server refuses what does not fit ("exceeded quota"), so ${first === undefined ? 'objects' : `pods of ${formatRef(first.entry.ref)} or of a neighbour`} are not created`
    : stuck.length > 0
      ? `no surplus pod can be created and maxUnavailable is 0, so the rollout of ${stuck.map((demand) => formatRef(demand.entry.ref)).join(', ')} stands still until its deadline (${stuck[0] === undefined ? 600 : progressDeadline(stuck[0].entry.effective)} s)`
      : 'surplus pods are refused, so the rollout goes on only by taking old pods away first, with less capacity';
  yield problemAt(where, found.entry === undefined ? '/spec' : `/spec/hard/${worst.resource.replaceAll('/', '~1')}`, {
    message: `${quota} allows ${text(worst.resource, worst.hard)} ${worst.resource} and this change needs ${text(worst.resource, worst.peak)}${short ? '' : ' while it rolls out'}: ${effect}.`,
    severity,
    confidence,
    novelty: found.before === undefined ? 'introduced' : 'worsened',
    evidence: {
      after: worst.line,
      ...(found.live === undefined ? {} : { live: stringMapAt(found.live, 'status', 'used') }),
      facts: [
        ...excesses.map((excess) => excess.line),
        ...sides.after
          .filter((demand) => demand.pods > 0)
          .slice(0, 8)
          .map((demand) => demand.text),
        'ended Jobs and CronJobs are not counted',
        ...(refused === undefined
          ? []
          : [`the API server refuses a pod of ${formatRef(refused.entry.ref)} in a dry run`]),
      ],
      ...(known ? {} : { wouldChange: 'with status.used of the quota in a snapshot the arithmetic is proven' }),
    },
    fix: short
      ? `Raise spec.hard["${worst.resource}"] of ${quota} to at least ${text(worst.resource, worst.peak)} in an earlier change, or ask for less.`
      : `Raise spec.hard["${worst.resource}"] of ${quota} to ${text(worst.resource, worst.peak)} first, or set maxSurge: 0 with maxUnavailable: 1 for this rollout.`,
    rootCause: `quota-blocks-rollout:${found.scope}/${found.namespace}/${found.name}`,
  });
}

/** Containers that set no value for a resource which the quota bounds: their pods are refused ("must specify"). */
function* checkMustSpecify(
  context: RuleContext<unknown>,
  found: QuotaCase,
  defaults: { readonly before: ContainerDefaults; readonly after: ContainerDefaults },
): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const entry of context.after.inNamespace(found.scope, found.namespace)) {
    const template = podTemplate(entry.effective);
    if (template === undefined || !quotaCounts(found.quota, template, defaults.after)) continue;
    const missing = missingFields(found.quota, entry, defaults.after);
    if (missing.length === 0) continue;
    const old = counterpart(context.before, entry);
    if (old !== undefined && found.before !== undefined) {
      const oldMissing = new Set(missingFields(found.before, old, defaults.before));
      if (missing.every((field) => oldMissing.has(field))) continue;
    }
    // The server judged a pod of this template under this quota.
    if (context.dryRun(entry.target.id, entry.ref)?.pod?.outcome === 'accepted') continue;
    const refused = refusesPods(context, entry, `failed quota: ${found.name}: must specify`);
    const rolls = rollsNow(changes.get(entryIdentity(entry)));
    yield problemAt(entry, template.path, {
      message: `ResourceQuota ${found.namespace}/${found.name} bounds ${missing
        .map((field) => field.split(' ')[0])
        .filter((name, index, all) => all.indexOf(name) === index)
        .join(
          ', ',
        )}, and ${formatRef(entry.ref)} does not set it in every container: the API server refuses its pods ("must specify"), ${rolls ? 'from this rollout on' : 'as soon as one is replaced'}.`,
      confidence: found.entry === undefined || refused ? 'proven' : 'determined',
      evidence: {
        after: [...missing],
        facts: [
          'no LimitRange of the namespace gives a default for it',
          ...(refused ? ['the API server refuses such a pod in a dry run'] : []),
        ],
      },
      fix: `Set ${missing.join('; ')} in ${formatRef(entry.ref)}, or add a LimitRange with defaults to namespace ${found.namespace} before the quota.`,
      rootCause: `quota-must-specify:${found.scope}/${found.namespace}/${found.name}`,
    });
  }
}

/** `limits.memory (container app)` for each bounded resource and container without it. */
function missingFields(quota: KubeObject, entry: Entry, defaults: ContainerDefaults): string[] {
  const template = podTemplate(entry.effective);
  if (template === undefined) return [];
  return Object.keys(hardOf(quota)).flatMap((resource) => {
    const required = requiredByQuota(resource);
    if (required === undefined) return [];
    return containersWithout(template, required[0], required[1], defaults).map(
      (container) => `${required[0]}.${required[1]} (container ${container})`,
    );
  });
}

function rollsNow(change: ResourceChange | undefined): boolean {
  if (change === undefined) return false;
  return (
    change.action === 'added' ||
    change.fields.some((field) => /^\/spec\/(jobTemplate\/spec\/)?template\//.test(field.path))
  );
}

export default defineRule({
  id: 'quota-blocks-rollout',
  since: '0.1.0',
  family: 'Replicas, resources, quota, autoscaling',
  title: 'Quota blocks rollout',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    '/ResourceQuota',
    '/LimitRange',
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'batch/Job',
    '/Pod',
  ],
  live: ['/LimitRange', '/Node', '/ResourceQuota'],
  summary:
    'The pods of the new state, or of the rollout on the way to it, do not fit into the ResourceQuota of their namespace.',
  docs: {
    why: 'A ResourceQuota acts on the creation of pods, not on the Deployment: the sync succeeds, then the ReplicaSet controller reports `FailedCreate ... exceeded quota` and the rollout stands still until `progressDeadlineSeconds`. A rolling update needs `replicas + maxSurge` pods for a while. A quota that bounds `requests.cpu`, `limits.memory` and the like also refuses every pod with a container that does not set that value, unless a LimitRange gives a default.',
    fix: 'Raise the quota in an earlier change or sync wave, or lower the surge; give every container requests and limits (or the namespace a LimitRange) before a quota bounds them.',
    ignoreWhen: 'Other pods of the namespace are taken away in the same step by something that is not in Git.',
  },
  references: [
    'k8s:pkg/quota/v1/evaluator/core/pods.go',
    'https://kubernetes.io/docs/concepts/policy/resource-quotas/',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    const changes = changesByIdentity(context);
    for (const found of cases(context)) {
      const ranges = (world: typeof context.after) =>
        world
          .inNamespace(found.scope, found.namespace)
          .filter((entry) => entry.ref.kind === 'LimitRange')
          .map((entry) => entry.effective);
      const live = context.live(found.scope);
      const foreign = (live?.ofKind('', 'LimitRange') ?? []).filter(
        ({ metadata }) =>
          metadata.namespace === found.namespace &&
          context.before.get(found.scope, '', 'LimitRange', found.namespace, metadata.name) === undefined,
      );
      const defaults = {
        before: containerDefaults([...ranges(context.before), ...foreign]),
        after: containerDefaults([...ranges(context.after), ...foreign]),
      };
      const side = (world: typeof context.after, quota: KubeObject, own: ContainerDefaults) =>
        demands({
          world,
          scope: found.scope,
          namespace: found.namespace,
          quota,
          defaults: own,
          live,
          rolling: (entry) => {
            const change = changes.get(entryIdentity(entry));
            return change?.action === 'changed' && rollsNow(change);
          },
          fresh: (entry) => changes.get(entryIdentity(entry))?.action === 'added',
        });
      const sides = {
        after: side(context.after, found.quota, defaults.after),
        before: side(context.before, found.quota, defaults.before),
      };
      yield* checkAmounts(context, found, sides);
      yield* checkMustSpecify(context, found, defaults);
    }
  },
});
