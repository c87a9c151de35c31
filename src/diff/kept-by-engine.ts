import type { Entry, KubeObject } from '../core/model.ts';
import { valueAt } from './attribute.ts';
import { effectiveObject } from './entries.ts';
import { ignoreRulesFor, withoutIgnored } from './ignore/rules.ts';
import type { KindSchema } from './list-keys.ts';

/**
 * Does the engine keep the live value of a field when it applies? Flux does so for what `spec.ignore` names, Argo CD with
 * the sync option `RespectIgnoreDifferences=true`; without it Argo CD only looks away and a sync overwrites the field.
 * @returns a question to ask of paths of this object
 */
export function keptByEngine(entry: Entry, live: KubeObject, schema: KindSchema): (path: string) => boolean {
  const { ignoreDifferences = [], syncOptions = [] } = entry.target.apply;
  const respects =
    entry.target.engine === 'flux' ||
    syncOptions.some((option) => option.replaceAll(' ', '') === 'RespectIgnoreDifferences=true');
  if (!respects || ignoreDifferences.length === 0) return () => false;
  const rules = ignoreRulesFor(entry, ignoreDifferences);
  if (rules.whole) return () => true;
  const left = withoutIgnored(effectiveObject(live), rules, new Set());
  return (path) => valueAt(left, path, schema) === undefined;
}
