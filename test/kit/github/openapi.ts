import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';

/** What of an OpenAPI 3.0 schema the tests look at. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface OperationObject {
  readonly operationId: string;
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** An operation of the description that a request names, with the parameters of its path. */
export interface Operation {
  /** For example `issues/create-comment`. */
  readonly id: string;
  readonly template: string;
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
}

let loaded: Description | undefined;

/** GitHub's own description of api.github.com (npm `@octokit/openapi`, MIT), read once. */
function description(): Description {
  const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
  loaded ??= JSON.parse(readFileSync(file, 'utf8')) as Description;
  return loaded;
}

/** The thing a `#/components/...` reference names. */
export function resolve<T extends object>(value: T | { readonly $ref: string }): T {
  let current: unknown = value;
  while (typeof current === 'object' && current !== null && '$ref' in current) {
    const [, , section = '', name = ''] = String(current.$ref).split('/');
    current = description().components[section]?.[name];
    if (current === undefined) throw new Error(`The description has no ${section}/${name}`);
  }
  return current as T;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** The operation of a method and path (still percent-encoded); undefined when GitHub has none. */
export function findOperation(method: string, path: string): Operation | undefined {
  const segments = path.split('/');
  let best: Operation | undefined;
  for (const [template, methods] of Object.entries(description().paths)) {
    const operation = methods[method.toLowerCase()];
    const wanted = template.split('/');
    if (operation === undefined) continue;
    // `{path}` of contents takes slashes too.
    const open = template.endsWith('/contents/{path}');
    if (wanted.length !== segments.length && !(open && segments.length > wanted.length)) continue;
    const parameters: Record<string, string> = {};
    const fits = wanted.every((part, index) => {
      const rest = open && index === wanted.length - 1 ? segments.slice(index).join('/') : segments[index];
      const text = decode(rest ?? '');
      if (!part.startsWith('{')) return part === text;
      if (text === undefined || text === '') return false;
      parameters[part.slice(1, -1)] = text;
      return true;
    });
    // `/issues/comments/{id}` wins over `/issues/{number}/comments`-like templates: fewer parameters.
    if (fits && (best === undefined || Object.keys(parameters).length < Object.keys(best.parameters).length))
      best = { id: operation.operationId, template, method: method.toLowerCase(), parameters };
  }
  return best;
}

function operationObject(operation: Operation): OperationObject {
  return description().paths[operation.template]![operation.method]!;
}

/** Schema of the JSON answer with that status; undefined: the description knows none. */
export function responseSchema(operation: Operation, status: number): Schema | undefined {
  const response = operationObject(operation).responses[String(status)];
  if (response === undefined) return undefined;
  return resolve<{ content?: Content }>(response as { content?: Content }).content?.['application/json']?.schema;
}

/** True when the description lists that status for the operation. */
export function knowsStatus(operation: Operation, status: number): boolean {
  return operationObject(operation).responses[String(status)] !== undefined;
}

/** OpenAPI 3.0 `nullable` as JSON Schema says it, and component references as `definitions`. */
function toJsonSchema(schema: unknown, needed: Set<string>): unknown {
  if (Array.isArray(schema)) return schema.map((entry) => toJsonSchema(entry, needed));
  if (typeof schema !== 'object' || schema === null) return schema;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'example' || key === 'examples' || key === 'description' || key === 'nullable') continue;
    if (key === '$ref' && typeof value === 'string') {
      const name = value.split('/').at(-1)!;
      needed.add(name);
      out[key] = `#/definitions/${name}`;
    } else {
      out[key] = key === 'enum' || key === 'default' ? value : toJsonSchema(value, needed);
    }
  }
  return (schema as Schema).nullable === true ? { anyOf: [{ type: 'null' }, out] } : out;
}

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const compiled = new Map<string, ValidateFunction>();

/** Compiles a schema with the components that it refers to, once per key. */
function validator(key: string, schema: Schema): ValidateFunction {
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const needed = new Set<string>();
  const root = toJsonSchema(schema, needed) as object;
  const definitions: Record<string, unknown> = {};
  // A Set is walked in the order of insertion, entries added on the way included.
  for (const name of needed) definitions[name] = toJsonSchema(description().components['schemas']![name], needed);
  const validate = ajv.compile({ ...root, definitions });
  compiled.set(key, validate);
  return validate;
}

function problems(key: string, schema: Schema, value: unknown): string[] {
  const validate = validator(key, schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, 5).map((error) => `${error.instancePath || '/'} ${error.message}`);
}

function coerced(text: string, schema: Schema): unknown {
  const { type } = resolve<Schema>(schema);
  if (type === 'integer' || type === 'number') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** What is wrong with a request, in words; empty: GitHub's description allows it. */
export function requestProblems(operation: Operation, query: URLSearchParams, body: unknown): string[] {
  const object = operationObject(operation);
  const parameters = (object.parameters ?? []).map((entry) => resolve<Parameter>(entry as Parameter));
  const found: string[] = [];
  for (const parameter of parameters) {
    const text =
      parameter.in === 'path' ? operation.parameters[parameter.name] : (query.get(parameter.name) ?? undefined);
    if (parameter.in === 'header') continue;
    if (text === undefined) {
      if (parameter.required === true) found.push(`${parameter.in} parameter ${parameter.name} is missing`);
      continue;
    }
    const key = `${operation.id} ${parameter.in} ${parameter.name}`;
    found.push(
      ...problems(key, parameter.schema, coerced(text, parameter.schema)).map((text) => `${parameter.name}: ${text}`),
    );
  }
  const perPage = query.get('per_page');
  if (perPage !== null && (Number(perPage) < 1 || Number(perPage) > 100))
    found.push(`per_page ${perPage} is not 1 to 100`);
  const names = new Set(parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name));
  for (const name of query.keys()) if (!names.has(name)) found.push(`query parameter ${name} is unknown`);
  return [...found, ...bodyProblems(operation, object, body)];
}

function bodyProblems(operation: Operation, object: OperationObject, body: unknown): string[] {
  const schema = object.requestBody?.content['application/json']?.schema;
  if (schema === undefined) return body === undefined ? [] : ['a body is sent, and the operation takes none'];
  if (body === undefined) return object.requestBody?.required === true ? ['the body is missing'] : [];
  const found = problems(`${operation.id} body`, schema, body);
  const { properties, additionalProperties } = resolve<Schema>(schema);
  // The description leaves objects open; a property that it does not name is a slip of ours all the same.
  if (properties !== undefined && additionalProperties === undefined && typeof body === 'object' && body !== null)
    for (const name of Object.keys(body)) if (!(name in properties)) found.push(`body property ${name} is unknown`);
  return found;
}

/** What is wrong with an answer of the test server itself. */
export function responseProblems(operation: Operation, status: number, body: unknown): string[] {
  const schema = responseSchema(operation, status);
  return schema === undefined ? [] : problems(`${operation.id} ${status}`, schema, body);
}
