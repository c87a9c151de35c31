import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GateError, messageOf } from '../core/errors.ts';

const open = new Set<string>();
let watching = false;

export interface TemporaryDirectory {
  /** Absolute path of a folder that only this user can read. */
  readonly path: string;
  /** Removes it with everything in it. May be called more than once. */
  remove(): Promise<void>;
}

/**
 * Makes a temporary folder that is also removed when the process exits.
 * Node runs `exit` handlers after `process.exit()`, and not when a signal ends the process:
 * the mouth that runs this must answer SIGINT and SIGTERM with `process.exit()`.
 * @throws GateError temp.unwritable
 */
export function makeTemporaryDirectory(purpose: string): TemporaryDirectory {
  const path = makeFolder(purpose);
  open.add(path);
  if (!watching) {
    watching = true;
    process.once('exit', removeTemporaryDirectories);
  }
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 2 });
      open.delete(path);
    },
  };
}

function makeFolder(purpose: string): string {
  try {
    return mkdtempSync(join(tmpdir(), `gitops-gate-${purpose}-`));
  } catch (cause) {
    throw new GateError({
      code: 'temp.unwritable',
      message: `No temporary folder can be made in ${tmpdir()}: ${messageOf(cause)}`,
      fault: 'user',
      next: 'Set TMPDIR to a folder that exists, can be written and has room.',
      cause,
    });
  }
}

/** Removes every temporary folder that is still there, synchronously: for the end of the process. */
export function removeTemporaryDirectories(): void {
  for (const path of open) {
    try {
      rmSync(path, { recursive: true, force: true });
      open.delete(path);
    } catch {
      // The process is ending and there is nobody to tell; the other folders must still be removed.
    }
  }
}
