import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GateError, messageOf } from '../../core/errors.ts';

/** V8 keeps no longer strings than about 512 MiB. */
const maxBytes = 400 * 1024 * 1024;
const maxFiles = 20_000;

const readable = /\.(?:ya?ml|json)(?:\.gz)?$/i;

/**
 * The files of a snapshot: the file itself, or every YAML and JSON file of a directory and the folders below it, sorted.
 * Hidden files and folders are left out, links to folders are not followed.
 * @throws GateError snapshot.not-found, snapshot.empty, snapshot.too-large
 */
export function snapshotFiles(path: string): readonly string[] {
  let directory: boolean;
  try {
    directory = statSync(path).isDirectory();
  } catch (cause) {
    throw new GateError({
      code: 'snapshot.not-found',
      message: `There is no readable cluster snapshot at ${path}`,
      fault: 'user',
      location: { file: path },
      next: 'Give the path of a file or a folder with kubectl output (`kubectl get ... -o yaml`).',
      cause,
    });
  }
  if (!directory) return [path];
  const files: string[] = [];
  collect(path, files, 0);
  if (files.length === 0) {
    throw new GateError({
      code: 'snapshot.empty',
      message: `The snapshot folder ${path} holds no .yaml, .yml or .json file`,
      fault: 'user',
      location: { file: path },
      next: 'Put the output of `kubectl get ... -o yaml` there.',
    });
  }
  return files;
}

function collect(directory: string, into: string[], depth: number): void {
  if (depth > 20) return;
  for (const name of readdirSync(directory).toSorted()) {
    if (name.startsWith('.')) continue;
    const path = join(directory, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) collect(path, into, depth + 1);
    else if (readable.test(name) && statSync(path, { throwIfNoEntry: false })?.isFile() === true) into.push(path);
    if (into.length > maxFiles) throw tooLarge(directory, `it holds more than ${maxFiles} files`);
  }
}

/**
 * Text of one file; `.gz` is unpacked.
 * @throws GateError snapshot.unreadable, snapshot.truncated, snapshot.binary, snapshot.too-large
 */
export function readSnapshotText(path: string): string {
  let bytes: Buffer;
  try {
    if (statSync(path).size > maxBytes) throw tooLarge(path, 'it is larger than 400 MiB');
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof GateError) throw cause;
    throw new GateError({
      code: 'snapshot.unreadable',
      message: `The snapshot file ${basename(path)} cannot be read: ${messageOf(cause)}`,
      fault: 'user',
      location: { file: path },
      next: 'Check the permissions of the file.',
      cause,
    });
  }
  return decode(path.toLowerCase().endsWith('.gz') ? unpack(bytes, path) : bytes, path);
}

function unpack(bytes: Buffer, path: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, 'it unpacks to more than 400 MiB');
    throw new GateError({
      code: code === 'Z_BUF_ERROR' ? 'snapshot.truncated' : 'snapshot.unreadable',
      message:
        code === 'Z_BUF_ERROR'
          ? `The snapshot file ${basename(path)} ends in the middle`
          : `The snapshot file ${basename(path)} cannot be unpacked as gzip: ${messageOf(cause)}`,
      fault: 'user',
      location: { file: path },
      next: 'Write the file again.',
      cause,
    });
  }
}

function decode(bytes: Buffer, path: string): string {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const zero = bytes.indexOf(0);
  if (utf16 || zero !== -1) {
    throw binary(path, utf16 ? 'is UTF-16 text' : 'holds NUL bytes', utf16 ? 1 : lineAt(bytes, zero));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw binary(path, 'is not UTF-8 text', undefined, cause);
  }
}

function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(10); at !== -1 && at < offset; at = bytes.indexOf(10, at + 1)) line++;
  return line;
}

function binary(path: string, what: string, line?: number, cause?: unknown): GateError {
  return new GateError({
    code: 'snapshot.binary',
    message: `The snapshot file ${basename(path)} ${what}`,
    fault: 'user',
    location: { file: path, ...(line === undefined ? {} : { line }) },
    next: 'Write it as UTF-8; in PowerShell: kubectl get ... -o yaml | Out-File -Encoding utf8 snapshot.yaml',
    cause,
  });
}

function tooLarge(path: string, why: string): GateError {
  return new GateError({
    code: 'snapshot.too-large',
    message: `The snapshot ${path} is too large: ${why}`,
    fault: 'user',
    location: { file: path },
    next: 'Leave out kinds that no rule needs (Events, ReplicaSets, managed fields).',
  });
}
