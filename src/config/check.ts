import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';
import type { SourceLocation } from '../core/errors.ts';
import { closest } from './suggest.ts';

/** The part of JSON Schema that the schemas of gate.yaml and of rule options use. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
}

export interface Mistake {
  readonly message: string;
  readonly location: SourceLocation;
  readonly next?: string;
}

export interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly file: string;
}

/** Position of a node; of the file when it has none (an empty value). */
export function locate(source: Source, node: unknown): SourceLocation {
  const range = (node as Node | null | undefined)?.range;
  if (range === undefined || range === null) return { file: source.file };
  const { line, col } = source.lines.linePos(range[0]);
  return { file: source.file, line, column: col };
}

/**
 * Checks a YAML node against a schema and says what is wrong in words for people. Unlike a JSON Schema validator it knows
 * lines, it suggests the key that was meant, and it takes the branch of a choice that has the type of what was written.
 * @param path of the node for messages, '' for the root
 */
export function* check(source: Source, node: unknown, schema: object, path: string): Generator<Mistake> {
  const resolved = isAlias(node) ? node.resolve(source.document) : node;
  yield* checkNode(source, resolved, schema as Schema, path, locate(source, node));
}

function* checkNode(
  source: Source,
  node: unknown,
  schema: Schema,
  path: string,
  location: SourceLocation,
): Generator<Mistake> {
  if (schema.anyOf !== undefined) {
    const branch = chooseBranch(node, schema.anyOf);
    if (branch === undefined)
      yield {
        message: `${path} must be ${schema.anyOf.map(describe).join(' or ')}, not ${describeNode(node)}`,
        location,
      };
    else yield* checkNode(source, node, branch, path, location);
  } else if (schema.type === 'object') {
    if (isMap(node)) yield* checkMap(source, node, schema, path, location);
    else yield { message: `${path} must be a map, not ${describeNode(node)}`, location };
  } else if (schema.type === 'array') {
    if (!isSeq(node)) yield { message: `${path} must be a list, not ${describeNode(node)}`, location };
    else
      for (const [index, item] of node.items.entries())
        yield* check(source, item, schema.items ?? {}, `${path}[${index}]`);
  } else {
    yield* checkScalar(node, schema, path, location);
  }
}

function* checkMap(
  source: Source,
  node: unknown,
  schema: Schema,
  path: string,
  location: SourceLocation,
): Generator<Mistake> {
  if (!isMap(node)) return;
  const properties = schema.properties ?? {};
  const others = Object.values(schema.patternProperties ?? {})[0];
  const present = new Set<string>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const below = path === '' ? name : `${path}.${name}`;
    present.add(name);
    if (Object.hasOwn(properties, name)) {
      // An optional key without value (`targets:`) is the same as no key.
      const skip = isEmpty(value) && schema.required?.includes(name) !== true;
      if (!skip) yield* check(source, value ?? key, properties[name] ?? {}, below);
    } else if (others !== undefined) yield* check(source, value, others, below);
    else if (schema.additionalProperties === false || Object.keys(properties).length > 0) {
      const near = closest(name, Object.keys(properties));
      const allowed = Object.keys(properties).join(', ');
      yield {
        message: `unknown key "${name}"${path === '' ? '' : ` in ${path}`}`,
        location: locate(source, key),
        next: near === undefined ? `Allowed here: ${allowed}.` : `Did you mean ${near}?`,
      };
    }
  }
  for (const name of schema.required ?? []) {
    if (!present.has(name)) yield { message: `${path === '' ? 'the file' : path} needs the key "${name}"`, location };
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || (isScalar(value) && value.value === null);
}

function* checkScalar(node: unknown, schema: Schema, path: string, location: SourceLocation): Generator<Mistake> {
  const accepts = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (schema.type === undefined && accepts === undefined) return;
  const value: unknown = isScalar(node) ? node.value : undefined;
  if (accepts !== undefined) {
    if (accepts.includes(value)) return;
    const near = typeof value === 'string' ? closest(value, accepts.map(String)) : undefined;
    yield {
      message: `${path} must be one of ${accepts.map(String).join(', ')}, not ${describeNode(node)}`,
      location,
      ...(near === undefined ? {} : { next: `Did you mean ${near}?` }),
    };
    return;
  }
  const actual = Number.isInteger(value) ? 'integer' : typeof value;
  const fits = actual === schema.type || (schema.type === 'number' && actual === 'integer');
  if (!fits) {
    const quotes =
      schema.type === 'string' && isScalar(node) && (typeof value === 'number' || typeof value === 'boolean');
    const written = isScalar(node) && node.source !== undefined ? node.source : String(value);
    yield {
      message: `${path} must be ${describe(schema)}, not ${describeNode(node)}`,
      location,
      ...(quotes ? { next: `Write it in quotes: "${written}".` } : {}),
    };
    return;
  }
  const reason = limitProblem(value, schema);
  if (reason !== undefined) yield { message: `${path} ${reason}, not ${describeNode(node)}`, location };
}

function limitProblem(value: unknown, schema: Schema): string | undefined {
  if (typeof value === 'string') {
    if (value.length < (schema.minLength ?? 0)) return 'must not be empty';
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
      return schema.examples?.[0] === undefined
        ? `must match ${schema.pattern}`
        : `must look like "${String(schema.examples[0])}"`;
    }
  }
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) return `must be at least ${schema.minimum}`;
    if (schema.maximum !== undefined && value > schema.maximum) return `must be at most ${schema.maximum}`;
  }
  return undefined;
}

/** The branch whose type is that of the node; among several objects the one that shares most keys with it. */
function chooseBranch(node: unknown, branches: readonly Schema[]): Schema | undefined {
  if (isMap(node)) {
    const keys = new Set(node.items.map(({ key }) => (isScalar(key) ? String(key.value) : '')));
    const objects = branches.filter((branch) => branch.type === 'object');
    const shared = (branch: Schema): number =>
      Object.keys(branch.properties ?? {}).filter((key) => keys.has(key)).length;
    return objects.toSorted((left, right) => shared(right) - shared(left))[0];
  }
  if (isSeq(node)) return branches.find((branch) => branch.type === 'array');
  const value: unknown = isScalar(node) ? node.value : undefined;
  return (
    branches.find(
      (branch) =>
        (branch.enum ?? [branch.const]).includes(value) && (branch.enum !== undefined || branch.const !== undefined),
    ) ??
    branches.find((branch) => branch.type === typeof value || (branch.type === 'integer' && Number.isInteger(value))) ??
    branches.find((branch) => branch.enum !== undefined && branch.enum.every((item) => typeof item === typeof value))
  );
}

function describe(schema: Schema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'object') return 'a map';
  if (schema.type === 'array') return 'a list';
  if (schema.type === 'integer') return 'a whole number';
  if (schema.type === 'boolean') return 'true or false';
  return schema.type === 'number' ? 'a number' : 'text';
}

function describeNode(node: unknown): string {
  if (isMap(node)) return 'a map';
  if (isSeq(node)) return 'a list';
  const value: unknown = isScalar(node) ? node.value : null;
  if (value === null || value === undefined) return 'nothing';
  const shown =
    isScalar(node) && typeof value !== 'string' && node.source !== undefined ? node.source : JSON.stringify(value);
  const short = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  if (typeof value === 'number') return `the number ${short}`;
  return short;
}
