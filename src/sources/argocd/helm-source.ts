import type { ChartRef, HelmSource, JsonObject, SetValue, UnsupportedSource, ValuesLayer } from '../../core/model.ts';
import { chartInputs } from '../closure.ts';
import { substitute } from './env.ts';
import type { BuiltSource } from './source.ts';
import { asArray, asObject, get, objects, scalarText, text, texts } from './values.ts';
import { resolveFile, resolveValueFiles } from './value-files.ts';
import type { ValueFileContext } from './value-files.ts';

export interface HelmApplication {
  /** Application name without namespace: the default release name. */
  readonly name: string;
  readonly destinationNamespace: string | undefined;
  /** `spec.source.helm` or `spec.sources/0/helm`, for messages. */
  readonly label: string;
}

/**
 * `helm template` as Argo CD runs it (repository.go helmTemplate, util/helm/cmd.go template).
 * @param source the source with overrides merged
 */
export function buildHelmSource(
  source: JsonObject,
  chart: ChartRef,
  application: HelmApplication,
  context: ValueFileContext,
): BuiltSource {
  const helm = asObject(get(source, 'helm'));
  const ignoreMissing = get(helm, 'ignoreMissingValueFiles') === true;
  const files = resolveValueFiles(texts(get(helm, 'valueFiles')), ignoreMissing, context);
  const closure = chart.from === 'tree' ? chartInputs(context.tree, chart.path) : [];
  const inputs = closure === 'unknown' ? closure : [...closure, ...files.inputs];
  const unsupported = (reason: string): BuiltSource => ({ source: refusal(reason), inputs, inlineText: '' });
  if (files.refused !== undefined) return unsupported(files.refused);
  const set = parameters(helm, context);
  if (typeof set === 'string') return unsupported(set);
  const inline = inlineValues(helm, application.label);
  const namespace = text(get(helm, 'namespace')) ?? application.destinationNamespace;
  const kubeVersion = text(get(helm, 'kubeVersion'));
  const apiVersions = texts(get(helm, 'apiVersions'));
  const built: HelmSource = {
    type: 'helm',
    chart,
    release: text(get(helm, 'releaseName')) ?? application.name,
    ...(namespace === undefined ? {} : { namespace }),
    values: inline === undefined ? files.layers : [...files.layers, inline],
    // Argo CD adds these on top of the chart's own values.yaml, which is read first in any case.
    ...(files.chartFiles.length === 0
      ? {}
      : { chartValuesFiles: { files: ['values.yaml', ...files.chartFiles], ignoreMissing } }),
    set: set.values,
    includeCrds: get(helm, 'skipCrds') !== true,
    skipTests: get(helm, 'skipTests') === true,
    skipSchemaValidation: get(helm, 'skipSchemaValidation') === true,
    ...(kubeVersion === undefined ? {} : { kubeVersion: kubeVersion.replace(/^v/, '') }),
    ...(apiVersions.length === 0 ? {} : { apiVersions }),
  };
  return {
    source: built,
    inputs: inputs === 'unknown' ? inputs : [...inputs, ...set.files],
    inlineText:
      inline === undefined ? '' : inline.kind === 'text' ? inline.yaml : JSON.stringify(get(helm, 'valuesObject')),
  };
}

function refusal(reason: string): UnsupportedSource {
  return { type: 'unsupported', reason: `Argo CD cannot render it: ${reason}`, next: 'Correct the Application.' };
}

/** `valuesObject` wins over `values`; they do not merge (types values.go ValuesYAML). */
function inlineValues(
  helm: JsonObject | undefined,
  label: string,
): Extract<ValuesLayer, { kind: 'inline' | 'text' }> | undefined {
  const object = get(helm, 'valuesObject');
  if (object !== undefined && object !== null) {
    return { kind: 'inline', values: asObject(object) ?? {}, label: `${label}.valuesObject` };
  }
  const yaml = text(get(helm, 'values'));
  return yaml === undefined ? undefined : { kind: 'text', yaml, label: `${label}.values` };
}

/**
 * `--set`, `--set-string`, `--set-file` values, substituted; for each kind the last of a name counts. Commas are
 * escaped where the flag is written (`render/helm-values.ts`).
 */
function parameters(
  helm: JsonObject | undefined,
  context: ValueFileContext,
): { readonly values: readonly SetValue[]; readonly files: readonly string[] } | string {
  const byKey = new Map<string, SetValue>();
  for (const parameter of objects(get(helm, 'parameters'))) {
    const name = text(get(parameter, 'name'));
    if (name === undefined) continue;
    const type = get(parameter, 'forceString') === true ? 'set-string' : 'set';
    const value = substitute(scalarText(get(parameter, 'value')) ?? '', context.environment);
    byKey.set(`${type} ${name}`, { name, value, type });
  }
  const files: string[] = [];
  for (const parameter of asArray(get(helm, 'fileParameters'))) {
    const object = asObject(parameter);
    const name = text(get(object, 'name'));
    const path = text(get(object, 'path'));
    if (name === undefined || path === undefined) continue;
    const file = resolveFile(path, context);
    if (file.kind === 'refused') return file.reason;
    if (file.kind !== 'tree') return `the file parameter ${name} reads ${path}, which is not in this tree`;
    byKey.set(`set-file ${name}`, { name, value: file.path, type: 'set-file' });
    files.push(file.path);
  }
  return { values: [...byKey.values()], files };
}
