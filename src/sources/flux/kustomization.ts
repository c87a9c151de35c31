import type { RenderSource, Target } from '../../core/model.ts';
import { asObject, get, objects, text, texts } from '../argocd/values.ts';
import { inputsMayDeclareTargets } from '../argocd/renders-targets.ts';
import { kustomizeInputs } from '../closure.ts';
import { resolveInTree, tidyInputs } from '../tree-paths.ts';
import type { ClusterMap } from './clusters.ts';
import type { FluxContext } from './context.ts';
import { commonMetadataOf, dependenciesOf, identityOf } from './identity.ts';
import { editsOf } from './kustomize-edits.ts';
import type { FluxObject, ObjectIndex } from './objects.ts';
import { fluxPath } from './paths.ts';
import type { ResolvedSource, SourceResolver } from './sources.ts';
import { substitutionOf } from './variables.ts';

/** What discovery shares between objects. */
export interface FluxSurroundings {
  readonly context: FluxContext;
  readonly index: ObjectIndex;
  readonly sources: SourceResolver;
  readonly clusters: ClusterMap;
}

/** Turns a Flux Kustomization into a target. Never throws for odd input. */
export function kustomizationTarget(item: FluxObject, around: FluxSurroundings): Target {
  const { context } = around;
  const spec = asObject(get(item.object, 'spec'));
  const written = fluxPath(text(get(spec, 'path')));
  const source = around.sources.resolve(asObject(get(spec, 'sourceRef')), item, written);
  const path = source.from === 'tree' ? fluxPath(`${source.root}/${written}`) : written;
  const {
    namespace: _namespace,
    home: _home,
    ...identity
  } = identityOf(item, around.clusters, context, path === '' ? [] : [path]);
  const substitution = substitutionOf(item, around.index, context);
  const commonMetadata = commonMetadataOf(item.object);
  const read = source.from === 'tree' ? readsOf(item, path, context) : [];
  const declared = [...(item.parent === undefined ? [item.location.file] : []), ...(substitution?.files ?? [])];
  const ignoreDifferences = objects(get(spec, 'ignore'));
  const dependsOn = dependenciesOf(item, { ...identity, namespace: _namespace, home: _home });
  const because = source.from === 'tree' ? source.unaffectedBecause : undefined;
  return {
    ...identity,
    sources: [sourceOf(spec, path, source)],
    afterRender: {
      ...(substitution === undefined ? {} : { substitute: substitution.substitute }),
      ...(commonMetadata === undefined ? {} : { commonMetadata }),
    },
    apply: {
      mode: 'server-side',
      prune: get(spec, 'prune') === true,
      automated: get(spec, 'suspend') !== true,
      selfHeal: get(spec, 'suspend') !== true,
      ...(get(spec, 'force') === true ? { force: true } : {}),
      ...(get(spec, 'suspend') === true ? { suspended: true } : {}),
      ...(ignoreDifferences.length === 0 ? {} : { ignoreDifferences }),
      ...(dependsOn.length === 0 ? {} : { dependsOn }),
      onRemoval: deletesObjects(item) ? 'deletes-objects' : 'keeps-objects',
    },
    inputs: read === 'unknown' ? 'unknown' : tidyInputs([...read, ...declared]),
    rendersTargets: source.from === 'tree' && inputsMayDeclareTargets(context.tree, read),
    ...(because === undefined ? {} : { unaffectedBecause: because }),
  };
}

function sourceOf(spec: ReturnType<typeof asObject>, path: string, source: ResolvedSource): RenderSource {
  if (source.from === 'tree') {
    return {
      type: 'kustomize',
      path: path === '' ? '.' : path,
      flux: editsOf(spec, source.ignore),
      loadRestrictions: 'none',
      // Plugins are disabled in kustomize-controller, Helm inflation with them (pkg/kustomize Build).
      enableHelm: false,
      generate: true,
    };
  }
  if (source.from === 'elsewhere') return { type: 'unsupported', reason: source.reason, next: source.next };
  return {
    type: 'unsupported',
    reason: `${source.label} is another repository: ${source.url} at ${source.revision}`,
    next: 'Gate the change in that repository; if it is this one, list its URL in gate.yaml under repositoryUrls.',
  };
}

/** The closure of the path and of the components that the spec adds to it. */
function readsOf(item: FluxObject, path: string, context: FluxContext): readonly string[] | 'unknown' {
  const directories = [path];
  for (const component of texts(get(item.object, 'spec', 'components'))) {
    const directory = resolveInTree(path, component);
    if (directory !== undefined) directories.push(directory);
  }
  const inputs: string[] = [];
  for (const directory of directories) {
    const closure = kustomizeInputs(context.tree, directory);
    if (closure === 'unknown') return 'unknown';
    inputs.push(...closure);
  }
  return tidyInputs([...inputs, ...ignoreFiles(path)]);
}

/** `.sourceignore` counts in every directory on the way (pkg/sourceignore LoadIgnorePatterns). */
function ignoreFiles(path: string): readonly string[] {
  const segments = path === '' ? [] : path.split('/');
  return ['', ...segments.map((_, at) => `${segments.slice(0, at + 1).join('/')}/`)].map(
    (prefix) => `${prefix}.sourceignore`,
  );
}

/** kustomization_controller.go, finalizerShouldDeleteResources: a suspended Kustomization deletes nothing. */
function deletesObjects(item: FluxObject): boolean {
  const spec = asObject(get(item.object, 'spec'));
  if (get(spec, 'suspend') === true) return false;
  const policy = text(get(spec, 'deletionPolicy')) ?? 'MirrorPrune';
  if (policy === 'MirrorPrune') return get(spec, 'prune') === true;
  return policy === 'Delete' || policy === 'WaitForTermination';
}
