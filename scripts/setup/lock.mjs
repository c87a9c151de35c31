// A lock between processes: a folder, because making one is atomic everywhere.
// Correctness does not hang on it (results are published by an atomic rename); it saves doing the work twice.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { say } from './say.mjs';

const beatMs = 2_000;
/** A holder that has not touched its lock for so long is gone, whatever its process id says. */
const staleMs = 60_000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function ownerOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Why the lock may be taken over, or undefined when its holder is at work. */
function staleness(folder, owner) {
  let age;
  try {
    age = Date.now() - statSync(folder).mtimeMs;
  } catch {
    return undefined;
  }
  if (age > staleMs) return 'it was not touched for a minute';
  // Between mkdir and the write of owner.json there is no owner for an instant.
  if (owner === undefined) return age > 5_000 ? 'it has no owner' : undefined;
  return owner.host === hostname() && !isAlive(owner.pid) ? `process ${owner.pid} is gone` : undefined;
}

/** Takes a stale lock away. Two waiters may try at once: who moved another lock than the judged one puts it back. */
function takeAway(folder, judged) {
  const aside = `${folder}.stale-${process.pid}-${Date.now()}`;
  try {
    renameSync(folder, aside);
  } catch {
    return;
  }
  if (ownerOf(aside)?.token !== judged?.token) {
    try {
      renameSync(aside, folder);
      return;
    } catch {
      // A third process made a lock meanwhile; the moved holder only loses its exclusiveness.
    }
  }
  rmSync(aside, { recursive: true, force: true });
}

/** Runs `work` while holding the lock `folder`; waits for other holders. `what` is named in the waiting message. */
export async function withLock(folder, what, work) {
  mkdirSync(dirname(folder), { recursive: true });
  const token = `${hostname()}-${process.pid}-${Date.now()}`;
  let told = false;
  for (;;) {
    try {
      mkdirSync(folder);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = ownerOf(folder);
    const reason = staleness(folder, owner);
    if (reason !== undefined) {
      say(`taking over the abandoned lock of ${what} (${reason})`);
      takeAway(folder, owner);
      continue;
    }
    if (!told) say(`another run (process ${owner?.pid ?? '?'}) is at work on ${what}; waiting for it`);
    told = true;
    await sleep(300);
  }
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ token, pid: process.pid, host: hostname() }));
  const beat = setInterval(() => {
    try {
      const now = new Date();
      utimesSync(folder, now, now);
    } catch {
      // Taken over after a long suspend; the atomic rename at the end keeps the result right.
    }
  }, beatMs);
  const release = () => {
    clearInterval(beat);
    if (ownerOf(folder)?.token === token) rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}
