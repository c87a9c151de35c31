// The last line of .ci/run, from vitest's JSON reports: `N passed, N failed`. Exit code 1 when anything failed.
//   node scripts/summary.mjs OTHER_STEPS_FAILED tests.json [more.json ...]
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const [others, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;

function add(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed += report.numPassedTests;
  // A file that does not load has no tests that could fail.
  const broken = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
  const bad = report.numFailedTests + broken.length;
  failed += bad === 0 && !report.success ? 1 : bad;
}

for (const file of files) {
  try {
    add(file);
  } catch (error) {
    console.log(`no test report ${basename(file)}: ${error.message}`);
    failed += 1;
  }
}
if (others !== '0' && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
