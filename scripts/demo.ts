// `npm run demo`: judges the bundled pull request of fixtures/demo. It is expected to be blocked.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const heldByPolicy = 1;

function node(args: readonly string[], stdio: 'inherit' | 'pipe'): { status: number | null; text: string } {
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', stdio, stdio], encoding: 'utf8' });
  return { status: result.status, text: `${result.stdout ?? ''}${result.stderr ?? ''}` };
}

const bundle = node([join('node_modules', 'rolldown', 'bin', 'cli.mjs'), '-c', 'rolldown.config.ts'], 'pipe');
if (bundle.status !== 0) {
  process.stderr.write(bundle.text);
  process.exit(1);
}
const sides = ['--before', 'fixtures/demo/before', '--after', 'fixtures/demo/after'];
const { status } = node(
  [join('dist', 'cli.js'), 'check', ...sides, '--snapshot', 'fixtures/demo/snapshot.yaml'],
  'inherit',
);
if (status !== heldByPolicy) {
  process.stderr.write(
    `demo: the pull request should have been blocked (exit code 1), but gate ended with ${status}\n`,
  );
  process.exit(1);
}
