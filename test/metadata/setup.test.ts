import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinnedTools } from '../kit/tools.ts';
import { tempDir } from '../kit/tmp.ts';

const script = resolve(import.meta.dirname, '../../scripts/setup.mjs');
const pins = await pinnedTools();
const pin = pins.find((tool) => tool.name === 'kustomize');
const version = pin?.version ?? '';

/** A `go` that takes a while and "builds" a program which says its name. */
const fakeGo = `#!/bin/sh
echo "$@" >> "$GO_LOG"
sleep "\${GO_SECONDS:-0.3}"
[ -n "$GO_FAILS" ] && { echo 'cannot reach the module proxy' >&2; exit 1; }
printf '#!/bin/sh\\necho v0.0.0\\n' > "$GOBIN/kustomize"
chmod +x "$GOBIN/kustomize"
`;

interface Machine {
  readonly cache: string;
  readonly bin: string;
  readonly builds: () => number;
  readonly start: (more?: Readonly<Record<string, string>>) => {
    pid: number;
    done: Promise<{ code: number | null; text: string; seconds: number }>;
  };
  readonly tool: string;
}

function program(folder: string, name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), 0o755);
}

function machine(): Machine {
  const folder = tempDir('setup');
  const bin = join(folder, 'bin');
  const cache = join(folder, 'cache');
  const log = join(folder, 'go.log');
  program(bin, 'go', fakeGo);
  program(bin, 'git', '#!/bin/sh\n');
  writeFileSync(log, '');
  return {
    cache,
    bin,
    tool: join(cache, `kustomize-${version}`),
    builds: () => readFileSync(log, 'utf8').split('\n').filter(Boolean).length,
    start(more = {}) {
      const began = performance.now();
      const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: folder, GATE_TOOL_CACHE: cache, GO_LOG: log, ...more };
      const child = spawn(process.execPath, [script, '--only', 'kustomize'], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      child.stdout.on('data', (chunk) => (text += `stdout: ${chunk}`));
      child.stderr.on('data', (chunk) => (text += chunk));
      const done = new Promise<{ code: number | null; text: string; seconds: number }>((end) => {
        child.on('close', (code) => end({ code, text, seconds: (performance.now() - began) / 1000 }));
      });
      return { pid: child.pid ?? 0, done };
    },
  };
}

const whole = (at: Machine) => existsSync(join(at.tool, 'kustomize')) && existsSync(join(at.tool, 'complete.json'));
const leftovers = (at: Machine) => readdirSync(at.cache).filter((name) => name !== `kustomize-${version}`);

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((next) => setTimeout(next, 25));
}

describe.skipIf(process.platform === 'win32')('scripts/setup.mjs', () => {
  it('builds a missing tool once, then is silent', async () => {
    const at = machine();
    const first = await at.start().done;
    expect(first.code, first.text).toBe(0);
    expect(first.text).toContain(`building kustomize ${version} with go install`);
    expect(first.text).not.toContain('stdout:');
    expect(whole(at)).toBe(true);
    const second = await at.start().done;
    expect(second).toMatchObject({ code: 0, text: '' });
    expect(at.builds()).toBe(1);
    expect(leftovers(at)).toEqual([]);
  });

  it('lets two runs at once build once', async () => {
    const at = machine();
    const [a, b] = await Promise.all([at.start({ GO_SECONDS: '1' }).done, at.start({ GO_SECONDS: '1' }).done]);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(a.text + b.text).toContain('is at work on kustomize');
    expect(at.builds()).toBe(1);
    expect(leftovers(at)).toEqual([]);
  });

  it('works again after it was killed in the middle', async () => {
    const at = machine();
    const killed = at.start({ GO_SECONDS: '2' });
    await until(() => at.builds() === 1);
    process.kill(killed.pid, 'SIGKILL');
    // Its orphaned compiler keeps the pipes open; what matters is the next run, while that one is still there.
    const next = await at.start().done;
    expect(next.code, next.text).toBe(0);
    expect(next.text).toContain('taking over the abandoned lock');
    expect(whole(at)).toBe(true);
    expect(leftovers(at)).toEqual([]);
    await killed.done;
    expect(whole(at)).toBe(true);
  });

  it('cleans up when it is interrupted', async () => {
    const at = machine();
    const run = at.start({ GO_SECONDS: '5' });
    await until(() => at.builds() === 1);
    process.kill(run.pid, 'SIGINT');
    await until(() => leftovers(at).length === 0);
    expect(leftovers(at)).toEqual([]);
    expect((await run.done).code).toBe(130);
  });

  it('takes over the lock of a holder that went silent long ago', async () => {
    const at = machine();
    const lock = `${at.tool}.lock`;
    mkdirSync(lock, { recursive: true });
    // A live process id, as after a reboot: the age decides.
    writeFileSync(join(lock, 'owner.json'), JSON.stringify({ token: 'x', pid: process.pid, host: 'elsewhere' }));
    utimesSync(lock, new Date(0), new Date(0));
    const { code, text } = await at.start().done;
    expect(code, text).toBe(0);
    expect(leftovers(at)).toEqual([]);
  });

  it('builds again what was damaged', async () => {
    const at = machine();
    await at.start().done;
    appendFileSync(join(at.tool, 'kustomize'), 'damage');
    expect((await at.start().done).code).toBe(0);
    expect(at.builds()).toBe(2);
    expect(readFileSync(join(at.tool, 'kustomize'), 'utf8')).not.toContain('damage');
  });

  it('takes the tool from PATH only in exactly that version', async () => {
    const at = machine();
    program(at.bin, 'kustomize', `#!/bin/sh\necho v${version}\n`);
    expect(await at.start().done).toMatchObject({ code: 0, text: '' });
    expect(at.builds()).toBe(0);
    program(at.bin, 'kustomize', '#!/bin/sh\necho v5.8\n');
    expect((await at.start().done).code).toBe(0);
    expect(at.builds()).toBe(1);
  });

  it('says what failed and what to do, without a stack trace', async () => {
    const at = machine();
    const { code, text } = await at.start({ GO_FAILS: '1' }).done;
    expect(code).toBe(1);
    expect(text).toContain('cannot reach the module proxy');
    expect(text).toContain('setup: next: check the network');
    expect(text).not.toMatch(/^\s+at /m);
    expect(leftovers(at)).toEqual([]);
    const bare = await at.start({ PATH: join(at.cache, 'nothing') }).done;
    expect(bare.text).toContain('git was not found on PATH');
  });
});

/** A `go` with the sources of one module; its builds print the go.mod that they used. */
const goOfModule = `#!/bin/sh
echo "$@" >> "$GO_LOG"
case "$1" in
  mod) echo 'go: downloading' >&2; [ -n "$GO_FAILS" ] && { echo '{"Error": "404 Not Found"}'; exit 1; }
    printf '{\\n\\t"Dir": "%s"\\n}\\n' "$GO_SOURCES" ;;
  build) while [ "$1" != -o ]; do shift; done; cp go.mod "$2"; chmod +x "$2" ;;
esac
`;

describe.skipIf(process.platform === 'win32')('scripts/setup.mjs, tools of a cluster', () => {
  async function setUp(tools: string, more: Readonly<Record<string, string>> = {}) {
    const folder = tempDir('setup');
    program(join(folder, 'bin'), 'go', goOfModule);
    program(join(folder, 'bin'), 'git', '#!/bin/sh\n');
    mkdirSync(join(folder, 'sources'));
    writeFileSync(join(folder, 'sources', 'go.sum'), 'sums\n', { mode: 0o444 });
    writeFileSync(
      join(folder, 'sources', 'go.mod'),
      'module k8s.io/kubernetes\n\ngo 1.24.0\n\ntoolchain go1.24.9\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n\tk8s.io/own => ../own\n)\n',
    );
    const env = {
      PATH: `${join(folder, 'bin')}:/bin:/usr/bin`,
      HOME: folder,
      GATE_TOOL_CACHE: join(folder, 'cache'),
      GO_LOG: join(folder, 'go.log'),
      GO_SOURCES: join(folder, 'sources'),
      ...more,
    };
    const child = spawn(process.execPath, [script, '--only', tools], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk) => (text += chunk));
    const code = await new Promise<number | null>((end) => child.on('close', end));
    return { code, text, cache: join(folder, 'cache'), log: readFileSync(join(folder, 'go.log'), 'utf8') };
  }

  const kubernetes = pins.find((tool) => tool.name === 'kube-controller-manager')?.version ?? '';

  it('builds those of one version from one module, whose replacements are the published ones', async () => {
    const { code, text, cache, log } = await setUp('kube-controller-manager,kubectl');
    expect(code, text).toBe(0);
    expect(log.match(/^mod download/gm)).toHaveLength(1);
    expect(log.match(/^build .*gitVersion=v/gm)).toHaveLength(2);
    const used = readFileSync(join(cache, `kubectl-${kubernetes}`, 'kubectl'), 'utf8');
    expect(used).toContain(`require k8s.io/kubernetes v${kubernetes}\n`);
    expect(used).toContain(`k8s.io/api => k8s.io/api v0.${kubernetes.slice(2)}\n`);
    expect(used).not.toContain('../own');
    expect(used).not.toContain('toolchain');
    expect(readdirSync(cache).sort()).toEqual([`kube-controller-manager-${kubernetes}`, `kubectl-${kubernetes}`]);
  });

  it('says so when the sources cannot be had', async () => {
    const { code, text, cache } = await setUp('kube-controller-manager', { GO_FAILS: '1' });
    expect(code).toBe(1);
    expect(text).toContain(`the sources of k8s.io/kubernetes ${kubernetes} cannot be had`);
    expect(text).toContain('404 Not Found');
    expect(text).toContain('setup: next: check the network');
    expect(readdirSync(cache)).toEqual([]);
  });
});
