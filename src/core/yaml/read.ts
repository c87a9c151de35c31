import { readFast } from './fast.ts';
import { readFull } from './full.ts';
import { YamlError } from './types.ts';
import type { YamlDocument } from './types.ts';

/** A piece of a multi-document text. */
export interface YamlPart {
  readonly text: string;
  /** 1-based line of its first line in the whole text. */
  readonly line: number;
}

/**
 * Cuts a text at its `---` lines, as the readers of Kubernetes do (apimachinery util/yaml YAMLReader): the marker
 * stands at the start of a line, alone or followed by a blank. Pieces without content are left out.
 */
export function splitDocuments(text: string): YamlPart[] {
  const parts: YamlPart[] = [];
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  let start = 0;
  let line = 1;
  let startLine = 1;
  let at = 0;
  const add = (end: number): void => {
    const piece = source.slice(start, end);
    if (hasContent(piece)) parts.push({ text: piece, line: startLine });
  };
  while (at < source.length) {
    if (isMarker(source, at) && at > start) {
      add(at);
      start = at;
      startLine = line;
    }
    const end = source.indexOf('\n', at);
    if (end === -1) break;
    at = end + 1;
    line++;
  }
  add(source.length);
  return parts;
}

function isMarker(text: string, at: number): boolean {
  if (!text.startsWith('---', at)) return false;
  const next = text.charCodeAt(at + 3);
  return Number.isNaN(next) || next === 10 || next === 13 || next === 32 || next === 9;
}

/** Is there a line that is neither blank nor a comment nor a bare marker? */
function hasContent(piece: string): boolean {
  for (let at = 0; at < piece.length;) {
    const end = endOfLine(piece, at);
    if (!isBlank(piece, piece.startsWith('---', at) ? at + 3 : at, end)) return true;
    at = end + 1;
  }
  return false;
}

/**
 * Reads one document as Kubernetes does (sigs.k8s.io/yaml on top of go.yaml.in/yaml/v2).
 * @throws YamlError with the position in the whole text
 */
export function readDocument(part: YamlPart): YamlDocument {
  const result = readFast(part.text, part.line) ?? readFull(part.text, part.line);
  return { value: result.value, duplicates: result.duplicates, line: contentLine(part), text: part.text };
}

/** Reads all documents of a text. Empty ones are skipped. @throws YamlError for the first that cannot be read */
export function readDocuments(text: string): YamlDocument[] {
  return splitDocuments(text).map(readDocument);
}

/** 1-based line of the first content. */
function contentLine(part: YamlPart): number {
  const { text } = part;
  let line = part.line;
  for (let at = 0; at < text.length; line++) {
    const end = endOfLine(text, at);
    if (!text.startsWith('---', at) && !isBlank(text, at, end)) return line;
    at = end + 1;
  }
  return part.line;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** Nothing but blanks, or a comment. */
function isBlank(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 35) return true;
    if (code !== 32 && code !== 9 && code !== 13) return false;
  }
  return true;
}

export { YamlError };
export type { RawDuplicate, YamlDocument } from './types.ts';
