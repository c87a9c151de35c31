// The last line of .ci/run, from vitest's JSON report: `N passed, N failed`. Exit code 1 when anything failed.
//   node scripts/summary.mjs tests.json OTHER_STEPS_FAILED
import { readFileSync } from 'node:fs';

const [file, others] = process.argv.slice(2);
let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed = report.numPassedTests;
  // A file that does not load has no tests that could fail.
  const broken = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
  failed = report.numFailedTests + broken.length;
  if (!report.success && failed === 0) failed = 1;
} catch (error) {
  console.log(`no test report: ${error.message}`);
  failed = 1;
}
if (others !== '0' && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
