import type { HelmReleaseRecord } from '../../core/cluster.ts';
import type { Target } from '../../core/model.ts';
import type { LiveWorld, Problem, RuleContext } from '../../core/rule.ts';
import { compareVersions, removalOf } from './removed-apis.ts';
import { served } from './served.ts';
import { unitName, unitRef } from './units.ts';

/**
 * Releases that this change upgrades, and whose stored manifest holds an API that the cluster no longer serves. Helm
 * builds the objects of the present release before it compares, and gives up: "unable to build kubernetes objects from
 * current release manifest: ... no matches for kind" (helm.sh/helm/v3 pkg/action/upgrade.go performUpgrade).
 */
export function* brokenStoredReleases(context: RuleContext<unknown>): Iterable<Problem> {
  const touched = new Set(context.changes.map(({ target }) => target));
  for (const id of touched) {
    const target = context.targets.after.get(id);
    const before = context.targets.before.get(id);
    if (target === undefined || before === undefined || target.apply.mode !== 'helm') continue;
    const live = context.live(target.scope);
    const record = live === undefined ? undefined : presentRelease(target, live);
    if (live === undefined || record === undefined) continue;
    const gone = record.apis.filter((api) => isGone(context, target, live, api));
    const [first] = gone;
    if (first === undefined) continue;
    const [apiVersion, kind] = split(first);
    const proven = served(live, apiVersion, kind) === false;
    yield {
      resource: unitRef(target),
      target: target.id,
      path: '',
      location: target.origin,
      message: `The manifest of Helm release ${record.namespace}/${record.name} (revision ${record.revision}), which this change upgrades, holds ${gone.slice(0, 3).join(', ')}${gone.length > 3 ? ` and ${gone.length - 3} more` : ''}: the cluster no longer serves that API, and Helm fails to build the objects of the present release before it applies anything of ${unitName(target)}.`,
      severity: 'high',
      confidence: proven ? 'proven' : 'determined',
      willNotApply: true,
      evidence: {
        live: [...record.apis],
        facts: [`stored by Helm when ${record.chart} ${record.chartVersion} was installed`],
      },
      fix: `Rewrite the API versions in the stored release first, for example with the mapkubeapis plugin of Helm: helm mapkubeapis ${record.name} --namespace ${record.namespace}.`,
      rootCause: `stored-release:${target.scope}/${record.namespace}/${record.name}`,
    };
  }
}

/** The revision that Helm takes as the present one: the newest deployed, else the newest. */
function presentRelease(target: Target, live: LiveWorld): HelmReleaseRecord | undefined {
  const source = target.sources.find((candidate) => candidate.type === 'helm');
  if (source?.type !== 'helm') return undefined;
  const namespace = source.namespace ?? target.afterRender.defaultNamespace ?? 'default';
  const records = live
    .helmReleases()
    .filter((record) => record.name === source.release && record.namespace === namespace)
    .toSorted((left, right) => right.revision - left.revision);
  return records.find(({ status }) => status === 'deployed') ?? records[0];
}

function isGone(context: RuleContext<unknown>, target: Target, live: LiveWorld, api: string): boolean {
  const [apiVersion, kind] = split(api);
  const removal = removalOf(apiVersion, kind);
  if (removal === undefined) return false;
  const listed = served(live, apiVersion, kind);
  if (listed !== undefined) return !listed;
  const version = context.kubernetesVersion(target);
  return version !== undefined && compareVersions(version, removal.removedIn) >= 0;
}

/** `policy/v1beta1/PodDisruptionBudget` */
function split(api: string): readonly [apiVersion: string, kind: string] {
  const slash = api.lastIndexOf('/');
  return [api.slice(0, slash), api.slice(slash + 1)];
}
