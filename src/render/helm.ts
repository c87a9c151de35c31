import { join } from 'node:path';
import type { Engine, HelmSource, Json, JsonObject } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { messageOf } from '../core/errors.ts';
import { readDocuments } from '../core/yaml/read.ts';
import type { Rendered } from './cache.ts';
import { copyInto, digestOf, runTool, useTool, writeAtomically } from './context.ts';
import type { RenderContext, ToolWish } from './context.ts';
import { fail } from './failure.ts';
import type { ChartSource, PreparedChart } from './helm-chart.ts';
import { helmProblem, treeFileOf } from './helm-error.ts';
import { prepareValues } from './helm-values.ts';
import { isObject } from '../core/json.ts';
import { parseManifests } from './parse.ts';
import type { ParseMemo } from './parse.ts';
import { postRender } from './post-render.ts';
import { maskDifferences } from './random.ts';
import { insideTree } from './tree-path.ts';

/** What a rendering of one source needs to know of its target. */
export interface SourceSettings {
  readonly engine: Engine;
  readonly helm: ToolWish;
  readonly kustomize: ToolWish;
  readonly kubeVersion: string | undefined;
  readonly apiVersions: readonly string[] | undefined;
}

/** A source that is ready to run: its identity for the caches, and the run itself. */
export interface Job {
  /** Equal keys give equal results. */
  readonly key: string;
  /** Is it worth to keep the result between runs? */
  readonly persistent: boolean;
  run(): Promise<Rendered>;
  /** Names the files of the tree that hold the objects; not part of the cached result. */
  locate(rendered: Rendered): Rendered;
}

/**
 * Prepares `helm template` for one source, with the flags of Argo CD (util/helm/cmd.go), Flux and plain Helm, which
 * differ in their values and not in the command.
 */
export async function prepareHelm(
  source: HelmSource,
  settings: SourceSettings,
  tree: Tree,
  context: RenderContext,
  charts: ChartSource,
  memo: ParseMemo,
): Promise<Job> {
  const helm = await useTool(context, 'helm', settings.helm);
  if (!/^[a-z0-9][\w.-]*$/i.test(source.release)) {
    fail({ kind: 'render', message: `"${source.release}" is no valid release name` });
  }
  const chart = withValuesFiles(await charts.prepare(source.chart, tree), source, tree, context);
  const values = await prepareValues(source, settings.engine, tree, context);
  const flags = flagsOf(source, settings);
  const postRenderers = source.postRenderers ?? [];
  const kustomize = postRenderers.length === 0 ? undefined : await useTool(context, 'kustomize', settings.kustomize);
  const key = digestOf([
    'helm',
    helm.version,
    chart.digest,
    source.release,
    flags,
    values.identity,
    postRenderers,
    kustomize?.version ?? '',
  ]);

  const once = async (location: string, valueFlags: readonly string[]): Promise<Rendered> => {
    const result = await runTool(context, 'helm', {
      file: helm.path,
      args: ['template', ...flags, ...valueFlags, '--', source.release, location],
    });
    if (result.exitCode !== 0) fail(helmProblem(result.stderr, chart, tree));
    const text =
      kustomize === undefined
        ? result.stdout
        : await postRender(result.stdout, postRenderers, {
            context,
            kustomize,
            includeHooks: helm.version.startsWith('4.'),
          });
    const { manifests } = parseManifests(text, { redactKey: context.redactKey, memo });
    return { manifests, warnings: warningsOf(result.stderr) };
  };

  return {
    key,
    persistent: true,
    async run() {
      const [location, valueFlags] = [await chart.location(), await values.flags()];
      if (!values.mayBeRandom() && !(await chart.mayBeRandom())) return once(location, valueFlags);
      const [first, second] = await Promise.all([once(location, valueFlags), once(location, valueFlags)]);
      return maskDifferences(first, second);
    },
    locate: (rendered) => locate(rendered, chart, tree),
  };
}

function flagsOf(source: HelmSource, settings: SourceSettings): readonly string[] {
  const kubeVersion = plainVersion(source.kubeVersion ?? settings.kubeVersion);
  const apiVersions = source.apiVersions ?? settings.apiVersions ?? [];
  return [
    ...(source.namespace === undefined || source.namespace === '' ? [] : [`--namespace=${source.namespace}`]),
    ...(kubeVersion === undefined ? [] : [`--kube-version=${kubeVersion}`]),
    ...(apiVersions.length === 0 ? [] : [`--api-versions=${apiVersions.join(',')}`]),
    ...(source.includeCrds ? ['--include-crds'] : []),
    ...(source.skipTests === true ? ['--skip-tests'] : []),
    ...(source.skipSchemaValidation === true ? ['--skip-schema-validation'] : []),
    ...(source.isUpgrade === true ? ['--is-upgrade'] : []),
  ];
}

/** Only the digits reach helm: `v1.34.3-gke.100` is `1.34.3` (Argo CD parseKubeVersion, reposerver/repository). */
export function plainVersion(version: string | undefined): string | undefined {
  return version === undefined ? undefined : /^v?(\d+\.\d+(?:\.\d+)?)/.exec(version)?.[1];
}

/** What helm says of values that do not fit together; the notes about symbolic links say nothing new. */
function warningsOf(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => /coalesce\.go|level=WARN|^WARNING:/.test(line) && !/kubeconfig/i.test(line))
    .map((line) => line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, '').trim())
    .slice(0, 20);
}

function locate(rendered: Rendered, chart: PreparedChart, tree: Tree): Rendered {
  const files = new Map<string, string | undefined>();
  const manifests = rendered.manifests.map((manifest) => {
    const { template } = manifest.provenance;
    if (template === undefined) return manifest;
    if (!files.has(template)) files.set(template, treeFileOf(template, chart, tree));
    const file = files.get(template);
    return file === undefined ? manifest : { ...manifest, provenance: { ...manifest.provenance, file } };
  });
  return { ...rendered, manifests };
}

/**
 * Flux `valuesFiles`: the files are merged in order and take the place of the chart's values.yaml (source-controller,
 * internal/helm/chart builder). Paths are relative to the source root, for a fetched chart to the chart.
 */
function withValuesFiles(chart: PreparedChart, source: HelmSource, tree: Tree, context: RenderContext): PreparedChart {
  const wanted = source.chartValuesFiles;
  if (wanted === undefined || wanted.files.length === 0) return chart;
  if (chart.treePath === undefined) {
    return fail({
      kind: 'unsupported',
      message: 'valuesFiles of a chart that is not in this repository',
      next: 'Put the values into the HelmRelease, or mirror the chart as a folder of this repository.',
    });
  }
  let merged: JsonObject = {};
  for (const file of wanted.files) {
    const path = insideTree(file, 'The values file');
    const text = tree.readText(path);
    if (text === undefined) {
      if (wanted.ignoreMissing) continue;
      fail({ kind: 'render', message: `The values file ${path} of the chart does not exist` });
    }
    merged = mergeMaps(merged, readValues(text, path));
  }
  const values = JSON.stringify(merged);
  const digest = digestOf([chart.digest, values]);
  return {
    ...chart,
    digest,
    location: () =>
      context.workspace.folder(`values ${digest}`, async (folder) => {
        await copyInto(await chart.location(), folder);
        await writeAtomically(join(folder, 'values.yaml'), values);
      }),
  };
}

function readValues(text: string, path: string): JsonObject {
  try {
    const value = readDocuments(text)[0]?.value ?? null;
    return isObject(value) ? value : {};
  } catch (error) {
    return fail({
      kind: 'render',
      message: `The values file ${path} cannot be read: ${messageOf(error)}`,
      location: { file: path },
    });
  }
}

/** fluxcd/pkg/chartutil MergeMaps: mappings are merged, everything else is replaced. */
export function mergeMaps(base: JsonObject, over: JsonObject): JsonObject {
  const result: JsonObject = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below: Json | undefined = Object.hasOwn(result, key) ? result[key] : undefined;
    const merged = isObject(value) && isObject(below) ? mergeMaps(below, value) : value;
    Object.defineProperty(result, key, { value: merged, enumerable: true, configurable: true, writable: true });
  }
  return result;
}
