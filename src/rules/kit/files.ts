import { readsPath } from '../../core/inputs.ts';
import type { ResourceRef, Target } from '../../core/model.ts';
import type { RuleContext } from '../../core/rule.ts';

/** A file of the tree as the resource of a finding. */
export function fileRef(path: string): ResourceRef {
  return { group: '', version: '', kind: 'File', name: path };
}

/** The first target (by id) whose rendering reads the file; undefined when none is known to. */
export function readerOf(context: RuleContext<unknown>, path: string): Target | undefined {
  let found: Target | undefined;
  for (const side of [context.targets.after, context.targets.before]) {
    for (const target of side.values()) {
      if (readsPath(target, path) === true && (found === undefined || target.id < found.id)) found = target;
    }
    if (found !== undefined) return found;
  }
  return undefined;
}
