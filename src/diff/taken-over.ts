import type { Entry, KubeObject } from '../core/model.ts';
import { setByGit } from './attribute.ts';
import { effectiveObject } from './entries.ts';
import type { KindSchema } from './list-keys.ts';
import { comparable } from './normalize.ts';
import { otherOwner } from './ownership.ts';
import { differences } from './walk.ts';

/**
 * What to say of an object that is new in Git and stands in the cluster already: whose it is, and whether applying it
 * changes it. No full stop. Helm refuses to take over what is not its own; the others do it without a word.
 */
export function takenOver(after: Entry, live: KubeObject, schema: KindSchema): string {
  const owner = otherOwner(after, live);
  const whose = owner === undefined ? '' : ` and belongs to ${owner}`;
  if (live.apiVersion !== after.object.apiVersion) return `it is in the cluster already${whose}`;
  const found = setByGit(
    differences(comparable(after.effective, false), comparable(effectiveObject(live), false), schema),
  );
  if (found.length === 0) return `it is in the cluster already${whose}, with all that Git sets`;
  const paths = found.slice(0, 3).map(({ path }) => path);
  const more = found.length > paths.length ? ` and ${found.length - paths.length} more` : '';
  return `it is in the cluster already${whose}, and ${paths.join(', ')}${more} will change`;
}
