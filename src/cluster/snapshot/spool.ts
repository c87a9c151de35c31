import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';

/** Where one text is in the file. */
interface Part {
  readonly key: string;
  readonly start: number;
  readonly length: number;
}

/**
 * Texts that come in any order and leave in order of their keys, held in a file: memory grows with the number of texts
 * and not with their size.
 */
export interface Spool {
  /** @param key what to sort by, unique */
  add(key: string, text: string): void;
  /** Everything, sorted, in pieces of about a megabyte. */
  read(): Generator<Buffer>;
  close(): void;
}

const pieceBytes = 1024 * 1024;

/**
 * @param path of a file that must not exist; only its owner may read it. {@link Spool.close} removes it.
 * @throws Error of the file system
 */
export function createSpool(path: string): Spool {
  const file = openSync(path, 'wx+', 0o600);
  const parts: Part[] = [];
  let waiting: string[] = [];
  let waitingBytes = 0;
  let written = 0;
  let closed = false;
  const flush = (): void => {
    const bytes = Buffer.from(waiting.join(''));
    waiting = [];
    waitingBytes = 0;
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  };
  return {
    add(key, text) {
      const length = Buffer.byteLength(text);
      parts.push({ key, start: written, length });
      written += length;
      waiting.push(text);
      waitingBytes += length;
      if (waitingBytes >= pieceBytes) flush();
    },
    *read() {
      flush();
      parts.sort((left, right) => (left.key < right.key ? -1 : 1));
      for (const { start, length } of joined(parts)) {
        for (let at = 0; at < length; at += pieceBytes) {
          yield readPiece(file, start + at, Math.min(pieceBytes, length - at));
        }
      }
    },
    close() {
      if (closed) return;
      closed = true;
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

/** Neighbours in order that are neighbours in the file, too: lists come sorted from the server. */
function* joined(parts: readonly Part[]): Generator<{ readonly start: number; readonly length: number }> {
  let start = 0;
  let length = 0;
  for (const part of parts) {
    if (part.start === start + length) {
      length += part.length;
      continue;
    }
    if (length > 0) yield { start, length };
    ({ start, length } = part);
  }
  if (length > 0) yield { start, length };
}

function readPiece(file: number, position: number, length: number): Buffer {
  const piece = Buffer.allocUnsafe(length);
  for (let at = 0; at < length;) {
    const bytes = readSync(file, piece, at, length - at, position + at);
    if (bytes === 0) throw new Error('the temporary file of the snapshot became shorter while it was read');
    at += bytes;
  }
  return piece;
}
