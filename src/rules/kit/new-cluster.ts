import type { Target } from '../../core/model.ts';
import type { RuleContext } from '../../core/rule.ts';

/**
 * Is the cluster or environment of a target as new as the change: no target was there before, and no live evidence says
 * otherwise? Then nothing runs there that a new policy could keep from starting again. A target whose place is not known
 * (its scope is its own id) may well stand in a cluster that exists.
 */
export function isNewCluster(context: RuleContext<unknown>, target: Target): boolean {
  if (target.scope === target.id || context.live(target.scope) !== undefined) return false;
  for (const other of context.targets.before.values()) if (other.scope === target.scope) return false;
  return true;
}
