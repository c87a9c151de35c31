import { basename } from 'node:path';
import { GateError, messageOf, type SourceLocation } from '../../core/errors.ts';
import type { Json } from '../../core/model.ts';
import { readDocument, splitDocuments, YamlError } from '../../core/yaml/read.ts';

export interface SnapshotDocument {
  readonly value: Json;
  readonly line: number;
}

/**
 * The documents of one file of a snapshot, in order: one JSON value, or YAML.
 * @throws GateError snapshot.bad-yaml, snapshot.truncated
 */
export function* documentsOf(text: string, file: string): Iterable<SnapshotDocument> {
  const json = /\.json(?:\.gz)?$/i.test(file) || text.startsWith('{');
  if (json) {
    const value = parseJson(text, file);
    if (value !== undefined) {
      yield { value, line: 1 };
      return;
    }
  }
  for (const part of splitDocuments(text)) {
    let document;
    try {
      document = readDocument(part);
    } catch (cause) {
      throw badYaml(cause, file);
    }
    if (document.value !== null) yield document;
  }
}

/** Undefined when the text is no single JSON value but may be YAML. */
function parseJson(text: string, file: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    const message = messageOf(cause);
    const position = Number(/ at position (\d+)/.exec(message)?.[1] ?? 0);
    if (/Unexpected end|Unterminated/.test(message) || position >= text.trimEnd().length)
      throw truncated({ file, line: text.split('\n').length }, 'ends in the middle', cause);
    // Several JSON values in one file, or YAML in flow style: the YAML reader says what is wrong.
    return undefined;
  }
}

function badYaml(cause: unknown, file: string): GateError {
  const line = cause instanceof YamlError ? cause.line : undefined;
  const column = cause instanceof YamlError ? cause.column : undefined;
  return new GateError({
    code: 'snapshot.bad-yaml',
    message: `The snapshot cannot be read: ${messageOf(cause)}`,
    fault: 'user',
    location: { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) },
    next: 'Write the snapshot again; it must be what kubectl prints with -o yaml or -o json.',
    cause,
  });
}

/** @param how the rest of the sentence: "ends in the middle" */
export function truncated(location: SourceLocation, how: string, cause?: unknown): GateError {
  return new GateError({
    code: 'snapshot.truncated',
    message: `The snapshot ${basename(location.file)} ${how}`,
    fault: 'user',
    location,
    next: 'Write it again: what is missing would look as if it were not in the cluster.',
    cause,
  });
}

export function notAnObject(why: string, location: SourceLocation): GateError {
  return new GateError({
    code: 'snapshot.not-an-object',
    message: `A document of the snapshot is not a Kubernetes object: ${why}`,
    fault: 'user',
    location,
    next: 'A snapshot holds only what kubectl prints with -o yaml or -o json, and what `gate snapshot` writes.',
  });
}
