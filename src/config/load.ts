import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { LineCounter, isMap, isScalar, parseDocument } from 'yaml';
import type { Config } from '../core/config.ts';
import { GateError } from '../core/errors.ts';
import { check, locate, type Mistake, type Source } from './check.ts';
import { PlacedError, toConfig, type RawConfig } from './fill.ts';
import { gateConfigSchema } from './schema.ts';
import { closest } from './suggest.ts';

/** A rule as far as the configuration needs it: its id and the schema of its options. */
export interface KnownRule {
  readonly id: string;
  readonly options: object;
}

export interface ConfigInput {
  /** Content of gate.yaml. */
  readonly text: string;
  /** Name for messages, and `Config.file`. */
  readonly file: string;
  /** Folder that relative folders and `extraValues` start from. */
  readonly directory: string;
  /** Rules that exist; ids alone skip the check of options. */
  readonly knownRules: readonly (string | KnownRule)[];
}

/** What applies without gate.yaml. */
export function defaultConfig(): Config {
  return toConfig({}, '/', digestOf({}));
}

/**
 * Reads gate.yaml: data only, nothing in it is executed.
 * @throws GateError config.yaml (not YAML, duplicate keys), config.invalid (unknown key, wrong type, unknown rule); with line and column
 */
export function loadConfig(input: ConfigInput): Config {
  const source = parse(input);
  const { contents } = source.document;
  const empty = contents === null || (isScalar(contents) && contents.value === null);
  if (!empty) {
    const mistakes = [...check(source, contents, gateConfigSchema, '')];
    if (mistakes.length === 0) mistakes.push(...checkMeaning(source, input.knownRules));
    if (mistakes.length > 0) throw invalid(mistakes, input.file);
  }
  const raw = empty ? {} : toData(source);
  try {
    return { ...toConfig(raw, resolve(input.directory), digestOf(raw)), file: input.file };
  } catch (error) {
    if (!(error instanceof PlacedError)) throw error;
    throw invalid(
      [{ message: error.message, location: locate(source, source.document.getIn(error.path, true)) }],
      input.file,
    );
  }
}

function toData({ document, file }: Source): RawConfig {
  try {
    const raw = document.toJS({ maxAliasCount: 100 }) as RawConfig;
    canonical(raw);
    return raw;
  } catch (error) {
    const message = `${file} refers to itself or to too much through YAML aliases`;
    throw new GateError({ code: 'config.yaml', message, fault: 'user', location: { file }, cause: error });
  }
}

/** Reads one YAML document with its positions. @throws GateError config.yaml */
export function parse({ text, file }: Pick<ConfigInput, 'text' | 'file'>): Source {
  const lines = new LineCounter();
  // YAML 1.2: `off` and `1:30` stay text.
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const [error] = document.errors;
  if (error === undefined) return { document, lines, file };
  const { line, col } = lines.linePos(error.pos[0]);
  throw new GateError({
    code: 'config.yaml',
    message:
      error.code === 'MULTIPLE_DOCS'
        ? `${file} must hold one YAML document`
        : `${file} is not valid YAML: ${error.message}`,
    fault: 'user',
    location: { file, line, column: col },
    cause: error,
  });
}

/** What a schema cannot say: references to rules, exactly one source per target, names that occur once, real dates. */
function* checkMeaning(source: Source, known: ConfigInput['knownRules']): Generator<Mistake> {
  const rules = new Map(known.map((rule) => (typeof rule === 'string' ? [rule, undefined] : [rule.id, rule.options])));
  const { document } = source;
  const at = (...path: (string | number)[]): unknown => document.getIn(path, true);
  const count = (key: string): number => {
    const list: unknown = document.get(key);
    return typeof list === 'object' && list !== null && 'items' in list ? (list.items as unknown[]).length : 0;
  };

  const ruleMap = at('rules');
  for (const { key, value } of isMap(ruleMap) ? ruleMap.items : []) {
    const id = isScalar(key) ? String(key.value) : '';
    if (!rules.has(id)) yield unknownRule(id, rules, locate(source, key));
    const options = isMap(value) ? value.get('options', true) : undefined;
    const schema = rules.get(id);
    if (options !== undefined && schema !== undefined)
      yield* check(source, options, { additionalProperties: false, ...schema }, `rules.${id}.options`);
  }
  for (let index = 0; index < count('waivers'); index++) {
    const rule = at('waivers', index, 'rule');
    const id = isScalar(rule) ? String(rule.value) : '';
    if (!rules.has(id)) yield unknownRule(id, rules, locate(source, rule));
    const expires = at('waivers', index, 'expires');
    const day = isScalar(expires) ? String(expires.value) : '';
    if (!isDay(day))
      yield {
        message: `waivers[${index}].expires: ${day} is not a day of the calendar`,
        location: locate(source, expires),
      };
  }
  for (let index = 0; index < count('targets'); index++) {
    const target = at('targets', index);
    const kinds = isMap(target) ? ['helm', 'kustomize', 'manifests'].filter((kind) => target.has(kind)) : [];
    if (kinds.length !== 1) {
      const found = kinds.length === 0 ? 'none' : kinds.join(' and ');
      yield {
        message: `targets[${index}] needs exactly one of helm, kustomize, manifests, and has ${found}`,
        location: locate(source, target),
      };
    }
  }
  for (const list of ['targets', 'environments', 'clusters']) {
    const seen = new Set<string>();
    for (let index = 0; index < count(list); index++) {
      const node = at(list, index, 'name');
      const name = isScalar(node) ? String(node.value) : '';
      if (seen.has(name)) yield { message: `${list}: the name "${name}" occurs twice`, location: locate(source, node) };
      seen.add(name);
    }
  }
}

function unknownRule(id: string, rules: ReadonlyMap<string, unknown>, location: Mistake['location']): Mistake {
  const near = closest(id, rules.keys());
  return {
    message: `there is no rule "${id}"`,
    location,
    next: near === undefined ? 'gate rules lists all rules.' : `Did you mean ${near}?`,
  };
}

/** A day of the calendar as YYYY-MM-DD. */
export function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** The first mistake is the error; further ones are listed below it. */
export function invalid(mistakes: readonly Mistake[], file: string): GateError {
  const [first] = mistakes;
  const others = mistakes
    .slice(1, 5)
    .map(({ message, location }) => `\n${file}:${location.line ?? 1}:${location.column ?? 1}: ${message}`);
  const more = mistakes.length > 5 ? `\nand ${mistakes.length - 5} more` : '';
  return new GateError({
    code: 'config.invalid',
    message: `${first?.message ?? 'invalid configuration'}${others.join('')}${more}`,
    fault: 'user',
    location: first?.location ?? { file },
    ...(first?.next === undefined ? {} : { next: first.next }),
  });
}

/** Folders are taken as written, so that the digest does not depend on where the repository lies. */
function digestOf(raw: unknown): string {
  return createHash('sha256').update(canonical(raw)).digest('hex');
}

/** JSON with sorted keys. @throws RangeError for data that holds itself */
function canonical(value: unknown, above: readonly object[] = []): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (above.includes(value)) throw new RangeError('the data holds itself');
  const path = [...above, value];
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, path)).join(',')}]`;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, path)}`).join(',')}}`;
}
