import type { Problem, RuleContext } from '../../core/rule.ts';
import { cascades, fateOfRemovedTarget } from './deletions.ts';
import { formatRef } from './problem.ts';
import { unitName, unitRef } from './units.ts';

/**
 * An Application is removed (or renamed) and its objects are in another one: its finalizer deletes whatever still carries
 * its tracking when it goes, and the new Application may not have taken everything over by then.
 */
export function* handovers(context: RuleContext<unknown>): Iterable<Problem> {
  const moves = context.changes.filter(
    ({ movedFrom, before }) =>
      movedFrom !== undefined && before?.target.engine === 'argocd' && !context.targets.after.has(movedFrom),
  );
  for (const [id, list] of Map.groupBy(moves, ({ movedFrom }) => movedFrom)) {
    const [first] = list;
    const old = first?.before?.target;
    const fresh = first?.after?.target;
    if (id === undefined || old === undefined || fresh === undefined) continue;
    const fate = fateOfRemovedTarget(old, context);
    // Where nothing says whether the parent prunes, the finalizer alone makes it worth a look.
    if (fate.outcome === 'kept' || (fate.outcome === 'maybe' && !cascades(old, context))) continue;
    const elsewhere = old.declaredBy?.namespace !== fresh.declaredBy?.namespace;
    yield {
      resource: unitRef(old),
      target: old.id,
      path: '',
      location: old.origin,
      message: `${unitName(old)} is removed and its ${list.length} ${list.length === 1 ? 'object moves' : 'objects move'} to ${unitName(fresh)}: the removal cascades, and deletes every object that the new unit has not taken over by then.`,
      severity: 'high',
      confidence: fate.outcome === 'deleted' ? 'likely' : 'hint',
      evidence: {
        before: old.name,
        after: fresh.name,
        facts: [
          fate.why,
          ...(elsewhere
            ? [
                `it moves from namespace ${old.declaredBy?.namespace ?? '(none)'} to ${fresh.declaredBy?.namespace ?? '(none)'}: Argo CD sees Applications outside of its own namespace only if application.namespaces names them`,
              ]
            : []),
          ...list.slice(0, 8).map(({ ref }) => formatRef(ref)),
        ],
      },
      fix: `Remove the finalizer resources-finalizer.argocd.argoproj.io from ${unitName(old)} first (in the cluster too), let ${unitName(fresh)} sync, and then remove it.`,
      rootCause: `handover:${old.scope}/${old.id}`,
    };
  }
}
