import { isObject } from '../../core/json.ts';
import type { Entry, Json, ResourceChange } from '../../core/model.ts';
import { readDocuments, YamlError } from '../../core/yaml/read.ts';

/** A file in a ConfigMap that could be read before the change and cannot afterwards. */
export interface BrokenDocument {
  readonly key: string;
  readonly message: string;
  /** 1-based line of the embedded file. */
  readonly line?: number;
}

/** Lines that a template engine of the application still has to fill in: not YAML yet. */
const templated = /^\s*(?:\{\{|\{%|<%)|:\s+\{\{|:\s+\{%/m;

/** Keys of a ConfigMap that are named like YAML or JSON and stop being it in this change. */
export function brokenDocuments({ before, after }: ResourceChange): readonly BrokenDocument[] {
  if (before === undefined || after === undefined || after.ref.kind !== 'ConfigMap' || after.ref.group !== '')
    return [];
  const old = dataOf(before);
  const broken: BrokenDocument[] = [];
  for (const [key, text] of Object.entries(dataOf(after))) {
    const previous = Object.hasOwn(old, key) ? old[key] : undefined;
    if (typeof text !== 'string' || typeof previous !== 'string' || text === previous) continue;
    if (!/\.(?:ya?ml|json)$/i.test(key) || templated.test(text)) continue;
    const problem = problemOf(key, text);
    if (problem !== undefined && problemOf(key, previous) === undefined) broken.push({ key, ...problem });
  }
  return broken;
}

function dataOf({ object }: Entry): Readonly<Record<string, unknown>> {
  const data = object['data'] as Json | undefined;
  return isObject(data) ? data : {};
}

function problemOf(key: string, text: string): Omit<BrokenDocument, 'key'> | undefined {
  try {
    if (/\.json$/i.test(key)) JSON.parse(text);
    else readDocuments(text);
    return undefined;
  } catch (error) {
    if (error instanceof YamlError)
      return { message: error.message, ...(error.line === undefined ? {} : { line: error.line }) };
    if (error instanceof SyntaxError) return { message: error.message };
    throw error;
  }
}
