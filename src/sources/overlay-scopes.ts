import type { Config } from '../core/config.ts';
import type { Tree } from '../core/ports.ts';
import { kustomizationsReached } from './closure.ts';
import { environmentOf } from './environment.ts';

interface Place {
  readonly directory: string;
  /** What stands above the environment folder: `components/shop`. */
  readonly prefix: string;
  /** The folder that names the environment, as written: `production`, `eu-prod`. */
  readonly segment: string;
  /** The folder below it: a cluster, a region, or an application. */
  readonly below: string | undefined;
}

/**
 * Which cluster overlays that nothing declares belong to, as far as the layout tells. `overlays/eu-prod` and
 * `overlays/us-prod` are both production, and two clusters; so are `shop/production/eu` and `shop/production/us`.
 *
 * The folders below an environment are clusters when another application has one of the same name below the same
 * environment, or when two of them are built from the same bases. Otherwise they are applications
 * (`production/shop`), and all of the environment share a scope.
 *
 * @param directories of kustomizations
 * @returns scope by directory; a directory without environment is not in it
 */
export function overlayScopes(tree: Tree, config: Config, directories: readonly string[]): ReadonlyMap<string, string> {
  const places = directories.flatMap((directory) => placeOf(config, directory) ?? []);
  const prefixes = new Map<string, Set<string>>();
  const groups = new Map<string, Place[]>();
  for (const place of places) {
    if (place.below === undefined) continue;
    addTo(prefixes, `${place.segment}/${place.below}`, place.prefix);
    const group = groups.get(`${place.prefix}\u0000${place.segment}`);
    if (group === undefined) groups.set(`${place.prefix}\u0000${place.segment}`, [place]);
    else group.push(place);
  }
  const clusters = new Set(
    [...groups.values()]
      .filter(
        (group) =>
          group.some((place) => (prefixes.get(`${place.segment}/${place.below}`)?.size ?? 0) > 1) ||
          areVariants(tree, group),
      )
      .flat(),
  );
  return new Map(
    places.map((place) => [place.directory, clusters.has(place) ? `${place.segment}/${place.below}` : place.segment]),
  );
}

function placeOf(config: Config, directory: string): Place | undefined {
  const named = (paths: readonly string[]): string | undefined =>
    environmentOf({ config, id: '', name: '', paths, labels: {} });
  const environment = named([directory]);
  if (environment === undefined) return undefined;
  const segments = directory.split('/');
  const at = segments.findIndex((segment) => named([segment]) === environment);
  const segment = segments[at];
  if (segment === undefined) return undefined;
  return { directory, prefix: segments.slice(0, at).join('/'), segment, below: segments[at + 1] };
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

/** Is one of these places of an application and environment built from the same bases as its neighbour? */
function areVariants(tree: Tree, group: readonly Place[]): boolean {
  if (new Set(group.map((place) => place.below)).size < 2) return false;
  const bases = new Map<string, string | undefined>();
  return group.some((place) => {
    const own = [place.prefix, place.segment, place.below].filter((part) => part !== '').join('/');
    const reached = kustomizationsReached(tree, place.directory).filter(
      (directory) => directory !== own && !directory.startsWith(`${own}/`),
    );
    const key = reached.join('\u0000');
    if (reached.length > 0 && bases.has(key) && bases.get(key) !== place.below) return true;
    bases.set(key, place.below);
    return false;
  });
}
