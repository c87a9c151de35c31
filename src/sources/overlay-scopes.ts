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
 * A folder below the environment is a cluster when another application has one of the same name below the same
 * environment, or when its neighbour is built from the same bases. Otherwise it is an application
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
  const variants = new Set([...groups.values()].flatMap((group) => variantsOf(tree, group)));
  return new Map(
    places.map((place) => {
      const key = `${place.segment}/${place.below ?? ''}`;
      const cluster = place.below !== undefined && ((prefixes.get(key)?.size ?? 0) > 1 || variants.has(place));
      return [place.directory, cluster ? key : place.segment];
    }),
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

/** Places of one application and environment that are built from the same bases as a neighbour. */
function variantsOf(tree: Tree, group: readonly Place[]): readonly Place[] {
  if (new Set(group.map((place) => place.below)).size < 2) return [];
  const bases = new Map<string, Place[]>();
  for (const place of group) {
    const own = [place.prefix, place.segment, place.below].filter((part) => part !== '').join('/');
    const reached = kustomizationsReached(tree, place.directory).filter(
      (directory) => directory !== own && !directory.startsWith(`${own}/`),
    );
    if (reached.length === 0) continue;
    const key = reached.join('\u0000');
    bases.set(key, [...(bases.get(key) ?? []), place]);
  }
  return [...bases.values()].filter((same) => new Set(same.map((place) => place.below)).size > 1).flat();
}
