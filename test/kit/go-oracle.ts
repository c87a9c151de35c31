import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Why the Go oracle cannot be used here; undefined when it can. Under CI a missing Go is an error. */
export async function goMissing(): Promise<string | undefined> {
  const version = await execa('go', ['version'], { reject: false });
  if (version.exitCode === 0) return undefined;
  if (process.env['CI'] !== undefined) throw new Error('the Go toolchain is needed for the oracle tests');
  return 'Go is not installed: the comparison with the real Go library is skipped';
}

/**
 * Runs a Go program against modules of the module cache.
 * @param program source of `main.go`; reads JSON on stdin and prints JSON
 * @param modules `path version` pairs
 */
export async function runGo(
  program: string,
  modules: readonly (readonly [path: string, version: string])[],
  input: unknown,
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-oracle-'));
  try {
    const requires = modules.map(([path, version]) => `\t${path} ${version}\n`).join('');
    await writeFile(join(folder, 'go.mod'), `module oracle\n\ngo 1.24\n\nrequire (\n${requires})\n`);
    await writeFile(join(folder, 'main.go'), program);
    const result = await execa('go', ['run', '-mod=mod', '.'], {
      cwd: folder,
      input: JSON.stringify(input),
      env: { GOFLAGS: '-mod=mod', GONOSUMDB: '*', GOTOOLCHAIN: 'local' },
    });
    return JSON.parse(result.stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
