import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GitHub } from './github/server.ts';
import { git, writeFiles } from './gate.ts';
import { tempDir } from './tmp.ts';
import { toolPath } from './tools.ts';

const bundle = new URL('../../dist/action.js', import.meta.url).pathname;

const chart = {
  'charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'charts/shop/values.yaml': 'replicas: 2\nminAvailable: 1\nimage: registry.example.org/shop:1.4.0\n',
  'charts/shop/templates/all.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: app
          image: {{ .Values.image }}
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 128Mi}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: shop}
spec:
  minAvailable: {{ .Values.minAvailable }}
  selector: {matchLabels: {app: shop}}
`,
  'envs/production.yaml': 'replicas: 3\n',
  'envs/staging.yaml': 'replicas: 2\n',
  'gate.yaml': `targets:
  - name: shop
    helm: {chart: charts/shop, values: [envs/production.yaml], release: shop, namespace: shop}
    environment: production
  - name: shop-staging
    helm: {chart: charts/shop, values: [envs/staging.yaml], release: shop, namespace: shop-staging}
    environment: staging
detect: false
`,
};

export interface Checkout {
  readonly folder: string;
  readonly base: string;
  readonly head: string;
}

/** A clone as actions/checkout with `fetch-depth: 0` leaves it: detached at the change, `main` as a branch of the remote. */
export function checkout(
  change: Readonly<Record<string, string>>,
  base: Readonly<Record<string, string>> = {},
): Checkout {
  const folder = tempDir('action');
  git(folder, 'init', '--quiet');
  writeFiles(folder, { ...chart, ...base });
  git(folder, 'add', '.');
  git(folder, 'commit', '--quiet', '-m', 'base');
  const before = git(folder, 'rev-parse', 'HEAD');
  git(folder, 'remote', 'add', 'origin', 'https://github.example/acme/shop-gitops');
  git(folder, 'update-ref', 'refs/remotes/origin/main', before);
  git(folder, 'checkout', '--quiet', '--detach');
  const head = commit(folder, change);
  git(folder, 'branch', '--quiet', '-D', 'main');
  return { folder, base: before, head };
}

/** One more commit on what is checked out. Gives its id. */
export function commit(folder: string, change: Readonly<Record<string, string>>): string {
  writeFiles(folder, change);
  git(folder, 'add', '.');
  git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'change');
  return git(folder, 'rev-parse', 'HEAD');
}

export interface ActionRun {
  readonly code: number | null;
  /** stdout and stderr as the log of the job shows them. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly milliseconds: number;
}

export interface ActionOptions {
  readonly folder: string;
  readonly event: string;
  readonly payload: unknown;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly github?: GitHub;
  readonly runNumber?: number;
}

/** Runs the built bundle as the runner of GitHub Actions does. */
export async function runAction(options: ActionOptions): Promise<ActionRun> {
  if (!existsSync(bundle)) throw new Error(`there is no ${bundle}; run npm run build`);
  const helm = await toolPath('helm');
  const temporary = tempDir('runner');
  const file = (name: string, text = '') => {
    const path = join(temporary, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const files = { output: file('output'), summary: file('summary') };
  const inputs = Object.entries({ 'github-token': options.github?.token().token ?? '', ...options.inputs });
  const started = performance.now();
  const child = spawn(process.execPath, [bundle], {
    cwd: options.folder,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      GATE_TOOL_CACHE: dirname(dirname(helm)),
      ...Object.fromEntries(inputs.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_API_URL: options.github?.url ?? 'http://127.0.0.1:9',
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'acme/shop-gitops',
      GITHUB_RUN_ID: '4711',
      GITHUB_RUN_NUMBER: String(options.runNumber ?? 7),
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_EVENT_NAME: options.event,
      GITHUB_EVENT_PATH: file('event.json', JSON.stringify(options.payload)),
      GITHUB_WORKSPACE: options.folder,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      RUNNER_TEMP: temporary,
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return {
    code,
    log,
    outputs: readOutputs(readFileSync(files.output, 'utf8')),
    summary: readFileSync(files.summary, 'utf8'),
    milliseconds: performance.now() - started,
  };
}

/** `name<<delimiter` blocks, as the runner reads them. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split('\n');
  while (lines.length > 1) {
    const head = /^([\w-]+)<<(.+)$/.exec(lines.shift() ?? '');
    if (head === null) throw new Error(`not an output: ${text}`);
    const end = lines.indexOf(head[2]!);
    outputs[head[1]!] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join('\n');
  }
  return outputs;
}
