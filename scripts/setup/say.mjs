// Progress and errors, on stderr only: stdout belongs to the command that runs after the set-up.

/** An error with a next step; printed without a stack trace. */
export class SetupError extends Error {
  constructor(message, next) {
    super(message);
    this.name = 'SetupError';
    this.next = next;
  }
}

export function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/**
 * Shows that something long is going on: the elapsed seconds, rewritten in place on a terminal,
 * one line every 15 seconds elsewhere. Returns a function that ends it and gives the seconds taken.
 */
export function ticking(label) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const terminal = process.stderr.isTTY === true;
  say(label);
  const timer = setInterval(
    () => {
      if (terminal) process.stderr.write(`\rsetup: ... ${seconds()} s `);
      else say(`... ${seconds()} s`);
    },
    terminal ? 2_000 : 15_000,
  );
  return () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\u001B[K');
    return seconds();
  };
}
