import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gate, git } from '../kit/gate.ts';

const root = new URL('../../', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'gate-outputs-'));
const repository = join(work, 'deployments');
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Shown {
  readonly page: string;
  /** Without `$ `. */
  readonly command: string;
  readonly output: string;
}

/** Blocks of the guide that show a command after `$ ` and what it prints. */
const shown: readonly Shown[] = ['README.md', 'targets.md', 'verdict.md'].flatMap((page) =>
  [...readFileSync(join(root, 'docs/guide', page), 'utf8').matchAll(/^```\n\$ (.*)\n([\s\S]*?)^```$/gm)].map(
    ([, command = '', output = '']) => ({ page, command, output }),
  ),
);

/** Commit ids and ages are those of the day. Line breaks depend on the width of the terminal. */
const settled = (text: string) =>
  text
    .replace(/\([0-9a-f]{7}\)/g, '(0000000)')
    .replace(/\s+/g, ' ')
    .trim();

/** The guide shows the demo as a repository: the old side on main, the new one in the working tree of a branch. */
beforeAll(() => {
  cpSync(join(root, 'fixtures/demo/before'), repository, { recursive: true });
  git(repository, 'init', '--quiet');
  git(repository, 'add', '--all');
  git(repository, 'commit', '--quiet', '-m', 'start');
  git(repository, 'checkout', '--quiet', '-b', 'change');
  cpSync(join(root, 'fixtures/demo/after'), repository, { recursive: true });
});

describe('what the guide shows', () => {
  // gate doctor shows versions and paths of a machine.
  const cases = shown
    .filter(({ command }) => command !== 'gate doctor')
    .map((block) => [block.command, block] as const);

  it('is there', () => {
    expect(cases.map(([, { page }]) => page)).toEqual(['README.md', 'README.md', 'targets.md', 'verdict.md']);
  });

  it.each(cases)('%s', async (command, { output }) => {
    const [, folder, line = ''] = /^(?:cd (\S+) && )?gate (.*)$/.exec(command) ?? [];
    const cwd = folder === undefined ? repository : join(root, folder);
    const { stdout } = await gate(line.split(' '), { cwd, env: { COLUMNS: '100', GITHUB_BASE_REF: '' } });
    expect(settled(stdout)).toContain(settled(output));
  });
});
