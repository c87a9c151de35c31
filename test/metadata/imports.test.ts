import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tempDir, writeFiles } from '../kit/tmp.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

/** Every file is bad in exactly the named way: what it imports, and a part of the message that must come. */
const bad: Readonly<Record<string, readonly [specifier: string, message: string]>> = {
  'src/core/a.ts': ['../diff/x.ts', 'core imports nothing of ours'],
  'src/diff/a.ts': ['../render/x.ts', 'A stage imports only src/core/'],
  'src/diff/deep/a.ts': ['../../sources/x.ts', 'A stage imports only src/core/'],
  'src/sources/a.ts': ['../config/x.ts', 'A stage imports only src/core/'],
  'src/report/a.ts': ['../rules/kit/x.ts', 'A stage imports only src/core/'],
  'src/score/a.ts': ['../verdict/x.ts', 'A stage imports only src/core/'],
  'src/engine/a.ts': ['../pipeline.ts', 'A stage imports only src/core/'],
  'src/render/a.ts': ['../wire.ts', 'A stage imports only src/core/'],
  'src/rules/probes/a.ts': ['../../diff/x.ts', 'A rule imports only'],
  'src/rules/probes/b.ts': ['../images/x.ts', 'never another rule'],
  'src/rules/probes/c.ts': ['../kitchen/x.ts', 'never another rule'],
  'src/rules/kit/a.ts': ['../probes/x.ts', 'never a rule'],
  'src/pipeline/a.ts': ['../git/x.ts', 'The pipeline gets adapters through ports'],
  'src/pipeline/b.ts': ['../cluster/x.ts', 'The pipeline gets adapters through ports'],
  'src/pipeline/c.ts': ['../rules/probes/x.ts', 'index.generated.ts only'],
  'src/pipeline.ts': ['./cli/main.ts', 'The pipeline gets adapters through ports'],
  'src/wire.ts': ['./cli/main.ts', 'wire is imported by the mouths'],
  'src/cli/a.ts': ['../diff/x.ts', 'A mouth imports pipeline'],
  'src/cli/commands/a.ts': ['../../git/x.ts', 'A mouth imports pipeline'],
  'src/cli/b.ts': ['../rules/probes/x.ts', 'index.generated.ts only'],
  'src/action/a.ts': ['../cli/main.ts', 'A mouth imports pipeline'],
  'src/render/b.ts': ['execa', 'Only src/render/exec.ts starts child processes'],
  'src/render/c.ts': ['node:child_process', 'Child processes go through the Exec port'],
  'src/git/a.ts': ['simple-git', 'Only src/git/simple-git.ts talks to git'],
  'src/cluster/a.ts': ['@kubernetes/client-node', 'Only its types are used'],
  'src/cli/c.ts': ['@octokit/rest', 'Only src/forge/ talks to GitHub'],
};

/** Each is allowed. */
const good: Readonly<Record<string, string>> = {
  'src/diff/good.ts': '../core/x.ts',
  'src/diff/deep/good.ts': '../walk.ts',
  'src/rules/probes/good.ts': '../kit/x.ts',
  'src/pipeline/good.ts': '../rules/kit/x.ts',
  'src/pipeline/good2.ts': '../rules/index.generated.ts',
  'src/cli/commands/good.ts': '../../pipeline.ts',
  'src/cli/commands/good2.ts': '../../rules/index.generated.ts',
  'src/wire/good.ts': '../git/simple-git.ts',
  'src/render/exec.ts': 'execa',
  'src/git/simple-git.ts': 'simple-git',
  'src/forge/github.ts': '@octokit/rest',
};

interface Diagnostic {
  readonly filename: string;
  readonly help?: string;
  readonly message: string;
}

async function lint(files: Readonly<Record<string, string>>): Promise<readonly Diagnostic[]> {
  const folder = writeFiles(tempDir('lint'), { 'package.json': '{"type":"module"}', ...files });
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const program = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const { stdout } = await run(process.execPath, [program, '--format=json', 'src'], { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  );
  return (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
}

const using = (specifier: string) => `import { x } from '${specifier}';\nexport const y = x;\n`;

describe('the linter keeps the import directions', () => {
  it('refuses each forbidden import', async () => {
    const files = Object.fromEntries(Object.entries(bad).map(([path, [specifier]]) => [path, using(specifier)]));
    const found = await lint(files);
    const seen = Object.keys(bad).map((path) => {
      const messages = found.filter((diagnostic) => diagnostic.filename.replaceAll('\\', '/') === path);
      return [path, messages.some(({ message, help = '' }) => `${message} ${help}`.includes(bad[path]?.[1] ?? ''))];
    });
    expect(seen.filter(([, refused]) => refused !== true)).toEqual([]);
  });

  it('refuses re-exports, and type imports across stages', async () => {
    const found = await lint({
      'src/diff/a.ts': `export { x } from '../render/x.ts';\n`,
      'src/diff/b.ts': `import type { X } from '../render/x.ts';\nexport type Y = X;\n`,
    });
    expect(found.map(({ filename }) => filename).toSorted()).toEqual(['src/diff/a.ts', 'src/diff/b.ts']);
  });

  it('lets the allowed imports pass, and types of the cluster client everywhere', async () => {
    const files = Object.fromEntries(Object.entries(good).map(([path, specifier]) => [path, using(specifier)]));
    const typed = `import type { V1Pod } from '@kubernetes/client-node';\nexport type Pod = V1Pod;\n`;
    expect(await lint({ ...files, 'src/diff/pods.ts': typed, 'src/rules/kit/pods.ts': typed })).toEqual([]);
  });

  it('knows every folder of src', () => {
    const text = readFileSync(join(root, '.oxlintrc.json'), 'utf8');
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders) expect(text, `src/${name} has no import rule`).toContain(`"src/${name}/**"`);
  });
});

describe('what the linter does not see', () => {
  /** Dynamic imports of packages with one door. */
  const doors: readonly (readonly [RegExp, RegExp])[] = [
    [/import\(\s*'execa'/, /^src\/render\/exec\.ts$/],
    [/import\(\s*'(?:node:)?child_process'/, /^$/],
    [/import\(\s*'simple-git'/, /^src\/git\/simple-git\.ts$/],
    [/import\(\s*'@kubernetes\/client-node'/, /^$/],
    [/import\(\s*'@octokit\//, /^src\/forge\//],
  ];

  it('dynamic imports go through the same doors', () => {
    expect(existsSync(join(root, 'src'))).toBe(true);
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const wrong = files.flatMap((file) => {
      const path = `src/${file.replaceAll('\\', '/')}`;
      const text = readFileSync(join(root, path), 'utf8');
      return doors.filter(([use, door]) => use.test(text) && !door.test(path)).map(([use]) => `${path}: ${use.source}`);
    });
    expect(wrong).toEqual([]);
  });
});
