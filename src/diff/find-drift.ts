import type { DriftEntry, Entry, KubeObject, NotEvaluated, Target } from '../core/model.ts';
import { driftOf, type DriftRemark } from './drift.ts';
import { describe } from './identity.ts';
import { argoSettings, type ArgoSettings, defaultSettings } from './ignore/argocd-settings.ts';
import type { KindSchema } from './list-keys.ts';
import { clusterKindsOf, type LiveIndex } from './live.ts';
import { isHook } from './match.ts';
import type { Scalers } from './scalers.ts';

interface Surroundings {
  readonly live: (scope: string) => LiveIndex | undefined;
  readonly scalers: (scope: string) => Scalers;
  readonly schemaOf: (apiVersion: string, kind: string) => KindSchema;
  readonly statusData: ReadonlySet<string>;
  readonly crds: readonly KubeObject[];
  /** Of both sides. */
  readonly entries: readonly Entry[];
}

/**
 * What every cluster holds otherwise than the before side of its targets.
 * @param before objects of targets that rendered on all sides on which they exist
 */
export function findDrift(
  before: readonly Entry[],
  around: Surroundings,
): { readonly drift: readonly DriftEntry[]; readonly notes: readonly NotEvaluated[] } {
  const drift: DriftEntry[] = [];
  const notes = new Notes();
  const clusterKinds = clusterKindsOf(around.crds);
  const settingsOf = settingsByScope(around);
  for (const entry of before) {
    const index = around.live(entry.target.scope);
    if (index === undefined || isHook(entry)) continue;
    const { group, kind } = entry.ref;
    const settings = entry.target.engine === 'argocd' ? settingsOf(entry.target.scope) : defaultSettings;
    for (const key of settings.unreadable) notes.add({ topic: 'rules', about: key }, entry);
    const ignoresStatus = entry.target.engine === 'argocd' && settings.ignoreStatus === 'all';
    const found = driftOf(entry, {
      index,
      settings,
      clusterKinds,
      scalers: around.scalers(entry.target.scope),
      keepsStatus: !ignoresStatus && around.statusData.has(`${group}/${kind}`),
      schema: around.schemaOf(entry.object.apiVersion, kind),
    });
    if (found.drift !== undefined) drift.push(found.drift);
    for (const remark of found.remarks) notes.add(remark, entry);
  }
  return { drift, notes: notes.all() };
}

/** The settings of the Argo CD in the cluster, else those that a target renders. */
function settingsByScope(around: Surroundings): (scope: string) => ArgoSettings {
  const cache = new Map<string, ArgoSettings>();
  const isSettings = ({ kind, metadata }: KubeObject): boolean => kind === 'ConfigMap' && metadata.name === 'argocd-cm';
  return (scope) => {
    let settings = cache.get(scope);
    if (settings === undefined) {
      const live = around.live(scope)?.objects.find(isSettings);
      settings = argoSettings(live ?? around.entries.find(({ object }) => isSettings(object))?.object);
      cache.set(scope, settings);
    }
    return settings;
  };
}

/** Remarks of many objects, joined: one note per target and topic. */
class Notes {
  private readonly found = new Map<string, { remark: DriftRemark; target: Target; objects: string[] }>();

  add(remark: DriftRemark, { target, ref }: Entry): void {
    const key = `${target.id}\0${remark.topic}\0${remark.about}`;
    const known = this.found.get(key);
    const name = describe(ref);
    if (known === undefined) this.found.set(key, { remark, target, objects: [name] });
    else if (!known.objects.includes(name)) known.objects.push(name);
  }

  all(): NotEvaluated[] {
    return [...this.found.values()].map(({ remark, target, objects }) => {
      const shown =
        objects.length > 3 ? `${objects.slice(0, 3).join(', ')} and ${objects.length - 3} more` : objects.join(', ');
      return { what: `drift of ${target.name}`, target: target.id, weight: 'note', ...sentence(remark, shown) };
    });
  }
}

function sentence({ topic, about }: DriftRemark, objects: string): { readonly reason: string; readonly next?: string } {
  switch (topic) {
    case 'rules':
      return {
        reason: `the ignore rule ${JSON.stringify(about)} could not be evaluated, so what it hides may be listed as drift of ${objects}`,
      };
    case 'managers':
      return {
        reason: `fields of ${about} are ignored by managedFieldsManagers, and ${objects} was read without its managed fields, so its fields were not compared`,
        next: 'Take the snapshot with `gate snapshot`, or with `kubectl get --show-managed-fields`.',
      };
    case 'scaled':
      return { reason: `spec.replicas of ${objects} was not compared: ${about} decides it` };
    case 'secrets':
      return {
        reason: `the values of ${objects} were not compared, only their keys: the snapshot was taken with another fingerprint key`,
        next: 'Set GATE_FINGERPRINT_KEY to the same text in both places.',
      };
    case 'version':
      return {
        reason: `the fields of ${objects} were not compared: ${about}`,
        next: 'Read the objects in the version that Git uses (kubectl get <resource>.<version>.<group>).',
      };
    case 'no-field':
      return { reason: `${about} of ${objects} is in Git and is no field of the API, so no server stores it` };
    case 'dropped':
      return {
        reason: `a field of ${objects} is in Git but not stored: this API server does not have ${about} switched on`,
      };
  }
}
