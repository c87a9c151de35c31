import { environmentOfInstance } from './identity.ts';
import type { SourceLocation } from '../../core/errors.ts';
import type { ApplySemantics, JsonObject, NotEvaluated, ResourceRef, Target } from '../../core/model.ts';
import { environmentOf } from '../environment.ts';
import { tidyInputs } from '../tree-paths.ts';
import { afterRenderOf, applySemanticsOf } from './apply.ts';
import { resolveSources } from './application-sources.ts';
import type { ResolvedSource } from './application-sources.ts';
import type { ArgoCluster } from './clusters.ts';
import type { ArgoContext } from './context.ts';
import { clusterOf } from './destination.ts';
import { kustomizeVersionOf } from './kustomize-source.ts';
import type { Ownership } from './ownership.ts';
import { inputsMayDeclareTargets, mayDeclareTargets, remoteChartRendersTargets } from './renders-targets.ts';
import { asArray, asObject, get, text, textMap } from './values.ts';

/** An Application to be turned into a target. */
export interface ApplicationInput {
  readonly object: JsonObject;
  readonly location: SourceLocation;
  readonly parent?: Target | undefined;
  /** The ApplicationSet that generated it, and what its generators read. */
  readonly set?:
    | { readonly ref: ResourceRef; readonly inputs: readonly string[] | 'unknown'; readonly keepsApplications: boolean }
    | undefined;
}

export interface ApplicationSurroundings {
  readonly context: ArgoContext;
  readonly clusters: readonly ArgoCluster[];
  readonly ownership: Ownership;
}

export type ApplicationResult =
  | { readonly ok: true; readonly target: Target; readonly notes: readonly NotEvaluated[] }
  | { readonly ok: false; readonly problem: NotEvaluated };

/** Namespace and name of an Application; undefined when it has no name. */
export function identityOf(
  object: JsonObject,
  argocdNamespace: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const name = text(get(object, 'metadata', 'name'));
  if (name === undefined) return undefined;
  return { namespace: text(get(object, 'metadata', 'namespace')) ?? argocdNamespace, name };
}

/** Turns an Application into a target. The id is `argocd:<namespace>/<name>`. Never throws for odd input. */
export function applicationTarget(input: ApplicationInput, around: ApplicationSurroundings): ApplicationResult {
  const { object, location, parent } = input;
  const { config } = around.context;
  const identity = identityOf(object, config.argocd.namespace);
  if (identity === undefined) return problem('Application without a name', 'metadata.name is missing', location);
  const { namespace, name } = identity;
  const own = namespace === config.argocd.namespace;
  const id = `argocd:${namespace}/${name}`;
  const what = `Application ${own ? name : `${namespace}/${name}`}`;
  const spec = asObject(get(object, 'spec'));
  if (spec === undefined) return problem(what, 'it has no spec', location, id);
  if (/\{\{|\$\{/.test(name))
    return problem(what, 'its name is a placeholder that some other tool fills in', location, id);

  const written = writtenSources(spec);
  if (written.sources.length === 0)
    return problem(what, 'it names no source (spec.source or spec.sources)', location, id);
  const destinationNamespace = text(get(spec, 'destination', 'namespace'));
  const resolved = resolveSources(
    written.sources,
    written.multiSource,
    {
      name,
      instanceName: own ? name : `${namespace}_${name}`,
      project: text(get(spec, 'project')) ?? 'default',
      destinationNamespace,
      location,
    },
    around.context,
    around.ownership,
  );
  const cluster = clusterOf(object, config, around.clusters, parent);
  const labels = textMap(get(object, 'metadata', 'labels'));
  const environment =
    environmentOfInstance(parent) ??
    environmentOf({ config, id, name, labels, cluster, paths: pathsOf(location, resolved) }) ??
    parent?.environment;
  const inputs = inputsOf(resolved, input.set?.inputs ?? []);
  const because = unaffectedBecause(resolved);
  const kustomize = resolved.map((item) => kustomizeVersionOf(item.merged)).find((version) => version !== undefined);
  const kubeVersion = resolved
    .map((item) => text(get(item.merged, 'kustomize', 'kubeVersion')))
    .find((version) => version !== undefined);
  const target: Target = {
    id,
    name: own ? name : `${namespace}/${name}`,
    engine: 'argocd',
    ...(environment === undefined ? {} : { environment }),
    ...(cluster === undefined ? {} : { cluster }),
    scope: scopeOf(cluster, environment, parent),
    origin: parent?.origin ?? location,
    declaredBy: input.set?.ref ?? { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', namespace, name },
    parents: parent === undefined ? [] : [...parent.parents, parent.id],
    sources: resolved.flatMap((item) => item.built.map((built) => built.source)),
    afterRender: afterRenderOf(object),
    apply: applyOf(object, input),
    inputs,
    rendersTargets: rendersTargets(resolved, around.context),
    ...(because === undefined ? {} : { unaffectedBecause: because }),
    ...(kustomize === undefined ? {} : { tools: { kustomize } }),
    ...(kubeVersion === undefined ? {} : { kubeVersion: kubeVersion.replace(/^v/, '') }),
  };
  const notes: NotEvaluated[] = because === undefined ? [...pinnedSources(what, id, location, resolved)] : [];
  if (written.hydrated) {
    const reason = 'its source hydrator commits rendered manifests; gate renders the dry source, as the hydrator will';
    notes.push({ what, target: id, reason, location, weight: 'note' });
  }
  return { ok: true, target, notes };
}

function writtenSources(spec: JsonObject): {
  readonly sources: readonly { readonly source: JsonObject; readonly label: string }[];
  readonly multiSource: boolean;
  readonly hydrated: boolean;
} {
  // ApplicationSpec.GetSource: the hydrator first, then `sources`, then `source`.
  const dry = asObject(get(spec, 'sourceHydrator', 'drySource'));
  if (dry !== undefined)
    return { sources: [{ source: dry, label: 'spec.sourceHydrator.drySource' }], multiSource: false, hydrated: true };
  const several = asArray(get(spec, 'sources'));
  if (several.length > 0) {
    const sources = several.flatMap((item, index) => {
      const source = asObject(item);
      return source === undefined ? [] : [{ source, label: `spec.sources[${index}]` }];
    });
    return { sources, multiSource: true, hydrated: false };
  }
  const source = asObject(get(spec, 'source'));
  return {
    sources: source === undefined ? [] : [{ source, label: 'spec.source' }],
    multiSource: false,
    hydrated: false,
  };
}

/** Joined by rules: the same cluster. Several Argo CD instances call their own cluster `in-cluster`; see argocd.ts. */
function scopeOf(cluster: string | undefined, environment: string | undefined, parent: Target | undefined): string {
  if (cluster !== undefined && cluster === parent?.cluster) return parent.scope;
  return cluster ?? environment ?? 'default';
}

/** Most telling first: what the Application deploys, then where it stands. */
function pathsOf(location: SourceLocation, resolved: readonly ResolvedSource[]): readonly string[] {
  const paths = resolved.flatMap((item) => (item.path === undefined ? [] : [item.path]));
  const values = resolved.flatMap((item) =>
    item.built
      .flatMap((built) => (built.source.type === 'helm' ? built.source.values : []))
      .flatMap((layer) => (layer.kind === 'file' ? [layer.path] : [])),
  );
  return [...paths, ...values, location.file];
}

function inputsOf(
  resolved: readonly ResolvedSource[],
  more: readonly string[] | 'unknown',
): readonly string[] | 'unknown' {
  const all = [...resolved.flatMap((item) => item.built.map((built) => built.inputs)), more];
  return all.some((part) => part === 'unknown')
    ? 'unknown'
    : tidyInputs(all.flatMap((part) => (part === 'unknown' ? [] : part)));
}

/** One pinned source among others that follow the change. */
function pinnedSources(
  what: string,
  id: string,
  location: SourceLocation,
  resolved: readonly ResolvedSource[],
): readonly NotEvaluated[] {
  return resolved.flatMap((item): readonly NotEvaluated[] => {
    if (item.reach === undefined || item.reach.reachable || item.path === undefined) return [];
    const reason = `its source ${item.path} is ${item.reach.because}; gate renders the files of this tree in its place`;
    return [{ what, target: id, reason, location, weight: 'note' }];
  });
}

/** Set when every source of this repository reads another revision, and there is one. */
function unaffectedBecause(resolved: readonly ResolvedSource[]): string | undefined {
  const ours = resolved.flatMap((item) => (item.reach === undefined ? [] : [item.reach]));
  if (ours.length === 0 || ours.some((reach) => reach.reachable)) return undefined;
  const first = ours[0];
  return first === undefined || first.reachable ? undefined : first.because;
}

function applyOf(object: JsonObject, input: ApplicationInput): ApplySemantics {
  const apply = applySemanticsOf(object);
  return input.set?.keepsApplications === true ? { ...apply, onRemoval: 'keeps-target' } : apply;
}

function rendersTargets(resolved: readonly ResolvedSource[], context: ArgoContext): boolean {
  return resolved.some((item) =>
    item.built.some((built) => {
      if (built.source.type === 'unsupported') return false;
      if (mayDeclareTargets(built.inlineText)) return true;
      if (built.source.type === 'helm' && built.source.chart.from !== 'tree') {
        const { chart } = built.source;
        const name = chart.from === 'repository' ? chart.name : (chart.url.split('/').at(-1) ?? '');
        if (remoteChartRendersTargets(name)) return true;
      }
      return inputsMayDeclareTargets(context.tree, built.inputs);
    }),
  );
}

function problem(what: string, reason: string, location: SourceLocation, target?: string): ApplicationResult {
  return {
    ok: false,
    problem: {
      what,
      reason,
      location,
      ...(target === undefined ? {} : { target }),
      next: 'Correct the object, or exclude the file in gate.yaml.',
      weight: 'note',
    },
  };
}
