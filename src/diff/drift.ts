import type { DriftEntry, Entry, FieldChange, KubeObject } from '../core/model.ts';
import { valueAt } from './attribute.ts';
import { type Fields, own } from './defaults/fill.ts';
import { gateOf, isNoField } from './dropped.ts';
import { deleting, engineHandling, removesItself } from './engine-handling.ts';
import { effectiveObject } from './entries.ts';
import { isControllers, isGitsField } from './gits-field.ts';
import type { ArgoSettings } from './ignore/argocd-settings.ts';
import { type IgnoreRules, ignoreRulesFor, withoutIgnored } from './ignore/rules.ts';
import { fieldImpacts } from './impact.ts';
import { isBuiltinGroup, type KindSchema } from './list-keys.ts';
import { isMissing, type LiveIndex, liveOf } from './live.ts';
import { meansTheSame } from './loose-equal.ts';
import { hasManagers, type HandSet, isByHand, isOwnedBy, ownerOf, setByHand, wasDropped } from './managers.ts';
import { mutatorsOf } from './mutating.ts';
import { comparable, isMasked } from './normalize.ts';
import { otherOwner } from './ownership.ts';
import { scalerOf, type Scalers } from './scalers.ts';
import { differences, type Difference, sameJson } from './walk.ts';
import { vanishes } from '../core/semantic.ts';

/** What comparing with the cluster needs beside the object. */
export interface DriftContext {
  readonly index: LiveIndex;
  readonly scalers: Scalers;
  readonly settings: ArgoSettings;
  /** Custom kinds that live outside of namespaces. */
  readonly clusterKinds: ReadonlySet<string>;
  readonly keepsStatus: boolean;
  readonly schema: KindSchema;
}

/** Something that the reader should know of the comparison of one object; the same topic is said once per target. */
export interface DriftRemark {
  readonly topic: 'rules' | 'managers' | 'scaled' | 'secrets' | 'version' | 'dropped' | 'no-field';
  /** What sets it apart within the topic: the expression, the gate. */
  readonly about: string;
}

export interface DriftResult {
  readonly drift?: DriftEntry;
  readonly remarks: readonly DriftRemark[];
}

const none: DriftResult = { remarks: [] };

/**
 * What the cluster holds otherwise than Git's before side. Compared are the fields that Git sets, and what people added
 * by hand as the API server recorded it; defaults, what controllers write and what the engine is told to ignore are no
 * drift.
 */
export function driftOf(entry: Entry, context: DriftContext): DriftResult {
  const { index, settings } = context;
  const live = liveOf(entry, index);
  const handling = engineHandling(entry, live);
  if (handling === 'left-alone') return none;
  const about = { ref: entry.ref, target: entry.target.id, fields: [] };
  if (live === undefined) {
    if (!isMissing(entry, index, context.clusterKinds) || removesItself(entry.object)) return none;
    return { drift: { ...about, kind: 'missing' }, remarks: [] };
  }
  if (handling === 'created-once') return none;
  const deleted = own(live.metadata, 'deletionTimestamp');
  if (typeof deleted === 'string')
    return { drift: { ...about, kind: 'deleting', reason: deleting(live, deleted) }, remarks: [] };
  const owner = otherOwner(entry, live);
  if (owner !== undefined)
    return { drift: { ...about, kind: 'foreign', reason: `it belongs to ${owner}` }, remarks: [] };
  if (live.apiVersion !== entry.object.apiVersion) {
    return { remarks: [{ topic: 'version', about: `${entry.object.apiVersion} in Git, ${live.apiVersion} read` }] };
  }
  const rules = ignoreRulesFor(entry, [
    ...(entry.target.apply.ignoreDifferences ?? []),
    ...(entry.target.engine === 'argocd' ? settings.ignore : []),
  ]);
  if (rules.whole) return none;
  return fieldDrift(entry, live, rules, context);
}

function fieldDrift(entry: Entry, live: KubeObject, rules: IgnoreRules, context: DriftContext): DriftResult {
  const remarks: DriftRemark[] = rules.unsupported.map((about) => ({ topic: 'rules', about }));
  if (rules.managers.size > 0 && !hasManagers(live)) {
    return { remarks: [...remarks, { topic: 'managers', about: [...rules.managers].join(', ') }] };
  }
  if (entry.ref.kind === 'Secret' && context.index.secretsComparable === false) {
    remarks.push({ topic: 'secrets', about: '' });
  }
  const unknown = new Set<string>();
  const normal = (object: KubeObject): Fields =>
    withoutIgnored(readable(comparable(object, context.keepsStatus), context.index), rules, unknown);
  const effective = effectiveObject(live);
  const [wanted, found] = [normal(entry.effective), normal(effective)];
  const real: (Difference & { readonly by?: string })[] = [];
  for (const difference of differences(wanted, found, context.schema)) {
    if (difference.before === undefined || !counts(entry, difference, context)) continue;
    if (isOwnedBy(live, difference.path, rules.managers, context.schema)) continue;
    const remark = explained(entry, live, difference, context);
    if (remark !== undefined) {
      remarks.push(remark);
      continue;
    }
    const by = ownerOf(live, difference.path, context.schema);
    real.push(by === undefined ? difference : { ...difference, by });
  }
  real.push(...addedByHand({ entry, live, wanted, found, rules }, real, context.schema));
  for (const about of unknown) remarks.push({ topic: 'rules', about });
  if (real.length === 0) return { remarks };
  return { remarks, drift: entryOf(entry, live, effective, real, context) };
}

function entryOf(
  entry: Entry,
  live: KubeObject,
  effective: KubeObject,
  real: readonly (Difference & { readonly by?: string })[],
  context: DriftContext,
): DriftEntry {
  const impacts = fieldImpacts(entry, { ...entry, effective }, real);
  // What a person set needs no other cause.
  const mayBe = real.every(({ by }) => by !== undefined && isByHand(by)) ? [] : mutatorsOf(live, context.index.objects);
  return {
    ref: entry.ref,
    target: entry.target.id,
    kind: 'fields',
    fields: real.map((difference, place): FieldChange => ({
      path: difference.path,
      ...(difference.before === undefined ? {} : { before: difference.before }),
      ...(difference.after === undefined ? {} : { live: difference.after }),
      impact: impacts[place] ?? 'none',
      attribution: 'drift',
      ...(difference.by === undefined ? {} : { by: difference.by }),
    })),
    ...(mayBe.length === 0 ? {} : { mayBe }),
  };
}

/** Is it Git's field, and are the two values really different? */
function counts(entry: Entry, difference: Difference, context: DriftContext): boolean {
  if (isMasked(difference.path, entry.nondeterministic)) return false;
  if (!isGitsField(entry, difference, context.schema)) return false;
  if (isEmptyInGit(difference, context.schema)) return false;
  if (context.schema.builtin) return true;
  if (meansTheSame(difference.before, difference.after)) return false;
  const known = context.settings.knownTypes.get(`${entry.ref.group}/${entry.ref.kind}`) ?? [];
  const isKnown = known.some((way) => way.every((name, index) => difference.fields[index] === name));
  return !(isKnown && difference.after === undefined && vanishes(difference.fields.at(-1) ?? '', difference.before));
}

/** `env: []` (or a list whose elements are all ignored) sets nothing; what the cluster has there was added. */
function isEmptyInGit({ before, fields }: Difference, schema: KindSchema): boolean {
  return Array.isArray(before) && before.length === 0 && (schema.builtin || schema.listRule(fields)?.type === 'map');
}

/** Differences that have a cause which is nobody's edit. */
function explained(
  entry: Entry,
  live: KubeObject,
  difference: Difference,
  { scalers, index, schema }: DriftContext,
): DriftRemark | undefined {
  if (difference.path === '/spec/replicas') {
    const scaler = scalerOf(entry, scalers);
    if (scaler !== undefined) return { topic: 'scaled', about: scaler };
  }
  if (difference.after === undefined && isNoField(difference.fields)) {
    return { topic: 'no-field', about: difference.path };
  }
  if (difference.after === undefined && isBuiltinGroup(entry.ref.group)) {
    const gate = gateOf(live, difference.fields, index.kubernetesVersion);
    if (gate !== undefined) return { topic: 'dropped', about: `the feature gate ${gate}` };
    if (wasDropped(live, difference.path, schema)) return { topic: 'dropped', about: `what ${difference.path} needs` };
  }
  return undefined;
}

/** Annotations that operations leave behind; they are no configuration. */
const traces = new Set([
  'kubectl.kubernetes.io/restartedAt',
  'kubernetes.io/change-cause',
  'deployment.kubernetes.io/revision',
]);

/**
 * What a person set on the live object and Git does not have: an env variable, a label, a container, a field that Git
 * leaves to the API's default.
 * @param listed differences that are listed anyway
 */
function addedByHand(
  sides: {
    readonly entry: Entry;
    readonly live: KubeObject;
    readonly wanted: Fields;
    readonly found: Fields;
    readonly rules: IgnoreRules;
  },
  listed: readonly Difference[],
  schema: KindSchema,
): (Difference & { readonly by: string })[] {
  const { entry, live, wanted, found, rules } = sides;
  const added: (Difference & { readonly by: string })[] = [];
  const isInside = (path: string): boolean =>
    [...listed, ...added].some((item) => path === item.path || path.startsWith(`${item.path}/`)) ||
    listed.some((item) => item.path.startsWith(`${path}/`));
  for (const item of setByHand(live, schema)) {
    const { path, fields } = item;
    if (isInside(path) || rules.managers.has(item.by) || !isPlainField(entry, item)) continue;
    // Not what the rules ignore, and not what Git (or the API's default) has too.
    const value = valueAt(found, path, schema);
    const known = valueAt(wanted, path, schema);
    if (value === undefined || value === null || isMasked(path, entry.nondeterministic)) continue;
    if (known === undefined ? vanishes(fields.at(-1) ?? '', value) : item.element || sameJson(known, value)) continue;
    const before = valueAt(entry.object, path, schema);
    added.push({ path, fields, ...(before === undefined ? {} : { before }), after: value, by: item.by });
  }
  return added;
}

function isPlainField(entry: Entry, { fields }: HandSet): boolean {
  if (fields[0] === 'status' || isControllers(entry.object, fields)) return false;
  if (fields[0] === 'metadata' && fields[1] !== 'labels' && fields[1] !== 'annotations') return false;
  return !traces.has(fields.at(-1) ?? '');
}

/** Without fingerprints of secret values when those of the two sides were made with different keys. */
function readable(object: KubeObject, index: LiveIndex): Fields {
  if (index.secretsComparable !== false) return object;
  const text = JSON.stringify(object);
  return text.includes('redacted:')
    ? (JSON.parse(text.replaceAll(/redacted:[0-9a-f]{12}/g, 'redacted')) as Fields)
    : object;
}
