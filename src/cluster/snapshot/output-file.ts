import { createWriteStream, mkdtempSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { GateError, messageOf } from '../../core/errors.ts';
import { createSpool, type Spool } from './spool.ts';

export type Format = 'yaml' | 'json';

/** Where a snapshot goes. */
export interface Output {
  readonly format: Format;
  readonly spool: Spool;
  /** Writes everything and puts the file in its place. @returns bytes written */
  finish(pieces: Iterable<Buffer>): Promise<number>;
  /** Removes what is left of temporary files. */
  close(): void;
}

/**
 * Opens the temporary files of an output. They are beside it, readable by their owner only, and gone after
 * {@link Output.close} or when the process ends.
 * @param target a path, or `-` for stdout
 * @throws GateError snapshot.unwritable
 */
export function openOutput(target: string): Output {
  const path = target === '-' ? undefined : realTarget(target);
  const name = path === undefined ? 'stdout' : basename(path);
  const made = path === undefined ? temporaryFolder(target) : undefined;
  const folder = made ?? dirname(path ?? '.');
  const unfinished = join(folder, `.${name}.${process.pid}.part`);
  let spool: Spool;
  try {
    const there = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    if (there?.isFile() === false) throw new Error(there.isDirectory() ? 'it is a folder' : 'it is no regular file');
    spool = createSpool(join(folder, `.${name}.${process.pid}.spool`));
  } catch (cause) {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw unwritable(target, cause);
  }
  const remove = (): void => {
    spool.close();
    rmSync(unfinished, { force: true });
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return {
    format: /\.json(?:\.gz)?$/i.test(name) ? 'json' : 'yaml',
    spool,
    async finish(pieces) {
      let bytes = 0;
      const meter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          done(null, chunk);
        },
      });
      const packed = /\.gz$/i.test(name) ? [createGzip()] : [];
      const source = Readable.from(pieces);
      try {
        if (path === undefined) {
          await pipeline([source, meter, process.stdout], { end: false });
        } else {
          await pipeline([source, ...packed, meter, createWriteStream(unfinished, { flags: 'wx', mode: 0o600 })]);
          renameSync(unfinished, path);
        }
      } catch (cause) {
        // `gate snapshot -o - | head`: the reader has seen enough.
        const isClosedPipe = path === undefined && (cause as NodeJS.ErrnoException).code === 'EPIPE';
        if (!isClosedPipe) throw unwritable(target, cause);
      }
      return bytes;
    },
    close() {
      process.removeListener('exit', remove);
      remove();
    },
  };
}

function temporaryFolder(target: string): string {
  try {
    return mkdtempSync(join(tmpdir(), 'gate-snapshot-'));
  } catch (cause) {
    throw unwritable(target, cause);
  }
}

/** The file behind a link: the link stays. */
function realTarget(target: string): string {
  try {
    return realpathSync(target);
  } catch {
    return resolve(target);
  }
}

/** @param cause what the file system said */
export function unwritable(target: string, cause: unknown): GateError {
  return new GateError({
    code: 'snapshot.unwritable',
    message: `The snapshot cannot be written to ${target === '-' ? 'stdout' : target}: ${messageOf(cause)}`,
    fault: 'user',
    next: 'Choose another file with --output; its folder must exist, be writable and have room for the snapshot twice.',
    cause,
  });
}
