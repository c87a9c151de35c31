import type { JsonObject } from '../../core/model.ts';
import { get, objects, text } from '../argocd/values.ts';
import { fluxPath } from './paths.ts';
import type { FluxObject, ObjectIndex } from './objects.ts';

/** An ExternalArtifact that is a directory of one source: paths in it are paths below `root` of that source. */
export interface ArtifactOrigin {
  /** The source that it is cut from, as a sourceRef. */
  readonly sourceRef: JsonObject;
  /** The generator; names without a namespace are looked up in its namespace. */
  readonly generator: FluxObject;
  /** Directory of the source that corresponds to the root of the artifact. */
  readonly root: string;
}

/**
 * Finds the ArtifactGenerator (source-watcher, `source.extensions.fluxcd.io`) that makes the ExternalArtifact `name`
 * for `near`. Only artifacts that keep the layout of one source can be read in the tree: every copy operation must
 * move files by the same distance (`@repo/apps/base/**` to `@artifact/base/` and `@repo/apps/prod/**` to
 * `@artifact/prod/` are the directory `apps`). What `exclude` leaves out is taken as present.
 * @returns undefined when no generator makes it, or it is composed in another way
 */
export function artifactOrigin(
  name: string,
  namespace: string | undefined,
  near: FluxObject,
  index: ObjectIndex,
): ArtifactOrigin | undefined {
  const making = index.all.filter(
    (item) =>
      item.kind === 'ArtifactGenerator' &&
      objects(get(item.object, 'spec', 'artifacts')).some((artifact) => text(get(artifact, 'name')) === name),
  );
  const names = [...new Set(making.map((item) => item.name))];
  for (const generator of names) {
    const found = index.find(
      { group: 'source.extensions.fluxcd.io', kind: 'ArtifactGenerator', namespace, name: generator },
      near,
    );
    if (found === undefined || found === 'ambiguous') continue;
    const artifact = objects(get(found.object, 'spec', 'artifacts')).find((item) => text(get(item, 'name')) === name);
    if (artifact !== undefined) return originOf(found, artifact);
  }
  return undefined;
}

function originOf(generator: FluxObject, artifact: JsonObject): ArtifactOrigin | undefined {
  const moves = objects(get(artifact, 'copy')).map((copy) =>
    moveOf(text(get(copy, 'from')) ?? '', text(get(copy, 'to')) ?? ''),
  );
  const first = moves[0];
  if (
    first === undefined ||
    moves.some((move) => move === undefined || move.alias !== first.alias || move.root !== first.root)
  )
    return undefined;
  const source = objects(get(generator.object, 'spec', 'sources')).find((item) => get(item, 'alias') === first.alias);
  const kind = text(get(source, 'kind'));
  const name = text(get(source, 'name'));
  // An artifact of an artifact may lead in a circle.
  if (kind === undefined || name === undefined || kind === 'ExternalArtifact') return undefined;
  const namespace = text(get(source, 'namespace')) ?? generator.namespace;
  return { sourceRef: { kind, name, ...(namespace === undefined ? {} : { namespace }) }, generator, root: first.root };
}

function moveOf(from: string, to: string): { readonly alias: string; readonly root: string } | undefined {
  const source = /^@([a-z0-9_-]{1,253})\/(.*)$/u.exec(from);
  const target = /^@artifact\/(.*)$/u.exec(to);
  if (source === null || target === null) return undefined;
  const alias = source[1] ?? '';
  const segments = fluxPath(source[2])
    .split('/')
    .filter((segment) => segment !== '');
  const glob = segments.findIndex((segment) => /[*?[{]/u.test(segment));
  const directory = (glob === -1 ? segments : segments.slice(0, glob)).join('/');
  const written = target[1] ?? '';
  // Without a glob the thing itself is copied: into a directory when the target ends in `/`, else under that name.
  const into = glob === -1 && (written === '' || written.endsWith('/'));
  const destination = fluxPath(into ? `${written}/${segments.at(-1) ?? ''}` : written);
  if (destination === '') return { alias, root: directory };
  if (directory === destination) return { alias, root: '' };
  return directory.endsWith(`/${destination}`)
    ? { alias, root: directory.slice(0, -destination.length - 1) }
    : undefined;
}
