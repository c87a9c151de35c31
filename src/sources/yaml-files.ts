import { isGateError, messageOf } from '../core/errors.ts';
import type { Json } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { readDocument, splitDocuments, YamlError } from '../core/yaml/read.ts';

/** One document of a file, read as Kubernetes reads it. Do not change `value`: it is shared by both sides. */
export interface ReadDocument {
  readonly value: Json;
  /** 1-based line of its first content. */
  readonly line: number;
}

export interface ReadProblem {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
  /** The text holds `{{`: a template of Helm or of another generator, not YAML that someone broke. */
  readonly template: boolean;
  /** git-crypt keeps the content from everyone without the key. */
  readonly encrypted?: true;
}

/** The documents of a file that can be read, and what is wrong with the others. */
export interface ReadFile {
  readonly documents: readonly ReadDocument[];
  readonly problems: readonly ReadProblem[];
}

const nothing: ReadFile = { documents: [], problems: [] };

/** Parse results by content (git blob id): most files are equal on both sides. */
const wholeFiles = new Map<string, ReadFile>();

/**
 * All YAML documents of a file. Never throws: a file that cannot be read at all (binary, too large) has one problem.
 * @returns undefined when there is no such file
 */
export function readYamlFile(tree: Tree, path: string): ReadFile | undefined {
  if (!tree.isFile(path)) return undefined;
  return readCached(tree, path, wholeFiles, () => true);
}

/**
 * Like {@link readYamlFile}, for the documents whose text is wanted.
 * @param cache results by content; one per `wanted`
 */
export function readCached(
  tree: Tree,
  path: string,
  cache: Map<string, ReadFile>,
  wanted: (text: string) => boolean,
): ReadFile {
  const hash = tree.files.get(path)?.hash;
  const known = hash === undefined ? undefined : cache.get(hash);
  if (known !== undefined) return known;
  const result = read(tree, path, wanted);
  if (hash !== undefined) cache.set(hash, result);
  return result;
}

function read(tree: Tree, path: string, wanted: (text: string) => boolean): ReadFile {
  let text: string | undefined;
  try {
    text = tree.readText(path);
  } catch (error) {
    if (!isGateError(error)) throw error;
    const encrypted = error.code === 'tree.encrypted' ? { encrypted: true as const } : {};
    return { documents: [], problems: [{ message: error.message, template: false, ...encrypted }] };
  }
  if (text === undefined || !wanted(text)) return nothing;
  const documents: ReadDocument[] = [];
  const problems: ReadProblem[] = [];
  for (const part of splitDocuments(text)) {
    if (!wanted(part.text)) continue;
    try {
      const { value, line } = readDocument(part);
      documents.push({ value, line });
    } catch (error) {
      problems.push({ ...positionOf(error), template: part.text.includes('{{') });
    }
  }
  return { documents, problems };
}

function positionOf(error: unknown): { readonly message: string; readonly line?: number; readonly column?: number } {
  if (!(error instanceof YamlError)) return { message: messageOf(error) };
  return {
    message: error.message,
    ...(error.line === undefined ? {} : { line: error.line }),
    ...(error.column === undefined ? {} : { column: error.column }),
  };
}
