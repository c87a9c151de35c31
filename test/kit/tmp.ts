import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];
let registered = false;

/** A new empty folder, removed when the tests of the file are over. Call it inside a test, a hook or at the top of a test file. */
export function tempDir(label = 'test'): string {
  if (!registered) {
    registered = true;
    process.once('exit', removeAll);
  }
  // realpath: on macOS the temp folder is behind a symlink, and paths are compared.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `gitops-gate-${label}-`)));
  made.push(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

afterAll(removeAll);

/** Writes files below a folder, with the folders they need. Gives the folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

/** A new folder with these files. */
export function tempTree(files: Readonly<Record<string, string>>, label = 'tree'): string {
  return writeFiles(tempDir(label), files);
}
