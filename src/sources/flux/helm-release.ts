import { createHash } from 'node:crypto';
import type { HelmSource, JsonObject, RenderSource, Target } from '../../core/model.ts';
import { inputsMayDeclareTargets, mayDeclareTargets, remoteChartRendersTargets } from '../argocd/renders-targets.ts';
import { asObject, get, objects, text } from '../argocd/values.ts';
import { chartInputs } from '../closure.ts';
import { tidyInputs } from '../tree-paths.ts';
import { chartOf, type ResolvedChart } from './charts.ts';
import { commonMetadataOf, dependenciesOf, identityOf } from './identity.ts';
import type { FluxSurroundings } from './kustomization.ts';
import { postRenderersOf } from './kustomize-edits.ts';
import type { FluxObject } from './objects.ts';
import { valuesOf, type HelmReleaseValues } from './values.ts';

/**
 * Turns a HelmRelease into a target. Never throws for odd input.
 *
 * It is rendered as an upgrade, because that is what a change does to a release that exists. CRDs of the chart's
 * `crds/` directory are rendered only when `upgrade.crds` is Create or CreateReplace: the default on upgrade is Skip,
 * and to show a changed CRD that Flux will not apply would be wrong. A new release therefore shows no CRDs, although
 * its installation creates them.
 *
 * Flux 2.8 and later use Helm 4, which applies new releases server-side; releases that exist keep their way.
 */
export function helmReleaseTarget(item: FluxObject, around: FluxSurroundings): Target {
  const { context, index, sources, clusters } = around;
  const spec = asObject(get(item.object, 'spec'));
  const chart = chartOf(item, index, sources);
  const values = valuesOf(item, index, context);
  const paths = chart.ok && chart.chart.from === 'tree' ? [chart.chart.path] : [];
  const full = identityOf(item, clusters, context, paths);
  const { namespace, home: _home, ...identity } = full;
  const releaseNamespace = text(get(spec, 'targetNamespace')) ?? namespace;
  const commonMetadata = commonMetadataOf(item.object);
  const suspended = get(spec, 'suspend') === true;
  const ignoreDifferences = objects(get(spec, 'driftDetection', 'ignore'));
  const dependsOn = dependenciesOf(item, full);
  const read = chart.ok ? readsOf(chart, around) : [];
  const declared = [...(item.parent === undefined ? [item.location.file] : []), ...values.files];
  return {
    ...identity,
    sources: [sourceOf(spec, item.name, releaseNamespace, chart, values)],
    afterRender: { defaultNamespace: releaseNamespace, ...(commonMetadata === undefined ? {} : { commonMetadata }) },
    apply: {
      mode: 'helm',
      prune: true,
      automated: !suspended,
      selfHeal: !suspended && get(spec, 'driftDetection', 'mode') === 'enabled',
      ...(get(spec, 'upgrade', 'force') === true ? { force: true } : {}),
      ...(suspended ? { suspended: true } : {}),
      ...(ignoreDifferences.length === 0 ? {} : { ignoreDifferences }),
      ...(dependsOn.length === 0 ? {} : { dependsOn }),
      // helmrelease_controller.go, reconcileDelete: a suspended release is not uninstalled.
      onRemoval: suspended ? 'keeps-objects' : 'deletes-objects',
    },
    inputs: read === 'unknown' ? 'unknown' : tidyInputs([...read, ...declared]),
    rendersTargets: rendersTargets(chart, read, values, around),
    ...(chart.ok && chart.unaffectedBecause !== undefined ? { unaffectedBecause: chart.unaffectedBecause } : {}),
  };
}

function sourceOf(
  spec: JsonObject | undefined,
  name: string,
  releaseNamespace: string,
  chart: ResolvedChart,
  values: HelmReleaseValues,
): RenderSource {
  if (!chart.ok) return chart.unsupported;
  const postRenderers = postRenderersOf(spec);
  const source: HelmSource = {
    type: 'helm',
    chart: chart.chart,
    release: releaseNameOf(spec, name),
    namespace: releaseNamespace,
    values: values.layers,
    set: values.set,
    includeCrds: ['Create', 'CreateReplace'].includes(text(get(spec, 'upgrade', 'crds')) ?? 'Skip'),
    skipTests: get(spec, 'test', 'enable') !== true,
    isUpgrade: true,
    ...(chart.valuesFiles === undefined ? {} : { chartValuesFiles: chart.valuesFiles }),
    ...(get(spec, 'upgrade', 'disableSchemaValidation') === true ? { skipSchemaValidation: true } : {}),
    ...(postRenderers === undefined ? {} : { postRenderers }),
  };
  return source;
}

/**
 * `releaseName`, else `[<targetNamespace>-]<name>`; a name of more than 53 characters is cut to 40, a hyphen and
 * 12 hexadecimal digits of its SHA-256 (helm-controller internal/release/name.go, ShortenName).
 */
export function releaseNameOf(spec: JsonObject | undefined, name: string): string {
  const targetNamespace = text(get(spec, 'targetNamespace'));
  const full = text(get(spec, 'releaseName')) ?? (targetNamespace === undefined ? name : `${targetNamespace}-${name}`);
  if (full.length <= 53) return full;
  return `${full.slice(0, 40)}-${createHash('sha256').update(full).digest('hex').slice(0, 12)}`;
}

function readsOf(chart: ResolvedChart & { ok: true }, around: FluxSurroundings): readonly string[] | 'unknown' {
  if (chart.chart.from !== 'tree') return [];
  const inputs = chartInputs(around.context.tree, chart.chart.path);
  return inputs === 'unknown' ? inputs : [...inputs, ...(chart.valuesFiles?.files ?? [])];
}

function rendersTargets(
  chart: ResolvedChart,
  read: readonly string[] | 'unknown',
  values: HelmReleaseValues,
  around: FluxSurroundings,
): boolean {
  if (!chart.ok) return false;
  if (values.layers.some((layer) => layer.kind === 'inline' && mayDeclareTargets(JSON.stringify(layer.values))))
    return true;
  if (chart.chart.from === 'tree') return inputsMayDeclareTargets(around.context.tree, read);
  const name =
    chart.chart.from === 'repository'
      ? chart.chart.name
      : (chart.chart.from === 'oci' ? chart.chart.url : chart.chart.path).split('/').at(-1);
  return remoteChartRendersTargets(name ?? '');
}
