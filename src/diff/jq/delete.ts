import type { Json } from '../../core/model.ts';
import { JqBudget, type Path, pathsOf, type Step } from './evaluate.ts';
import { JqUnsupported } from './lex.ts';
import { type Jq, parseJq } from './parse.ts';
import { JqError } from './values.ts';

/** `del(<expression>)`, ready to run on objects. */
export interface JqDelete {
  /** The input without what the expression leads to; not changed itself. `unknown`: not evaluated on this input. */
  readonly apply: (input: Json) => Json | 'unknown';
}

/** @returns undefined for an expression that is not understood here */
export function compileDelete(expression: string): JqDelete | undefined {
  let parsed: Jq;
  try {
    parsed = parseJq(expression);
  } catch (error) {
    if (error instanceof JqUnsupported) return undefined;
    throw error;
  }
  return { apply: (input) => deleteFrom(parsed, input) };
}

/**
 * An expression that fails on the object deletes nothing: Argo CD skips a patch that fails
 * (util/argo/normalizers/diff_normalizer.go Normalize).
 */
function deleteFrom(expression: Jq, input: Json): Json | 'unknown' {
  let paths: readonly Path[];
  try {
    paths = pathsOf(expression, input);
  } catch (error) {
    if (error instanceof JqError) return input;
    if (error instanceof JqUnsupported || error instanceof JqBudget) return 'unknown';
    throw error;
  }
  // Deleting the whole object is no object any more, which Argo CD cannot use either.
  if (paths.some((path) => path.length === 0)) return input;
  // From the last to the first, so that positions in lists stay right.
  return paths.toSorted(comparePaths).reduceRight<Json>((value, path) => without(value, path, 0), input);
}

function comparePaths(left: Path, right: Path): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const found = compareSteps(left[index]!, right[index]!);
    if (found !== 0) return found;
  }
  return left.length - right.length;
}

function compareSteps(left: Step, right: Step): number {
  const [a, b] = [position(left), position(right)];
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

function position(step: Step): string | number {
  return typeof step === 'object' ? step.from : step;
}

function without(value: Json, path: Path, depth: number): Json {
  const step = path[depth];
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  const last = depth === path.length - 1;
  if (Array.isArray(value)) {
    if (typeof step === 'string') return value;
    const [from, to] = typeof step === 'number' ? [step, step + 1] : [step.from, step.to];
    if (last) return value.filter((_item, index) => index < from || index >= to);
    if (typeof step === 'number') {
      return value.map((item, index) => (index === step ? without(item, path, depth + 1) : item));
    }
    return [
      ...value.slice(0, from),
      ...(without(value.slice(from, to), path, depth + 1) as Json[]),
      ...value.slice(to),
    ];
  }
  if (typeof step !== 'string' || !Object.hasOwn(value, step)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    last
      ? entries.filter(([key]) => key !== step)
      : entries.map(([key, inner]) => [key, key === step ? without(inner, path, depth + 1) : inner]),
  );
}
