/**
 * A process of its own that ends what a test run started, when that run is gone without having done so (a crash, a
 * kill): its stdin then closes. Told of by lines on stdin: `pid 123`, `folder /tmp/...`, and `done`.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const pids: number[] = [];
const folders: string[] = [];
let done = false;

for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const value = rest.join(' ');
  if (word === 'pid') pids.push(Number(value));
  else if (word === 'folder') folders.push(value);
  else if (word === 'done') done = true;
}
if (!done) {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  // A killed process may still be writing for an instant.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
