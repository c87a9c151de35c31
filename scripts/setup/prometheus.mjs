// Prometheus and promtool of the Debian or Ubuntu package, unpacked into the user's cache without root: tests against a
// real server need them. On PATH they are taken from there.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { toolRoot, which } from './paths.mjs';
import { withLock } from './lock.mjs';
import { gist, run } from './run.mjs';
import { SetupError, say, ticking } from './say.mjs';
import { folderOf, isComplete, publish, withWorkFolder } from './store.mjs';

/** The version is that of the distribution, so it has no number here. */
const tool = { name: 'prometheus', version: 'distribution', module: 'the package prometheus of the distribution' };
const programs = ['prometheus', 'promtool'];

/** Gives true when something had to be done. Without CI a machine that cannot have it is told so. @throws SetupError */
export async function ensurePrometheus() {
  if (isThere() || programs.every((name) => which(name) !== undefined)) return false;
  try {
    mkdirSync(toolRoot(), { recursive: true });
    return await withLock(`${folderOf(tool)}.lock`, 'prometheus', async () => {
      if (isThere()) return false;
      await fetchPackage();
      return true;
    });
  } catch (error) {
    if (process.env.CI || !(error instanceof SetupError)) throw error;
    say(`${error.message}; the tests against a real Prometheus will be skipped`);
    say(`next: ${error.next}`);
    return false;
  }
}

const isThere = () => isComplete(folderOf(tool), tool.name) && existsSync(join(folderOf(tool), 'promtool'));

async function fetchPackage() {
  const aptGet = which('apt-get');
  const dpkg = which('dpkg-deb');
  if (aptGet === undefined || dpkg === undefined) {
    throw new SetupError(
      'prometheus and promtool are not on PATH, and apt-get, which would fetch them, was not found',
      'install Prometheus 2.40 or newer (https://prometheus.io/download) and put both programs on PATH',
    );
  }
  await withWorkFolder('prometheus', async (work) => {
    const stop = ticking('fetching Prometheus from the package of the distribution (once per user, about 20 seconds)');
    const problem = await download(aptGet, work);
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    const unpacked = join(work, 'unpacked');
    const opened = archive === undefined ? undefined : await run(dpkg, ['-x', join(work, archive), unpacked]);
    const seconds = stop();
    if (opened === undefined || opened.code !== 0) {
      throw new SetupError(
        `the package prometheus cannot be had:\n${gist(opened?.output ?? problem)}`,
        'check the package sources of apt (Debian: main, Ubuntu: universe), or put prometheus and promtool on PATH',
      );
    }
    for (const name of programs) copyFileSync(join(unpacked, 'usr', 'bin', name), join(work, name));
    await check(join(work, 'prometheus'));
    for (const name of readdirSync(work)) {
      if (!programs.includes(name)) rmSync(join(work, name), { recursive: true, force: true });
    }
    publish(tool, work);
    say(`Prometheus is ready after ${seconds} s`);
  });
}

/** Undefined when it worked, else what apt-get said. */
async function download(aptGet, work) {
  const first = await run(aptGet, ['download', 'prometheus'], { cwd: work, timeoutMs: 300_000 });
  if (first.code === 0) return undefined;
  // Container images come without package lists, and only root may update those of the system: private ones instead.
  for (const folder of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, folder), { recursive: true });
  const settings = [
    `Dir::State=${join(work, 'state')}`,
    `Dir::State::lists=${join(work, 'state', 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    // Root would otherwise download as a user that may not enter the folder.
    `APT::Sandbox::User=${userInfo().username}`,
  ].flatMap((setting) => ['-o', setting]);
  const update = await run(aptGet, [...settings, 'update'], { cwd: work, timeoutMs: 300_000 });
  if (update.code !== 0) return update.output;
  const second = await run(aptGet, [...settings, 'download', 'prometheus'], { cwd: work, timeoutMs: 300_000 });
  return second.code === 0 ? undefined : second.output;
}

/** The package needs nothing but the C library; where even that differs the program does not start. */
async function check(file) {
  const { code, output } = await run(file, ['--version'], { timeoutMs: 30_000 });
  if (code === 0) return;
  throw new SetupError(
    `the Prometheus of the package does not run here:\n${gist(output)}`,
    'put prometheus and promtool 2.40 or newer on PATH',
  );
}
