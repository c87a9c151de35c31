import type { UnreadKind } from '../../core/cluster.ts';
import { splitKind } from '../../core/json.ts';
import type { NotEvaluated, ResourceChange } from '../../core/model.ts';
import type { LiveWorld, Rule } from '../../core/rule.ts';

/**
 * What the rules would have looked at in the clusters of a change, and could not. Never says that something is safe: it
 * names the rules whose judgement is weaker for it. One note per cause: kinds that could not be read for the same reason
 * stand together; so do the kinds that a snapshot does not hold.
 * @param rules those in force
 * @param live the cluster of a scope; scopes without one give no note here, because the report says so of the target
 */
export function evidenceGaps(
  rules: readonly Rule[],
  changes: readonly ResourceChange[],
  live: (scope: string) => LiveWorld | undefined,
): NotEvaluated[] {
  const gaps = new Map<string, Gap>();
  for (const change of changes) {
    const entry = change.after ?? change.before;
    const world = entry === undefined ? undefined : live(entry.target.scope);
    if (entry === undefined || world === undefined) continue;
    const kind = `${entry.ref.group}/${entry.ref.kind}`;
    for (const rule of rules) {
      if (rule.kinds.length > 0 && !rule.kinds.includes('*') && !rule.kinds.includes(kind)) continue;
      for (const wanted of [...rule.live, ...(rule.liveOf?.(change) ?? [])])
        note(gaps, world, wanted, entry.ref.namespace, rule.id);
    }
  }
  return [...gaps.values()].map(written);
}

interface Gap {
  readonly cluster: string;
  /** Absent: the kind is not in the snapshot. */
  readonly unread: UnreadKind | undefined;
  readonly kinds: Set<string>;
  readonly rules: Set<string>;
  /** What to do, for each kind. */
  readonly nexts: Set<string>;
}

function note(
  gaps: Map<string, Gap>,
  world: LiveWorld,
  wanted: string,
  namespace: string | undefined,
  rule: string,
): void {
  const [group, kind] = splitKind(wanted);
  const unread = world.state.unread.find(
    (entry) =>
      (entry.kind === wanted || entry.kind === `${group}/*`) &&
      (entry.namespaces === undefined || namespace === undefined || entry.namespaces.includes(namespace)),
  );
  if (unread === undefined) {
    // A live cluster was asked for all that is needed: what it did not give is in `unread`.
    if (world.state.server !== undefined) return;
    if (world.covers(group, kind) || (namespace !== undefined && world.covers(group, kind, namespace))) return;
    if (namespace === undefined && world.state.kindsInNamespaces?.has(wanted) === true) return;
    // Whether the cluster has custom resources of this kind at all is not known.
    if (world.state.apiVersions === undefined && isCustom(group)) return;
  }
  const cluster = world.state.name;
  const key = [cluster, unread?.reason ?? '', unread?.failed === true, unread?.namespaces?.join() ?? ''].join('\u0000');
  let gap = gaps.get(key);
  if (gap === undefined)
    gaps.set(key, (gap = { cluster, unread, kinds: new Set(), rules: new Set(), nexts: new Set() }));
  if (unread?.next !== undefined) gap.nexts.add(unread.next);
  gap.kinds.add(wanted === 'helm/Release' ? 'Helm releases' : kind);
  gap.rules.add(rule);
}

function isCustom(group: string): boolean {
  return group.includes('.') && !/^[a-z]+(\.[a-z]+)?\.k8s\.io$/.test(group);
}

/** Rules for RBAC one by one help nobody when most of a role is missing. */
export function folded(nexts: ReadonlySet<string>): string | undefined {
  if (nexts.size <= 2) return nexts.size === 0 ? undefined : [...nexts].join(' ');
  return [...nexts].every((next) => next.startsWith('Grant in '))
    ? '`gate rbac` prints the role that gate needs.'
    : [...nexts].slice(0, 2).join(' ');
}

function written({ cluster, unread, kinds, rules, nexts }: Gap): NotEvaluated {
  const where = unread?.namespaces === undefined ? '' : ` in namespace ${unread.namespaces.slice(0, 5).join(', ')}`;
  const names = [...rules].toSorted();
  const weaker = `judged without it: ${names.slice(0, names.length > 9 ? 8 : 9).join(', ')}${names.length > 9 ? ` and ${names.length - 8} more rules` : ''}`;
  const next = unread === undefined ? 'Take the snapshot with gate snapshot, or add these kinds to it.' : folded(nexts);
  return {
    what: `${[...kinds].toSorted().join(', ')} of ${cluster}${where}`,
    reason: `${unread?.reason ?? 'not in the evidence'}; ${weaker}`,
    ...(next === undefined ? {} : { next }),
    // Of an outage nobody knew when the rights were given: the verdict must not rest on what it hides.
    weight: unread?.failed === true ? 'incomplete' : 'note',
  };
}
