import { Type } from 'typebox';
import type { Confidence, Severity, Target } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { deletionConfidence, deletions, type Deletion } from '../kit/deletions.ts';
import { handovers } from '../kit/handovers.ts';
import { declarationKinds } from '../kit/live-kinds.ts';
import { formatRef } from '../kit/problem.ts';
import { weaker } from '../kit/severity.ts';
import { dataOf } from '../kit/stateful.ts';
import { failedTargetsFact, unitName, unitRef } from '../kit/units.ts';
import { examples } from './examples/mass-deletion.ts';

interface Options {
  readonly allow: number;
  readonly maxCount: number;
  readonly maxShare: number;
  readonly wholeKindFrom: number;
}

/** Most important first, for the list of examples. */
const weights: readonly string[] = [
  'Namespace',
  'CustomResourceDefinition',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'StatefulSet',
  'Application',
  'ApplicationSet',
  'Kustomization',
  'HelmRelease',
  'Ingress',
  'HTTPRoute',
  'Service',
  'Deployment',
  'DaemonSet',
  'CronJob',
  'Secret',
];

function weight({ entry }: Deletion): number {
  if (dataOf(entry) !== undefined) return 2.5;
  const index = weights.indexOf(entry.ref.kind);
  return index === -1 ? weights.length : index;
}

function countByKind(list: readonly Deletion[]): string {
  const counts = new Map<string, number>();
  for (const { entry } of list) counts.set(entry.ref.kind, (counts.get(entry.ref.kind) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 10)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

function important(list: readonly Deletion[]): string {
  return list
    .toSorted((a, b) => weight(a) - weight(b))
    .slice(0, 10)
    .map(({ entry }) => formatRef(entry.ref))
    .join(', ');
}

/** One unit that loses objects. */
interface Unit {
  readonly target: Target;
  readonly gone: readonly Deletion[];
  readonly before: number;
  readonly after: number;
  readonly removed: boolean;
  /** Kinds of which none of several objects is left. */
  readonly kinds: readonly string[];
}

function unitsOf(context: RuleContext<Options>, all: readonly Deletion[]): Unit[] {
  const kindsOf = (entries: typeof context.before.entries) => {
    const byTarget = new Map<string, Map<string, number>>();
    for (const { target, ref } of entries) {
      const kinds = byTarget.get(target.id) ?? new Map<string, number>();
      kinds.set(ref.kind, (kinds.get(ref.kind) ?? 0) + 1);
      byTarget.set(target.id, kinds);
    }
    return byTarget;
  };
  const before = kindsOf(context.before.entries);
  const after = kindsOf(context.after.entries);
  const sum = (kinds: ReadonlyMap<string, number> | undefined) =>
    [...(kinds?.values() ?? [])].reduce((a, b) => a + b, 0);
  return [...Map.groupBy(all, ({ entry }) => entry.target.id)].flatMap(([id, gone]) => {
    const target = gone[0]?.entry.target;
    if (target === undefined) return [];
    const goneKinds = Map.groupBy(gone, ({ entry }) => entry.ref.kind);
    const kinds = [...goneKinds]
      .filter(([kind, list]) => {
        if (list.length < context.options.wholeKindFrom) return false;
        if (after.get(id)?.has(kind) !== true) return true;
        // Others of the kind appear: nobody's heir, or the diff would have found a rename.
        return list.length === before.get(id)?.get(kind) && list.every(({ change }) => change.action === 'removed');
      })
      .map(([kind]) => kind);
    return [
      {
        target,
        gone,
        before: sum(before.get(id)),
        after: sum(after.get(id)),
        removed: !context.targets.after.has(id),
        kinds,
      },
    ];
  });
}

interface Verdict {
  readonly severity: Severity;
  readonly reason: string;
}

/** Thresholds of one unit; undefined: below all of them. */
function judge(unit: Unit, { maxCount, maxShare }: Options): Verdict | undefined {
  const { gone, before } = unit;
  const limit = Math.max(maxCount, Math.floor(before * maxShare));
  const many = gone.length > limit;
  if (unit.removed || unit.after === 0) {
    const reason = unit.removed
      ? `${unitName(unit.target)} is removed as a whole`
      : `${unitName(unit.target)} renders nothing any more`;
    return { severity: many ? 'critical' : 'high', reason };
  }
  if (many)
    return { severity: 'critical', reason: `${unitName(unit.target)} loses ${gone.length} of ${before} objects` };
  if (unit.kinds.length > 0)
    return { severity: 'high', reason: `${unitName(unit.target)} loses every ${unit.kinds.join(' and every ')}` };
  return undefined;
}

function confidenceOf(context: RuleContext<Options>, target: Target, gone: readonly Deletion[]): Confidence {
  const sure = gone.filter(({ outcome }) => outcome === 'deleted').length;
  const [first] = gone;
  const base: Confidence =
    sure * 2 >= gone.length ? 'determined' : first === undefined ? 'likely' : deletionConfidence(first);
  return failedTargetsFact(context, target.scope) === undefined ? base : weaker(base, 'likely');
}

/** Removed units with the same parent (or in the same file) are one thing: an app-of-apps that lost its children. */
function familyOf(target: Target): string {
  return `${target.scope}\u0000${target.parents.at(-1) ?? target.origin.file}`;
}

function problemOf(
  context: RuleContext<Options>,
  units: readonly [Unit, ...Unit[]],
  { severity, reason }: Verdict,
  total: number,
): Problem {
  const [{ target }] = units;
  const gone = units.flatMap((unit) => unit.gone);
  const { allow } = context.options;
  const confidence = confidenceOf(context, target, gone);
  const failed = failedTargetsFact(context, target.scope);
  const whys = [...new Set(gone.map(({ why }) => why))].slice(0, 3);
  return {
    resource: unitRef(target),
    target: target.id,
    path: '',
    location: target.origin,
    message: `${reason}: ${gone.length} ${gone.length === 1 ? 'object is' : 'objects are'} ${confidence === 'determined' ? 'deleted' : 'deleted if pruning is on'} by the sync (${countByKind(gone)}).`,
    severity,
    confidence,
    evidence: {
      before: units.reduce((sum, unit) => sum + unit.before, 0),
      after: units.reduce((sum, unit) => sum + unit.after, 0),
      facts: [
        `among them: ${important(gone)}`,
        ...whys,
        ...(units.length > 1
          ? [
              `units: ${units
                .slice(0, 12)
                .map((unit) => unitName(unit.target))
                .join(', ')}${units.length > 12 ? ` and ${units.length - 12} more` : ''}`,
            ]
          : []),
        `this change deletes ${total} ${total === 1 ? 'object' : 'objects'} in all${allow >= 0 ? `; ${allow} were announced` : ''}`,
        ...(failed === undefined ? [] : [failed]),
      ],
    },
    fix: `If this is meant, announce it: allowMassDelete: ${total}. If not, restore what removed them at ${target.origin.file}${target.origin.line === undefined ? '' : `:${target.origin.line}`}; a refactoring must show no deletion.`,
    // A unit that renders nothing is also reported by render-broken-or-empty: one cause.
    rootCause: `unit-empty:${target.scope}/${target.id}`,
  };
}

export default defineRule<Options>({
  id: 'mass-deletion',
  since: '0.1.0',
  family: 'Data loss and prune',
  title: 'Mass deletion',
  severity: 'critical',
  reversibility: 'hard',
  confidence: 'determined',
  needs: 'transition',
  kinds: [],
  live: [],
  liveOf: declarationKinds,
  summary: 'A unit loses many of its objects, all objects of a kind, or everything.',
  docs: {
    why: 'A small edit can take away a lot: a path that no longer matches, a generator with an empty list, a condition in a values file, a template that renders nothing for one environment. With pruning on, the next sync deletes what is no longer rendered. Argo CD refuses to prune an Application that became empty unless `allowEmpty` is set, but not one that lost most of its objects; Flux does what the tree says.',
    fix: 'State the number of deletions that is meant (`allowMassDelete`), and check that a refactoring deletes nothing.',
    ignoreWhen: 'Something is decommissioned: announce the exact number.',
  },
  references: [
    'Skyscanner, outage of 2021-08-25',
    'ministryofjustice/cloud-platform incident 2020-09-21',
    'https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automatic-pruning-with-allow-empty-v18',
  ],
  options: Type.Object({
    allow: Type.Integer({
      default: -1,
      description: 'Number of deletions that this change announces; equal to the computed number: not reported.',
    }),
    maxCount: Type.Integer({
      default: 5,
      minimum: 0,
      description: 'So many deletions in a unit are never a mass deletion.',
    }),
    maxShare: Type.Number({ default: 0.2, minimum: 0, maximum: 1, description: 'Nor is this share of its objects.' }),
    wholeKindFrom: Type.Integer({
      default: 3,
      minimum: 1,
      description: 'A kind that disappears from a unit counts from this number of objects on.',
    }),
  }),
  examples,
  *check(context) {
    yield* handovers(context);
    const all = deletions(context).filter(({ outcome, change }) => outcome !== 'kept' && change.action === 'removed');
    if (all.length === 0 || context.options.allow === all.length) return;
    const families = new Map<string, Unit[]>();
    for (const unit of unitsOf(context, all)) {
      if (unit.removed) {
        const key = familyOf(unit.target);
        families.set(key, [...(families.get(key) ?? []), unit]);
        continue;
      }
      const verdict = judge(unit, context.options);
      if (verdict !== undefined) yield problemOf(context, [unit], verdict, all.length);
    }
    for (const [first, ...others] of families.values()) {
      if (first === undefined) continue;
      const verdict =
        others.length === 0
          ? judge(first, context.options)
          : {
              severity: 'critical' as const,
              reason: `${others.length + 1} units are removed, ${unitName(first.target)} among them`,
            };
      if (verdict !== undefined) yield problemOf(context, [first, ...others], verdict, all.length);
    }
  },
});
