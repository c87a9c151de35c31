import { spawn } from 'node:child_process';

const running = new Set();

/** Ends the children that are still at work. */
export function stopChildren() {
  for (const child of running) child.kill('SIGTERM');
}

/** Runs a program without a shell; gives its exit code and the end of its output. Never throws. */
export function run(file, args, { cwd, env = process.env, timeoutMs } = {}) {
  return new Promise((done) => {
    let output = '';
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    running.add(child);
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const end = (code, extra = '') => {
      running.delete(child);
      done({ code, output: output + extra });
    };
    child.once('error', (error) => end(-1, error.message));
    child.once('close', (code) => end(code ?? -1));
  });
}

/** The first and the last lines of a program's output, indented: npm says why first, Go says it last. */
export function gist(output) {
  const lines = output.trimEnd().split('\n');
  const kept = lines.length <= 24 ? lines : [...lines.slice(0, 12), '...', ...lines.slice(-10)];
  return kept.map((line) => `    ${line}`).join('\n');
}
