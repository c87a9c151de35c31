import type { Entry } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { at, listAt, numberAt, stringAt, stringMapAt, type WorkloadEntry } from './pods.ts';
import { matchesSelector, type LabelSelector } from './select.ts';

export type Direction = 'ingress' | 'egress';

/** What one policy does to the pods that it selects. */
export interface PolicyEffect {
  readonly entry: Entry;
  readonly clusterWide: boolean;
  /** Directions that it isolates: what no policy allows there is dropped. */
  readonly isolates: readonly Direction[];
  /** A Cilium policy that isolates a direction in which it only denies. */
  readonly denyOnly: readonly Direction[];
  /** Allows DNS (port 53, or everything) to somebody. */
  readonly allowsDns: boolean;
  selects(workload: WorkloadEntry): boolean;
}

/** Group and kind of every network policy that is understood. */
export const policyKinds = [
  ['cilium.io', 'CiliumClusterwideNetworkPolicy'],
  ['cilium.io', 'CiliumNetworkPolicy'],
  ['networking.k8s.io', 'NetworkPolicy'],
] as const;

/** All network policies of a scope: networking.k8s.io NetworkPolicy and Cilium's two kinds. */
export function policyEffects(world: World, scope: string): readonly PolicyEffect[] {
  return policyKinds.flatMap(([group, kind]) => world.ofKind(group, kind, scope).flatMap(effectsOf));
}

/** What one policy object does: Cilium's may hold several. */
export function effectsOf(entry: Entry): readonly PolicyEffect[] {
  return entry.ref.group === 'cilium.io' ? ciliumPolicy(entry) : [networkPolicy(entry)];
}

/** policyTypes is defaulted: Ingress, and Egress when there is an egress section (`SetDefaults_NetworkPolicy`). */
function networkPolicy(entry: Entry): PolicyEffect {
  const types = listAt<string>(entry.effective, 'spec', 'policyTypes');
  const selector = at(entry.effective, 'spec', 'podSelector') as LabelSelector | undefined;
  return {
    entry,
    clusterWide: false,
    isolates: [
      ...(types.includes('Ingress') ? (['ingress'] as const) : []),
      ...(types.includes('Egress') ? (['egress'] as const) : []),
    ],
    denyOnly: [],
    allowsDns: listAt(entry.effective, 'spec', 'egress').some((rule) => {
      const ports = listAt(rule, 'ports');
      return ports.length === 0 || ports.some(coversDns);
    }),
    selects: ({ entry: workload, template }) =>
      workload.ref.namespace === entry.ref.namespace && matchesSelector(selector ?? {}, template.labels),
  };
}

function coversDns(port: unknown): boolean {
  const start = numberAt(port, 'port');
  const end = numberAt(port, 'endPort') ?? start;
  if (start === undefined) return at(port, 'port') === undefined || /dns/.test(stringAt(port, 'port') ?? '');
  return start <= 53 && 53 <= (end ?? start);
}

/**
 * Cilium: a rule section for a direction, allow or deny, turns on default deny for that direction on the selected
 * endpoints, unless `enableDefaultDeny.<direction>` is false (docs.cilium.io, "Policy enforcement modes").
 */
function ciliumPolicy(entry: Entry): readonly PolicyEffect[] {
  const specs = [at(entry.effective, 'spec'), ...listAt(entry.effective, 'specs')].filter((spec) => spec !== undefined);
  const clusterWide = entry.ref.kind === 'CiliumClusterwideNetworkPolicy';
  return specs.map((spec) => {
    const has = (key: string) => Array.isArray(at(spec, key));
    const isolates: Direction[] = [];
    const denyOnly: Direction[] = [];
    for (const direction of ['ingress', 'egress'] as const) {
      const denies = has(`${direction}Deny`);
      if (!has(direction) && !denies) continue;
      if (at(spec, 'enableDefaultDeny', direction) === false) continue;
      isolates.push(direction);
      if (denies && listAt(spec, direction).length === 0) denyOnly.push(direction);
    }
    return {
      entry,
      clusterWide,
      isolates,
      denyOnly,
      allowsDns: listAt(spec, 'egress').some((rule) => {
        const ports = listAt(rule, 'toPorts').flatMap((to) => listAt(to, 'ports'));
        return ports.length === 0 || ports.some(coversDns);
      }),
      selects: ({ entry: workload, template }) =>
        (clusterWide || workload.ref.namespace === entry.ref.namespace) &&
        matchesSelector(plainKeys(at(spec, 'endpointSelector')), ciliumLabels(template.labels, workload)),
    };
  });
}

/** Label keys may carry their source: `k8s:app`, `any:app`. */
function plainKeys(selector: unknown): LabelSelector {
  const strip = (key: string) => key.replace(/^(k8s|any)[:.]/, '');
  const matchLabels = Object.fromEntries(
    Object.entries(stringMapAt(selector, 'matchLabels')).map(([key, value]) => [strip(key), value]),
  );
  const matchExpressions = listAt<{ key: string; operator: string; values?: string[] }>(
    selector,
    'matchExpressions',
  ).map((expression) => ({ ...expression, key: strip(String(expression.key)) }));
  return { matchLabels, matchExpressions };
}

function ciliumLabels(labels: Readonly<Record<string, string>>, workload: Entry): Readonly<Record<string, string>> {
  return { ...labels, 'io.kubernetes.pod.namespace': workload.ref.namespace ?? 'default' };
}
