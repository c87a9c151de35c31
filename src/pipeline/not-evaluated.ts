import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../core/config.ts';
import type { NotEvaluated, Target } from '../core/model.ts';
import { inForce } from '../engine/waivers.ts';
import { assumedKubernetesVersion } from '../render/engine-versions.ts';
import type { SelectionResults } from './render.ts';
import { notRendered, targetOf, type Selected } from './selection.ts';

/** Charts branch on the Kubernetes version; when nobody says which it is, the report says which was assumed. */
export function versionNote(config: Config, selection: readonly Selected[]): NotEvaluated[] {
  if (config.kubernetesVersion !== undefined) return [];
  const unknown = selection.filter(
    (selected) =>
      selected.action === 'render' &&
      targetOf(selected).kubeVersion === undefined &&
      targetOf(selected).sources.some((source) => source.type === 'helm'),
  );
  if (unknown.length === 0) return [];
  return [
    {
      what: 'Kubernetes version',
      reason: `not known, charts were rendered for ${assumedKubernetesVersion}`,
      next: 'Set kubernetesVersion in gate.yaml, or give a snapshot.',
      weight: 'note',
    },
  ];
}

export function withheld(selected: Selected): NotEvaluated {
  const target = targetOf(selected);
  return {
    what: `target ${target.name}`,
    target: selected.id,
    reason: selected.reason,
    location: target.origin,
    weight: 'incomplete',
  };
}

/**
 * Targets that did not render. Of those that the change does not reach, only what they would have told about others is
 * missing: a note, and rules see them as not rendered.
 * @param near ids of targets that were rendered only because they share a cluster with the change
 */
export function failures(results: SelectionResults, near: ReadonlySet<string>): NotEvaluated[] {
  const found: NotEvaluated[] = [];
  for (const side of ['after', 'before'] as const) {
    for (const result of results[side].values()) {
      if (result.ok) continue;
      const other = results[side === 'after' ? 'before' : 'after'].get(result.target.id);
      const same = other !== undefined && !other.ok && other.problem.message === result.problem.message;
      if (same && side === 'before') continue;
      const entry = notRendered(result, same ? 'both sides' : side);
      if (near.has(result.target.id)) found.push(asNeighbour(entry));
      else if (same && other !== undefined && rendersTheSame(result.target, other.target))
        found.push(asUnchanged(entry));
      else found.push(entry);
    }
  }
  return found;
}

/** The same sources on both sides, and no file of this repository among them: only its declaration changes. */
function rendersTheSame(left: Target, right: Target): boolean {
  const outside = [left, right].every(({ inputs }) => inputs !== 'unknown' && inputs.length === 0);
  return (
    outside &&
    isDeepStrictEqual(left.sources, right.sources) &&
    isDeepStrictEqual(left.afterRender, right.afterRender) &&
    left.scope === right.scope
  );
}

function asUnchanged(entry: NotEvaluated): NotEvaluated {
  return {
    ...entry,
    reason: `its declaration changes, and what it renders does not: ${entry.reason}`,
    weight: 'note',
  };
}

function asNeighbour(entry: NotEvaluated): NotEvaluated {
  return {
    ...entry,
    reason: `the change does not reach it, but it may depend on what changes: ${entry.reason}`,
    weight: 'note',
  };
}

/** Values that are decrypted in the cluster only, told by a warning of the renderer: one note for all. */
export function encryptedValues(results: SelectionResults): NotEvaluated[] {
  const sealed = [...results.after.values()].filter(
    (result) => result.ok && result.warnings.some((warning) => warning.startsWith('encrypted: ')),
  );
  if (sealed.length === 0) return [];
  const names = sealed.slice(0, listed).map((result) => result.target.name);
  const more = sealed.length > listed ? ` and ${sealed.length - listed} more` : '';
  return [
    {
      what: `encrypted values of ${names.join(', ')}${more}`,
      reason: 'KSOPS decrypts them in the cluster; here they are compared as they stand, encrypted',
      weight: 'note',
    },
  ];
}

/** As many notes with one reason and advice are listed one by one; more are folded into one. */
const listed = 3;

/**
 * Folds notes that differ only in what they are about ("ApplicationSet a, b, c and 48 more"). What leaves the verdict
 * open stays one by one.
 */
export function foldNotes(entries: readonly NotEvaluated[]): NotEvaluated[] {
  const kindOf = (entry: NotEvaluated): string => entry.what.split(' ')[0] ?? '';
  const keyOf = (entry: NotEvaluated): string =>
    [entry.weight, kindOf(entry), entry.reason, entry.next ?? ''].join('\u0000');
  const groups = Map.groupBy(entries, keyOf);
  const said = new Set<string>();
  return entries.flatMap((entry): NotEvaluated[] => {
    const group = groups.get(keyOf(entry)) ?? [];
    if (entry.weight !== 'note' || group.length <= listed) return [entry];
    if (said.has(keyOf(entry))) return [];
    said.add(keyOf(entry));
    const kind = kindOf(entry);
    const names = group.slice(0, listed).map((item) => item.what.slice(kind.length + 1) || item.what);
    const { target: _target, ...rest } = entry;
    return [{ ...rest, what: `${kind} ${names.join(', ')} and ${group.length - listed} more` }];
  });
}

/** The same thing found on both sides is said once. */
export function dedupe(entries: readonly NotEvaluated[]): NotEvaluated[] {
  const seen = new Map<string, NotEvaluated>();
  for (const entry of entries) seen.set(`${entry.what}\u0000${entry.reason}`, entry);
  return [...seen.values()];
}

/**
 * `onIncomplete: warn` of an environment: what could not be evaluated there stays listed and does not hold the change.
 */
export function openedByEnvironment(
  entries: readonly NotEvaluated[],
  targets: (id: string) => Target | undefined,
  config: Config,
): NotEvaluated[] {
  const open = new Set(
    config.environments
      .filter((environment) => environment.onIncomplete === 'warn')
      .map((environment) => environment.name),
  );
  if (open.size === 0) return [...entries];
  return entries.map((entry) => {
    const environment = entry.target === undefined ? undefined : targets(entry.target)?.environment;
    if (entry.weight !== 'incomplete' || environment === undefined || !open.has(environment)) return entry;
    return {
      ...entry,
      weight: 'note',
      reason: `${entry.reason} (environment ${environment} is set to onIncomplete: warn)`,
    };
  });
}

/** A waiver that has run out no longer covers anything; its owner should hear of it. */
export function expiredWaivers(config: Config, now: Date): string[] {
  return config.waivers
    .filter((waiver) => !inForce(waiver, now))
    .map(
      (waiver) =>
        `the waiver of ${waiver.rule} on ${waiver.resource} (${waiver.owner}) expired on ${waiver.expires} and covers nothing any more`,
    );
}
