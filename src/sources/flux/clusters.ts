import { get, text } from '../argocd/values.ts';
import { directoryOf, isInside } from '../tree-paths.ts';
import { fluxPath } from './paths.ts';
import { groups, type FluxObject } from './objects.ts';

/**
 * Which cluster an object of a plain file belongs to. A monorepo holds one `flux-system/apps` per cluster
 * (`clusters/prod`, `clusters/staging`), and these must keep apart; a repository of one cluster needs no name.
 *
 * The name depends on the object's own path as far as possible, so that a cluster added elsewhere renames nothing.
 */
export interface ClusterMap {
  /** @returns undefined when the repository has one cluster without a name */
  clusterOf(file: string): string | undefined;
}

interface Home {
  /** Directory that one cluster reconciles. */
  readonly directory: string;
  readonly name: string | undefined;
}

/** Directory names that say what something is, not which cluster it is for. */
const generic = new Set(
  (
    'flux flux-system fluxcd flux2 gitops kubernetes k8s k3s kube cluster clusters base config configs bootstrap apps app ' +
    'infrastructure infra manifests deploy deployment deployments system core repositories sources environments envs env ' +
    'overlays releases production-ready argocd src charts sync root main-cluster default setup install'
  ).split(' '),
);

/** @param roots objects of plain files that no other target renders */
export function mapClusters(roots: readonly FluxObject[]): ClusterMap {
  const homes = roots.flatMap(homeOf);
  homes.push(...collisions(roots, homes));
  homes.sort((a, b) => b.directory.length - a.directory.length);
  const located = roots.map((root) => locate(root.location.file, homes, undefined));
  const names = new Set([...homes.map((home) => home.name), ...located.filter((name) => name !== undefined)]);
  const only = names.size === 1 ? [...names][0] : undefined;
  return { clusterOf: (file) => locate(file, homes, only) };
}

function locate(file: string, homes: readonly Home[], only: string | undefined): string | undefined {
  const home = homes.find((candidate) => isInside(candidate.directory, file));
  const name = home?.name ?? clusterFromDirectory(directoryOf(file));
  return home === undefined ? (name ?? only) : name;
}

/** A Kustomization that applies the directory it stands in, or the one that `flux bootstrap` writes, marks a home. */
function homeOf(root: FluxObject): readonly Home[] {
  if (root.group !== groups.kustomize || root.kind !== 'Kustomization') return [];
  const path = fluxPath(text(get(root.object, 'spec', 'path')));
  const file = root.location.file;
  const around = directoryOf(file).replace(/(?:^|\/)flux-system$/u, '');
  const bootstrap = root.name === 'flux-system' || file.endsWith('gotk-sync.yaml');
  if (!isInside(path, file))
    return bootstrap ? [{ directory: around, name: nameOfHome(around) ?? nameOfHome(path) }] : [];
  return [{ directory: path, name: nameOfHome(path) }];
}

/** `clusters/eu/prod` is `eu/prod`; elsewhere what is left without words that every repository uses. */
function nameOfHome(directory: string): string | undefined {
  const segments = directory.split('/').filter((segment) => segment !== '');
  const at = segments.lastIndexOf('clusters');
  const rest = (at === -1 ? segments : segments.slice(at + 1)).filter((segment) => !generic.has(segment.toLowerCase()));
  return rest.length === 0 ? undefined : rest.join('/');
}

/** Without a home: the segment behind `clusters`, or what stands before the `flux` directory (`kubernetes/main/flux`). */
function clusterFromDirectory(directory: string): string | undefined {
  const segments = directory.split('/');
  const at = segments.lastIndexOf('clusters');
  if (at !== -1) return segments[at + 1];
  const flux = segments.findIndex((segment) => /^flux(?:cd|2|-system)?$/u.test(segment));
  return flux === -1 ? undefined : nameOfHome(segments.slice(0, flux).join('/'));
}

/** Roots of one identity in different directories are different clusters: `prod/apps.yaml`, `staging/apps.yaml`. */
function collisions(roots: readonly FluxObject[], homes: readonly Home[]): readonly Home[] {
  const groupsOfSame = Map.groupBy(roots, (root) =>
    [root.kind, root.namespace ?? '', root.name, locate(root.location.file, homes, undefined) ?? ''].join('\0'),
  );
  const found = new Map<string, Home>();
  for (const same of groupsOfSame.values()) {
    const directories = [...new Set(same.map((root) => directoryOf(root.location.file)))];
    if (directories.length < 2) continue;
    const split = directories.map((directory) => directory.split('/').filter((segment) => segment !== ''));
    const shortest = Math.min(...split.map((segments) => segments.length));
    const first = split[0] ?? [];
    let head = 0;
    while (head < shortest && split.every((segments) => segments[head] === first[head])) head += 1;
    let tail = 0;
    while (tail < shortest - head && split.every((segments) => segments.at(-1 - tail) === first.at(-1 - tail)))
      tail += 1;
    for (const segments of split) {
      const end = segments.length - tail;
      const directory = segments.slice(0, end).join('/');
      found.set(directory, { directory, name: segments.slice(head, end).join('/') || undefined });
    }
  }
  return [...found.values()];
}
