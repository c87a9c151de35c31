import { formatLocation, isGateError, messageOf } from '../core/errors.ts';
import { buildProgram } from './main.ts';

/** The one catch of the command line: every error becomes what, where and what next; exit code 2, or 130 on Ctrl-C. */
function fail(error: unknown): number {
  if (isGateError(error)) {
    const where = error.location === undefined ? '' : `${formatLocation(error.location)}: `;
    process.stderr.write(`gate: ${where}${error.message}\n`);
    if (error.next !== undefined) process.stderr.write(`  ${error.next}\n`);
  } else {
    process.stderr.write(`gate: unexpected failure: ${messageOf(error)}\n`);
    process.stderr.write('  This is a defect of gate. Run again with --debug for the stack trace and report it.\n');
  }
  if (process.argv.includes('--debug') && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (process.argv.includes('--debug') && error instanceof Error && error.cause instanceof Error) {
    process.stderr.write(`caused by ${error.cause.stack}\n`);
  }
  return isGateError(error) && error.fault !== 'user' ? 3 : 2;
}

// A reader that went away (`gate diff | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
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
