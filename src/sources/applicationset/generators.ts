import { messageOf } from '../../core/errors.ts';
import type { JsonObject } from '../../core/model.ts';
import { setKey } from '../../core/yaml/types.ts';
import { asObject, get, objects, texts } from '../argocd/values.ts';
import { clusterParams } from './clusters.ts';
import { gitParams } from './git.ts';
import { listParams } from './list.ts';
import { ExpansionError, flatten, goText, mergeParams } from './params.ts';
import type { ParamSet } from './params.ts';
import { maximumElements } from './scope.ts';
import type { GeneratorScope } from './scope.ts';
import { compileSelector } from './selector.ts';
import { replaceDeep } from './templating.ts';

/** In the order of the fields of ApplicationSetGenerator, in which Argo CD runs several of one entry. */
const kinds = [
  'list',
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'matrix',
  'merge',
  'plugin',
] as const;
type GeneratorKind = (typeof kinds)[number];

const remote: Partial<Record<GeneratorKind, string>> = {
  scmProvider: 'asks the API of a Git hoster for repositories',
  pullRequest: 'asks the API of a Git hoster for pull requests',
  clusterDecisionResource: 'reads placement decisions from the cluster',
  plugin: 'asks a plugin that runs in the cluster',
};

export interface Generated {
  readonly kind: GeneratorKind;
  readonly params: readonly ParamSet[];
  /** `template` of this generator: its fields win over those of the ApplicationSet. */
  readonly template: JsonObject | undefined;
}

/** Nested matrix and merge generators: the ApplicationSet schema ends at the second level. */
const maximumNesting = 2;

/**
 * Runs all generators of one entry of `spec.generators`, or of a child of matrix or merge
 * (generators/generator_spec_processor.go Transform).
 *
 * @param given parameters of the first child of a matrix, filled into this generator before it runs
 * @throws ExpansionError when it cannot be run
 */
export async function runGenerator(
  entry: JsonObject,
  scope: GeneratorScope,
  depth = 0,
  given?: JsonObject,
): Promise<readonly Generated[]> {
  const used = kinds.filter((kind) => (get(entry, kind) ?? null) !== null);
  if (used.length === 0) {
    throw new ExpansionError(
      `unknown generator ${Object.keys(entry).join(', ') || '(empty)'}`,
      `The generators are ${kinds.join(', ')}.`,
    );
  }
  // The post-selector is used as written: it is compiled before the parameters are filled in.
  const selector = asObject(get(entry, 'selector'));
  const matches = selector === undefined ? undefined : compileSelector(selector);
  const filled =
    given === undefined || Object.keys(given).length === 0 ? entry : await fillGenerator(entry, given, scope);
  return Promise.all(
    used.map(async (kind): Promise<Generated> => {
      const params = await paramsOf(kind, asObject(get(filled, kind)) ?? {}, scope, depth);
      return {
        kind,
        params: matches === undefined ? params : params.filter((item) => matches(labelsOf(item.params))),
        template: asObject(get(entry, kind, 'template')),
      };
    }),
  );
}

function labelsOf(params: JsonObject): ReadonlyMap<string, string> {
  return new Map([...flatten(params)].map(([key, value]) => [key, goText(value)]));
}

async function paramsOf(
  kind: GeneratorKind,
  generator: JsonObject,
  scope: GeneratorScope,
  depth: number,
): Promise<readonly ParamSet[]> {
  const needs = remote[kind];
  if (needs !== undefined) {
    throw new ExpansionError(
      `the ${kind} generator ${needs}, which gate does not do`,
      'Name what it generates as explicit targets in gate.yaml.',
    );
  }
  if (kind === 'list') return listParams(generator, scope);
  if (kind === 'git') return gitParams(generator, scope);
  if (kind === 'clusters') return clusterParams(generator, scope);
  if (depth >= maximumNesting) throw new ExpansionError(`${kind} is nested deeper than an ApplicationSet allows`);
  return kind === 'matrix' ? matrixParams(generator, scope, depth) : mergedParams(generator, scope, depth);
}

/** RenderGeneratorParams: every string of the generator; `values` that need its own parameters stay for later. */
async function fillGenerator(entry: JsonObject, given: JsonObject, scope: GeneratorScope): Promise<JsonObject> {
  const { templating } = scope;
  const result: JsonObject = {};
  for (const [kind, value] of Object.entries(entry)) {
    const generator = asObject(value);
    const ownValues =
      generator === undefined || kind === 'list' || kind === 'matrix' || kind === 'merge'
        ? undefined
        : asObject(get(generator, 'values'));
    if (generator === undefined || ownValues === undefined) {
      setKey(result, kind, await replaceDeep(value, (template) => templating.replace(template, given)));
      continue;
    }
    const { values: _values, ...rest } = generator;
    const values: JsonObject = {};
    for (const [key, item] of Object.entries(ownValues)) {
      setKey(values, key, typeof item === 'string' ? await templating.replaceOrKeep(item, given) : item);
    }
    const others = asObject(await replaceDeep(rest, (template) => templating.replace(template, given))) ?? {};
    setKey(result, kind, { ...others, values });
  }
  return result;
}

/** The parameters of a child: exactly one generator, whose template is ignored. */
async function childParams(
  entry: JsonObject,
  scope: GeneratorScope,
  depth: number,
  given?: JsonObject,
): Promise<readonly ParamSet[]> {
  const generated = await runGenerator(entry, scope, depth + 1, given);
  if (generated.length > 1) throw new ExpansionError('a child of matrix or merge holds more than one generator');
  return generated[0]?.params ?? [];
}

/** Every combination of two children; the second sees the parameters of the first (generators/matrix.go). */
async function matrixParams(generator: JsonObject, scope: GeneratorScope, depth: number): Promise<readonly ParamSet[]> {
  const children = objects(get(generator, 'generators'));
  const [first, second] = children;
  if (first === undefined || second === undefined || children.length > 2) {
    throw new ExpansionError(`matrix has ${children.length} generators; it takes exactly two`);
  }
  const outer = await childParams(first, scope, depth);
  limit(outer.length);
  const rows = await Promise.all(
    outer.map(async (a) => ({ a, inner: await childParams(second, scope, depth, a.params) })),
  );
  limit(rows.reduce((sum, row) => sum + row.inner.length, 0));
  return rows.flatMap(({ a, inner }) =>
    inner.map((b): ParamSet => {
      const params = scope.templating.goTemplate ? mergeParams(b.params, a.params) : combineStrings(a.params, b.params);
      return { params, files: [...new Set([...a.files, ...b.files])] };
    }),
  );
}

/** utils/map.go CombineStringMaps: everything becomes text; the same name with two values is an error. */
function combineStrings(a: JsonObject, b: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(a)) setKey(result, key, goText(value));
  for (const [key, value] of Object.entries(b)) {
    const written = goText(value);
    if (Object.hasOwn(result, key) && result[key] !== written) {
      throw new ExpansionError(
        `both generators of the matrix give ${key}, with different values (${goText(result[key] ?? null)}, ${written})`,
        'Rename one of them, or use pathParamPrefix.',
      );
    }
    setKey(result, key, written);
  }
  return result;
}

/** The first child's sets, overridden by those of later children with equal merge keys (generators/merge.go). */
async function mergedParams(generator: JsonObject, scope: GeneratorScope, depth: number): Promise<readonly ParamSet[]> {
  const children = objects(get(generator, 'generators'));
  if (children.length < 2) throw new ExpansionError('merge has fewer than two generators');
  const keys = [...new Set(texts(get(generator, 'mergeKeys')))].sort();
  if (keys.length === 0) throw new ExpansionError('merge names no mergeKeys');
  const sets = await Promise.all(children.map((child) => childParams(child, scope, depth)));
  const [base, ...overrides] = sets.map((params) => byMergeKey(params, keys));
  const result = base ?? new Map<string, ParamSet>();
  for (const override of overrides) {
    for (const [key, mine] of result) {
      const theirs = override.get(key);
      if (theirs === undefined) continue;
      const params = scope.templating.goTemplate
        ? mergeParams(mine.params, theirs.params)
        : { ...mine.params, ...theirs.params };
      result.set(key, { params, files: [...new Set([...mine.files, ...theirs.files])] });
    }
  }
  return [...result.values()];
}

function byMergeKey(sets: readonly ParamSet[], keys: readonly string[]): Map<string, ParamSet> {
  const result = new Map<string, ParamSet>();
  for (const set of sets) {
    const key = JSON.stringify(
      keys.map((name) => [name, (Object.hasOwn(set.params, name) ? set.params[name] : undefined) ?? null]),
    );
    if (result.has(key)) {
      throw new ExpansionError(
        `two parameter sets of one generator have the same merge keys ${key}`,
        'Make the mergeKeys unique within each generator.',
      );
    }
    result.set(key, set);
  }
  return result;
}

function limit(count: number): void {
  if (count > maximumElements) throw new ExpansionError(`the generators give more than ${maximumElements} elements`);
}

/** The sentence and next step of whatever stopped an expansion. */
export function explain(error: unknown): { readonly reason: string; readonly next?: string } {
  if (error instanceof ExpansionError)
    return { reason: error.message, ...(error.next === undefined ? {} : { next: error.next }) };
  return { reason: messageOf(error) };
}
