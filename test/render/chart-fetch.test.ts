import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChartRef } from '../../src/core/model.ts';
import type { Renderer } from '../../src/core/ports.ts';
import { tempDir } from '../kit/tmp.ts';
import { hasTool, toolPath } from '../kit/tools.ts';
import { fixtures, helmSource, manifestsOf, names, problemOf, target, testRenderer, treeWith } from './kit.ts';

const run = promisify(execFile);
const hasHelm = await hasTool('helm');

const packages = tempDir('packages');
const requests: string[] = [];
let server: Server;
let url = '';

/** Packs the fixture chart `labels` as a chart with one object, in several versions. */
async function packCharts(): Promise<void> {
  const helm = await toolPath('helm');
  for (const version of ['1.0.0', '1.2.0', '1.3.0-rc.1', '2.0.0']) {
    const folder = join(tempDir('chart'), 'pinger');
    mkdirSync(join(folder, 'templates'), { recursive: true });
    writeFileSync(join(folder, 'Chart.yaml'), `apiVersion: v2\nname: pinger\nversion: ${version}\n`);
    writeFileSync(
      join(folder, 'templates/cm.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pinger}\ndata: {version: {{ .Chart.Version | quote }}}\n',
    );
    await run(helm, ['package', folder, '--destination', packages]);
  }
}

beforeAll(async () => {
  if (!hasHelm) return;
  await packCharts();
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    try {
      response.end(readFileSync(join(packages, (request.url ?? '/').slice(1))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await run(await toolPath('helm'), ['repo', 'index', packages, '--url', url]);
}, 120_000);
afterAll(() => {
  server?.close();
});

const empty = treeWith({ 'README.md': '' });

async function versionOf(renderer: Renderer, chart: ChartRef): Promise<unknown> {
  const [manifest] = manifestsOf(await renderer.render(target(helmSource('', { chart })), empty));
  const data = manifest?.object['data'] as { version: string } | undefined;
  return data?.version;
}

const repository = (version: string, from = url): ChartRef => ({
  from: 'repository',
  url: from,
  name: 'pinger',
  version,
});

describe.skipIf(!hasHelm)('a chart repository over HTTP', () => {
  test('exact versions, ranges and the newest', async () => {
    const renderer = testRenderer();
    expect(await versionOf(renderer, repository('1.0.0'))).toBe('1.0.0');
    expect(await versionOf(renderer, repository('^1.0.0'))).toBe('1.2.0');
    expect(await versionOf(renderer, repository('1.x'))).toBe('1.2.0');
    expect(await versionOf(renderer, repository(''))).toBe('2.0.0');
    expect(await versionOf(renderer, repository('>=1.3.0-0 <2.0.0'))).toBe('1.3.0-rc.1');
    await renderer.close();
  });

  test('an archive is fetched once and kept by its content', async () => {
    const cacheFolder = tempDir('cache');
    const first = testRenderer({}, { cacheFolder });
    await Promise.all([versionOf(first, repository('1.2.0')), versionOf(first, repository('1.2.0'))]);
    await first.close();
    expect(readdirSync(join(cacheFolder, 'charts/sha256'))).toHaveLength(1);
    requests.length = 0;
    const second = testRenderer({}, { cacheFolder });
    expect(await versionOf(second, repository('1.2.0'))).toBe('1.2.0');
    expect(requests).toEqual([]);
    expect(second.statistics.helmRuns).toBe(0);
    await second.close();
  });

  test('a mirror stands for the configured address', async () => {
    const renderer = testRenderer({ chartRepositories: { 'https://charts.example.org/stable/': url } });
    expect(await versionOf(renderer, repository('1.0.0', 'https://charts.example.org/stable'))).toBe('1.0.0');
    await renderer.close();
  });

  test('a folder of archives and charts stands for the configured address', async () => {
    const folder = tempDir('folder');
    cpSync(join(packages, 'pinger-1.0.0.tgz'), join(folder, 'pinger-1.0.0.tgz'));
    cpSync(join(packages, 'pinger-1.2.0.tgz'), join(folder, 'pinger-1.2.0.tgz'));
    cpSync(join(fixtures, 'charts/shop'), join(folder, 'shop'), { recursive: true });
    const renderer = testRenderer({
      chartRepositories: { 'https://charts.example.org': folder, 'oci://registry.example.org/charts': folder },
    });
    expect(await versionOf(renderer, repository('^1.0.0', 'https://charts.example.org'))).toBe('1.2.0');
    expect(
      await versionOf(renderer, { from: 'oci', url: 'oci://registry.example.org/charts/pinger', version: '1.0.0' }),
    ).toBe('1.0.0');
    const shop = await renderer.render(
      target(
        helmSource('', { chart: { from: 'repository', url: 'https://charts.example.org', name: 'shop', version: '' } }),
      ),
      empty,
    );
    expect(names(manifestsOf(shop))).toContain('Service/demo-web');
    const missing = await renderer.render(
      target(helmSource('', { chart: repository('3.x', 'https://charts.example.org') })),
      empty,
    );
    expect(problemOf(missing)).toMatchObject({
      kind: 'missing-input',
      message: expect.stringContaining('only 1.0.0, 1.2.0'),
    });
    await renderer.close();
  });

  test('a dependency is put into charts/ of a copy, in the version of the lock', async () => {
    const chart = (lock: boolean) =>
      treeWith({
        'app/Chart.yaml': `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: pinger\n  version: 1.x.x\n  repository: ${url}\n`,
        ...(lock
          ? { 'app/Chart.lock': `dependencies:\n- name: pinger\n  repository: ${url}\n  version: 1.0.0\n` }
          : {}),
      });
    const renderer = testRenderer();
    const version = async (lock: boolean) =>
      manifestsOf(await renderer.render(target(helmSource('app')), chart(lock)))[0]?.object['data'];
    expect(await version(false)).toEqual({ version: '1.2.0' });
    expect(await version(true)).toEqual({ version: '1.0.0' });
    await renderer.close();
  });

  test('what is not there is missing input, and a dead host is asked once', async () => {
    const renderer = testRenderer();
    const render = async (chart: ChartRef) =>
      problemOf(await renderer.render(target(helmSource('', { chart })), empty));
    const unknown = await render(repository('9.9.9'));
    expect(unknown.unreachable).toBeUndefined();
    expect(unknown).toMatchObject({
      kind: 'missing-input',
      next: expect.stringContaining('chartRepositories'),
    });
    const dead = 'http://127.0.0.1:9';
    expect(await render(repository('1.0.0', dead))).toMatchObject({
      kind: 'missing-input',
      unreachable: true,
      message: expect.stringContaining('refused'),
    });
    const runs = renderer.statistics.helmRuns;
    for (const version of ['1.0.1', '1.0.2', '1.0.3'])
      expect((await render(repository(version, dead))).kind).toBe('missing-input');
    expect(renderer.statistics.helmRuns).toBe(runs);
    expect(await render(repository('1.0.0', '--post-renderer=x'))).toMatchObject({ kind: 'missing-input' });
    await renderer.close();
  });
});

const registryProgram = await findRegistry();

describe.skipIf(!hasHelm || registryProgram === undefined)('an OCI registry', () => {
  let registry: ChildProcess | undefined;
  let address = '';

  beforeAll(async () => {
    if (registryProgram === undefined || !hasHelm) return;
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    const config = join(tempDir('registry'), 'config.yml');
    const storage = tempDir('storage');
    writeFileSync(
      config,
      `version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: ${storage}}\nhttp:\n  addr: ${address}\n`,
    );
    registry = spawn(registryProgram, ['serve', config], { stdio: 'ignore' });
    await reachable(`http://${address}/v2/`);
    const helm = await toolPath('helm');
    for (const file of readdirSync(packages).filter((name) => name.endsWith('.tgz'))) {
      await run(helm, ['push', join(packages, file), `oci://${address}/team`, '--plain-http']);
    }
  }, 60_000);
  afterAll(() => {
    registry?.kill();
  });

  test('exact versions, ranges and the newest', async () => {
    const renderer = testRenderer();
    const oci = (version: string): ChartRef => ({ from: 'oci', url: `oci://${address}/team/pinger`, version });
    expect(await versionOf(renderer, oci('1.0.0'))).toBe('1.0.0');
    expect(await versionOf(renderer, oci('^1.0.0'))).toBe('1.2.0');
    expect(await versionOf(renderer, oci(''))).toBe('2.0.0');
    await renderer.close();
  });

  test('a digest decides', async () => {
    const response = await fetch(`http://${address}/v2/team/pinger/manifests/1.0.0`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const digest = response.headers.get('docker-content-digest') ?? '';
    expect(digest).toMatch(/^sha256:/);
    const renderer = testRenderer();
    expect(await versionOf(renderer, { from: 'oci', url: `oci://${address}/team/pinger`, version: '', digest })).toBe(
      '1.0.0',
    );
    await renderer.close();
  });

  test('a registry mirrors a repository, and dependencies come from it', async () => {
    const renderer = testRenderer({ chartRepositories: { 'https://charts.example.org': `oci://${address}/team` } });
    expect(await versionOf(renderer, repository('1.2.0', 'https://charts.example.org'))).toBe('1.2.0');
    const tree = treeWith({
      'app/Chart.yaml': `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies: [{name: pinger, version: 1.0.0, repository: "oci://${address}/team"}]\n`,
    });
    expect(manifestsOf(await renderer.render(target(helmSource('app')), tree))[0]?.object['data']).toEqual({
      version: '1.0.0',
    });
    await renderer.close();
  });

  test('an unknown tag is missing input', async () => {
    const renderer = testRenderer();
    const result = await renderer.render(
      target(helmSource('', { chart: { from: 'oci', url: `oci://${address}/team/pinger`, version: '7.0.0' } })),
      empty,
    );
    expect(problemOf(result)).toMatchObject({ kind: 'missing-input', message: expect.stringContaining('7.0.0') });
    await renderer.close();
  });
});

/** Debian's docker-registry; installed where that is possible. Missing: a failure under CI, a skip elsewhere. */
async function findRegistry(): Promise<string | undefined> {
  const look = async (): Promise<string | undefined> =>
    (await run('sh', ['-c', 'command -v docker-registry']).catch(() => undefined))?.stdout.trim();
  const found = await look();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) {
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'docker-registry'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).catch(() => undefined);
    const installed = await look();
    if (installed !== undefined) return installed;
  }
  if (process.env['CI'] !== undefined) throw new Error('docker-registry is needed: apt-get install docker-registry');
  process.stderr.write('skipped: docker-registry is not installed\n');
  return undefined;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function reachable(address: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(address).catch(() => undefined);
    if (response !== undefined) return;
    await wait(100);
  }
  throw new Error(`${address} does not answer`);
}
