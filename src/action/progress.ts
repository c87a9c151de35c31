import type { Progress } from '../core/ports.ts';
import { log } from './runner.ts';

/** A line of the log at most this often. */
const everyMs = 5_000;

/** Progress for the log of a job, and for the sentence that says where a run was when its time was over. */
export function createProgress(): Progress & { readonly where: () => string } {
  let label = 'Starting';
  let total: number | undefined;
  let done = 0;
  let printedAt = Date.now();
  const where = () => (total === undefined ? label : `${label} ${done}/${total}`);
  return {
    where,
    start(next, of) {
      label = next;
      total = of;
      done = 0;
    },
    advance(current) {
      done += 1;
      if (Date.now() - printedAt < everyMs) return;
      printedAt = Date.now();
      log(`${where()}${current === undefined ? '' : ` ${current}`}`);
    },
    done() {
      // The next step says what is going on.
    },
    note: log,
  };
}
