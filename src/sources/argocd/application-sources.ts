import type { SourceLocation } from '../../core/errors.ts';
import type { ChartRef, JsonObject, UnsupportedSource } from '../../core/model.ts';
import { repositoryName, sameRepository } from '../repository.ts';
import { resolveInTree } from '../tree-paths.ts';
import { chartReference } from './chart-reference.ts';
import type { ArgoContext } from './context.ts';
import { buildDirectorySources } from './directory-source.ts';
import { buildEnvironment, revisionPlaceholder } from './env.ts';
import { buildHelmSource } from './helm-source.ts';
import { buildKustomizeSource } from './kustomize-source.ts';
import type { Ownership } from './ownership.ts';
import { refSources } from './refs.ts';
import { reachOf } from './revision.ts';
import type { Reach } from './revision.ts';
import { overrideFiles, typeOf } from './source-type.ts';
import type { BuiltSource } from './source.ts';
import type { RefSource, ValueFileContext } from './value-files.ts';
import { get, scalarText, text, withoutTrailingSlashes } from './values.ts';

/** What the sources of an Application have in common. */
export interface ApplicationFacts {
  /** Name without namespace. */
  readonly name: string;
  /** `<namespace>_<name>` outside of Argo CD's own namespace (Application.InstanceName). */
  readonly instanceName: string;
  readonly project: string;
  readonly destinationNamespace: string | undefined;
  readonly location: SourceLocation;
}

/** One written source with what became of it. */
export interface ResolvedSource {
  /** None for a source that only serves as a `ref`. */
  readonly built: readonly BuiltSource[];
  /** Path in this tree, when it has one. */
  readonly path: string | undefined;
  /** The source with the overrides of `.argocd-source.yaml` merged. */
  readonly merged: JsonObject;
  /** Set for a source of this repository: does it follow the branch of the change? */
  readonly reach: Reach | undefined;
}

/** Resolves all sources of an Application; `label` of each is its place in the object. */
export function resolveSources(
  sources: readonly { readonly source: JsonObject; readonly label: string }[],
  multiSource: boolean,
  facts: ApplicationFacts,
  context: ArgoContext,
  ownership: Ownership,
): readonly ResolvedSource[] {
  const refs = refSources(
    sources.map((item) => item.source),
    facts.location,
    context,
    ownership,
  );
  return sources.map(({ source, label }) =>
    resolveSource(source, label, { multiSource, refs, facts, context, ownership }),
  );
}

interface Surroundings {
  readonly multiSource: boolean;
  readonly refs: ReadonlyMap<string, RefSource>;
  readonly facts: ApplicationFacts;
  readonly context: ArgoContext;
  readonly ownership: Ownership;
}

function resolveSource(source: JsonObject, label: string, around: Surroundings): ResolvedSource {
  const chart = text(get(source, 'chart'));
  const writtenPath = text(get(source, 'path'));
  const url = text(get(source, 'repoURL'));
  const nothing = { built: [], path: undefined, merged: source, reach: undefined };
  if (url === undefined)
    return { ...nothing, built: [unsupported(`${label} has no repoURL`, 'Name the repository in the Application.')] };
  if (chart !== undefined) {
    const reference = chartReference(url, chart, scalarText(get(source, 'targetRevision')) ?? '');
    return { ...nothing, built: [remoteHelm(source, reference, label, around)] };
  }
  if (/^oci:\/\//i.test(url)) return { ...nothing, built: [ociArtifact(source, url, label, around)] };
  if (writtenPath === undefined) {
    if (text(get(source, 'ref')) !== undefined) return { ...nothing, reach: reachOfRef(source, url, around) };
    return { ...nothing, built: [unsupported(`${label} has neither path nor chart`, 'Name what it deploys.')] };
  }
  return resolvePathSource(source, url, writtenPath, label, around);
}

/** A source that only gives value files: a change of them reaches the Application. */
function reachOfRef(source: JsonObject, url: string, around: Surroundings): Reach | undefined {
  const ref = around.refs.get(text(get(source, 'ref')) ?? '');
  if (ref?.kind === 'tree') return { reachable: true };
  if (!around.context.remotes.some((remote) => sameRepository(remote, url))) return undefined;
  return reachOf(scalarText(get(source, 'targetRevision')) ?? '', around.context.branches);
}

function resolvePathSource(
  source: JsonObject,
  url: string,
  writtenPath: string,
  label: string,
  around: Surroundings,
): ResolvedSource {
  const { context, facts, ownership } = around;
  const path = resolveInTree('', writtenPath);
  const revision = scalarText(get(source, 'targetRevision')) ?? '';
  const base = { path, merged: source, reach: undefined };
  if (path === undefined) {
    return {
      ...base,
      built: [
        unsupported(
          `${label}.path ${writtenPath} is absolute or leads out of the repository`,
          'Use a path inside the repository.',
        ),
      ],
    };
  }
  const exists = path === '' || context.tree.isDirectory(path);
  if (!ownership.isOurs(url, exists, facts.location))
    return { ...base, path: undefined, built: [foreignSource(source, url, revision, path, label, around)] };
  const reach = reachOf(revision, context.branches);
  if (!exists) {
    const missing = unsupported(
      `${label}.path ${writtenPath} does not exist in this tree`,
      'Correct the path, or remove the Application.',
    );
    return { ...base, reach, built: [{ ...missing, inputs: [path === '' ? './' : `${path}/`] }] };
  }
  const typed = typeOf(context.tree, source, path, facts.instanceName);
  if (!typed.ok)
    return {
      ...base,
      reach,
      built: [
        {
          ...unsupported(`Argo CD cannot render it: ${typed.reason}`, 'Correct the file or the Application.'),
          inputs: [`${path}/`],
        },
      ],
    };
  const merged = typed.source;
  const built = buildTyped(typed.type, merged, path, label, around);
  const overrides = overrideFiles(path, facts.instanceName);
  return {
    path,
    merged,
    reach,
    built: built.map((item) => ({
      ...item,
      inputs: item.inputs === 'unknown' ? item.inputs : [...item.inputs, ...overrides],
    })),
  };
}

function buildTyped(
  type: 'helm' | 'kustomize' | 'directory' | 'plugin',
  source: JsonObject,
  path: string,
  label: string,
  around: Surroundings,
): readonly BuiltSource[] {
  const { context, facts } = around;
  if (type === 'plugin') {
    const name = text(get(source, 'plugin', 'name'));
    return [
      {
        ...unsupported(
          `config management plugin ${name ?? '(found by discovery)'} renders it; plugins run only in the cluster`,
          'Render it in CI and give the result to gate as a directory of manifests.',
        ),
        inputs: [`${path}/`],
      },
    ];
  }
  if (type === 'directory') return buildDirectorySources(source, path, context.tree);
  const valueFiles = valueFileContext(source, path, revisionPlaceholder, around);
  if (type === 'kustomize') {
    return [
      buildKustomizeSource(source, path, {
        tree: context.tree,
        environment: valueFiles.environment,
        buildOptions: context.config.argocd.kustomizeBuildOptions,
      }),
    ];
  }
  return [
    buildHelmSource(
      source,
      { from: 'tree', path: path === '' ? '.' : path },
      { name: facts.name, destinationNamespace: facts.destinationNamespace, label: `${label}.helm` },
      valueFiles,
    ),
  ];
}

function valueFileContext(
  source: JsonObject,
  path: string | undefined,
  revision: string,
  around: Surroundings,
): ValueFileContext {
  const { context, facts, refs, multiSource } = around;
  const environment = buildEnvironment({
    appName: facts.instanceName,
    destinationNamespace: facts.destinationNamespace ?? '',
    project: facts.project,
    repoURL: text(get(source, 'repoURL')) ?? '',
    path: text(get(source, 'path')) ?? '',
    targetRevision: scalarText(get(source, 'targetRevision')) ?? '',
    revision,
  });
  return {
    tree: context.tree,
    appPath: path,
    environment,
    refs,
    multiSource,
    argocdVersion: context.config.argocd.version,
  };
}

function remoteHelm(source: JsonObject, chart: ChartRef, label: string, around: Surroundings): BuiltSource {
  if ((get(source, 'plugin') ?? null) !== null)
    return unsupported(
      'a config management plugin renders the chart; plugins run only in the cluster',
      'Render it in CI.',
    );
  const { facts } = around;
  const revision = scalarText(get(source, 'targetRevision')) ?? '';
  return buildHelmSource(
    source,
    chart,
    { name: facts.name, destinationNamespace: facts.destinationNamespace, label: `${label}.helm` },
    valueFileContext(source, undefined, revision, around),
  );
}

/** Argo CD 3.1: `oci://` without `chart` is an artifact that is unpacked; at its root usually a chart. */
function ociArtifact(source: JsonObject, url: string, label: string, around: Surroundings): BuiltSource {
  const path = text(get(source, 'path')) ?? '.';
  const other = ['kustomize', 'directory', 'plugin'].some((type) => (get(source, type) ?? null) !== null);
  if (resolveInTree('', path) !== '' || other) {
    return unsupported(
      `the OCI artifact ${url} is not a chart; gate does not unpack other artifacts`,
      'Evaluate the repository that builds the artifact.',
    );
  }
  const version = scalarText(get(source, 'targetRevision')) ?? '';
  const clean = withoutTrailingSlashes(url);
  const chart: ChartRef = /^sha\d+:/.test(version)
    ? { from: 'oci', url: clean, version: '', digest: version }
    : { from: 'oci', url: clean, version };
  return remoteHelm(source, chart, label, around);
}

/** A path in another repository: only a chart can be taken from a mirror folder. */
function foreignSource(
  source: JsonObject,
  url: string,
  revision: string,
  path: string,
  label: string,
  around: Surroundings,
): BuiltSource {
  const mirror = Object.keys(around.context.config.gitRepositories).find((known) => sameRepository(known, url));
  if (mirror !== undefined && (get(source, 'helm') ?? null) !== null) {
    return remoteHelm(source, { from: 'git', url, revision, path: path === '' ? '.' : path }, label, around);
  }
  return unsupported(
    `repository ${url} is not this one`,
    mirror === undefined
      ? `If it is, list the URL in gate.yaml under repositoryUrls; otherwise run gate in ${repositoryName(url) || 'that repository'}.`
      : 'gitRepositories serves charts only: sources with an explicit helm section.',
  );
}

function unsupported(reason: string, next: string): BuiltSource {
  const source: UnsupportedSource = { type: 'unsupported', reason, next };
  return { source, inputs: [], inlineText: '' };
}
