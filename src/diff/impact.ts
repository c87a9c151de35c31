import { immutableViolations } from '../core/immutable.ts';
import { type Impact, impacts, type Entry } from '../core/model.ts';
import { isFields, own } from './defaults/fill.ts';
import { fieldRows, type FieldRow, removalImpact, renameIsConfiguration } from './impact-table.ts';
import type { Difference } from './walk.ts';

/** The heavier of two. */
export function worst(left: Impact, right: Impact): Impact {
  return impacts.indexOf(left) >= impacts.indexOf(right) ? left : right;
}

/** The heaviest; `none` of nothing. */
export function worstOf(all: Iterable<Impact>): Impact {
  let result: Impact = 'none';
  for (const impact of all) result = worst(result, impact);
  return result;
}

const rowsByKind = new Map<string, FieldRow[]>();

function rowsOf(kind: string): readonly FieldRow[] {
  let rows = rowsByKind.get(kind);
  if (rows === undefined) {
    rows = fieldRows.filter((row) => row.kinds.includes(kind) || row.kinds.includes('*'));
    rowsByKind.set(kind, rows);
  }
  return rows;
}

/**
 * Impact of each difference of one object, in order.
 * @param before with the same identity as `after` (an update, not a replacement)
 */
export function fieldImpacts(before: Entry, after: Entry, differences: readonly Difference[]): readonly Impact[] {
  const kind = `${after.ref.group}/${after.ref.kind}`;
  const refused = immutableViolations(after.ref.kind, after.ref.group, before.effective, after.effective).map(
    (violation) => violation.path,
  );
  const roll = rollout(after);
  return differences.map((difference) => {
    if (refused.some((path) => touches(difference.path, path))) return 'replace';
    const impact = tableImpact(kind, difference);
    return impact === 'restart' ? roll : impact;
  });
}

/** Does a change at one pointer concern the field at the other: the same, above or below? */
function touches(changed: string, path: string): boolean {
  return changed === path || changed.startsWith(`${path}/`) || path.startsWith(`${changed}/`);
}

function tableImpact(kind: string, difference: Difference): Impact {
  for (const row of rowsOf(kind)) {
    if (!below(difference.fields, row.path)) continue;
    if (row.whenAdded !== undefined && difference.before === undefined) return row.whenAdded;
    if (row.whenLower !== undefined && lower(difference)) return row.whenLower;
    return row.impact;
  }
  return 'configuration';
}

function below(fields: readonly string[], path: string): boolean {
  const wanted = path.split('/');
  return wanted.length <= fields.length && wanted.every((name, index) => name === '*' || name === fields[index]);
}

function lower({ before, after }: Difference): boolean {
  return typeof before === 'number' && typeof after === 'number' && after < before;
}

/** What a changed template does: nothing at once with OnDelete or a paused Deployment, an outage with Recreate. */
function rollout(entry: Entry): Impact {
  const spec = own(entry.effective, 'spec');
  if (!isFields(spec)) return 'restart';
  const strategy = own(spec, 'strategy') ?? own(spec, 'updateStrategy');
  const type = isFields(strategy) ? own(strategy, 'type') : undefined;
  if (own(spec, 'replicas') === 0 || own(spec, 'paused') === true || type === 'OnDelete') return 'configuration';
  return type === 'Recreate' ? 'disruption' : 'restart';
}

/** What the deletion of an object does when the engine deletes it. */
export function removedImpact(entry: Entry): Impact {
  const { group, kind } = entry.ref;
  const spec = own(entry.effective, 'spec');
  if (kind === 'PersistentVolume' && isFields(spec) && own(spec, 'persistentVolumeReclaimPolicy') === 'Delete') {
    return 'data-loss';
  }
  if (kind === 'StatefulSet' && isFields(spec)) {
    const policy = own(spec, 'persistentVolumeClaimRetentionPolicy');
    const claims = own(spec, 'volumeClaimTemplates');
    if (isFields(policy) && own(policy, 'whenDeleted') === 'Delete' && Array.isArray(claims) && claims.length > 0) {
      return 'data-loss';
    }
  }
  return removalImpact.get(`${group}/${kind}`) ?? 'configuration';
}

/** What it does when an object goes away under one name and comes back under another. */
export function renamedImpact(before: Entry): Impact {
  const { group, kind } = before.ref;
  if (renameIsConfiguration.has(`${group}/${kind}`)) return 'configuration';
  return worst('replace', removedImpact(before));
}
