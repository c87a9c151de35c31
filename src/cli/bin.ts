import { randomBytes } from 'node:crypto';
import { formatLocation, isGateError, messageOf } from '../core/errors.ts';
import { redactCredentials } from '../core/redact.ts';
import { clean, withoutJobCommands } from '../report/text.ts';
import { buildProgram } from './main.ts';
import { tooOldNode } from './node-version.ts';

/** The one catch of the command line: every error becomes what, where and what next; exit code 2, or 130 on Ctrl-C. */
function fail(error: unknown): number {
  // git, helm and parsers quote what they were given: URLs with passwords, lines of a file.
  const key = randomBytes(32);
  const print = (text: string): void => {
    process.stderr.write(`${withoutJobCommands(clean(redactCredentials(text, key)))}\n`);
  };
  if (isGateError(error)) {
    const where = error.location === undefined ? '' : `${formatLocation(error.location)}: `;
    print(`gate: ${where}${error.message}`);
    if (error.next !== undefined) print(`  ${error.next}`);
  } else {
    print(`gate: unexpected failure: ${messageOf(error)}`);
    print('  This is a defect of gate. Run again with --debug for the stack trace and report it.');
  }
  if (process.argv.includes('--debug') && error instanceof Error) print(String(error.stack));
  if (process.argv.includes('--debug') && error instanceof Error && error.cause instanceof Error) {
    print(`caused by ${error.cause.stack}`);
  }
  // A cluster that could not be asked is no mistake on the command line, whoever has to act.
  return isGateError(error) && (error.fault !== 'user' || error.code.startsWith('cluster.')) ? 3 : 2;
}

const tooOld = tooOldNode(process.versions.node);
if (tooOld !== undefined) {
  process.stderr.write(tooOld);
  process.exit(2);
}

// A reader that went away (`gate diff | head`) is no failure, and does not change what the exit code says.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return;
  // A full disk: the report is lost, so this is no verdict.
  process.stderr.write(`gate: the output cannot be written: ${error.message}\n`);
  process.exit(3);
});

// Leaving runs the exit handlers: children are ended, temporary folders removed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

let exitCode = 0;
const program = buildProgram((code) => {
  exitCode = code;
});
try {
  await program.parseAsync();
} catch (error) {
  exitCode = fail(error);
}
process.exitCode = exitCode;
