import type { Json } from '../../core/model.ts';
import { valueFunctions } from './functions.ts';
import { JqUnsupported } from './lex.ts';
import type { Jq } from './parse.ts';
import { compareValues, isTrue, JqError, minus, plus, typeOf } from './values.ts';

/** A part of a list, as a step of a path. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}
export type Step = string | number | Slice;
export type Path = readonly Step[];

/** A value, and where it stands; without a path it was made by the expression. */
interface At {
  readonly value: Json;
  readonly path: Path | undefined;
}

/** The expression takes too long on this input. */
export class JqBudget extends Error {}

const maxSteps = 100_000;
const maxDepth = 400;

interface Run {
  steps: number;
  depth: number;
}

/**
 * The places that a jq expression leads to, as `path(...)` of jq has them, in its order.
 * @throws JqError when jq fails on this input, or the expression makes values instead of leading somewhere;
 *   JqUnsupported for functions that are not known here; JqBudget after 100,000 steps
 */
export function pathsOf(expression: Jq, input: Json): readonly Path[] {
  const found: Path[] = [];
  for (const { path } of walk(expression, { value: input, path: [] }, { steps: 0, depth: 0 })) {
    if (path === undefined) throw new JqError();
    found.push(path);
  }
  return found;
}

function* walk(jq: Jq, at: At, run: Run): Generator<At> {
  if (++run.steps > maxSteps || run.depth > maxDepth) throw new JqBudget();
  run.depth++;
  try {
    yield* step(jq, at, run);
  } finally {
    run.depth--;
  }
}

function* step(jq: Jq, at: At, run: Run): Generator<At> {
  switch (jq.op) {
    case 'identity':
      return yield at;
    case 'literal':
      return yield made(jq.value);
    case 'recurse':
      return yield* below(at, run);
    case 'index':
      for (const of of walk(jq.of, at, run)) for (const key of values(jq.key, at, run)) yield child(of, key);
      return;
    case 'slice':
      return yield* slices(jq, at, run);
    case 'each':
      for (const of of walk(jq.of, at, run)) yield* children(of, run);
      return;
    case 'try':
      return yield* attempt(jq.of, at, run);
    case 'pipe':
      for (const left of walk(jq.left, at, run)) yield* walk(jq.right, left, run);
      return;
    case 'comma':
      yield* walk(jq.left, at, run);
      return yield* walk(jq.right, at, run);
    case 'alternative':
      return yield* alternative(jq, at, run);
    case 'if':
      for (const test of values(jq.test, at, run)) yield* walk(isTrue(test) ? jq.yes : jq.no, at, run);
      return;
    case 'list':
      return yield made(jq.of === undefined ? [] : [...values(jq.of, at, run)]);
    case 'call':
      return yield* call(jq.name, jq.args, at, run);
    default:
      for (const value of computed(jq, at, run)) yield made(value);
  }
}

function made(value: Json): At {
  return { value, path: undefined };
}

function* values(jq: Jq, at: At, run: Run): Generator<Json> {
  for (const { value } of walk(jq, at, run)) yield value;
}

type Computed = Extract<Jq, { op: 'or' | 'and' | 'compare' | 'plus' | 'minus' | 'mapping' }>;

function* computed(jq: Computed, at: At, run: Run): Generator<Json> {
  if (jq.op === 'mapping') {
    const entries = jq.entries.map(([key, value]) => [only(key, at, run) as string, only(value, at, run)] as const);
    return yield Object.fromEntries(entries);
  }
  if (jq.op === 'or' || jq.op === 'and') {
    const decided = jq.op === 'or';
    for (const left of values(jq.left, at, run)) {
      if (isTrue(left) === decided) yield decided;
      else for (const right of values(jq.right, at, run)) yield isTrue(right);
    }
    return;
  }
  for (const right of values(jq.right, at, run)) {
    for (const left of values(jq.left, at, run)) {
      if (jq.op === 'plus') yield plus(left, right);
      else if (jq.op === 'minus') yield minus(left, right);
      else yield compare(jq.by, compareValues(left, right));
    }
  }
}

function only(jq: Jq, at: At, run: Run): Json {
  const [value, more] = [...values(jq, at, run)];
  if (value === undefined || more !== undefined) throw new JqUnsupported();
  return value;
}

function compare(by: string, found: number): boolean {
  if (by === '==') return found === 0;
  if (by === '!=') return found !== 0;
  if (by === '<') return found < 0;
  if (by === '<=') return found <= 0;
  return by === '>' ? found > 0 : found >= 0;
}

function child(of: At, key: Json): At {
  const { value } = of;
  if (typeof key === 'string' && (value === null || typeOf(value) === 'object')) {
    const found = value !== null && Object.hasOwn(value as object, key) ? (value as Record<string, Json>)[key]! : null;
    return { value: found, path: extended(of.path, key) };
  }
  if (typeof key === 'number' && (value === null || Array.isArray(value))) {
    const list = value ?? [];
    const index = Math.floor(key) < 0 ? Math.floor(key) + list.length : Math.floor(key);
    return { value: list[index] ?? null, path: extended(of.path, index) };
  }
  throw new JqError();
}

function extended(path: Path | undefined, step: Step): Path | undefined {
  return path === undefined ? undefined : [...path, step];
}

function* children(of: At, run: Run): Generator<At> {
  const { value } = of;
  if (typeof value !== 'object' || value === null) throw new JqError();
  const keys: Iterable<string | number> = Array.isArray(value) ? value.keys() : Object.keys(value);
  for (const key of keys) {
    if (++run.steps > maxSteps) throw new JqBudget();
    yield child(of, key);
  }
}

/** `..`: the value itself and everything below it. */
function* below(at: At, run: Run): Generator<At> {
  const open = [at];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next;
    if (typeof next.value === 'object' && next.value !== null) open.push(...[...children(next, run)].toReversed());
  }
}

function* slices(jq: Extract<Jq, { op: 'slice' }>, at: At, run: Run): Generator<At> {
  for (const of of walk(jq.of, at, run)) {
    const from = jq.from === undefined ? null : only(jq.from, at, run);
    const to = jq.to === undefined ? null : only(jq.to, at, run);
    if (of.value !== null && !Array.isArray(of.value)) throw new JqError();
    const list = of.value ?? [];
    const start = bound(from, 0, list.length, Math.floor);
    const end = Math.max(start, bound(to, list.length, list.length, Math.ceil));
    yield { value: list.slice(start, end), path: extended(of.path, { from: start, to: end }) };
  }
}

function bound(value: Json, absent: number, size: number, round: (value: number) => number): number {
  if (value === null) return absent;
  if (typeof value !== 'number') throw new JqError();
  const index = round(value);
  return Math.min(size, Math.max(0, index < 0 ? index + size : index));
}

/** `?` ends the results at the first failure. */
function* attempt(jq: Jq, at: At, run: Run): Generator<At> {
  try {
    yield* walk(jq, at, run);
  } catch (error) {
    if (!(error instanceof JqError)) throw error;
  }
}

/** `a // b`: the true results of a, or b when there are none. */
function* alternative(jq: Extract<Jq, { op: 'alternative' }>, at: At, run: Run): Generator<At> {
  let found = false;
  for (const left of attempt(jq.left, at, run)) {
    if (!isTrue(left.value)) continue;
    found = true;
    yield left;
  }
  if (!found) yield* walk(jq.right, at, run);
}

const typeFilters: Readonly<Record<string, readonly string[]>> = {
  nulls: ['null'],
  booleans: ['boolean'],
  numbers: ['number'],
  strings: ['string'],
  arrays: ['array'],
  objects: ['object'],
  iterables: ['array', 'object'],
  scalars: ['null', 'boolean', 'number', 'string'],
  values: ['boolean', 'number', 'string', 'array', 'object'],
};

/** Functions that lead on from where they stand, or take filters as arguments; the rest are functions of values. */
function* call(name: string, args: readonly Jq[], at: At, run: Run): Generator<At> {
  const [first, second] = args;
  const types = Object.hasOwn(typeFilters, name) && args.length === 0 ? typeFilters[name] : undefined;
  if (types !== undefined) {
    if (types.includes(typeOf(at.value))) yield at;
    return;
  }
  switch (`${name}/${args.length}`) {
    case 'empty/0':
      return;
    case 'error/0':
    case 'error/1':
      throw new JqError();
    case 'recurse/0':
      return yield* below(at, run);
    case 'first/0':
    case 'last/0':
      return yield child(at, name === 'first' ? 0 : -1);
    case 'select/1':
      for (const test of values(first!, at, run)) if (isTrue(test)) yield at;
      return;
    case 'first/1':
      for (const found of walk(first!, at, run)) return yield found;
      return;
    case 'getpath/1':
      for (const path of values(first!, at, run)) yield along(at, path);
      return;
    case 'map/1':
      return yield made([...mapped(at, first!, run)]);
    case 'any/1':
      return yield made([...mapped(at, first!, run)].some(isTrue));
    case 'all/1':
      return yield made([...mapped(at, first!, run)].every(isTrue));
    case 'any/2':
    case 'all/2': {
      const found = [...walk(first!, at, run)].flatMap((item) => [...values(second!, item, run)].map(isTrue));
      return yield made(name === 'any' ? found.includes(true) : !found.includes(false));
    }
    case 'IN/1':
      return yield made([...values(first!, at, run)].some((value) => compareValues(value, at.value) === 0));
    default:
      return yield made(valueFunction(name, args, at, run));
  }
}

function* mapped(at: At, filter: Jq, run: Run): Generator<Json> {
  for (const item of children(at, run)) yield* values(filter, item, run);
}

function along(at: At, path: Json): At {
  if (!Array.isArray(path)) throw new JqError();
  return path.reduce((of: At, key) => child(of, key), at);
}

function valueFunction(name: string, args: readonly Jq[], at: At, run: Run): Json {
  const found = valueFunctions.get(`${name}/${args.length}`);
  if (found === undefined) throw new JqUnsupported();
  return found(at.value, ...args.map((arg) => only(arg, at, run)));
}
