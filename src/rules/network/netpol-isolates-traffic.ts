import { Type } from 'typebox';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { foreignObjects, liveEntry } from '../kit/live-entry.ts';
import { effectsOf, policyEffects, policyKinds, type Direction, type PolicyEffect } from '../kit/network-policies.ts';
import { workloads, type WorkloadEntry } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { examples } from './examples/netpol-isolates-traffic.ts';

/** Policies that this change adds or changes, with what they did before. */
function touchedPolicies(context: RuleContext<unknown>, scope: string): readonly PolicyEffect[] {
  const touched = new Set(
    context.changes
      .filter((change) => change.action !== 'removed' && change.after?.target.scope === scope)
      .map((change) => change.after),
  );
  return policyEffects(context.after, scope).filter((policy) => touched.has(policy.entry));
}

function isolated(policies: readonly PolicyEffect[], workload: WorkloadEntry, direction: Direction): boolean {
  return policies.some((policy) => policy.isolates.includes(direction) && policy.selects(workload));
}

/** The same workload on the other side, so that a label change counts too. */
function beforeOf(context: RuleContext<unknown>, scope: string): ReadonlyMap<string, WorkloadEntry> {
  return new Map(workloads(context.before, scope).map((workload) => [keyOf(workload), workload]));
}

function keyOf({ entry }: WorkloadEntry): string {
  return `${entry.ref.kind}/${entry.ref.namespace ?? ''}/${entry.ref.name}`;
}

function* denyOnly(policy: PolicyEffect, newly: readonly WorkloadEntry[], total: number): Iterable<Problem> {
  for (const direction of policy.denyOnly) {
    const cluster = policy.clusterWide;
    yield problemAt(policy.entry, `/spec/${direction}Deny`, {
      message:
        `${formatRef(policy.entry.ref)} holds only ${direction}Deny. In Cilium any rule of a direction turns on default deny for it, ` +
        `so the selected pods${cluster ? ' of the whole cluster' : ''} lose all ${direction} traffic, not only what the rule names.`,
      severity: cluster ? 'critical' : 'high',
      confidence: 'determined',
      reversibility: 'hard',
      ...(cluster ? { blast: { value: 1, reason: 'selected pods of every namespace' } } : {}),
      evidence: {
        after: `${direction}Deny without ${direction} and without enableDefaultDeny.${direction}: false`,
        facts: [
          `${newly.length} of ${total} rendered workloads are selected${newly.length === 0 ? '; pods outside this repository are not counted' : `: ${namesOf(newly)}`}`,
          ...(direction === 'egress'
            ? ['DNS and the API server are egress too: the GitOps controller may not be able to pull the fix']
            : []),
        ],
        wouldChange: 'with the pods of the cluster in the snapshot the number of isolated endpoints is exact',
      },
      fix: `Set spec.enableDefaultDeny.${direction}: false in ${formatRef(policy.entry.ref)}, or add the ${direction} rules that must stay allowed.`,
    });
  }
}

function namesOf(list: readonly WorkloadEntry[]): string {
  const names = list.slice(0, 5).map(({ entry }) => formatRef(entry.ref));
  return list.length > 5 ? `${names.join(', ')} and ${list.length - 5} more` : names.join(', ');
}

/** What policies do that only the cluster has; they go on to hold beside those of Git. */
function foreignPolicies(context: RuleContext<unknown>, scope: string, sample: PolicyEffect): readonly PolicyEffect[] {
  return policyKinds.flatMap(([group, kind]) =>
    foreignObjects(context, scope, group, kind).flatMap((object) => effectsOf(liveEntry(object, sample.entry.target))),
  );
}

function* dnsLost(context: RuleContext<unknown>, scope: string, touched: readonly PolicyEffect[]): Iterable<Problem> {
  const [sample] = touched;
  const foreign = sample === undefined ? [] : foreignPolicies(context, scope, sample);
  const before = [...policyEffects(context.before, scope), ...foreign];
  const after = [...policyEffects(context.after, scope), ...foreign];
  const earlier = beforeOf(context, scope);
  for (const policy of touched) {
    if (!policy.isolates.includes('egress') || policy.denyOnly.includes('egress')) continue;
    const lost = workloads(context.after, scope).filter((workload) => {
      if (!policy.selects(workload)) return false;
      const was = earlier.get(keyOf(workload));
      // A workload that is new together with its policy was written against it.
      if (was === undefined || isolated(before, was, 'egress')) return false;
      return !after.some((other) => other.allowsDns && other.selects(workload));
    });
    if (lost.length === 0) continue;
    const unseen = context.after.unseen(scope, policy.entry.ref.namespace);
    yield problemAt(policy.entry, '/spec/egress', {
      message: `${formatRef(policy.entry.ref)} isolates the egress of ${namesOf(lost)}, and no policy lets them reach DNS (port 53): every name lookup of these pods fails.`,
      severity: 'critical',
      confidence: unseen.length === 0 ? 'determined' : 'likely',
      evidence: {
        before: 'egress not isolated',
        after: 'egress isolated, port 53 not allowed',
        facts: [
          `${lost.length} running workloads become isolated`,
          ...(foreign.length === 0
            ? []
            : [`${foreign.length} policies of the cluster that are not in Git were looked at; none allows it`]),
          ...(unseen.length === 0 ? [] : [`${unseen.length} targets that may hold further policies were not rendered`]),
        ],
        ...(context.live(scope)?.covers('networking.k8s.io', 'NetworkPolicy', policy.entry.ref.namespace) === true
          ? {}
          : { wouldChange: 'a policy in the cluster that allows DNS for these pods clears it' }),
      },
      fix: `Allow UDP and TCP 53 to kube-dns in ${formatRef(policy.entry.ref)}, together with the other destinations that these pods use.`,
    });
  }
}

export default defineRule({
  id: 'netpol-isolates-traffic',
  since: '0.1.0',
  family: 'Network policy',
  title: 'Network policy isolates traffic',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'likely',
  needs: 'joined',
  kinds: [
    'networking.k8s.io/NetworkPolicy',
    'cilium.io/CiliumNetworkPolicy',
    'cilium.io/CiliumClusterwideNetworkPolicy',
  ],
  live: policyKinds.map(([group, kind]) => `${group}/${kind}`),
  summary: 'A network policy turns on default deny for pods that were open: all egress by a Cilium deny rule, or DNS.',
  docs: {
    why: 'Pods are open until a policy selects them for a direction; from then on only what some policy allows gets through (Kubernetes NetworkPolicy, `policyTypes`). An `egress` section that does not name port 53 therefore cuts DNS, and with it nearly everything else. In Cilium a rule of either kind, allow or deny, switches a direction to default deny, so a policy that only denies one port blocks all of them.',
    fix: 'Allow DNS and the API server first, roll out namespace by namespace, and use `enableDefaultDeny: false` (Cilium) for policies that only deny.',
    ignoreWhen: 'The CNI of the cluster does not enforce network policies, or the pods really need no DNS.',
  },
  references: [
    'https://github.com/cilium/cilium/issues/14992',
    'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    const scopes = new Set(context.changes.flatMap((change) => change.after?.target.scope ?? []));
    for (const scope of scopes) {
      const touched = touchedPolicies(context, scope);
      if (touched.length === 0) continue;
      const before = policyEffects(context.before, scope);
      const all = workloads(context.after, scope);
      for (const policy of touched) {
        const old = before.find(
          ({ entry }) =>
            entry.ref.kind === policy.entry.ref.kind &&
            entry.ref.name === policy.entry.ref.name &&
            entry.ref.namespace === policy.entry.ref.namespace,
        );
        const fresh = policy.denyOnly.filter((direction) => old?.denyOnly.includes(direction) !== true);
        if (fresh.length > 0)
          yield* denyOnly(
            { ...policy, denyOnly: fresh },
            all.filter((workload) => policy.selects(workload)),
            all.length,
          );
      }
      yield* dnsLost(context, scope, touched);
    }
  },
});
