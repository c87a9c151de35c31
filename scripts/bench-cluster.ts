/**
 * `npm run bench:cluster`: gate against kubectl on a real API server, side by side in one run. Prints ratios; absolute
 * times depend on the machine. BENCH_SIZES=1000,10000,50000 says how many objects the server holds.
 */
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { startCluster, type TestCluster } from '../test/cluster/kit/cluster.ts';
import type { TestObject } from '../test/cluster/kit/objects.ts';
import { toolPath } from '../test/kit/tools.ts';
import { declared, derived, namespaceObjects, podStatus } from './bench/cluster-objects.ts';

const sizes = (process.env['BENCH_SIZES'] ?? '1000,10000').split(',').map(Number);
const perApplication = 10;
const changedApplications = 100;
const bundle = new URL('../dist/cli.js', import.meta.url).pathname;
const kubectl = await toolPath('kubectl');
const cluster = await startCluster();
process.once('SIGINT', () => void cluster.stop().then(() => process.exit(130)));

interface Timed {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly code: number;
}

function row(what: string, figure: string, wanted = ''): void {
  process.stdout.write(`${what.padEnd(58)} ${figure.padEnd(46)} ${wanted}\n`);
}

/** Runs a program with its output in a file. GNU time gives the peak memory. */
async function timed(output: string, file: string, ...args: readonly string[]): Promise<Timed> {
  const to = createWriteStream(output);
  const started = performance.now();
  const child = spawn('/usr/bin/env', ['time', '-f', 'peak=%M', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      XDG_CACHE_HOME: join(cluster.folder, 'cache'),
      GATE_TOOL_CACHE: toolCache,
      KUBECONFIG: kubeconfig,
    },
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout.pipe(to);
  const code = await new Promise<number>((done) => child.on('close', (status) => done(status ?? 1)));
  const seconds = (performance.now() - started) / 1000;
  await finished(to);
  const peakMiB = Math.round(Number(/peak=(\d+)/.exec(errors)?.[1] ?? Number.NaN) / 1024);
  if (code > (args[0] === 'get' ? 0 : 1)) throw new Error(`${file} ${args.join(' ')} exited with ${code}: ${errors}`);
  return { seconds, peakMiB, code };
}

const toolCache = join(await toolPath('helm'), '..', '..');
const kubeconfig = cluster.kubeconfigFor('admin');

/** The fastest of several runs: what the machine does besides only ever adds. */
async function best(runs: number, one: () => Promise<Timed>): Promise<Timed> {
  let found = await one();
  for (let run = 1; run < runs; run++) {
    const next = await one();
    if (next.seconds < found.seconds) found = next;
  }
  return found;
}

async function inParallel(count: number, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await one(index);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

async function addApplication(index: number): Promise<void> {
  const [deployment, ...others] = declared(index);
  const [created] = await cluster.create(deployment!);
  await cluster.create(others);
  const more = await cluster.create(derived(index, String(created!.metadata['uid'])));
  for (const object of more.filter(({ kind }) => kind === 'Pod'))
    await cluster.setStatus(object, podStatus(`app-${index}`));
}

/** `apps/Deployment` of the snapshot's header -> `Deployment.apps` of kubectl. */
async function kindsOf(snapshot: string): Promise<string[]> {
  const kinds: string[] = [];
  let inKinds = false;
  const lines = createInterface({ input: createReadStream(snapshot) });
  for await (const line of lines) {
    if (line === '---' && kinds.length > 0) break;
    if (line.startsWith('kinds:')) inKinds = true;
    else if (inKinds) {
      const item = /^\s*-\s+"?([^"]+?)"?$/.exec(line)?.[1];
      if (item === undefined) break;
      const [group, kind] = item.includes('/') ? item.split('/') : ['', item];
      kinds.push(group === '' ? `${kind}` : `${kind}.${group}`);
    }
  }
  lines.close();
  if (kinds.length === 0) throw new Error(`${snapshot} names no kinds in its header`);
  return kinds;
}

/** The list calls alone, page by page, kind after kind: what any client must at least wait for. */
async function bareLists(paths: Iterable<string>): Promise<number> {
  const started = performance.now();
  for (const path of paths) {
    for (let more = ''; ;) {
      const { body } = await cluster.request('GET', `${path}?limit=500${more}`);
      const next = body.metadata?.continue;
      if (next === undefined || next === '') break;
      more = `&continue=${encodeURIComponent(next)}`;
    }
  }
  return (performance.now() - started) / 1000;
}

/** URL paths of those kinds that the server itself has: a snapshot also has kinds of its own, as Helm releases. */
async function served(kinds: readonly string[]): Promise<Map<string, string>> {
  const roots = ['/api/v1'];
  for (const group of (await cluster.request('GET', '/apis')).body.groups)
    roots.push(`/apis/${group.preferredVersion.groupVersion}`);
  const paths = new Map<string, string>();
  for (const root of roots) {
    const { body } = await cluster.request('GET', root);
    const group = root === '/api/v1' ? '' : `.${root.split('/')[2]}`;
    for (const { name, kind } of body.resources) {
      if (!name.includes('/') && kinds.includes(`${kind}${group}`)) paths.set(`${kind}${group}`, `${root}/${name}`);
    }
  }
  return paths;
}

async function benchSnapshot(size: number): Promise<void> {
  const file = join(cluster.folder, 'snapshot.yaml');
  const runs = size > 10_000 ? 1 : 3;
  const log = join(cluster.folder, 'gate.out');
  const snapshot = () => timed(log, process.execPath, bundle, 'snapshot', '--quiet', '--output', file);
  const own = await best(runs, snapshot);
  const kinds = await served(await kindsOf(file));
  const listed = join(cluster.folder, 'kubectl.yaml');
  const theirs = await best(runs, () =>
    timed(listed, kubectl, 'get', [...kinds.keys()].join(','), '--all-namespaces', '-o', 'yaml'),
  );
  let bare = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) bare = Math.min(bare, await bareLists(kinds.values()));
  const named = `${size.toLocaleString('en')} objects: `;
  const mib = (path: string) => (statSync(path).size / 2 ** 20).toFixed(1);
  row(
    `${named}snapshot against kubectl get -o yaml`,
    `${(own.seconds / theirs.seconds).toFixed(2)}x (${own.seconds.toFixed(2)} s / ${theirs.seconds.toFixed(2)} s)`,
    'at most 1.3x at 10,000',
  );
  row(
    `${named}snapshot against the list calls alone`,
    `${(own.seconds / bare).toFixed(2)}x (${own.seconds.toFixed(2)} s / ${bare.toFixed(2)} s)`,
    'at most 1.3x at 10,000',
  );
  row(`${named}snapshot, time per 1,000 objects`, `${((own.seconds / size) * 1000).toFixed(3)} s`, 'does not grow');
  row(
    `${named}peak memory of the snapshot`,
    `${own.peakMiB} MiB (kubectl ${theirs.peakMiB} MiB)`,
    'under 300 MB at 50,000',
  );
  row(`${named}size of the snapshot`, `${mib(file)} MiB (kubectl ${mib(listed)} MiB)`);
}

/** What a pull request makes of an object. */
function changed(object: TestObject): TestObject {
  const text = JSON.stringify(object);
  if (object.kind === 'Deployment') return JSON.parse(text.replace(':1.0.0"', ':1.1.0"')) as TestObject;
  return {
    ...object,
    metadata: { ...object.metadata, labels: { ...(object.metadata['labels'] as object), team: 'shop' } },
  };
}

function writeSide(folder: string, objects: readonly TestObject[]): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [index, object] of objects.entries()) {
    writeFileSync(join(folder, `${index}.yaml`), `${JSON.stringify(object, null, 2)}\n`);
  }
}

/** 500 objects that the pull request changes, and that somebody changed in the cluster as well. */
async function benchDrift(size: number): Promise<void> {
  const objects = Array.from({ length: changedApplications }, (_, index) => declared(index)).flat();
  const [before, after] = [join(cluster.folder, 'before'), join(cluster.folder, 'after')];
  writeSide(before, objects);
  writeSide(after, objects.map(changed));
  const report = join(cluster.folder, 'report.json');
  const runs = size > 10_000 ? 1 : 3;
  const args = ['check', '--live', '--all', '-q', '-o', 'json', '--before', before, '--after', after];
  const own = await best(runs, () => timed(report, process.execPath, bundle, ...args));
  const theirs = await best(runs, () => timed(join(cluster.folder, 'diff'), kubectl, 'diff', '-f', after));
  if (theirs.code !== 1) throw new Error('kubectl diff found no difference');
  row(
    `${size.toLocaleString('en')} objects: kubectl diff of ${objects.length} against check --live`,
    `${(theirs.seconds / own.seconds).toFixed(1)}x (${theirs.seconds.toFixed(2)} s / ${own.seconds.toFixed(2)} s)`,
    'at least 5x',
  );
}

async function driftIn(client: TestCluster): Promise<void> {
  await inParallel(changedApplications, async (index) => {
    for (const object of declared(index)) {
      const { namespace = '', name } = object.metadata;
      const group = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
      const plural = `${object.kind.toLowerCase()}s`;
      const patch =
        object.kind === 'Deployment'
          ? { spec: { replicas: 5 } }
          : { metadata: { labels: { 'app.kubernetes.io/name': `${name}-by-hand` } } };
      const contentType = 'application/merge-patch+json';
      await client.request('PATCH', `${group}/namespaces/${namespace}/${plural}/${name}`, patch, { contentType });
    }
  });
}

try {
  await cluster.apply(namespaceObjects());
  let applications = 0;
  for (const size of sizes) {
    const wanted = Math.ceil(size / perApplication);
    const from = applications;
    await inParallel(wanted - from, (index) => addApplication(from + index));
    if (from === 0) await driftIn(cluster);
    applications = wanted;
    await benchSnapshot(size);
    await benchDrift(size);
  }
} finally {
  await cluster.stop();
}
