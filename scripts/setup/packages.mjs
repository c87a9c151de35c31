// node_modules, by `npm ci`, when it is missing or older than the lock file.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot, root, which } from './paths.mjs';
import { withLock } from './lock.mjs';
import { gist, run } from './run.mjs';
import { SetupError, say, ticking } from './say.mjs';

const modules = join(root, 'node_modules');
const stampFile = join(modules, '.gitops-gate-stamp');
const lockFile = join(root, 'package-lock.json');

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

function stampOf(lockText) {
  return `${sha256(lockText)} ${process.platform}-${process.arch}\n`;
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** npm's own record of what it installed agrees with the lock file, for example after `npm install` by hand. */
function installedByHand(lockText) {
  const record = readIfThere(join(modules, '.package-lock.json'));
  if (record === undefined || !existsSync(join(modules, '.bin', 'node'))) return false;
  try {
    const wanted = JSON.parse(lockText).packages;
    const installed = JSON.parse(record).packages;
    const missing = Object.keys(wanted).some(
      (path) => path !== '' && !wanted[path].optional && !wanted[path].devOptional && installed[path] === undefined,
    );
    const different = Object.keys(installed).some(
      (path) =>
        wanted[path]?.version !== installed[path].version || wanted[path]?.integrity !== installed[path].integrity,
    );
    return !missing && !different;
  } catch {
    return false;
  }
}

/** Up to date; writes the stamp when npm's own record shows it. */
function upToDate(lockText) {
  if (readIfThere(stampFile) === stampOf(lockText)) return true;
  if (!installedByHand(lockText)) return false;
  writeFileSync(stampFile, stampOf(lockText));
  return true;
}

/** How to start npm: the npm that runs us, else the one on PATH. */
function npmCommand() {
  const own = process.env.npm_execpath;
  if (own?.endsWith('npm-cli.js') && existsSync(own)) return { file: process.execPath, args: [own] };
  const npm = which('npm');
  if (npm !== undefined) return { file: npm, args: [] };
  throw new SetupError(
    'npm was not found on PATH',
    'install Node.js 20 or newer together with npm: https://nodejs.org',
  );
}

/** Installs the packages of the lock file when needed. @throws SetupError */
export async function ensurePackages() {
  const lockText = readIfThere(lockFile);
  if (lockText === undefined) throw new SetupError(`${lockFile} is missing`, 'check the repository out again');
  if (upToDate(lockText)) return false;
  const npm = npmCommand();
  const lock = join(cacheRoot(), 'locks', `packages-${sha256(root).slice(0, 16)}`);
  return withLock(lock, 'node_modules', async () => {
    if (upToDate(lockText)) return false;
    rmSync(stampFile, { force: true });
    const stop = ticking('installing the packages of package-lock.json (npm ci)');
    const env = { ...process.env, NODE_ENV: 'development' };
    const args = [...npm.args, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await run(npm.file, args, { cwd: root, env });
    const seconds = stop();
    if (code !== 0) {
      throw new SetupError(
        `npm ci failed after ${seconds} s:\n${gist(output)}`,
        'check the network or the npm registry settings (npm config get registry), then run this again',
      );
    }
    if (!existsSync(join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node'))) {
      throw new SetupError(
        'npm ci did not install Node 24 (package `node`)',
        'allow install scripts for this checkout (npm config get ignore-scripts must be false), then run this again',
      );
    }
    writeFileSync(stampFile, stampOf(lockText));
    say(`packages installed in ${seconds} s`);
    return true;
  });
}
