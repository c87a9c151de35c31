import { Type } from 'typebox';
import type { Entry, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { ebpfAgents, type EbpfAgent } from '../kit/ebpf-agents.ts';
import { at, listAt, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { examples } from './examples/ebpf-agent-widened.ts';

interface Widening {
  readonly path: string;
  /** Completes "DaemonSet a/b, an eBPF agent (falco), …". */
  readonly what: string;
  readonly severity: Severity;
  readonly before?: string;
  readonly after?: string;
}

function share(value: number | string): number {
  return typeof value === 'string' && value.endsWith('%') ? Number.parseInt(value, 10) / 100 : 0;
}

function* widenings(before: EbpfAgent, after: EbpfAgent): Iterable<Widening> {
  const spec = after.workload.template.path;
  if (before.drivers.join() !== after.drivers.join() && before.drivers.length + after.drivers.length > 0)
    yield {
      path: spec,
      what: 'loads its programs another way',
      severity: 'high',
      before: before.drivers.join(', ') || 'not set',
      after: after.drivers.join(', ') || 'not set',
    };
  if (before.pool.length > 0 && after.pool.length < before.pool.length)
    yield {
      path: `${spec}/nodeSelector`,
      what: after.pool.length === 0 ? 'moves from one node pool to every node' : 'is kept to fewer conditions on nodes',
      severity: 'high',
      before: before.pool.join(', '),
      after: after.pool.join(', ') || 'all nodes',
    };
  if (!before.toleratesAll && after.toleratesAll)
    yield {
      path: `${spec}/tolerations`,
      what: 'tolerates every taint from now on, control-plane nodes included',
      severity: 'high',
      after: 'operator: Exists',
    };
  const gained = before.privileges.includes('privileged')
    ? []
    : after.privileges.filter((privilege) => !before.privileges.includes(privilege));
  if (gained.length > 0)
    yield { path: spec, what: `gets ${gained.join(', ')}`, severity: 'high', after: gained.join(', ') };
  if (before.autoUpdate === undefined && after.autoUpdate !== undefined)
    yield { path: spec, what: 'updates itself from now on', severity: 'high', after: after.autoUpdate };
  for (const [name, value] of after.volumes) {
    const was = before.volumes.get(name);
    if (was !== undefined && value > was)
      yield {
        path: spec,
        what: `records more (${name})`,
        severity: 'medium',
        before: String(was),
        after: String(value),
      };
  }
  if (before.version !== undefined && after.version !== undefined && before.version.join() !== after.version.join())
    yield {
      path: `${spec}/containers`,
      what: 'gets another minor version on all of its nodes',
      severity: share(after.maxUnavailable) >= 0.25 ? 'high' : 'medium',
      before: before.image ?? '',
      after: after.image ?? '',
    };
}

/** A canary keeps the harm small: a cluster that is not production, or a pool of its own, one node at a time, with limits. */
function isCanary(context: RuleContext<unknown>, agent: EbpfAgent): boolean {
  if (!context.isProduction(agent.workload.entry.target)) return true;
  return agent.pool.length > 0 && agent.maxUnavailable === 1 && agent.bounded;
}

function nodesFact(context: RuleContext<unknown>, scope: string): string | undefined {
  const nodes = context.live(scope)?.ofKind('', 'Node') ?? [];
  if (nodes.length === 0) return undefined;
  const kernels = new Set(nodes.map((node) => stringAt(node, 'status', 'nodeInfo', 'kernelVersion') ?? 'unknown'));
  return `${nodes.length} nodes in the cluster, kernels: ${[...kernels].sort().slice(0, 5).join(', ')}`;
}

function wording(context: RuleContext<unknown>, agent: EbpfAgent, others: readonly EbpfAgent[]) {
  const { scope } = agent.workload.entry.target;
  const nodes = nodesFact(context, scope);
  const canary = isCanary(context, agent);
  return {
    facts: [
      ...(nodes === undefined ? [] : [nodes]),
      agent.pool.length === 0 ? 'no node pool: it reaches every node' : `kept to ${agent.pool.join(', ')}`,
      `rolls with maxUnavailable ${agent.maxUnavailable}`,
      ...(agent.bounded ? [] : ['not all containers have a CPU and a memory limit']),
      ...(agent.privileges.length === 0 ? [] : [`has ${agent.privileges.join(', ')}`]),
      ...others.map((other) => `${formatRef(other.workload.entry.ref)} (${other.product}) hooks the same kernels`),
    ],
    ...(canary && agent.pool.length > 0
      ? { blast: { value: 0.2, reason: `one node pool (${agent.pool.join(', ')})` } }
      : context.isProduction(agent.workload.entry.target)
        ? {
            blast:
              agent.pool.length === 0
                ? { value: 0.8, reason: 'the kernel of every node' }
                : { value: 0.6, reason: `the kernels of ${agent.pool.join(', ')}` },
          }
        : {}),
  };
}

const severityOrder: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

function worst(list: readonly Widening[], canary: boolean): Severity {
  const severity = severityOrder.find((candidate) => list.some((item) => item.severity === candidate)) ?? 'medium';
  return canary && severity === 'high' ? 'medium' : severity;
}

function* agents(context: RuleContext<unknown>, scope: string): Iterable<Problem> {
  const before = ebpfAgents(context.before, scope);
  const after = ebpfAgents(context.after, scope);
  const renamed = new Map<string, string>(
    context.changes.flatMap((change) =>
      change.previousRef === undefined
        ? []
        : [
            [
              `${change.ref.namespace ?? ''}/${change.ref.name}`,
              `${change.previousRef.namespace ?? ''}/${change.previousRef.name}`,
            ] as const,
          ],
    ),
  );
  for (const [key, agent] of after) {
    const { entry, template } = agent.workload;
    const old = before.get(key) ?? before.get(renamed.get(key) ?? '');
    const was = context.before.get(scope, 'apps', 'DaemonSet', entry.ref.namespace, entry.ref.name);
    const others = [...after.values()].filter((other) => other !== agent);
    const { facts, blast } = wording(context, agent, others);
    const canary = isCanary(context, agent);
    if (old === undefined) {
      yield problemAt(entry, template.path, {
        message: `${formatRef(entry.ref)} ${was === undefined ? 'brings a new eBPF agent' : 'becomes an eBPF agent'} (${agent.product}) into the kernel of ${agent.pool.length === 0 ? 'every node' : `the nodes ${agent.pool.join(', ')}`}: a fault in it hits the node, not a pod.`,
        severity: canary ? 'medium' : 'high',
        evidence: { after: agent.image ?? agent.product, facts },
        ...(blast === undefined ? {} : { blast }),
        fix: `Start ${formatRef(entry.ref)} on one node pool (nodeSelector) with maxUnavailable 1 and CPU and memory limits, and widen it after days.`,
      });
      continue;
    }
    const found = [...widenings(old, agent)];
    const [first] = found;
    if (first === undefined) continue;
    const lead = found.find((item) => item.severity === worst(found, false)) ?? first;
    yield problemAt(entry, lead.path, {
      message: `${formatRef(entry.ref)}, an eBPF agent (${agent.product}), ${found.map(({ what }) => what).join(' and ')}: a fault in the kernel hits every pod of the node.`,
      severity: worst(found, canary),
      evidence: {
        ...(lead.before === undefined ? {} : { before: lead.before }),
        ...(lead.after === undefined ? {} : { after: lead.after }),
        facts: [
          ...found
            .filter((item) => item !== lead)
            .map((item) => `${item.what}: ${item.before ?? 'before unset'} -> ${item.after ?? 'unset'}`),
          ...facts,
        ],
        wouldChange: 'a pool of its own with maxUnavailable 1 and limits makes it medium',
      },
      ...(blast === undefined ? {} : { blast }),
      fix: `Change it on a canary pool first: a second DaemonSet of ${agent.product} with a nodeSelector, maxUnavailable 1 and limits; check kernel support, then widen.`,
    });
  }
}

const enforcing = new Set(['Sigkill', 'Signal', 'Override', 'NotifyEnforcer']);

/** Actions of a Tetragon policy that stop processes. */
function enforcement(entry: Entry | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  for (const hook of ['kprobes', 'tracepoints', 'uprobes', 'usdts', 'lsmhooks'])
    for (const item of listAt(entry?.effective, 'spec', hook))
      for (const selector of listAt(item, 'selectors'))
        for (const action of listAt(selector, 'matchActions')) {
          const name = stringAt(action, 'action') ?? '';
          if (enforcing.has(name)) found.add(name);
        }
  return found;
}

function* policies(context: RuleContext<unknown>): Iterable<Problem> {
  for (const { before, after } of context.changes) {
    if (after === undefined || after.ref.group !== 'cilium.io' || !after.ref.kind.startsWith('TracingPolicy')) continue;
    const had = enforcement(before);
    const now = [...enforcement(after)].filter((action) => !had.has(action));
    if (now.length === 0) continue;
    const everywhere =
      after.ref.kind === 'TracingPolicy' &&
      at(after.effective, 'spec', 'podSelector') === undefined &&
      at(after.effective, 'spec', 'containerSelector') === undefined;
    yield problemAt(after, '/spec', {
      message: `${formatRef(after.ref)} stops processes (${now.join(', ')}) ${everywhere ? 'of every pod and of the nodes themselves' : 'of the pods that it selects'}: what matches too much is killed at once, without a log in the pod.`,
      evidence: { after: now.join(', '), facts: ['the same policy without matchActions only records'] },
      ...(everywhere && context.isProduction(after.target)
        ? { blast: { value: 1, reason: 'every process of every node' } }
        : {}),
      fix: `Run ${formatRef(after.ref)} without matchActions for days, look at what it would have stopped, then enforce with a podSelector.`,
    });
  }
}

/** Calico: the data plane of the whole cluster is switched through its operator. */
function* dataPlanes(context: RuleContext<unknown>): Iterable<Problem> {
  for (const { before, after } of context.changes) {
    if (before === undefined || after?.ref.kind !== 'Installation' || after.ref.group !== 'operator.tigera.io')
      continue;
    const read = (entry: Entry) => stringAt(entry.effective, 'spec', 'calicoNetwork', 'linuxDataplane') ?? 'Iptables';
    const was = read(before);
    const now = read(after);
    if (was === now) continue;
    yield problemAt(after, '/spec/calicoNetwork/linuxDataplane', {
      message: `${formatRef(after.ref)} moves the network of every node from ${was} to ${now}: services and policies are programmed anew on each node while it carries traffic.`,
      evidence: { before: was, after: now },
      blast: { value: 1, reason: 'the network of every node' },
      fix: `Follow Calico's procedure for the data plane (kube-proxy, API server address) node pool by node pool.`,
    });
  }
}

export default defineRule({
  id: 'ebpf-agent-widened',
  since: '0.1.0',
  family: 'eBPF and node agents',
  title: 'eBPF agent widened',
  severity: 'high',
  reversibility: 'slow',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['apps/DaemonSet', '/ConfigMap', 'cilium.io/TracingPolicy', 'operator.tigera.io/Installation'],
  live: ['/Node'],
  summary: 'An agent that runs in the kernel comes to more nodes, loads another way, or may stop processes.',
  docs: {
    why: 'BPF programs run in the kernel of the node for every process on it. Which of them load depends on the kernel version and its options, so an agent or driver that works on one pool can fail, or slow down every system call, on another. A DaemonSet brings it to all nodes within minutes.',
    fix: 'One node pool first (nodeSelector), `maxUnavailable: 1`, CPU and memory limits, an image pinned by digest, and a way to switch it off that does not need the node.',
    ignoreWhen: 'All nodes have the same kernel and the change ran on a pool of them for days.',
  },
  references: [
    'https://github.com/falcosecurity/falco/issues/2795',
    'https://github.com/falcosecurity/falco/issues/3630',
    'https://github.com/pixie-io/pixie/issues/1810',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    const scopes = new Set(context.changes.flatMap((change) => change.after?.target.scope ?? []));
    for (const scope of scopes) yield* agents(context, scope);
    yield* policies(context);
    yield* dataPlanes(context);
  },
});
