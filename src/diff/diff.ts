import type {
  DriftEntry,
  Entry,
  FieldChange,
  Impact,
  KubeObject,
  NotEvaluated,
  RenderResult,
  ResourceChange,
  Target,
} from '../core/model.ts';
import { attributed } from './attribute-change.ts';
import { indexSchemas, withCrdDefaults } from './crd-defaults.ts';
import { type CrdIndex, indexCrds, statusIsData } from './crd-lists.ts';
import { entryOf, joinTargets } from './entries.ts';
import { describe } from './identity.ts';
import { findDrift } from './find-drift.ts';
import { fieldImpacts, removedImpact, renamedImpact, worst, worstOf } from './impact.ts';
import { type KindSchema, schemaOf } from './list-keys.ts';
import { indexLive, type LiveIndex, type LiveSide, liveOf } from './live.ts';
import { isHook, matchSides, type Pair } from './match.ts';
import { comparable, isGenerated } from './normalize.ts';
import { propagate } from './propagate.ts';
import { fateOnRemoval } from './removal.ts';
import { indexScalers, type Scalers } from './scalers.ts';
import { takenOver } from './taken-over.ts';
import { differences, sameJson } from './walk.ts';

export interface DiffRequest {
  /** All render results of a side; a target that is absent on one side was added or removed as a whole. */
  readonly before: readonly RenderResult[];
  readonly after: readonly RenderResult[];
  /** Further CustomResourceDefinitions; those among the rendered and the live objects are found anyway. */
  readonly crds?: readonly KubeObject[];
  /** What is known of the cluster of a scope; undefined when no evidence was given for it. */
  readonly live?: (scope: string) => LiveSide | undefined;
}

export interface DiffResult {
  readonly changes: readonly ResourceChange[];
  /** What the cluster holds otherwise than the before side; never part of `changes`. */
  readonly drift: readonly DriftEntry[];
  /** All objects of targets that rendered wherever they exist. */
  readonly entries: { readonly before: readonly Entry[]; readonly after: readonly Entry[] };
  /** What could not be compared exactly. */
  readonly notes: readonly NotEvaluated[];
}

interface Context {
  readonly schemas: Map<string, KindSchema>;
  readonly crds: CrdIndex;
  readonly statusData: ReadonlySet<string>;
  readonly live: (scope: string) => LiveIndex | undefined;
  readonly scalers: (scope: string) => Scalers;
  /** Targets that are not compared, by the side on which they exist. */
  readonly withheld: { readonly from: readonly Target[]; readonly to: readonly Target[] };
}

/**
 * What changes between two sides, what it does, and what the cluster already has of it. Pure.
 * A target that failed on either side is withheld completely: its objects are in no change and in no entry.
 */
export function diffSides(request: DiffRequest): DiffResult {
  const { pairs: targets, withheld } = joinTargets(request.before, request.after);
  const plainBefore: Entry[] = [];
  const plainAfter: Entry[] = [];
  for (const target of targets) {
    for (const manifest of target.before) plainBefore.push(entryOf(manifest, target.beforeTarget!));
    for (const manifest of target.after) plainAfter.push(entryOf(manifest, target.afterTarget!));
  }
  const live = perScope((scope) => {
    const side = request.live?.(scope);
    return side === undefined ? undefined : indexLive(side);
  });
  const crds = [...(request.crds ?? []), ...customDefinitions(plainBefore, plainAfter, request.live)];
  const defaults = indexSchemas(crds);
  const before = plainBefore.map((entry) => withCrdDefaults(entry, defaults));
  const after = plainAfter.map((entry) => withCrdDefaults(entry, defaults));
  const context: Context = {
    schemas: new Map(),
    crds: indexCrds(crds),
    statusData: statusIsData(crds),
    live,
    scalers: perScope((scope) => {
      const here = [...before, ...after].filter(({ target }) => target.scope === scope);
      return indexScalers(live(scope)?.objects ?? [], here);
    }),
    withheld: {
      from: withheld.filter(({ id }) => request.before.some((result) => result.target.id === id)),
      to: withheld.filter(({ id }) => request.after.some((result) => result.target.id === id)),
    },
  };

  const changes: ResourceChange[] = [];
  for (const pair of matchSides(before.filter(isApplied), after.filter(isApplied))) {
    const change = changeOf(pair, context);
    if (change !== undefined) changes.push(change);
  }
  const { drift, notes } =
    request.live === undefined
      ? { drift: [], notes: [] }
      : findDrift(before, {
          ...context,
          crds,
          schemaOf: (apiVersion, kind) => schemaFor(apiVersion, kind, context),
          entries: [...before, ...after],
        });
  return { changes: propagate(changes, after).toSorted(byPlace), drift, entries: { before, after }, notes };
}

/** Helm tests are applied by `helm test` only. */
function isApplied(entry: Entry): boolean {
  return entry.hook?.every((phase) => phase.startsWith('test')) !== true || entry.hook.length === 0;
}

/** Computes once per scope, when it is first asked for. */
function perScope<Value>(make: (scope: string) => Value): (scope: string) => Value {
  const made = new Map<string, Value>();
  return (scope) => {
    if (!made.has(scope)) made.set(scope, make(scope));
    return made.get(scope) as Value;
  };
}

function customDefinitions(before: readonly Entry[], after: readonly Entry[], live: DiffRequest['live']): KubeObject[] {
  const result: KubeObject[] = [];
  const scopes = new Set<string>();
  for (const side of [before, after]) {
    for (const entry of side) {
      scopes.add(entry.target.scope);
      if (entry.ref.kind === 'CustomResourceDefinition') result.push(entry.object);
    }
  }
  const found = [...scopes].flatMap((scope) => live?.(scope)?.objects ?? []);
  return [...found.filter((object) => object.kind === 'CustomResourceDefinition'), ...result];
}

function schemaFor(apiVersion: string, kind: string, context: Context): KindSchema {
  const key = `${apiVersion}\0${kind}`;
  let schema = context.schemas.get(key);
  if (schema === undefined) {
    schema = schemaOf(apiVersion, kind, context.crds);
    context.schemas.set(key, schema);
  }
  return schema;
}

/** Undefined when the two sides are the same to the cluster. */
function changeOf(pair: Pair, context: Context): ResourceChange | undefined {
  const { before, after } = pair;
  const change =
    before === undefined
      ? addedChange(after!, context)
      : after === undefined
        ? removedChange(before, context)
        : bothChange(before, after, pair, context);
  if (change === undefined) return undefined;
  const entry = (after ?? before)!;
  const object = liveOf(before ?? entry, context.live(entry.target.scope));
  return object === undefined ? change : { ...change, live: object };
}

function addedChange(after: Entry, context: Context): ResourceChange {
  const live = isHook(after) ? undefined : liveOf(after, context.live(after.target.scope));
  const { apiVersion, kind } = after.object;
  const because = [
    ...(live === undefined ? [] : [takenOver(after, live, schemaFor(apiVersion, kind, context))]),
    ...(mayHaveMoved(after, context, 'from') ?? []),
  ];
  return {
    action: 'added',
    ref: after.ref,
    target: after.target.id,
    after,
    fields: [],
    impact: 'configuration',
    ...(because.length === 0 ? {} : { because }),
  };
}

function removedChange(before: Entry, context: Context): ResourceChange {
  const live = liveOf(before, context.live(before.target.scope));
  const fate = isHook(before)
    ? { kept: true, because: 'a hook is not part of the desired state' }
    : fateOnRemoval(before, live);
  const moved = mayHaveMoved(before, context, 'to') ?? [];
  const because = [...(fate.because === undefined ? [] : [fate.because]), ...moved];
  return {
    action: 'removed',
    ref: before.ref,
    target: before.target.id,
    before,
    fields: [],
    impact: fate.kept ? 'none' : removedImpact(before),
    ...(because.length === 0 ? {} : { because }),
  };
}

/** An object that comes from or goes to a target that did not render is perhaps no addition or deletion at all. */
function mayHaveMoved(entry: Entry, context: Context, direction: 'from' | 'to'): string[] | undefined {
  const names = context.withheld[direction]
    .filter((target) => target.scope === entry.target.scope)
    .map((target) => target.name);
  if (names.length === 0 || isHook(entry)) return undefined;
  const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  return [`it may have moved ${direction} ${shown}, which could not be rendered`];
}

function bothChange(before: Entry, after: Entry, pair: Pair, context: Context): ResourceChange | undefined {
  const renamed = pair.by === 'generated-name' || pair.by === 'similarity';
  const moved = pair.by === 'moved';
  const fields = fieldChanges(before, after, renamed, context);
  if (fields.length === 0 && !renamed && !moved) return undefined;
  const because: string[] = [];
  if (moved) because.push(`it moved from ${before.target.name} to ${after.target.name}`);
  if (pair.by === 'similarity') {
    because.push(
      `${describe(before.ref)} goes away and ${describe(after.ref)}, ${Math.round((pair.similarity ?? 1) * 100)} % equal, appears`,
    );
  }
  return {
    action: renamed ? 'renamed' : 'changed',
    ref: after.ref,
    ...(renamed ? { previousRef: before.ref } : {}),
    ...(moved ? { movedFrom: before.target.id } : {}),
    target: after.target.id,
    before,
    after,
    fields,
    impact: wholeImpact(before, after, renamed, moved, fields),
    ...(because.length === 0 ? {} : { because }),
  };
}

function wholeImpact(
  before: Entry,
  after: Entry,
  renamed: boolean,
  moved: boolean,
  fields: readonly FieldChange[],
): Impact {
  const ofFields = worstOf(fields.map((field) => field.impact));
  // A renamed object is a new one; what its fields would have done to the old one does not matter.
  const whole = renamed ? renamedImpact(before) : moved ? worst('metadata', ofFields) : ofFields;
  return isHook(after) ? lightest(whole, 'configuration') : whole;
}

function lightest(left: Impact, right: Impact): Impact {
  return worst(left, right) === left ? right : left;
}

/** Random parts are the same on both sides: the renderer has replaced them (`nondeterministic`). */
function fieldChanges(before: Entry, after: Entry, renamed: boolean, context: Context): readonly FieldChange[] {
  if (before.object === after.object || (!renamed && sameJson(before.object, after.object))) return [];
  const { apiVersion, kind } = after.object;
  const schema = schemaFor(apiVersion, kind, context);
  const keepsStatus = context.statusData.has(`${after.ref.group}/${kind}`);
  const found = differences(
    comparable(before.effective, keepsStatus),
    comparable(after.effective, keepsStatus),
    schema,
  ).filter((difference) => !(renamed && difference.path === '/metadata/name'));
  if (found.length === 0) return [];
  const impacts = renamed ? [] : fieldImpacts(before, after, found);
  const fields = found.map((difference, index): FieldChange => ({
    path: difference.path,
    ...(difference.before === undefined ? {} : { before: difference.before }),
    ...(difference.after === undefined ? {} : { after: difference.after }),
    impact: isHook(after)
      ? lightest(impacts[index] ?? 'configuration', 'configuration')
      : (impacts[index] ?? 'configuration'),
    attribution: 'change',
    ...(isGenerated(difference.fields, difference.before, difference.after) ? { cosmetic: true } : {}),
  }));
  if (renamed) return fields;
  const { scope } = after.target;
  return attributed(fields, after, schema, { index: context.live(scope), scalers: context.scalers(scope) });
}

function byPlace(left: ResourceChange, right: ResourceChange): number {
  return (
    compareText(left.target, right.target) ||
    compareText(left.ref.kind, right.ref.kind) ||
    compareText(left.ref.namespace ?? '', right.ref.namespace ?? '') ||
    compareText(left.ref.name, right.ref.name) ||
    compareText(left.action, right.action)
  );
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
