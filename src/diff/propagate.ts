import type { Entry, Impact, ResourceChange } from '../core/model.ts';
import { describe } from './identity.ts';
import { worst } from './impact.ts';
import { isHook } from './match.ts';
import { podReferences, podSpecOf } from './references.ts';

/** Kinds that pods refer to by name. */
const referable = new Set(['ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim']);

/**
 * Carries changes on to the workloads that depend on them, until nothing moves any more:
 * a ConfigMap or Secret whose content is part of a name or a checksum restarts its pods; a deleted one that pods still
 * name stops them from starting; a claim that is replaced takes its pods with it.
 * @param changes of the two sides, without propagation
 * @param after all objects of the after side: those that do not change themselves can be hit too
 * @returns the same changes with impact and `because` raised, and a change without fields for each unchanged workload
 *   that is hit
 */
export function propagate(changes: readonly ResourceChange[], after: readonly Entry[]): readonly ResourceChange[] {
  const gone = new Map<string, ResourceChange>();
  const altered = new Map<string, ResourceChange>();
  for (const change of changes) {
    const entry = change.before ?? change.after;
    if (entry === undefined || isHook(entry) || change.ref.group !== '' || !referable.has(change.ref.kind)) continue;
    if ((change.action === 'removed' || change.action === 'renamed') && change.before !== undefined) {
      gone.set(keyOf(change.before), change);
    }
    if (change.action === 'changed' || change.action === 'renamed') {
      if (change.after !== undefined) altered.set(keyOf(change.after), change);
    }
  }
  if (gone.size === 0 && altered.size === 0) return changes;
  // An object that left one target and is still declared by another of the cluster is not gone.
  for (const entry of after) if (gone.size > 0 && !isHook(entry)) gone.delete(keyOf(entry));

  const byEntry = new Map<Entry, number>();
  const result = [...changes];
  for (const [index, change] of result.entries()) if (change.after !== undefined) byEntry.set(change.after, index);

  // Two levels exist today (object -> workload); the loop ends when a pass changes nothing.
  for (let moved = true; moved;) {
    moved = false;
    for (const entry of after) {
      if (isHook(entry)) continue;
      const spec = podSpecOf(entry);
      if (spec === undefined) continue;
      const index = byEntry.get(entry);
      const current = index === undefined ? undefined : result[index];
      let next = current;
      for (const reference of podReferences(spec)) {
        const key = [entry.target.scope, reference.kind, entry.ref.namespace ?? '', reference.name].join('\0');
        const hit = effectOf(gone.get(key), altered.get(key), reference.optional, current);
        if (hit !== undefined) next = raise(next ?? untouched(entry), hit.impact, hit.because);
      }
      if (next === undefined || next === current) continue;
      moved = true;
      if (index === undefined) {
        byEntry.set(entry, result.length);
        result.push(next);
      } else {
        result[index] = next;
      }
    }
  }
  return result;
}

function keyOf(entry: Entry): string {
  return [entry.target.scope, entry.ref.kind, entry.ref.namespace ?? '', entry.ref.name].join('\0');
}

/** What a changed or deleted object does to a workload that names it. */
function effectOf(
  gone: ResourceChange | undefined,
  altered: ResourceChange | undefined,
  optional: boolean,
  workload: ResourceChange | undefined,
): { readonly impact: Impact; readonly because: string } | undefined {
  if (gone !== undefined && !optional) {
    const what = describe(gone.previousRef ?? gone.ref);
    const effect = gone.ref.kind === 'ServiceAccount' ? 'new pods are refused' : 'new pods cannot start';
    return { impact: 'disruption', because: `${what} is deleted and still referenced: ${effect}` };
  }
  if (altered === undefined || altered.impact === 'none' || altered.impact === 'metadata') return undefined;
  const what = describe(altered.ref);
  if (altered.ref.kind === 'PersistentVolumeClaim') {
    return altered.impact === 'replace' || altered.impact === 'data-loss'
      ? { impact: 'disruption', because: `${what} is replaced and mounted here` }
      : undefined;
  }
  if (altered.ref.kind === 'ServiceAccount') return undefined;
  if (workload === undefined) return undefined;
  // The content itself restarts nothing; a changed name or checksum in the template does, and this says why.
  const template = workload.fields.filter((field) => field.impact === 'restart' || field.impact === 'disruption');
  if (altered.action === 'renamed' && altered.previousRef !== undefined && template.length > 0) {
    return { impact: 'restart', because: `${what} changed and its hash is part of the name` };
  }
  if (template.some((field) => field.cosmetic === true)) {
    return { impact: 'restart', because: `${what} changed and its checksum is an annotation of the pods` };
  }
  return undefined;
}

function untouched(entry: Entry): ResourceChange {
  return {
    action: 'changed',
    ref: entry.ref,
    target: entry.target.id,
    before: entry,
    after: entry,
    fields: [],
    impact: 'none',
  };
}

function raise(change: ResourceChange, impact: Impact, because: string): ResourceChange {
  const reasons = change.because ?? [];
  const heavier = worst(change.impact, impact);
  if (heavier === change.impact && reasons.includes(because)) return change;
  return { ...change, impact: heavier, because: reasons.includes(because) ? reasons : [...reasons, because] };
}
