import { chmodSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createRenderCache } from '../../src/render/cache.ts';
import { argocdTools, fluxTools } from '../../src/render/engine-versions.ts';
import { allowedEnvironment, createExec } from '../../src/render/exec.ts';
import { createToolPaths, parseToolVersion } from '../../src/render/tools.ts';
import { tempDir } from '../kit/tmp.ts';

const sh = (script: string) => ({ file: '/bin/sh', args: ['-c', script] });

describe('child processes', () => {
  const exec = createExec();

  test('give their output, exit code and signal', async () => {
    expect(await exec.run(sh('echo out; echo err >&2; exit 3'))).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 3,
    });
    expect(await exec.run({ ...sh('cat'), input: 'grüße' })).toMatchObject({ stdout: 'grüße', exitCode: 0 });
    expect((await exec.run(sh('kill -9 $$'))).signal).toBe('SIGKILL');
  });

  test('a program that is not there is a result', async () => {
    expect((await exec.run({ file: '/nowhere/tool', args: [] })).spawnError).toContain('ENOENT');
    expect((await exec.run({ ...sh('true'), cwd: '/nowhere' })).spawnError).toBeDefined();
  });

  test('see no credentials', async () => {
    const environment = {
      PATH: process.env['PATH'],
      HOME: '/h',
      KUBECONFIG: 'x',
      GITHUB_TOKEN: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      HTTPS_PROXY: 'p',
    };
    const { stdout } = await createExec({ environment }).run({ ...sh('env'), env: { EXTRA: '1' } });
    expect(stdout).toMatch(/^EXTRA=1$/m);
    expect(stdout).toMatch(/^HTTPS_PROXY=p$/m);
    expect(stdout).not.toMatch(/KUBECONFIG|GITHUB_TOKEN|AWS_/);
    expect(allowedEnvironment({ LANG: 'C', OTHER: 'x' })).toEqual({ LANG: 'C' });
  });

  const alive = (file: string): boolean => {
    try {
      process.kill(Number(readFileSync(file, 'utf8')), 0);
      return true;
    } catch {
      return false;
    }
  };

  test.each(['timeout', 'interrupted'] as const)('%s ends the whole process group', async (reason) => {
    const controller = new AbortController();
    const pidFile = join(tempDir(), 'pid');
    const own = createExec({ signal: controller.signal });
    const running = own.run({
      ...sh(`sleep 300 & echo $! > ${pidFile}; wait`),
      timeoutMs: reason === 'timeout' ? 400 : 60_000,
    });
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await wait(10);
    expect(alive(pidFile)).toBe(true);
    if (reason === 'interrupted') controller.abort();
    expect((await running).stopped).toBe(reason);
    for (let attempt = 0; attempt < 100 && alive(pidFile); attempt++) await wait(20);
    expect(alive(pidFile)).toBe(false);
    if (reason === 'interrupted') expect((await own.run(sh('true'))).stopped).toBe('interrupted');
  });

  test('output beyond the limit ends the process, both streams together', async () => {
    const result = await exec.run({ ...sh('yes'), maxOutputBytes: 50_000 });
    expect(result.stopped).toBe('output-limit');
    expect(result.stdout.length).toBeLessThanOrEqual(50_000);
  });
});

describe('tools', () => {
  const program = (folder: string, name: string, version: string): string => {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho run >> ${folder}/calls\necho ${version}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const exec = createExec();

  test('the cache comes before PATH', async () => {
    const [cache, bin] = [tempDir(), tempDir()];
    const path = program(join(cache, 'helm-3.19.5'), 'helm', 'v9');
    program(bin, 'helm', 'v3.19.5');
    const tools = createToolPaths({
      exec,
      environment: { PATH: bin, GATE_TOOL_CACHE: cache },
      answersFile: join(tempDir(), 'a.json'),
    });
    expect(await tools.find('helm', '3.19.5')).toEqual({ path, version: '3.19.5' });
    expect(await tools.find('helm', undefined)).toEqual({ path, version: '3.19.5' });
  });

  test('a tool on PATH of the same line is taken with its own version, and asked once', async () => {
    const bin = tempDir();
    const path = program(bin, 'helm', 'v3.19.2+gabc');
    const options = {
      exec,
      environment: { PATH: `relative:${bin}`, GATE_TOOL_CACHE: tempDir() },
      answersFile: join(tempDir(), 'a.json'),
    };
    expect(await createToolPaths(options).find('helm', '3.19.5')).toEqual({ path, version: '3.19.2' });
    expect(await createToolPaths(options).find('helm', 'v3.19.5')).toEqual({ path, version: '3.19.2' });
    expect(readFileSync(join(bin, 'calls'), 'utf8')).toBe('run\n');
    program(bin, 'helm', 'v3.20.0');
    utimesSync(path, new Date(), new Date(Date.now() + 5000));
    await expect(createToolPaths(options).find('helm', '3.19.5')).rejects.toMatchObject({
      code: 'tool.missing',
      message: expect.stringContaining('is 3.20.0'),
    });
  });

  test('a missing tool says how to get it', async () => {
    const tools = createToolPaths({ exec, environment: { PATH: '', GATE_TOOL_CACHE: '/nowhere' } });
    await expect(tools.find('kustomize', '5.8.1')).rejects.toMatchObject({
      message: 'kustomize 5.8.1 is needed and was not found',
      next: expect.stringContaining('go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1'),
    });
    await expect(tools.find('helm', '../../x')).rejects.toMatchObject({ code: 'tool.bad-version' });
  });

  test.each([
    ['v3.19.5+gaabbccd', '3.19.5'],
    ['v3.19', '3.19'],
    ['v5.8.1\n', '5.8.1'],
    ['{kustomize/v4.5.7  2022-08-02T16:35:54Z  linux/amd64  }', '4.5.7'],
    ['version.BuildInfo{Version:"v4.2.4", GitCommit:""}', '4.2.4'],
    ['nothing', undefined],
  ])('%s', (output, version) => {
    expect(parseToolVersion(output)).toBe(version);
  });

  test('engine versions choose the line', () => {
    expect(argocdTools('v2.14.3').helm).toEqual({ shipped: '3.16.3', used: '3.19.5' });
    expect(argocdTools('3.3.2').kustomize.shipped).toBe('5.8.0');
    expect(argocdTools('3.3').kustomize.shipped).toBe('5.8.1');
    expect(argocdTools('3.5.1').helm.used).toBe('4.2.4');
    expect(argocdTools('newest').helm.used).toBe('4.2.4');
    expect(fluxTools('2.7.5').helm.used).toBe('3.19.5');
    expect(fluxTools('2.8').helm.used).toBe('4.2.4');
  });
});

describe('the cache', () => {
  const value = { manifests: [], warnings: ['x'.repeat(1000)] };
  const key = (number: number): string => number.toString(16).padStart(64, '0');

  test('gives back what was put, for every process', async () => {
    const folder = tempDir();
    const cache = createRenderCache({ folder });
    expect(await cache.get(key(1))).toBeUndefined();
    await Promise.all(Array.from({ length: 20 }, () => cache.put(key(1), value)));
    expect(await createRenderCache({ folder }).get(key(1))).toEqual(value);
    expect(await cache.size()).toMatchObject({ entries: 1 });
    expect(await cache.clear()).toBeGreaterThan(1000);
    expect(await cache.get(key(1))).toBeUndefined();
  });

  test('a damaged entry is no entry', async () => {
    const folder = tempDir();
    const cache = createRenderCache({ folder });
    await cache.put(key(1), value);
    writeFileSync(join(folder, 'render/v1/00', `${key(1)}.json`), '{"manifests": [');
    expect(await cache.get(key(1))).toBeUndefined();
  });

  test('the entries used least recently go first', async () => {
    const folder = tempDir();
    const cache = createRenderCache({ folder, maxBytes: 2500 });
    for (const number of [1, 2, 3]) await cache.put(key(number), value);
    const old = new Date(Date.now() - 100_000_000);
    for (const number of [1, 2]) utimesSync(join(folder, 'render/v1/00', `${key(number)}.json`), old, old);
    // Used again: no longer the oldest.
    await cache.get(key(1));
    await cache.trim();
    expect(await Promise.all([1, 2, 3].map(async (number) => (await cache.get(key(number))) !== undefined))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('the key of fingerprints is made once and private', async () => {
    const folder = join(tempDir(), 'new');
    const keys = await Promise.all(Array.from({ length: 8 }, () => createRenderCache({ folder }).redactKey()));
    expect(new Set(keys.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
    expect(keys[0]).toHaveLength(32);
    expect((await import('node:fs')).statSync(join(folder, 'redact-key')).mode & 0o777).toBe(0o600);
  });
});
