import type { WantedKind } from '../core/cluster.ts';
import type { Config } from '../core/config.ts';
import { isObject } from '../core/json.ts';
import type { Entry, Json, RenderResult } from '../core/model.ts';
import type { Rule } from '../core/rule.ts';
import { diffSides } from '../diff/diff.ts';
import { runGate } from '../pipeline.ts';
import type { GatePorts, GateRequest } from './request.ts';
import { wantedKinds } from './wanted.ts';

/** What judging any change of a repository asks its clusters for. */
export interface KindsInUse {
  readonly reads: readonly WantedKind[];
  /** Kinds of the rendered objects, with the namespaces that they are in. */
  readonly applied: readonly WantedKind[];
  /** Namespaces in which the targets run pods. */
  readonly podNamespaces: readonly string[];
  /** Kinds that the tree defines: `group/Kind` to how URLs call them. */
  readonly defined: ReadonlyMap<string, { readonly plural: string; readonly namespaced: boolean }>;
  /** Targets that did not render: what they need is missing here. */
  readonly failed: readonly string[];
}

/**
 * Renders all targets of both sides and takes every object as changed.
 * @throws GateError as {@link runGate} does
 */
export async function kindsInUse(request: GateRequest, ports: GatePorts): Promise<KindsInUse> {
  let config: Config | undefined;
  const { rendered } = await runGate(
    { ...request, all: true, capabilitiesOnly: true },
    {
      ...ports,
      rules: [],
      loadConfig: (trees) => {
        const loaded = ports.loadConfig(trees);
        ({ config } = loaded);
        return loaded;
      },
    },
  );
  const { before, after } = rendered;
  const diffs = [before, after].map((results) => diffSides({ before: results, after: [] }));
  const entries = diffs.flatMap((diff) => diff.entries.before);
  const changes = diffs.flatMap((diff) => diff.changes);
  const rules: readonly Rule[] = ports.rules;
  return {
    reads: wantedKinds({ rules, config: config ?? { rules: {} }, entries, changes }),
    applied: appliedKinds(entries),
    podNamespaces: podNamespaces(entries),
    defined: definedKinds(entries),
    failed: [...new Set([...before, ...after].flatMap(failedTarget))].toSorted(),
  };
}

function failedTarget(result: RenderResult): string[] {
  return result.ok ? [] : [result.target.name];
}

function appliedKinds(entries: readonly Entry[]): readonly WantedKind[] {
  const kinds = new Map<string, Set<string>>();
  for (const { ref, target } of entries) {
    const kind = `${ref.group}/${ref.kind}`;
    const namespaces = kinds.get(kind) ?? new Set();
    kinds.set(kind, namespaces.add(ref.namespace ?? target.afterRender.defaultNamespace ?? 'default'));
  }
  return [...kinds]
    .map(([kind, namespaces]) => ({ kind, namespaces: [...namespaces].toSorted() }))
    .toSorted((left, right) => (left.kind < right.kind ? -1 : 1));
}

const podMakers = new Set(['DaemonSet', 'Deployment', 'Job', 'CronJob', 'Pod', 'ReplicaSet', 'StatefulSet', 'Rollout']);

function podNamespaces(entries: readonly Entry[]): readonly string[] {
  const found = entries
    .filter(({ ref }) => podMakers.has(ref.kind))
    .map(({ ref, target }) => ref.namespace ?? target.afterRender.defaultNamespace ?? 'default');
  return [...new Set(found)].toSorted();
}

function definedKinds(entries: readonly Entry[]): KindsInUse['defined'] {
  const defined = new Map<string, { plural: string; namespaced: boolean }>();
  for (const { ref, object } of entries) {
    if (ref.kind !== 'CustomResourceDefinition') continue;
    const spec = (object['spec'] ?? null) as Json;
    if (!isObject(spec) || !isObject(spec['names'])) continue;
    const names = spec['names'];
    const { plural, kind } = names;
    const { group, scope } = spec;
    // What the tree says goes into a role: only names that the API server would take.
    if (typeof plural !== 'string' || !/^[a-z][a-z0-9-]{0,62}$/.test(plural)) continue;
    if (typeof group !== 'string' || !/^[a-z0-9][a-z0-9.-]{0,252}$/.test(group) || typeof kind !== 'string') continue;
    defined.set(`${group}/${kind}`, { plural, namespaced: scope !== 'Cluster' });
  }
  return defined;
}
