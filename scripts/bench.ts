/**
 * `npm run bench`: gate against a plain parallel loop of the same tools over the same generated repository, side by
 * side in one run. Prints ratios; absolute times depend on the machine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defaultConfig } from '../src/config/load.ts';
import type { GateReport, KubeObject, Manifest, RenderResult, Target } from '../src/core/model.ts';
import { diffSides } from '../src/diff/diff.ts';
import { runRules } from '../src/engine/run-rules.ts';
import { toJson } from '../src/report/json.ts';
import { toMarkdown } from '../src/report/markdown.ts';
import { toTerminal } from '../src/report/terminal.ts';
import { rules } from '../src/rules/index.generated.ts';
import { buildWorld } from '../src/rules/kit/world.ts';
import { blastRadius } from '../src/score/blast.ts';
import { scoreFinding, scoreFindings } from '../src/score/score.ts';
import { judge } from '../src/verdict/verdict.ts';
import { toolPath } from '../test/kit/tools.ts';

const apps = Number(process.env['BENCH_APPS'] ?? 200);
const environments = ['dev', 'staging', 'production'];
const bundle = new URL('../dist/cli.js', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'gate-bench-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {app: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers:
        - name: app
          image: "{{ .Values.image }}:{{ .Values.tag }}"
          ports: [{name: http, containerPort: 8080}]
          envFrom: [{configMapRef: {name: {{ .Release.Name }}}}]
          readinessProbe: {httpGet: {path: /ready, port: http}}
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 128Mi}}
`;

function helmRepository(folder: string): void {
  for (let index = 0; index < apps; index += 1) {
    const chart = join(folder, 'charts', `app-${index}`);
    write(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: app-${index}\nversion: 1.0.${index}\n`);
    write(
      join(chart, 'values.yaml'),
      `replicas: 2\nimage: registry.example.org/app-${index}\ntag: 1.0.0\nlevel: info\n`,
    );
    write(join(chart, 'templates', 'deployment.yaml'), deployment);
    write(
      join(chart, 'templates', 'service.yaml'),
      'apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec:\n  selector: {app: {{ .Release.Name }}}\n  ports: [{name: http, port: 80, targetPort: http}]\n',
    );
    write(
      join(chart, 'templates', 'configmap.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  LOG_LEVEL: {{ .Values.level }}\n',
    );
    for (const environment of environments) {
      write(join(chart, `values-${environment}.yaml`), `replicas: ${environment === 'production' ? 4 : 1}\n`);
    }
  }
}

function overlayRepository(folder: string): void {
  write(join(folder, 'base', 'kustomization.yaml'), 'resources: [deployment.yaml]\n');
  write(
    join(folder, 'base', 'deployment.yaml'),
    deployment
      .replaceAll('{{ .Release.Name }}', 'app')
      .replace('{{ .Values.replicas }}', '2')
      .replace('"{{ .Values.image }}:{{ .Values.tag }}"', 'registry.example.org/app:1.0.0'),
  );
  for (let index = 0; index < apps; index += 1) {
    write(
      join(folder, 'overlays', `app-${index}`, 'kustomization.yaml'),
      `resources: [../../base]\nnamespace: app-${index}\nnamePrefix: app-${index}-\nimages: [{name: registry.example.org/app, newTag: 1.0.${index}}]\n`,
    );
  }
}

function git(folder: string, ...args: string[]): void {
  const result = spawnSync(
    'git',
    ['-C', folder, '-c', 'user.name=bench', '-c', 'user.email=bench@example.org', ...args],
    { encoding: 'utf8' },
  );
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
}

async function seconds(task: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await task();
  return (performance.now() - started) / 1000;
}

/** The plain loop: as many processes at once as there are cores. */
async function loop(commands: readonly (readonly string[])[]): Promise<void> {
  const queue = [...commands];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [file = '', ...args] = next;
      await new Promise<void>((resolve, reject) => {
        const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        child.stdout.resume();
        child.on('close', (code) =>
          code === 0 ? resolve() : reject(new Error(`${next.join(' ')} exited with ${code}`)),
        );
      });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

interface Run {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly work: { helmRuns: number; kustomizeRuns: number; cacheHits: number };
  readonly targets: number;
}

function gate(folder: string, cache: string, ...args: string[]): Run {
  const report = join(root, 'report.json');
  const started = performance.now();
  const result = spawnSync(
    '/usr/bin/env',
    ['time', '-f', 'peak=%M', process.execPath, bundle, 'check', '-C', folder, '-q', '-o', `json=${report}`, ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: cache, GATE_TOOL_CACHE: toolCache },
    },
  );
  const took = (performance.now() - started) / 1000;
  if (result.status !== 0 && result.status !== 1)
    throw new Error(`gate ${args.join(' ')} exited with ${result.status}: ${result.stderr}`);
  const { work, coverage } = JSON.parse(spawnSync('cat', [report], { encoding: 'utf8', maxBuffer: 1 << 30 }).stdout);
  const peak = Number(/peak=(\d+)/.exec(result.stderr)?.[1] ?? Number.NaN) / 1024;
  const targets = coverage.targets.filter((target: { status: string }) => target.status === 'rendered').length;
  return { seconds: took, peakMiB: Math.round(peak), work, targets };
}

function row(what: string, figure: string, wanted: string): void {
  process.stdout.write(`${what.padEnd(64)} ${figure.padEnd(34)} ${wanted}\n`);
}

async function compare(
  name: string,
  folder: string,
  commands: readonly (readonly string[])[],
  touch: string,
): Promise<void> {
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'Before');
  write(touch, `${spawnSync('cat', [touch], { encoding: 'utf8' }).stdout}# touched\n`);
  git(folder, 'commit', '-q', '-a', '-m', 'Comment only');
  const cache = join(root, `cache-${name}`);
  const plain = await seconds(() => loop(commands));
  const first = gate(folder, cache, '--base', 'HEAD~1', '--head', 'HEAD', '--all');
  row(
    `${name}: first run of ${first.targets} targets against the plain loop`,
    `${(first.seconds / plain).toFixed(2)}x (${first.seconds.toFixed(1)} s / ${plain.toFixed(1)} s)`,
    'at most 1.15x',
  );
  row(`${name}: peak memory of that run`, `${first.peakMiB} MiB`, 'under 600 MiB at 2,000 targets');
  const cold = join(root, `cold-${name}`);
  const one = gate(folder, cold, '--base', 'HEAD~1', '--head', 'HEAD');
  row(
    `${name}: one app touched, empty cache`,
    `${one.seconds.toFixed(2)} s, ${one.work.helmRuns} helm, ${one.work.kustomizeRuns} kustomize`,
    'at most 1.5 s and 3 tool runs an environment',
  );
  const again = gate(folder, cold, '--base', 'HEAD~1', '--head', 'HEAD');
  row(`${name}: the same run again`, `${again.seconds.toFixed(2)} s, ${again.work.helmRuns} helm`, 'under 0.7 s');
}

/** One of 20,000 objects: a Deployment with its Service, ConfigMap, budget and account, 20 applications a target. */
function manifestsOf(target: number, changed: boolean): Manifest[] {
  return Array.from({ length: 20 }, (_, index) => {
    const name = `app-${target}-${index}`;
    const namespace = `team-${target}`;
    const labels = { app: name };
    const objects: KubeObject[] = [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace, labels },
        spec: {
          replicas: 3,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              serviceAccountName: name,
              containers: [
                {
                  name: 'app',
                  image: `registry.example.org/${name}:${changed ? '1.1.0' : '1.0.0'}`,
                  ports: [{ name: 'http', containerPort: 8080 }],
                  envFrom: [{ configMapRef: { name } }],
                  env: Array.from({ length: 12 }, (_item, at) => ({ name: `VARIABLE_${at}`, value: `${at}` })),
                  readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
                  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '128Mi' } },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace },
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
      },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace },
        data: { LEVEL: changed ? 'debug' : 'info' },
      },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name, namespace },
        spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
      },
    ];
    return objects.map((object): Manifest => {
      const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
      return {
        ref: { group: group ?? '', version: version ?? '', kind: object.kind, namespace, name },
        object,
        provenance: {},
      };
    });
  }).flat();
}

function sideOf(changedShare: number): RenderResult[] {
  return Array.from({ length: 200 }, (_, index): RenderResult => {
    const target: Target = {
      id: `argocd:argocd/team-${index}`,
      name: `team-${index}`,
      engine: 'argocd',
      environment: 'production',
      scope: 'production',
      origin: { file: `apps/team-${index}.yaml` },
      parents: [],
      sources: [],
      afterRender: { defaultNamespace: `team-${index}` },
      apply: { mode: 'client-side', prune: true, automated: true },
      inputs: [`teams/${index}/`],
      rendersTargets: false,
    };
    return { ok: true, target, manifests: manifestsOf(index, index < 200 * changedShare), warnings: [] };
  });
}

/** Diff, rules, score and reports of 20,000 objects of which some change, in this process. */
function judgeMany(changedShare: number): void {
  const before = sideOf(0);
  const after = sideOf(changedShare);
  const targets = new Map(after.map((result) => [result.target.id, result.target]));
  const config = defaultConfig();
  const started = performance.now();
  const diff = diffSides({ before, after });
  const diffed = performance.now();
  const judged = runRules({
    rules,
    config,
    waiverFor: () => undefined,
    scoring: { blastRadius, scoreFinding },
    context: {
      changes: diff.changes,
      before: buildWorld(diff.entries.before, []),
      after: buildWorld(diff.entries.after, []),
      dryRun: () => undefined,
      live: () => undefined,
      targets: { before: targets, after: targets },
      renderProblems: [],
      yaml: [],
      buildFiles: { before: [], after: [] },
      changedPaths: new Set(),
      kubernetesVersion: () => '1.34',
      isProduction: () => true,
      notEvaluated: [],
    },
  });
  const ruled = performance.now();
  const score = scoreFindings(judged.findings);
  const judgement = judge({ score, findings: judged.findings, notEvaluated: [], onIncomplete: 'fail' });
  const report: GateReport = {
    schemaVersion: '1',
    ...judgement,
    score,
    findings: judged.findings,
    changes: diff.changes,
    clusters: [],
    drift: [],
    coverage: { targets: [], notEvaluated: [] },
    sides: { before: 'before', after: 'after' },
    tools: [],
    policyDigest: config.digest,
    waiversInForce: [],
    durationSeconds: 0,
    work: { helmRuns: 0, kustomizeRuns: 0, cacheHits: 0 },
  };
  for (const format of [toJson, toMarkdown]) format(report);
  toTerminal(report, { color: false, width: 100 });
  const ended = performance.now();
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
  row(
    `diff + rules + reports of 20,000 objects, ${changedShare * 100} % changed`,
    `${seconds(started, ended)} s (${seconds(started, diffed)} + ${seconds(diffed, ruled)} + ${seconds(ruled, ended)})`,
    'under 4 s',
  );
}

const helm = await toolPath('helm');
// The render cache moves to an empty folder, the tools stay where they are.
const toolCache = dirname(dirname(helm));
const kustomize = await toolPath('kustomize');

const versionTimes = Array.from({ length: 5 }, () => {
  const started = performance.now();
  spawnSync(process.execPath, [bundle, '--version']);
  return (performance.now() - started) / 1000;
}).sort((a, b) => a - b);
row('gate --version (median of 5)', `${versionTimes[2]?.toFixed(3)} s`, 'under 0.15 s');

const charts = join(root, 'charts');
helmRepository(charts);
const helmCommands = Array.from({ length: apps }, (_, index) =>
  environments.map((environment) => [
    helm,
    'template',
    `app-${index}`,
    join(charts, 'charts', `app-${index}`),
    '-f',
    join(charts, 'charts', `app-${index}`, `values-${environment}.yaml`),
  ]),
).flat();
await compare('charts', charts, helmCommands, join(charts, 'charts', 'app-7', 'values-production.yaml'));

const overlays = join(root, 'overlays');
overlayRepository(overlays);
const kustomizeCommands = Array.from({ length: apps }, (_, index) => [
  kustomize,
  'build',
  join(overlays, 'overlays', `app-${index}`),
]);
await compare('overlays', overlays, kustomizeCommands, join(overlays, 'overlays', 'app-7', 'kustomization.yaml'));

for (const share of [0.05, 1]) judgeMany(share);
