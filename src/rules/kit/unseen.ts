import type { World } from '../../core/rule.ts';

/**
 * A fact that says how many targets of the same cluster were not rendered and could hold what is missing; undefined when
 * all were looked at.
 */
export function unseenFact(world: World, scope: string, namespace?: string): string | undefined {
  const names = world.unseen(scope, namespace);
  if (names.length === 0) return undefined;
  const shown = names.slice(0, 3).join(', ');
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.length} ${names.length === 1 ? 'target was' : 'targets were'} not rendered and may hold it: ${shown}${more}`;
}
