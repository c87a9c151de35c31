import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Document, Node, Scalar, YAMLMap, YAMLParseError } from 'yaml';
import type { Json, JsonObject } from '../model.ts';
import { messageOf } from '../errors.ts';
import { indented } from './indent.ts';
import { isNotJson, plainKey, resolvePlain } from './scalar.ts';
import { maxDepth, setKey, YamlError } from './types.ts';
import type { RawDuplicate } from './types.ts';

/**
 * Reads one document of any shape. The syntax is the `yaml` package's; what the nodes mean (scalars, merge keys,
 * duplicate keys, alias limit) is decided here, as go.yaml.in/yaml/v2 and sigs.k8s.io/yaml do. Known leniences of the
 * syntax: `?x` and `:x` inside of flow collections, and U+0085 in plain text, are read as text; a block
 * scalar may begin with a tab.
 * @param text one document
 * @param firstLine 1-based line at which `text` starts, for positions
 * @throws YamlError
 */
export function readFull(
  text: string,
  firstLine: number,
): { readonly value: Json; readonly duplicates: readonly RawDuplicate[] } {
  const { document, lineCounter, length } = composeIndented(text, firstLine);
  const reader = new Reader(document, lineCounter, firstLine, text.endsWith('\n') ? undefined : length);
  return { value: reader.value(document.contents, []), duplicates: reader.duplicates };
}

/** @throws YamlError for the first problem of the text as it stands */
function composeIndented(
  text: string,
  firstLine: number,
): { readonly document: Document; readonly lineCounter: LineCounter; readonly length: number } {
  let read = text;
  let first: YamlError | undefined;
  for (let repairs = 0; ; repairs++) {
    const lineCounter = new LineCounter();
    const document = compose(read, lineCounter, firstLine);
    const problem = document.errors[0];
    if (problem === undefined) return { document, lineCounter, length: read.length };
    first ??= errorOf(problem, lineCounter, firstLine);
    const next = indented(read, problem, repairs);
    if (next === undefined) throw first;
    read = next;
  }
}

const tooDeep = 'the document is nested too deeply';

function errorOf(problem: YAMLParseError, lineCounter: LineCounter, firstLine: number): YamlError {
  const position = lineCounter.linePos(problem.pos[0]);
  const said = problem.message.split('\n')[0] ?? problem.message;
  // The parser turns the end of its stack into a problem of the document.
  const message = said.startsWith('Maximum call stack') ? tooDeep : said;
  return new YamlError(message.replace(/ at line \d+, column \d+:?$/, ''), position.line + firstLine - 1, position.col);
}

function compose(text: string, lineCounter: LineCounter, firstLine: number): Document {
  try {
    return parseDocument(text, {
      version: '1.1',
      schema: 'failsafe',
      merge: false,
      uniqueKeys: false,
      stringKeys: false,
      strict: false,
      logLevel: 'silent',
      lineCounter,
      prettyErrors: false,
    });
  } catch (error) {
    // The parser descends recursively; RangeError is its stack.
    const message = error instanceof RangeError ? tooDeep : messageOf(error);
    throw new YamlError(message, firstLine);
  }
}

/** Walks the nodes once, aliases expanded under the limits of go.yaml.in/yaml/v2 decode.go. */
class Reader {
  readonly duplicates: RawDuplicate[] = [];
  readonly #anchors: Map<Alias, Node | undefined>;
  readonly #lines: LineCounter;
  readonly #firstLine: number;
  readonly #open = new Set<Node>();
  /** Where the text ends without a line break; undefined when it ends with one. */
  readonly #openEnd: number | undefined;
  #decoded = 0;
  #aliased = 0;

  constructor(document: Document, lines: LineCounter, firstLine: number, openEnd: number | undefined) {
    this.#openEnd = openEnd;
    this.#lines = lines;
    this.#firstLine = firstLine;
    this.#anchors = resolveAliases(document);
  }

  value(node: unknown, path: readonly (string | number)[]): Json {
    if (!isNode(node)) return null;
    this.#count(node, path);
    if (isAlias(node)) return this.#alias(node, (target) => this.value(target, path));
    if (isScalar(node)) return this.#scalar(node);
    if (isMap(node)) {
      const object: JsonObject = {};
      this.#fill(object, node, path);
      return object;
    }
    if (isSeq(node)) return node.items.map((item, index) => this.value(item, [...path, index]));
    throw this.#error('unknown kind of node', node);
  }

  #count(node: Node, path: readonly (string | number)[]): void {
    if (path.length > maxDepth) throw this.#error(tooDeep, node);
    this.#decoded++;
    if (this.#open.size > 0) this.#aliased++;
    if (
      this.#aliased > 100 &&
      this.#decoded > 1000 &&
      this.#aliased / this.#decoded > allowedAliasRatio(this.#decoded)
    ) {
      throw this.#error('the document contains excessive aliasing', node);
    }
  }

  #alias<Result>(alias: Alias, read: (target: Node) => Result): Result {
    const target = this.#anchors.get(alias);
    if (target === undefined) throw this.#error(`unknown anchor '${alias.source}' referenced`, alias);
    if (this.#open.has(target)) throw this.#error(`anchor '${alias.source}' value contains itself`, alias);
    this.#open.add(target);
    const result = read(target);
    this.#open.delete(target);
    return result;
  }

  #fill(object: JsonObject, map: YAMLMap, path: readonly (string | number)[]): void {
    const seen = new Map<string, number>();
    for (const { key, value } of map.items) {
      if (isScalar(key) && isMergeKey(key)) {
        this.#merge(object, value, path);
        continue;
      }
      const name = this.#key(key, map);
      const line = this.#line(key);
      const first = seen.get(name);
      if (first === undefined) seen.set(name, line);
      else this.duplicates.push({ path: [...path, name], key: name, lines: [first, line] });
      setKey(object, name, this.value(value, [...path, name]));
    }
  }

  /** Go's decoder merges at the place of `<<`: what stood before is overridden, what comes later overrides. */
  #merge(object: JsonObject, value: unknown, path: readonly (string | number)[]): void {
    if (isAlias(value)) {
      this.#count(value, path);
      this.#alias(value, (target) => {
        if (!isMap(target)) throw this.#error('map merge requires map or sequence of maps as the value', target);
        this.#count(target, path);
        this.#fill(object, target, path);
      });
    } else if (isMap(value)) {
      this.#fill(object, value, path);
    } else if (isSeq(value)) {
      for (const item of value.items.toReversed()) {
        if (isSeq(item)) throw this.#error('map merge requires map or sequence of maps as the value', value);
        this.#merge(object, item, path);
      }
    } else {
      throw this.#error('map merge requires map or sequence of maps as the value', value);
    }
  }

  #key(key: unknown, map: YAMLMap): string {
    if (isAlias(key)) return this.#alias(key, (target) => this.#key(target, map));
    // An empty key (`: value`) is null, which JSON has no name for.
    if (!isNode(key)) throw this.#error('a mapping key is empty', map);
    if (!isScalar(key)) throw this.#error('a mapping key must be a scalar', key);
    const name = typeof key.value === 'string' && isPlain(key) ? plainKey(key.value) : keyText(this.#scalar(key));
    if (name === undefined) throw this.#error('a mapping key has no name in JSON', key);
    return name;
  }

  #scalar(node: Scalar): Json {
    const text = typeof node.value === 'string' ? node.value : String(node.value ?? '');
    if (node.tag !== undefined) return this.#tagged(node, node.tag, text);
    if (!isPlain(node)) {
      // A block scalar whose last line lacks its line break has none to keep (libyaml).
      const cut =
        node.type?.startsWith('BLOCK') === true && this.#openEnd !== undefined && node.range?.[1] === this.#openEnd;
      return cut && text.endsWith('\n') ? text.slice(0, -1) : text;
    }
    if (isNotJson(text)) throw this.#error(`${text} has no counterpart in JSON`, node);
    return resolvePlain(text);
  }

  #tagged(node: Scalar, tag: string, text: string): Json {
    const name = tag.replace(/^tag:yaml\.org,2002:|^!!/, '');
    switch (name) {
      case 'int':
      case 'float':
      case 'bool':
      case 'null': {
        const value = resolvePlain(text);
        const type =
          value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? 'number' : 'str';
        const fits =
          type === name || (type === 'number' && (name === 'float' || (name === 'int' && Number.isInteger(value))));
        if (!fits) throw this.#error(`cannot read "${text.slice(0, 40)}" as !!${name}`, node);
        return value;
      }
      case 'binary':
        return Buffer.from(text, 'base64').toString('utf8');
      default:
        // !!str, !!timestamp, the bare ! and tags that nobody knows: the text.
        return text;
    }
  }

  #line(node: unknown): number {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    return offset === undefined ? this.#firstLine : this.#lines.linePos(offset).line + this.#firstLine - 1;
  }

  #error(message: string, node: unknown): YamlError {
    return new YamlError(message, this.#line(node));
  }
}

function isPlain(node: Scalar): boolean {
  return node.type === 'PLAIN' || node.type === undefined;
}

function isMergeKey(key: Scalar): boolean {
  return key.value === '<<' && (isPlain(key) || key.tag === 'tag:yaml.org,2002:merge');
}

function keyText(value: Json): string | undefined {
  return value === null ? undefined : typeof value === 'object' ? undefined : String(value);
}

/** An alias means the last anchor of that name before it (anchors may be defined again). */
function resolveAliases(document: Document): Map<Alias, Node | undefined> {
  const current = new Map<string, Node>();
  const found = new Map<Alias, Node | undefined>();
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) found.set(node, current.get(node.source));
      else if ('anchor' in node && typeof node.anchor === 'string' && node.anchor !== '')
        current.set(node.anchor, node);
    },
  });
  return found;
}

/** go.yaml.in/yaml/v2 decode.go: 99 % of a small document may come from aliases, 10 % of a very large one. */
function allowedAliasRatio(decoded: number): number {
  const low = 400_000;
  const high = 4_000_000;
  if (decoded <= low) return 0.99;
  if (decoded >= high) return 0.1;
  return 0.99 - 0.89 * ((decoded - low) / (high - low));
}
