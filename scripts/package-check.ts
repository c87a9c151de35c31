// Checks what `npm pack` would publish: the bundle and the documents, nothing else, and no runtime dependencies.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const allowed = [
  /^dist\/[a-z]+\.js$/,
  /^dist\/third-party-licenses\.txt$/,
  /^dist\/chunks\/[\w.-]+\.js$/,
  /^docs\/schema\/[\w-]+\.schema\.json$/,
  /^docs\/rules\/[\w-]+\.md$/,
  /^(?:README\.md|LICENSE|CHANGELOG\.md|package\.json)$/,
  /^docs\/(guide|contributing)\/[\w-]+\.md$/,
];
const required = [
  'dist/cli.js',
  'dist/action.js',
  'dist/third-party-licenses.txt',
  'docs/schema/gate-report.schema.json',
  'docs/schema/gate-config.schema.json',
  'docs/schema/cluster-snapshot-header.schema.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
];
const maxBytes = 20 * 1024 * 1024;

const problems: string[] = [];

const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'pipe'],
});
if (packed.status !== 0) {
  process.stderr.write(packed.stderr);
  process.exit(1);
}
/** npm prints an array of packages, newer ones an object by name. */
const answer: unknown = JSON.parse(packed.stdout.slice(packed.stdout.search(/^[[{]\s*$/m)));
const [pack] = Object.values(answer as Record<string, { files: { path: string }[]; unpackedSize: number }>);
const paths = pack?.files.map((file) => file.path) ?? [];
for (const path of paths)
  if (!allowed.some((pattern) => pattern.test(path))) problems.push(`${path} must not be published`);
for (const path of required) if (!paths.includes(path)) problems.push(`${path} is missing`);
if ((pack?.unpackedSize ?? 0) > maxBytes) problems.push(`${pack?.unpackedSize} bytes are too many`);

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies?: object;
};
if (Object.keys(manifest.dependencies ?? {}).length > 0)
  problems.push('package.json has runtime dependencies; bundle them');

const cli = join(root, 'dist', 'cli.js');
if (!readFileSync(cli, 'utf8').startsWith('#!/usr/bin/env node\n')) problems.push('dist/cli.js has no #! line');
if ((statSync(cli).mode & 0o111) === 0 && process.platform !== 'win32') problems.push('dist/cli.js is not executable');

// Elsewhere than in the checkout, so that node_modules cannot help.
const run = spawnSync(process.execPath, [cli, '--version'], { cwd: '/', encoding: 'utf8' });
if (run.stdout.trim() !== manifest.version)
  problems.push(`gate --version prints ${JSON.stringify(run.stdout + run.stderr)}`);

// The action reads its event before anything else; without one it has to say so, and not that a module is missing.
const action = spawnSync(process.execPath, [join(root, 'dist', 'action.js')], { cwd: '/', encoding: 'utf8', env: {} });
if (action.status !== 2 || !action.stdout.startsWith('::error::gate: the event '))
  problems.push(`dist/action.js without an event prints ${JSON.stringify(action.stdout + action.stderr)}`);

// Who builds a release again gets the same bytes.
const again = mkdtempSync(join(tmpdir(), 'gate-build-'));
try {
  const rolldown = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
  const built = spawnSync(
    process.execPath,
    [rolldown, '-c', 'rolldown.config.ts', '-d', again, '--log-level', 'warn'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  if (built.status !== 0) problems.push(`building again failed: ${built.stderr}`);
  else if (digestOf(again) !== digestOf(join(root, 'dist'))) problems.push('building again gives other bytes');
} finally {
  rmSync(again, { recursive: true, force: true });
}

/** Names and contents of all files of a folder. */
function digestOf(folder: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map((entry) => join(entry.parentPath, entry.name)).toSorted())
    hash.update(`${file.slice(folder.length)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

for (const problem of problems) console.error(`package: ${problem}`);
if (problems.length === 0)
  console.log(`package: ${paths.length} files, ${Math.round((pack?.unpackedSize ?? 0) / 1024)} KiB`);
process.exitCode = problems.length === 0 ? 0 : 1;
