import { Type } from 'typebox';
import type { HelmSource, Target } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { listAt, stringAt } from '../kit/pods.ts';

function helmSource(target: Target | undefined): HelmSource | undefined {
  const [source] = target?.sources ?? [];
  return source?.type === 'helm' ? source : undefined;
}

function chartName(source: HelmSource): string {
  const { chart } = source;
  const path = chart.from === 'repository' ? chart.name : chart.from === 'oci' ? chart.url : chart.path;
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Changes of a HelmRelease that make helm-controller uninstall the release and install another one. */
function* releaseIdentity(context: RuleContext<unknown>, before: Target, after: Target): Iterable<Problem> {
  const was = helmSource(before);
  const now = helmSource(after);
  const ref = after.declaredBy;
  if (was === undefined || now === undefined || ref?.kind !== 'HelmRelease') return;
  const changes = [
    { field: '/spec/releaseName', from: was.release, to: now.release },
    { field: '/spec/targetNamespace', from: was.namespace ?? '', to: now.namespace ?? '' },
    { field: '/spec/chart/spec/chart', from: chartName(was), to: chartName(now) },
  ].filter(({ from, to }) => from !== to);
  const [first] = changes;
  if (first === undefined) return;
  const live = context.live(before.scope);
  const namespace = was.namespace ?? ref.namespace ?? 'default';
  const stored = live?.helmReleases().filter((record) => record.name === was.release && record.namespace === namespace);
  // Nothing was ever installed under the old name: nothing is uninstalled.
  if (stored?.length === 0 && live?.covers('helm', 'Release', namespace) === true) return;
  const newest = stored?.toSorted((left, right) => right.revision - left.revision)[0];
  yield {
    resource: ref,
    target: after.id,
    path: first.field,
    location: after.origin,
    message: `HelmRelease ${ref.name} changes its ${changes.map(({ field, from, to }) => `${field.slice(6)} from ${from} to ${to}`).join(' and ')}: helm-controller uninstalls the old release, with everything in it, before it installs the new one.`,
    ...(newest === undefined ? {} : { confidence: 'proven' as const }),
    evidence: {
      before: first.from,
      after: first.to,
      facts:
        newest === undefined
          ? []
          : [
              `live: release ${namespace}/${newest.name} is ${newest.status} in revision ${newest.revision} (${newest.chart} ${newest.chartVersion})`,
            ],
    },
    fix: `Keep the identity of HelmRelease ${ref.name}, or add a second HelmRelease and remove this one after the move; for the chart name alone set spec.upgrade.chartNameChangeStrategy: InPlaceUpdate.`,
  };
}

/** What a Kustomization reads: two of them with the same answer manage the same objects. */
function readsOf(target: Target): string | undefined {
  const [source] = target.sources;
  return source?.type === 'kustomize' ? source.path : undefined;
}

/**
 * What the inventory of a live Kustomization holds: ids of the form `namespace_name_group_kind` (fluxcd/cli-utils
 * object.ObjMetadata).
 */
function inventoryFacts(live: unknown): string[] {
  const entries = listAt(live, 'status', 'inventory', 'entries');
  if (entries.length === 0) return [];
  const claims = entries.filter((entry) => (stringAt(entry, 'id') ?? '').endsWith('__PersistentVolumeClaim')).length;
  return [
    `live: its inventory holds ${entries.length} objects${claims === 0 ? '' : `, ${claims} of them volume claims`}`,
  ];
}

/** A pruning Kustomization that goes away while another one, new in this change, reads the same path. */
function* renamed(context: RuleContext<unknown>, gone: Target): Iterable<Problem> {
  const ref = gone.declaredBy;
  const path = readsOf(gone);
  if (ref?.kind !== 'Kustomization' || path === undefined || gone.apply.onRemoval !== 'deletes-objects') return;
  const heir = [...context.targets.after.values()].find(
    (target) =>
      target.engine === 'flux' &&
      target.scope === gone.scope &&
      !context.targets.before.has(target.id) &&
      target.declaredBy?.kind === 'Kustomization' &&
      readsOf(target) === path,
  );
  if (heir === undefined) return;
  yield {
    resource: ref,
    target: gone.id,
    path: '/metadata/name',
    location: heir.origin,
    message: `Kustomization ${ref.name} is renamed to ${heir.declaredBy?.name}: Flux does not know that they are the same. Removing the old one deletes every object of its inventory, while the new one creates them again: an outage, and the loss of their volumes.`,
    evidence: {
      before: ref.name,
      after: heir.declaredBy?.name ?? '',
      facts: [
        `both read ${path}`,
        'prune is on, so the finalizer of the old Kustomization deletes its inventory',
        ...inventoryFacts(context.live(gone.scope)?.get(ref.group, ref.kind, ref.namespace, ref.name)),
      ],
    },
    fix: `Set spec.prune: false (or deletionPolicy: Orphan) on Kustomization ${ref.name} and let it reconcile, then rename it, then turn prune on again.`,
  };
}

const kustomization = (name: string, onRemoval: 'deletes-objects' | 'keeps-objects'): Partial<Target> => ({
  id: `flux:production/Kustomization/flux-system/${name}`,
  name,
  engine: 'flux',
  declaredBy: {
    group: 'kustomize.toolkit.fluxcd.io',
    version: 'v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name,
  },
  sources: [
    { type: 'kustomize', path: 'apps/production', loadRestrictions: 'none', enableHelm: false, generate: true },
  ],
  apply: { mode: 'server-side', prune: onRemoval === 'deletes-objects', automated: true, onRemoval },
});

const release = (over: Partial<HelmSource>): Partial<Target> => ({
  id: 'flux:production/HelmRelease/shop/shop',
  name: 'shop',
  engine: 'flux',
  declaredBy: { group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease', namespace: 'shop', name: 'shop' },
  sources: [
    {
      type: 'helm',
      chart: { from: 'tree', path: 'charts/shop' },
      release: 'shop',
      namespace: 'shop',
      values: [],
      set: [],
      includeCrds: false,
      ...over,
    },
  ],
  apply: { mode: 'helm', prune: true, automated: true, onRemoval: 'deletes-objects' },
});

const stored = (name: string) => `apiVersion: gate/v1
kind: HelmRelease
namespace: shop
name: ${name}
revision: 12
status: deployed
chart: shop
chartVersion: 2.1.0
apis: [apps/v1/Deployment]
`;

export default defineRule({
  id: 'flux-identity-change',
  since: '0.1.0',
  family: 'Flux and ordering',
  title: 'Flux object changes its identity',
  severity: 'critical',
  reversibility: 'hard',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['kustomize.toolkit.fluxcd.io/Kustomization', 'helm.toolkit.fluxcd.io/HelmRelease'],
  live: ['helm/Release', 'kustomize.toolkit.fluxcd.io/Kustomization'],
  summary:
    'A Kustomization is renamed or a HelmRelease gets another release: Flux deletes everything and creates it anew.',
  docs: {
    why: 'Flux keeps the inventory of a Kustomization under its name; when the object goes away with prune on, its finalizer deletes the inventory. A HelmRelease whose release name, target namespace, storage namespace or chart name changes is uninstalled first (helm-controller, "Configuring the release").',
    fix: 'Orphan first (`prune: false` or `deletionPolicy: Orphan`), then rename, then turn prune on again.',
    ignoreWhen: 'The objects hold no data and an outage during the move is acceptable.',
  },
  references: ['https://github.com/fluxcd/flux2/issues/3316', 'https://fluxcd.io/flux/components/helm/helmreleases/'],
  options: Type.Object({}),
  examples: [
    {
      name: 'a Kustomization with prune is renamed',
      moreTargets: {
        before: [kustomization('apps', 'deletes-objects')],
        after: [kustomization('apps-prod', 'deletes-objects')],
      },
      expect: [{ resource: 'Kustomization/flux-system/apps', path: '/metadata/name' }],
    },
    {
      name: 'the old Kustomization does not prune',
      moreTargets: {
        before: [kustomization('apps', 'keeps-objects')],
        after: [kustomization('apps-prod', 'deletes-objects')],
      },
      expect: [],
    },
    {
      name: 'a HelmRelease gets another release name',
      moreTargets: { before: [release({})], after: [release({ release: 'web-shop' })] },
      expect: [{ resource: 'HelmRelease/shop/shop', path: '/spec/releaseName' }],
    },
    {
      name: 'the same, and the release is in the cluster',
      moreTargets: { before: [release({})], after: [release({ release: 'web-shop' })] },
      live: stored('shop'),
      expect: [{ confidence: 'proven' }],
    },
    {
      name: 'the release was never installed under the old name',
      moreTargets: { before: [release({})], after: [release({ release: 'web-shop' })] },
      live: stored('search'),
      expect: [],
    },
    {
      name: 'only the values of a HelmRelease change',
      moreTargets: {
        before: [release({})],
        after: [release({ values: [{ kind: 'inline', values: { replicas: 3 }, label: 'spec.values' }] })],
      },
      expect: [],
    },
  ],
  *check(context) {
    for (const before of context.targets.before.values()) {
      if (before.engine !== 'flux') continue;
      const after = context.targets.after.get(before.id);
      if (after === undefined) yield* renamed(context, before);
      else yield* releaseIdentity(context, before, after);
    }
  },
});
