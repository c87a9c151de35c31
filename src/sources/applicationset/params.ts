import type { Json, JsonObject } from '../../core/model.ts';
import { setKey } from '../../core/yaml/types.ts';
import { asObject } from '../argocd/values.ts';

/** One set of parameters that a generator yields, and the files of the tree that it was read from. */
export interface ParamSet {
  readonly params: JsonObject;
  readonly files: readonly string[];
}

/** Why a generator or an element cannot be expanded, in a sentence, with the next step. */
export class ExpansionError extends Error {
  readonly next: string | undefined;

  constructor(message: string, next?: string) {
    super(message);
    this.name = 'ExpansionError';
    this.next = next;
  }
}

/** Go's `%v` of a value that came from JSON: how ApplicationSet turns parameters into text. */
export function goText(value: Json): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return goNumber(value);
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`;
  }
  return String(value);
}

/** strconv 'g' with the shortest precision, which fmt uses for `%v` of a float64: exponent form below 1e-4 and from 1e6 (`1e+06`). */
function goNumber(value: number): string {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (value === 0 || (power >= -4 && power < 6)) return fixed(value);
  const digits = String(Math.abs(power)).padStart(2, '0');
  return `${mantissa}e${power < 0 ? '-' : '+'}${digits}`;
}

/** Plain notation; JavaScript itself switches to exponents below 1e-6 only. */
function fixed(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** github.com/jeremywohl/flatten, DotStyle: nested keys and list indexes joined with dots; empty maps and lists vanish. */
export function flatten(params: JsonObject): Map<string, Json> {
  const result = new Map<string, Json>();
  const visit = (prefix: string, value: Json): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(prefix === '' ? key : `${prefix}.${key}`, item);
    } else {
      result.set(prefix, value);
    }
  };
  for (const [key, value] of Object.entries(params)) visit(key, value);
  return result;
}

/**
 * dario.cat/mergo Merge WithOverride on maps: maps merge, everything else of `override` wins, also when it is empty.
 * Returns a new object.
 */
export function mergeParams(base: JsonObject, override: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(base)) setKey(result, key, value);
  for (const [key, value] of Object.entries(override)) {
    const mine = Object.hasOwn(result, key) ? asObject(result[key]) : undefined;
    const theirs = asObject(value);
    setKey(result, key, mine !== undefined && theirs !== undefined ? mergeParams(mine, theirs) : value);
  }
  return result;
}

/** applicationset/utils/template_functions.go SanitizeName: what `nameNormalized` and `basenameNormalized` hold. */
export function sanitizeName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-a-z0-9.]/g, '-')
    .slice(0, 253)
    .replace(/^[-.]+/, '')
    .replace(/[-.]+$/, '');
}

/** Go's `path.Base` and `path.Dir` for clean relative paths. */
export function pathBase(path: string): string {
  return path === '' ? '.' : path.slice(path.lastIndexOf('/') + 1);
}

export function pathDir(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}
