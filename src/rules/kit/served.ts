import type { LiveWorld } from '../../core/rule.ts';

/** Does the discovery document of the cluster list the kind? Undefined: it was not read. */
export function served(live: LiveWorld | undefined, apiVersion: string, kind: string): boolean | undefined {
  const listed = live?.state.apiVersions;
  if (listed === undefined || listed.length === 0) return undefined;
  if (listed.includes(`${apiVersion}/${kind}`)) return true;
  if (!listed.includes(apiVersion)) return false;
  // The version is served; without kinds in the list nothing more can be told.
  return listed.some((item) => item.startsWith(`${apiVersion}/`)) ? false : undefined;
}
