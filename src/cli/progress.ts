import type { Progress } from '../core/ports.ts';

/** Nothing is printed before this, so that fast runs stay silent. */
const quietMs = 400;
/** Without a terminal (CI logs) a line at most this often. */
const logEveryMs = 5_000;

interface Step {
  readonly label: string;
  readonly total: number | undefined;
  readonly started: number;
  done: number;
  current: string;
}

/** Progress on stderr: one line that updates itself on a terminal, a line every few seconds in a log. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const terminal = stream.isTTY === true;
  let step: Step | undefined;
  let printedAt = Date.now();
  let visible = false;

  function line(now: Step): string {
    const count = now.total === undefined ? '' : ` ${now.done}/${now.total}`;
    const seconds = Math.round((Date.now() - now.started) / 1000);
    const current = now.current === '' ? '' : ` ${now.current}`;
    return `${now.label}${count} (${seconds} s)${current}`;
  }
  function show(force: boolean): void {
    if (step === undefined) return;
    const now = Date.now();
    if (now - step.started < quietMs) return;
    if (terminal) {
      if (!force && now - printedAt < 80) return;
      const width = Math.max(20, (stream.columns ?? 80) - 1);
      stream.write(`\r\u001b[2K${line(step).slice(0, width)}`);
      visible = true;
    } else {
      if (now - printedAt < logEveryMs) return;
      stream.write(`${line(step)}\n`);
    }
    printedAt = now;
  }
  function clear(): void {
    if (visible) stream.write('\r\u001b[2K');
    visible = false;
  }
  const timer = setInterval(() => show(true), 1_000);
  timer.unref();

  return {
    start(label, total) {
      clear();
      step = { label, total, started: Date.now(), done: 0, current: '' };
    },
    advance(current) {
      if (step === undefined) return;
      step.done += 1;
      // Names come from the tree: control characters must not reach the terminal.
      step.current = (current ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
      show(false);
    },
    done() {
      clear();
      step = undefined;
    },
    note(text) {
      clear();
      stream.write(`${text}\n`);
    },
  };
}

export const silentProgress: Progress = { start() {}, advance() {}, done() {}, note() {} };
