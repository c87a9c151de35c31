import type { JsonObject, ResourceRef } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';

/** A way into an object: names, list positions, `*` for every element of a list or mapping. */
type Way = readonly string[];

/** What a target's `ignoreDifferences` says about one object. */
export interface IgnoreRules {
  readonly ways: readonly Way[];
  /** jq expressions beyond the subset that is understood here, as written. */
  readonly unsupported: readonly string[];
}

const nothing: IgnoreRules = { ways: [], unsupported: [] };

/**
 * The part of Argo CD's `spec.ignoreDifferences` that concerns one object. Group and kind are globs, name and namespace
 * exact when given (argo-cd util/argo/normalizers/diff_normalizer.go).
 */
export function ignoreRulesFor(ref: ResourceRef, ignoreDifferences: readonly JsonObject[] | undefined): IgnoreRules {
  if (ignoreDifferences === undefined || ignoreDifferences.length === 0) return nothing;
  const ways: Way[] = [];
  const unsupported: string[] = [];
  for (const item of ignoreDifferences) {
    if (!concerns(item, ref)) continue;
    for (const pointer of strings(own(item, 'jsonPointers'))) {
      ways.push(pointer.split('/').slice(1).map(literal));
    }
    for (const expression of strings(own(item, 'jqPathExpressions'))) {
      const way = parseJqPath(expression);
      if (way === undefined) unsupported.push(expression);
      else ways.push(way);
    }
  }
  return ways.length === 0 && unsupported.length === 0 ? nothing : { ways, unsupported };
}

/** A `*` in a pointer is a name like any other; marked so that it does not count as "every". */
function literal(segment: string): string {
  const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
  return name === '*' ? '\0*' : name;
}

function concerns(item: JsonObject, ref: ResourceRef): boolean {
  const text = (name: string): string => {
    const value = own(item, name);
    return typeof value === 'string' ? value : '';
  };
  const namespace = text('namespace');
  const name = text('name');
  return (
    glob(text('group'), ref.group) &&
    glob(text('kind'), ref.kind) &&
    (namespace === '' || namespace === ref.namespace) &&
    (name === '' || name === ref.name)
  );
}

/** `*` only, matched greedily from the left: linear in both texts. */
function glob(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  if (parts.length === 1) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  const last = parts.at(-1) ?? '';
  return text.length - at >= last.length && text.endsWith(last);
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

const jqStep = /^(?:\.([A-Za-z_]\w*)|\.?"([^"\\]*)"|\.?\["([^"\\]*)"\]|\.?\[(\d{1,6})\]|\.?\[\])\??/;

/**
 * A path expression of jq as a way: `.spec.template.spec.containers[].image`, `.metadata.annotations["a/b"]`, `.a[0]`,
 * each step with or without `?`. Undefined for anything else (`select(...)`, pipes, functions).
 */
export function parseJqPath(expression: string): Way | undefined {
  let rest = expression.trim();
  if (rest.length === 0 || rest.length > 1000 || rest === '.') return undefined;
  const way: string[] = [];
  while (rest !== '') {
    const match = jqStep.exec(rest);
    if (match === null || (way.length === 0 && !rest.startsWith('.'))) return undefined;
    const [all, name, quoted, bracketed, index] = match;
    way.push(name ?? quoted ?? bracketed ?? index ?? '*');
    rest = rest.slice(all.length);
  }
  return way;
}

/** The object without what the ways lead to; shared with the input where nothing is removed. */
export function withoutIgnored(object: Fields, ways: readonly Way[]): Fields {
  let result: unknown = object;
  for (const way of ways) result = remove(result, way, 0);
  return isFields(result) ? result : {};
}

function remove(value: unknown, way: Way, depth: number): unknown {
  const step = way[depth];
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  const last = depth === way.length - 1;
  if (Array.isArray(value)) {
    if (last) return step === '*' ? [] : value.filter((_item, index) => String(index) !== step);
    return value.map((item: unknown, index) =>
      step === '*' || String(index) === step ? remove(item, way, depth + 1) : item,
    );
  }
  const name = step === '\0*' ? '*' : step;
  const entries = Object.entries(value);
  if (last) return Object.fromEntries(step === '*' ? [] : entries.filter(([key]) => key !== name));
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, step === '*' || key === name ? remove(inner, way, depth + 1) : inner]),
  );
}
