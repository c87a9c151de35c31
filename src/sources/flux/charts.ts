import type { ChartRef, HelmSource, JsonObject, UnsupportedSource } from '../../core/model.ts';
import { asObject, get, text, texts } from '../argocd/values.ts';
import { fluxPath } from './paths.ts';
import { groups, type FluxObject, type ObjectIndex } from './objects.ts';
import type { SourceResolver } from './sources.ts';

/** Where the chart of a HelmRelease comes from. */
export type ResolvedChart =
  | {
      readonly ok: true;
      readonly chart: ChartRef;
      readonly valuesFiles: HelmSource['chartValuesFiles'];
      readonly unaffectedBecause: string | undefined;
    }
  | { readonly ok: false; readonly unsupported: UnsupportedSource };

/** Resolves `spec.chart` or `spec.chartRef` (docs/spec/v2/helmreleases.md, "Chart template" and "Chart reference"). */
export function chartOf(item: FluxObject, index: ObjectIndex, sources: SourceResolver): ResolvedChart {
  const reference = asObject(get(item.object, 'spec', 'chartRef'));
  if (reference === undefined)
    return fromTemplate(asObject(get(item.object, 'spec', 'chart', 'spec')), item, index, sources);
  const kind = text(get(reference, 'kind')) ?? '';
  const name = text(get(reference, 'name')) ?? '';
  const namespace = text(get(reference, 'namespace')) ?? item.namespace;
  const label = `${kind} ${namespace ?? ''}/${name}`;
  if (kind === 'ExternalArtifact') {
    // The root of the artifact is the chart.
    const source = sources.resolve(reference, item, '');
    if (source.from === 'tree')
      return ok({ from: 'tree', path: source.root || '.' }, undefined, source.unaffectedBecause);
    if (source.from === 'git') return ok({ from: 'git', url: source.url, revision: source.revision, path: '.' });
    return unsupported(source.reason, source.next);
  }
  const found = index.find({ group: groups.source, kind, namespace, name }, item);
  if (found === undefined || found === 'ambiguous') return notFound(label, found === 'ambiguous');
  if (kind === 'OCIRepository') return fromOci(found);
  if (kind === 'HelmChart') return fromTemplate(asObject(get(found.object, 'spec')), found, index, sources);
  return unsupported(
    `${label} delivers a chart that cannot be told offline`,
    'Gate the change where the artifact is built.',
  );
}

/** `ref` in the order of source-controller: digest, semver, tag; `latest` when nothing is named (ociRepositories.md). */
function fromOci(repository: FluxObject): ResolvedChart {
  const ref = (field: string): string | undefined => text(get(repository.object, 'spec', 'ref', field));
  const digest = ref('digest');
  const version = ref('semver') ?? ref('tag') ?? (digest === undefined ? 'latest' : '');
  const url = (text(get(repository.object, 'spec', 'url')) ?? '').replace(/\/+$/u, '');
  return ok({ from: 'oci', url, version, ...(digest === undefined ? {} : { digest }) });
}

/** A HelmChart spec, or the template of one: the fields are the same. */
function fromTemplate(
  spec: JsonObject | undefined,
  owner: FluxObject,
  index: ObjectIndex,
  sources: SourceResolver,
): ResolvedChart {
  const chart = text(get(spec, 'chart'));
  const reference = asObject(get(spec, 'sourceRef'));
  if (chart === undefined || reference === undefined) {
    return unsupported('it names no chart (spec.chart.spec or spec.chartRef)', 'Complete the HelmRelease.');
  }
  const kind = text(get(reference, 'kind')) ?? '';
  const valuesFiles = valuesFilesOf(spec);
  if (kind === 'HelmRepository') {
    const namespace = text(get(reference, 'namespace')) ?? owner.namespace;
    const name = text(get(reference, 'name')) ?? '';
    const found = index.find({ group: groups.source, kind, namespace, name }, owner);
    if (found === undefined || found === 'ambiguous')
      return notFound(`${kind} ${namespace ?? ''}/${name}`, found === 'ambiguous');
    return ok(repositoryChart(found.object, chart, text(get(spec, 'version')) ?? '*'), valuesFiles);
  }
  const path = fluxPath(chart);
  const source = sources.resolve(reference, owner, path);
  if (source.from === 'tree') {
    const below = (file: string): string => fluxPath(`${source.root}/${file}`);
    const files = valuesFiles === undefined ? undefined : { ...valuesFiles, files: valuesFiles.files.map(below) };
    return ok({ from: 'tree', path: below(path) }, files, source.unaffectedBecause);
  }
  if (source.from === 'git') return ok({ from: 'git', url: source.url, revision: source.revision, path }, valuesFiles);
  return unsupported(source.reason, source.next);
}

function repositoryChart(repository: JsonObject, chart: string, version: string): ChartRef {
  const url = (text(get(repository, 'spec', 'url')) ?? '').replace(/\/+$/u, '');
  // `*` is the newest stable version, which is what no version means.
  const wanted = version === '*' ? '' : version;
  const oci = get(repository, 'spec', 'type') === 'oci' || url.startsWith('oci://');
  return oci
    ? { from: 'oci', url: `${url}/${chart}`, version: wanted }
    : { from: 'repository', url, name: chart, version: wanted };
}

/**
 * `valuesFiles` replace the chart's values.yaml, relative to the root of the source. Exactly `values.yaml` means none
 * (source-controller internal/helm/chart/builder.go, GetValuesFiles). `valuesFile` is the older field of v1beta1.
 */
function valuesFilesOf(spec: JsonObject | undefined): HelmSource['chartValuesFiles'] {
  const old = text(get(spec, 'valuesFile'));
  const listed = texts(get(spec, 'valuesFiles'));
  const files = (old === undefined ? listed : [old, ...listed]).map(fluxPath);
  if (files.length === 0 || (files.length === 1 && files[0] === 'values.yaml')) return undefined;
  return { files, ignoreMissing: get(spec, 'ignoreMissingValuesFiles') === true };
}

function ok(chart: ChartRef, valuesFiles?: HelmSource['chartValuesFiles'], unaffectedBecause?: string): ResolvedChart {
  return { ok: true, chart, valuesFiles, unaffectedBecause };
}

function notFound(label: string, ambiguous: boolean): ResolvedChart {
  return unsupported(
    ambiguous
      ? `${label} stands in several files of the tree with different content`
      : `${label} is not declared in this repository`,
    'Declare the source in the tree, or name the target in gate.yaml (targets:).',
  );
}

function unsupported(reason: string, next: string): ResolvedChart {
  return { ok: false, unsupported: { type: 'unsupported', reason, next } };
}
