import type { NotEvaluated } from '../../core/model.ts';
import type { Tree } from '../../core/ports.ts';
import { createOwnership, type Ownership } from '../argocd/ownership.ts';
import { reachOf } from '../argocd/revision.ts';
import { get, text } from '../argocd/values.ts';
import type { JsonObject } from '../../core/model.ts';
import { sameRepository } from '../repository.ts';
import { artifactOrigin } from './artifacts.ts';
import type { FluxContext } from './context.ts';
import { groups, type FluxObject, type ObjectIndex } from './objects.ts';
import { fluxPath } from './paths.ts';

/** What a `sourceRef` points to. */
export type ResolvedSource =
  | {
      readonly from: 'tree';
      /** Directory of the tree that is the root of the source; '' for the whole repository. */
      readonly root: string;
      /** `spec.ignore` of the source. */
      readonly ignore: string | undefined;
      /** Why this change does not reach what the source delivers. */
      readonly unaffectedBecause: string | undefined;
    }
  | { readonly from: 'git'; readonly url: string; readonly revision: string; readonly label: string }
  | { readonly from: 'elsewhere'; readonly reason: string; readonly next: string };

export interface SourceResolver {
  /**
   * @param path what is read from the source, relative to its root ('' is the root): a source of unknown content
   * is taken for this repository only when that path exists here
   */
  resolve(ref: JsonObject | undefined, owner: FluxObject, path: string): ResolvedSource;
  /** What had to be assumed, once per source. */
  notes(): readonly NotEvaluated[];
}

/** Resolves `sourceRef`s within the given objects and the tree (docs/spec/v1/kustomizations.md, "Source reference"). */
export function createSourceResolver(context: FluxContext, index: ObjectIndex): SourceResolver {
  const ownership = createOwnership(context);
  const assumed = new Map<string, NotEvaluated>();
  const assume = (label: string, owner: FluxObject, reason: string): void => {
    if (assumed.has(label)) return;
    assumed.set(label, {
      what: label,
      reason: `${reason}; taken for this repository, because the paths that are read from it exist here`,
      location: owner.location,
      weight: 'note',
    });
  };
  const resolver: SourceResolver = {
    resolve(ref, owner, path) {
      const kind = text(get(ref, 'kind')) ?? '';
      const name = text(get(ref, 'name')) ?? '';
      const namespace = text(get(ref, 'namespace')) ?? owner.namespace;
      const label = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
      const origin = kind === 'ExternalArtifact' ? artifactOrigin(name, namespace, owner, index) : undefined;
      if (origin !== undefined) {
        const below = resolver.resolve(origin.sourceRef, origin.generator, fluxPath(`${origin.root}/${path}`));
        return below.from === 'tree' ? { ...below, root: fluxPath(`${below.root}/${origin.root}`) } : below;
      }
      // The root exists in every tree, so it says nothing about where the source comes from.
      const here = path !== '' && exists(context.tree, path);
      const found = index.find({ group: groups.source, kind, namespace, name }, owner);
      const source = found === 'ambiguous' ? undefined : found;
      if (kind === 'GitRepository' && source !== undefined)
        return fromGit(source, label, path, here, context, index, ownership);
      if (here || (source === undefined && isBootstrapName(name))) {
        assume(
          label,
          owner,
          source === undefined
            ? 'the source is not declared in this repository'
            : `what ${kind} delivers cannot be told offline`,
        );
        return {
          from: 'tree',
          root: '',
          ignore: text(get(source?.object, 'spec', 'ignore')),
          unaffectedBecause: undefined,
        };
      }
      return source === undefined
        ? {
            from: 'elsewhere',
            reason: `${label} is not declared in this repository`,
            next: 'Declare the source in the tree, or exclude the target in gate.yaml.',
          }
        : {
            from: 'elsewhere',
            reason: `${label} delivers an artifact that is not built from a path of this repository`,
            next: 'Gate the change where the artifact is built.',
          };
    },
    notes: () => [...ownership.notes(), ...assumed.values()],
  };
  return resolver;
}

function fromGit(
  source: FluxObject,
  label: string,
  path: string,
  here: boolean,
  context: FluxContext,
  index: ObjectIndex,
  ownership: Ownership,
): ResolvedSource {
  const url = text(get(source.object, 'spec', 'url')) ?? '';
  const reach = reachOfGit(source.object, context.branches);
  const bootstrap = isBootstrap(source) && exists(context.tree, path);
  const ours =
    ownership.isOurs(url, here || bootstrap, source.location) ||
    bootstrap ||
    // A repository that manages itself: other sources with the URL of the bootstrap source are it, too.
    index.all.some(
      (item) =>
        item.kind === 'GitRepository' &&
        isBootstrap(item) &&
        sameRepository(text(get(item.object, 'spec', 'url')) ?? '', url),
    );
  if (!ours) return { from: 'git', url, revision: reach.revision, label };
  return {
    from: 'tree',
    root: '',
    ignore: text(get(source.object, 'spec', 'ignore')),
    unaffectedBecause: reach.because === undefined ? undefined : `${label} ${reach.because}`,
  };
}

/**
 * Which revision a GitRepository delivers, in the order of source-controller: commit, name, semver, tag, branch;
 * `master` when nothing is named (internal/controller/gitrepository_controller.go; docs/spec/v1/gitrepositories.md).
 */
export function reachOfGit(
  source: JsonObject,
  branches: readonly string[],
): { readonly revision: string; readonly because: string | undefined } {
  const ref = (field: string): string | undefined => text(get(source, 'spec', 'ref', field));
  const pinned = (what: string): string => `is pinned to ${what}: this change reaches it only when the pin moves`;
  const commit = ref('commit');
  if (commit !== undefined) return { revision: commit, because: pinned(`commit ${commit.slice(0, 10)}`) };
  const name = ref('name');
  if (name !== undefined && !name.startsWith('refs/heads/')) {
    if (name.startsWith('refs/tags/'))
      return { revision: name, because: pinned(`tag ${name.slice('refs/tags/'.length)}`) };
    const reach = reachOf(name, branches);
    return { revision: name, because: reach.reachable ? undefined : `is ${reach.because}` };
  }
  if (name === undefined) {
    const semver = ref('semver');
    if (semver !== undefined) {
      return {
        revision: semver,
        because: `follows tags in the range ${semver}: this change reaches it only with a new tag`,
      };
    }
    const tag = ref('tag');
    if (tag !== undefined) return { revision: tag, because: pinned(`tag ${tag}`) };
  }
  const branch = name?.slice('refs/heads/'.length) ?? ref('branch') ?? 'master';
  const reaches = branches.length === 0 || branches.includes(branch);
  return {
    revision: branch,
    because: reaches
      ? undefined
      : `follows branch ${branch}, and this change goes to ${branches.join(', ')}: it reaches it only when it gets there`,
  };
}

/** `flux bootstrap` writes the source of the repository itself as flux-system, into gotk-sync.yaml. */
function isBootstrap(source: FluxObject): boolean {
  return isBootstrapName(source.name) || source.location.file.endsWith('gotk-sync.yaml');
}

function isBootstrapName(name: string): boolean {
  return name === 'flux-system';
}

function exists(tree: Tree, path: string): boolean {
  return path === '' || tree.isDirectory(path) || tree.isFile(path);
}
