import type { Json } from '../model.ts';

/** A mapping key that stands twice in one mapping; the last value counts. */
export interface RawDuplicate {
  /** Keys and list indexes from the root of the document to the key. */
  readonly path: readonly (string | number)[];
  readonly key: string;
  /** 1-based lines of the first and the second occurrence, counted from the start of the whole text. */
  readonly lines: readonly [number, number];
}

/** One YAML document as Kubernetes reads it. */
export interface YamlDocument {
  readonly value: Json;
  /** 1-based line of the first content of the document. */
  readonly line: number;
  readonly duplicates: readonly RawDuplicate[];
  /** The text of the document, comments included. */
  readonly text: string;
}

/** A document that cannot be read. `line` and `column` are 1-based and count from the start of the whole text. */
export class YamlError extends Error {
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(message: string, line?: number, column?: number) {
    super(message);
    this.name = 'YamlError';
    this.line = line;
    this.column = column;
  }
}

/** Deeper nesting than this is refused; no Kubernetes object comes near. */
export const maxDepth = 200;

/** Sets a key without touching the prototype: `__proto__` becomes a key like any other, as JSON.parse has it. */
export function setKey(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}
