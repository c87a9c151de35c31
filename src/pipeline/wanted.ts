import type { WantedKind } from '../core/cluster.ts';
import type { Config } from '../core/config.ts';
import type { Entry, ResourceChange } from '../core/model.ts';
import type { Rule } from '../core/rule.ts';
import { driftEvidence } from '../diff/live-needs.ts';

/** Kinds of which there are many and which matter only where the change happens. */
const localKinds = new Set(['/ConfigMap', '/Secret', '/ServiceAccount', 'helm/Release']);

/**
 * The kinds that judging a change needs from one cluster: those of the objects that its targets render, and, when
 * anything changes, those that the rules in force take as evidence.
 * @param entries objects of both sides of the targets of that cluster
 */
export function wantedKinds(input: {
  readonly rules: readonly Rule[];
  readonly config: Pick<Config, 'rules'> & Partial<Pick<Config, 'argocd'>>;
  readonly entries: readonly Entry[];
  readonly changes: readonly ResourceChange[];
}): readonly WantedKind[] {
  const { entries, changes } = input;
  const wanted = new Map<string, { version?: string; namespaces?: Set<string> }>();
  const everywhere = changes.length === 0 ? [] : evidenceKinds(input.rules, input.config, changes);
  const places = namespacesOf(entries);
  for (const kind of everywhere) {
    wanted.set(kind, localKinds.has(kind) ? { namespaces: new Set(places) } : {});
  }
  for (const { kind, namespaces } of driftEvidence(entries, input.config.argocd?.namespace ?? 'argocd')) {
    const known = wanted.get(kind);
    if (known === undefined) wanted.set(kind, namespaces === undefined ? {} : { namespaces: new Set(namespaces) });
    else if (namespaces === undefined) delete known.namespaces;
    else for (const namespace of namespaces) known.namespaces?.add(namespace);
  }
  for (const { ref } of entries) {
    const kind = `${ref.group}/${ref.kind}`;
    const known = wanted.get(kind);
    if (known === undefined) {
      wanted.set(kind, {
        version: ref.version,
        ...(ref.namespace === undefined ? {} : { namespaces: new Set([ref.namespace]) }),
      });
      continue;
    }
    known.version ??= ref.version;
    if (ref.namespace === undefined) delete known.namespaces;
    else known.namespaces?.add(ref.namespace);
  }
  // A custom resource is compared with the defaults and list keys of its definition.
  if (entries.some(({ ref }) => ref.group.includes('.') && !ref.group.endsWith('.k8s.io'))) {
    wanted.set('apiextensions.k8s.io/CustomResourceDefinition', {});
  }
  return [...wanted]
    .map(([kind, { version, namespaces }]): WantedKind => ({
      kind,
      ...(version === undefined ? {} : { version }),
      ...(namespaces === undefined ? {} : { namespaces: [...namespaces].toSorted() }),
    }))
    .filter(({ namespaces }) => namespaces === undefined || namespaces.length > 0)
    .toSorted((left, right) => (left.kind < right.kind ? -1 : 1));
}

export function rulesInForce(rules: readonly Rule[], config: Pick<Config, 'rules'>): readonly Rule[] {
  return rules.filter(({ id }) => config.rules[id]?.level !== 'off');
}

/** Kinds that the rules in force name as evidence, also those that a change makes them ask for. */
export function evidenceKinds(
  rules: readonly Rule[],
  config: Pick<Config, 'rules'>,
  changes: readonly ResourceChange[],
): readonly string[] {
  const inForce = rulesInForce(rules, config);
  const kinds = new Set(inForce.flatMap((rule) => rule.live));
  for (const { liveOf } of inForce)
    if (liveOf !== undefined) for (const change of changes) for (const kind of liveOf(change)) kinds.add(kind);
  return [...kinds].toSorted();
}

/** Namespaces that the objects live in or are. */
function namespacesOf(entries: readonly Entry[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { ref, target } of entries) {
    if (ref.namespace !== undefined) found.add(ref.namespace);
    else if (target.afterRender.defaultNamespace !== undefined) found.add(target.afterRender.defaultNamespace);
    if (ref.group === '' && ref.kind === 'Namespace') found.add(ref.name);
  }
  return found;
}
