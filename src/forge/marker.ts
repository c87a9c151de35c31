import { createHash } from 'node:crypto';
import type { Revision } from '../core/forge.ts';
import { githubLength, maxComment } from './limits.ts';

/**
 * The hidden first line of what gate writes, by which it finds it again. Only the very beginning of a body counts, so
 * text of the pull request that is quoted further down cannot pass for a marker.
 */
export interface CommentMarker {
  readonly instance: string;
  readonly revision: Revision;
  /** Identity of the content. */
  readonly digest: string;
  /** Hash of the text behind the marker: somebody who edits the comment does not keep it. */
  readonly text: string;
}

const commentMarker =
  /^<!-- gitops-gate:comment instance=([\w.%]*) head=([0-9a-f]{7,64}) order=([\d.]*) digest=([\w.%]*) text=([0-9a-f]{16}) -->\n/;
const findingMarker = /^<!-- gitops-gate:finding instance=([\w.%]*) fingerprint=([\w.%]*) -->/;

/** Letters, digits, `_` and `.` as they are, all else percent-encoded: nothing in it ends an HTML comment. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[^\w.%]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** GitHub keeps line ends as they come and trims the end. */
function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').trim();
}

/** The comment as it is sent: marker, then the body. */
export function withCommentMarker(
  instance: string,
  revision: Revision,
  body: string,
  digest: string | undefined,
): string {
  const text = plain(body);
  const order = revision.order.map((part) => Math.trunc(part)).join('.');
  return `<!-- gitops-gate:comment instance=${encode(instance)} head=${revision.headSha} order=${order} digest=${encode(digest ?? hash(text))} text=${hash(text)} -->\n${text}`;
}

/** Reads the marker of a comment; undefined: not written by a gate. */
export function readCommentMarker(body: string): CommentMarker | undefined {
  const found = commentMarker.exec(body.slice(0, 2_000).replaceAll('\r\n', '\n'));
  if (found === null) return undefined;
  const instance = decode(found[1]!);
  const digest = decode(found[4]!);
  if (instance === undefined || digest === undefined) return undefined;
  const order = found[3] === '' ? [] : found[3]!.split('.').map(Number);
  return { instance, revision: { headSha: found[2]!, order }, digest, text: found[5]! };
}

/** True when the text behind the marker is still what was written. */
export function isUntouched(body: string, marker: CommentMarker): boolean {
  const text = body.replaceAll('\r\n', '\n');
  return hash(plain(text.slice(text.indexOf('\n') + 1))) === marker.text;
}

/** Characters that are left for the body of a comment of this instance. */
export function commentRoom(instance: string, revision: Revision, digest: string | undefined): number {
  return maxComment - githubLength(withCommentMarker(instance, revision, '', digest));
}

export function withFindingMarker(instance: string, fingerprint: string, body: string): string {
  return `<!-- gitops-gate:finding instance=${encode(instance)} fingerprint=${encode(fingerprint)} -->\n${plain(body)}`;
}

export function readFindingMarker(
  body: string,
): { readonly instance: string; readonly fingerprint: string } | undefined {
  const found = findingMarker.exec(body.slice(0, 2_000));
  const instance = decode(found?.[1] ?? '%');
  const fingerprint = decode(found?.[2] ?? '%');
  return instance === undefined || fingerprint === undefined ? undefined : { instance, fingerprint };
}
