import type { Entry, Json, JsonObject } from '../../core/model.ts';
import { type Fields, isFields, own } from '../defaults/fill.ts';
import { compileDelete, type JqDelete } from '../jq/delete.ts';
import { compileRegex } from '../regex.ts';
import { matchesSelectorText } from '../selectors.ts';
import { matchesGlob } from './glob.ts';
import { pointerSteps, removeAt } from './pointer.ts';

/** What the engine's rules say about one object. */
export interface IgnoreRules {
  readonly pointers: readonly (readonly string[])[];
  readonly jq: readonly { readonly text: string; readonly delete: JqDelete }[];
  /** Field managers whose changes the engine accepts. */
  readonly managers: ReadonlySet<string>;
  /** The object as a whole (Flux: an empty path). */
  readonly whole: boolean;
  /** Rules that could not be understood, as a reader finds them in the declaration. */
  readonly unsupported: readonly string[];
}

export const noRules: IgnoreRules = { pointers: [], jq: [], managers: new Set(), whole: false, unsupported: [] };

/**
 * The rules among `spec.ignoreDifferences` (Argo CD), `spec.ignore` and `spec.driftDetection.ignore` (Flux) that concern
 * one object. Argo CD: group and kind are globs, name and namespace exact when given
 * (util/argo/normalizers/diff_normalizer.go). Flux: anchored regular expressions and selectors in text form, tested on
 * the object in Git (fluxcd/pkg ssa/jsondiff/selector.go).
 */
export function ignoreRulesFor(entry: Entry, rules: readonly JsonObject[]): IgnoreRules {
  if (rules.length === 0) return noRules;
  const pointers: (readonly string[])[] = [];
  const jq: { text: string; delete: JqDelete }[] = [];
  const managers = new Set<string>();
  const unsupported: string[] = [];
  let whole = false;
  for (const rule of rules) {
    const paths = strings(own(rule, 'paths'));
    const concerned = paths.length > 0 ? concernsFlux(own(rule, 'target'), entry) : concernsArgo(rule, entry);
    if (concerned === 'unknown') unsupported.push(`target ${JSON.stringify(own(rule, 'target'))}`);
    if (concerned !== true) continue;
    whole ||= paths.includes('');
    for (const pointer of [...paths, ...strings(own(rule, 'jsonPointers'))]) pointers.push(pointerSteps(pointer));
    for (const manager of strings(own(rule, 'managedFieldsManagers'))) managers.add(manager);
    for (const { text, compiled } of expressionsOf(rule)) {
      if (compiled === undefined) unsupported.push(text);
      else jq.push({ text, delete: compiled });
    }
  }
  return { pointers, jq, managers, whole, unsupported };
}

/**
 * The object without what the rules lead to. A jq expression that takes too long or is beyond what is understood goes
 * into `unknown`.
 */
export function withoutIgnored(object: Fields, rules: IgnoreRules, unknown: Set<string>): Fields {
  let result = object;
  for (const steps of rules.pointers) result = removeAt(result, steps);
  for (const { text, delete: remove } of rules.jq) {
    const next = remove.apply(result as Json);
    if (next === 'unknown') unknown.add(text);
    else if (isFields(next)) result = next;
  }
  return result;
}

interface Expression {
  readonly text: string;
  readonly compiled: JqDelete | undefined;
}

const parsed = new WeakMap<JsonObject, readonly Expression[]>();

/** The same rule is asked for every object of its target. */
function expressionsOf(rule: JsonObject): readonly Expression[] {
  let expressions = parsed.get(rule);
  if (expressions === undefined) {
    expressions = strings(own(rule, 'jqPathExpressions')).map((text) => ({ text, compiled: compileDelete(text) }));
    parsed.set(rule, expressions);
  }
  return expressions;
}

function concernsArgo(rule: JsonObject, { ref }: Entry): boolean {
  const [namespace, name] = [text(rule, 'namespace'), text(rule, 'name')];
  return (
    matchesGlob(text(rule, 'group'), ref.group) &&
    matchesGlob(text(rule, 'kind'), ref.kind) &&
    (namespace === '' || namespace === ref.namespace) &&
    (name === '' || name === ref.name)
  );
}

function concernsFlux(target: unknown, { ref, object }: Entry): boolean | 'unknown' {
  if (!isFields(target)) return true;
  const wanted: readonly (readonly [string, string])[] = [
    [text(target, 'group'), ref.group],
    [text(target, 'version'), ref.version],
    [text(target, 'kind'), ref.kind],
    [text(target, 'name'), ref.name],
    [text(target, 'namespace'), ref.namespace ?? ''],
  ];
  for (const [pattern, value] of wanted) {
    if (pattern === '') continue;
    const matches = compileRegex(pattern, { anchored: true });
    if (matches === undefined) return 'unknown';
    if (!matches(value)) return false;
  }
  const selectors = [
    [text(target, 'labelSelector'), object.metadata.labels],
    [text(target, 'annotationSelector'), object.metadata.annotations],
  ] as const;
  for (const [selector, labels] of selectors) {
    if (selector === '') continue;
    const matches = matchesSelectorText(selector, labels);
    if (matches !== true) return matches ?? 'unknown';
  }
  return true;
}

function text(fields: Fields, name: string): string {
  const value = own(fields, name);
  return typeof value === 'string' ? value : '';
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
