import type { Target } from '../../core/model.ts';
import { directoryOf } from '../tree-paths.ts';
import type { ApplicationInput } from './application.ts';
import { inClusterName, inClusterServer, type ArgoCluster } from './clusters.ts';
import { withoutTrailingSlashes } from './values.ts';

export interface Found {
  readonly target: Target;
  readonly input: ApplicationInput;
}

/**
 * Keeps Applications of one namespace and name apart that belong to different Argo CD instances (one folder of the
 * same Applications per cluster is common): the first keeps its id, later ones get `@<folder>` when they stand in
 * plain files and `@<parent>` when they are rendered. An Application that is rendered from a file in which it was
 * already found keeps the id it got there.
 *
 * Instances call their own cluster `in-cluster`: those of different environments must not be joined by rules, so
 * then the scope tells the environment too.
 */
export function settleIdentities(
  all: readonly Found[],
  known: readonly Target[],
  clusters: readonly ArgoCluster[],
): readonly Found[] {
  const local = localNames(clusters);
  const found = all.map((item) => withInstance(item, local));
  const groups = new Map<string, Found[]>();
  for (const item of found) {
    const group = groups.get(item.target.id);
    if (group === undefined) groups.set(item.target.id, [item]);
    else group.push(item);
  }
  const ids = new Map<Found, string>();
  let instances = false;
  for (const [id, group] of groups) {
    const earlier = known.filter((target) => target.id === id || target.id.startsWith(`${id}@`));
    for (const [index, item] of sorted(group).entries()) {
      const same = earlier.find((target) => isSame(target, item));
      const place = placeOf(item);
      const others = index > 0 && placeOf(sorted(group)[0] ?? item) !== place;
      const taken = same === undefined && earlier.some((target) => target.id === id && target.parents.length > 0);
      ids.set(item, same?.id ?? (others || taken ? `${id}@${place}` : id));
      if (others && item.target.parents.length === 0 && environmentsDiffer(group)) instances = true;
    }
  }
  return found.map((item) => {
    const id = ids.get(item) ?? item.target.id;
    return {
      input: item.input,
      target: { ...item.target, id, scope: instances ? scopeOf(item.target, local) : item.target.scope },
    };
  });
}

/** Names of the cluster that Argo CD runs in: its own, and the one that a cluster Secret gives it. */
function localNames(clusters: readonly ArgoCluster[]): ReadonlySet<string> {
  const named = clusters.filter((cluster) => withoutTrailingSlashes(cluster.server) === inClusterServer);
  return new Set([inClusterName, ...named.map((cluster) => cluster.name)]);
}

/**
 * One chart or overlay of Applications rendered once per environment (values-dev.yaml, values-prod.yaml ...) makes
 * one Argo CD instance per environment. The id then names the environment, whatever other environments exist on this
 * side: an id that depended on its neighbours would change when one is added. What an instance deploys to its own
 * cluster is where the Applications themselves are.
 */
function withInstance(item: Found, local: ReadonlySet<string>): Found {
  const { parent } = item.input;
  const instance = instanceOf(parent);
  if (parent === undefined || instance === undefined) return item;
  const { target } = item;
  const scope = local.has(target.scope) ? parent.scope : target.scope;
  return { ...item, target: { ...target, id: `${target.id}@${instance}`, scope } };
}

function instanceOf(parent: Target | undefined): string | undefined {
  if (parent === undefined) return undefined;
  const mark = parent.id.lastIndexOf('@');
  if (mark !== -1) return parent.id.slice(mark + 1);
  if (parent.engine === 'argocd' || parent.environment === undefined) return undefined;
  // `production` of `production/eu-1`: whether what stands below it counts depends on the neighbours.
  return parent.scope.split('/')[0];
}

/** The environment that a parent gives to what it renders, when it was rendered for one environment. */
export function environmentOfInstance(parent: Target | undefined): string | undefined {
  return instanceOf(parent) === undefined ? undefined : parent?.environment;
}

function sorted(group: readonly Found[]): readonly Found[] {
  return group.length < 2
    ? group
    : group.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : placeOf(a) > placeOf(b) ? 1 : 0));
}

/** What tells two of the same name apart. */
function placeOf(item: Found): string {
  const { parent, location } = item.input;
  return parent === undefined ? directoryOf(location.file) || '.' : parent.name;
}

function isSame(target: Target, item: Found): boolean {
  const { parent, location } = item.input;
  if (target.parents.length === 0) return target.origin.file === location.file;
  return parent !== undefined && target.parents.at(-1) === parent.id;
}

function environmentsDiffer(group: readonly Found[]): boolean {
  return new Set(group.map((item) => item.target.environment)).size > 1;
}

function scopeOf(target: Target, local: ReadonlySet<string>): string {
  if (!local.has(target.scope) || target.environment === undefined) return target.scope;
  return `${target.scope}/${target.environment}`;
}
