import { Type } from 'typebox';
import type { ResourceRef, Target } from '../../core/model.ts';
import { defineRule, type RuleContext } from '../../core/rule.ts';
import { listAt, stringAt } from '../kit/pods.ts';

interface GeneratedSet {
  readonly ref: ResourceRef;
  readonly members: Target[];
}

/** Targets of a side by the ApplicationSet that generates them. */
function generatedSets(targets: ReadonlyMap<string, Target>): ReadonlyMap<string, GeneratedSet> {
  const sets = new Map<string, GeneratedSet>();
  for (const target of targets.values()) {
    const ref = target.declaredBy;
    if (ref?.kind !== 'ApplicationSet') continue;
    const key = `${ref.namespace ?? ''}/${ref.name}`;
    const set = sets.get(key);
    if (set === undefined) sets.set(key, { ref, members: [target] });
    else set.members.push(target);
  }
  return sets;
}

/** `applicationsSync: create-only | create-update` keeps the Application; without its finalizer the objects stay. */
function survives(target: Target): boolean {
  return target.apply.onRemoval === 'keeps-target' || target.apply.onRemoval === 'keeps-objects';
}

/** What the lost Applications own in the cluster, by their status. */
function ownedFacts(context: RuleContext<unknown>, set: ResourceRef, lost: readonly Target[]): string[] {
  const owned = lost.flatMap((target) =>
    listAt(
      context.live(target.scope)?.get('argoproj.io', 'Application', set.namespace, target.name),
      'status',
      'resources',
    ),
  );
  if (owned.length === 0) return [];
  const claims = owned.filter((resource) => stringAt(resource, 'kind') === 'PersistentVolumeClaim').length;
  const workloads = owned.filter((resource) =>
    ['Deployment', 'StatefulSet', 'DaemonSet'].includes(stringAt(resource, 'kind') ?? ''),
  ).length;
  return [`live: they own ${owned.length} objects, among them ${workloads} workloads and ${claims} volume claims`];
}

const member = (name: string, more: Partial<Target> = {}): Partial<Target> => ({
  id: `argocd:argocd/${name}`,
  name,
  declaredBy: { group: 'argoproj.io', version: 'v1alpha1', kind: 'ApplicationSet', namespace: 'argocd', name: 'cells' },
  apply: { mode: 'client-side', prune: true, automated: true, onRemoval: 'deletes-objects' },
  ...more,
});

const keeps = { apply: { mode: 'client-side', prune: true, automated: true, onRemoval: 'keeps-target' } } as const;

export default defineRule({
  id: 'applicationset-shrinks',
  since: '0.1.0',
  family: 'Argo CD',
  title: 'ApplicationSet loses Applications',
  severity: 'critical',
  reversibility: 'hard',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['argoproj.io/ApplicationSet'],
  live: ['argoproj.io/Application'],
  summary:
    'An ApplicationSet generates fewer Applications than before; the controller deletes the others with all they own.',
  docs: {
    why: 'The ApplicationSet controller owns the Applications that it generated: with the default policy `sync` it deletes those that a generator no longer yields, and the resources finalizer that it sets by default makes each deletion cascade to every object of the Application. A changed name template deletes all of them and creates all of them anew.',
    fix: 'Set `syncPolicy.applicationsSync: create-update` or `preserveResourcesOnDeletion: true` before the edit, check what is generated, then remove the Applications deliberately.',
    ignoreWhen: 'The Applications are meant to go away, for example preview environments.',
  },
  references: [
    'https://github.com/argoproj/argo-cd/issues/9227',
    'https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Controlling-Resource-Modification/',
  ],
  options: Type.Object({}),
  examples: [
    {
      name: 'the list of elements becomes empty',
      moreTargets: { before: [member('cell-a'), member('cell-b'), member('cell-c')] },
      expect: [{ resource: 'ApplicationSet/argocd/cells', severity: 'critical', message: 'all 3 Applications' }],
    },
    {
      name: 'the cluster says what the lost Applications own',
      moreTargets: { before: [member('cell-a')] },
      live: `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: cell-a, namespace: argocd}
status:
  resources:
    - {group: apps, version: v1, kind: StatefulSet, namespace: cell-a, name: db, status: Synced}
    - {version: v1, kind: PersistentVolumeClaim, namespace: cell-a, name: data-db-0, status: Synced}
`,
      expect: [{ severity: 'critical' }],
    },
    {
      name: 'the name template changes',
      moreTargets: { before: [member('cell-a'), member('cell-b')], after: [member('eu-cell-a'), member('eu-cell-b')] },
      expect: [{ severity: 'critical', message: 'creates 2 others' }],
    },
    {
      name: 'one of many is removed',
      moreTargets: {
        before: Array.from({ length: 12 }, (_, index) => member(`cell-${index}`)),
        after: Array.from({ length: 11 }, (_, index) => member(`cell-${index}`)),
      },
      expect: [{ severity: 'medium' }],
    },
    {
      name: 'the set may create and update only',
      moreTargets: { before: [member('cell-a', keeps), member('cell-b', keeps)] },
      expect: [],
    },
    {
      name: 'a member is added',
      moreTargets: { before: [member('cell-a')], after: [member('cell-a'), member('cell-b')] },
      expect: [],
    },
  ],
  *check(context) {
    const after = generatedSets(context.targets.after);
    for (const [key, { ref, members }] of generatedSets(context.targets.before)) {
      const lost = members.filter((target) => !context.targets.after.has(target.id) && !survives(target));
      const [first] = lost;
      if (first === undefined) continue;
      const now = after.get(key)?.members ?? [];
      const fresh = now.filter((target) => !context.targets.before.has(target.id));
      const all = lost.length === members.length;
      const many = all || lost.length > Math.max(5, members.length * 0.2);
      const names = lost.slice(0, 8).map((target) => target.name);
      yield {
        resource: ref,
        target: first.id,
        path: '/spec/generators',
        severity: many ? 'critical' : 'medium',
        location: first.origin,
        message:
          `ApplicationSet ${ref.name} no longer generates ${all ? `all ${lost.length}` : `${lost.length} of ${members.length}`} Applications` +
          `${fresh.length > 0 ? ` and creates ${fresh.length} others` : ''}: the controller deletes them, and their finalizer deletes every object they own.`,
        evidence: {
          before: members.length,
          after: now.length,
          facts: [
            `lost: ${names.join(', ')}${lost.length > names.length ? ` and ${lost.length - names.length} more` : ''}`,
            ...ownedFacts(context, ref, lost),
          ],
        },
        blast: { value: Math.min(1, 0.5 + 0.05 * lost.length), reason: `${lost.length} Applications` },
        fix: `Set syncPolicy.applicationsSync: create-update on ApplicationSet ${ref.name} first, compare what it generates, then delete the Applications that really go away.`,
      };
    }
  },
});
