// `npm test`: bundle, then all tests. Quiet on success; failures are printed whole.
//   npm test -- test/render        only these files
// `npm run test:cluster`: the tests against real API servers, and only these.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function node(script: string, args: readonly string[], quiet = false): number {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    encoding: 'utf8',
  });
  if (quiet && result.status !== 0) process.stderr.write(`${result.stdout}${result.stderr}`);
  return result.status ?? 1;
}

const cluster = process.argv[2] === '--cluster';
const files = process.argv.slice(cluster ? 3 : 2);
// Two servers at once are what two cores carry.
const project = cluster ? ['--project=cluster', '--maxWorkers=2'] : ['--project=main'];
const own = mkdtempSync(join(tmpdir(), 'gitops-gate-tests-'));
const json = process.env['GATE_TEST_JSON'] ?? join(own, 'tests.json');
try {
  let status = node('rolldown/bin/cli.mjs', ['-c', 'rolldown.config.ts', '--log-level', 'silent'], true);
  if (status === 0) {
    const args = ['run', '--reporter=dot', '--reporter=json', `--outputFile.json=${json}`, '--silent=passed-only'];
    status = node('vitest/vitest.mjs', [...args, ...project, ...files]);
    if (existsSync(json))
      spawnSync(process.execPath, [join(root, 'scripts/summary.mjs'), '0', json], { stdio: 'inherit' });
  }
  process.exitCode = status;
} finally {
  rmSync(own, { recursive: true, force: true });
}
