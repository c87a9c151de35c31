import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { roleDocuments } from './cluster/rbac.ts';
import { knownResource, type Resource } from './cluster/reading/resources.ts';
import { servedResources } from './cluster/reading/served-resources.ts';
import { createLiveCluster, openServer } from './cluster/kubernetes.ts';
import { withPrometheus } from './cluster/prometheus.ts';
import { snapshotKinds } from './cluster/snapshot/snapshot-kinds.ts';
import { readSnapshot } from './cluster/snapshot.ts';
import { writeSnapshot, type SnapshotRequest, type SnapshotSummary } from './cluster/snapshot/write-snapshot.ts';
import { defaultConfig, loadConfig } from './config/load.ts';
import { GateError, messageOf } from './core/errors.ts';
import type { Config } from './core/config.ts';
import type { Cluster, Exec, Git, Progress, ToolPaths, TreePair } from './core/ports.ts';
import { makeTemporaryDirectory } from './git/cleanup.ts';
import { copyTree } from './git/overlay.ts';
import { createGit } from './git/simple-git.ts';
import type { GatePorts } from './pipeline.ts';
import { createRenderCache, type RenderCache } from './render/cache.ts';
import { defaultVersions, supportedVersions } from './render/engine-versions.ts';
import { createExec } from './render/exec.ts';
import { createGoTemplate } from './render/go-template.ts';
import { createRenderer } from './render/renderer.ts';
import { createToolPaths } from './render/tools.ts';
import { rules } from './rules/index.generated.ts';

/** What a mouth chooses; everything else is the same for all of them. */
export interface Choices {
  readonly evidence?: EvidenceChoices;
  /** The operator's gate.yaml; replaces the one of the base side. */
  readonly config?: string;
  readonly cache: boolean;
  readonly progress: Progress;
}

/** Where evidence of the clusters comes from. */
export interface EvidenceChoices {
  /** Paths of cluster snapshots. */
  readonly snapshots: readonly string[];
  /** Live clusters by kubeconfig context; undefined: the current context, or the cluster that gate runs in. */
  readonly live: readonly (string | undefined)[];
  readonly kubeconfig?: string;
  /** What the (only) live cluster is called in targets. */
  readonly clusterName?: string;
  /** For everything that one live cluster is asked. */
  readonly timeoutMs: number;
  /** URL of a Prometheus; absent: the one of gate.yaml. */
  readonly prometheus?: string;
}

/** Connects the ports to the real git, helm, kustomize, cache, snapshot and clock. */
export async function createPorts(choices: Choices): Promise<GatePorts> {
  const exec = createExec();
  const tools = createToolPaths({ exec });
  const cache = choices.cache ? openCache() : createRenderCache({ folder: makeTemporaryDirectory('cache').path });
  const redactKey = await chooseRedactKey(cache);
  return {
    git: openGit(),
    loadConfig: (trees) => chooseConfig(trees, choices.config),
    createRenderer: (config) =>
      createRenderer({
        exec,
        tools,
        config,
        redactKey,
        // One more than the cores: starting processes keeps the main thread busy while the others finish.
        concurrency: availableParallelism() + 1,
        cache,
      }),
    createGoTemplate: (config) =>
      createGoTemplate({ exec, tools, ...(config.tools.helm === undefined ? {} : { helmVersion: config.tools.helm }) }),
    createClusters: (config) => createClusters(choices.evidence, { config, redactKey, exec }),
    createMetrics: (config) => createMetrics(choices.evidence, config),
    copyTree,
    clock: { now: () => new Date() },
    progress: choices.progress,
    rules,
    redactKey,
  };
}

function createClusters(
  choices: EvidenceChoices | undefined,
  { config, redactKey, exec }: { readonly config: Config; readonly redactKey: Uint8Array; readonly exec: Exec },
): Cluster[] {
  if (choices === undefined) return [];
  const { kubeconfig, clusterName } = choices;
  const options = {
    exec,
    redactKey,
    knownClusters: config.clusters,
    deadlineMs: choices.timeoutMs,
    ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(kubeconfig) }),
    ...(clusterName === undefined ? {} : { clusterName }),
  };
  return [
    ...choices.snapshots.map((path) => readSnapshot(resolve(path), redactKey)),
    ...choices.live.map((context) => createLiveCluster({ ...options, ...(context === undefined ? {} : { context }) })),
  ];
}

/** Undefined: neither the command line nor gate.yaml names a Prometheus. */
function createMetrics(choices: EvidenceChoices | undefined, config: Config): ReturnType<GatePorts['createMetrics']> {
  const { window, labels, queries, url } = config.prometheus ?? {};
  const address = choices?.prometheus ?? url;
  if (address === undefined) return undefined;
  return async (state, several = false) => {
    // A snapshot that was taken with figures has them from where Prometheus could be reached.
    if (choices?.prometheus === undefined && state.metrics.length > 0) return { state, notEvaluated: [] };
    return withPrometheus(state, {
      url: address,
      environment: process.env,
      several,
      ...(window === undefined ? {} : { window }),
      ...(labels === undefined ? {} : { labels }),
      ...(queries === undefined ? {} : { queries }),
      ...(choices === undefined ? {} : { deadlineMs: Math.min(30_000, choices.timeoutMs) }),
    });
  };
}

/**
 * Key of the fingerprints that stand for secrets. One per user, unless CI and the cluster are given the same text to
 * derive it from, so that a snapshot taken in one place compares with a render in another.
 */
async function chooseRedactKey(cache: RenderCache): Promise<Uint8Array> {
  const shared = process.env['GATE_FINGERPRINT_KEY'];
  return shared === undefined || shared === '' ? cache.redactKey() : createHash('sha256').update(shared).digest();
}

/** What `gate rbac` takes of the cluster adapter: the writer of roles, and the kinds that the chosen cluster serves. */
export async function openRoles(evidence: EvidenceChoices): Promise<{
  readonly roleDocuments: typeof roleDocuments;
  /** Kinds of Kubernetes itself and well-known custom ones. */
  readonly knownResource: typeof knownResource;
  /** What `gate snapshot` reads by default. */
  readonly snapshotKinds: readonly string[];
  /** Absent: no cluster was chosen. */
  readonly served?: ReadonlyMap<string, Resource>;
}> {
  const roles = { roleDocuments, knownResource, snapshotKinds };
  if (evidence.live.length === 0) return roles;
  const [context] = evidence.live;
  const served = await servedResources({
    exec: createExec(),
    deadlineMs: evidence.timeoutMs,
    ...(evidence.kubeconfig === undefined ? {} : { kubeconfig: resolve(evidence.kubeconfig) }),
    ...(context === undefined ? {} : { context }),
  });
  return { ...roles, served };
}

/** What `gate snapshot` chooses. */
export interface SnapshotChoices extends Pick<
  SnapshotRequest,
  'output' | 'choice' | 'namespaces' | 'redact' | 'progress'
> {
  readonly evidence: EvidenceChoices;
  /** An operator's gate.yaml, for the names of clusters and the questions to Prometheus. */
  readonly config?: string;
}

/** Reads the chosen cluster into a file. @returns also what Prometheus could not say */
export async function takeSnapshot(
  choices: SnapshotChoices,
): Promise<SnapshotSummary & { readonly name: string; readonly notes: readonly string[] }> {
  const { evidence, config: file, progress, ...request } = choices;
  const config = file === undefined ? defaultConfig() : readOperatorConfig(resolve(file));
  const redactKey = await chooseRedactKey(openCache());
  const notes: string[] = [];
  const ask = createMetrics(evidence, config);
  const server = await openServer({ ...connectOptions(evidence, config), exec: createExec() });
  try {
    const summary = await writeSnapshot({
      ...request,
      ...server,
      progress,
      redactKey,
      now: new Date(),
      ...(ask === undefined
        ? {}
        : {
            metrics: async (state) => {
              const answer = await ask(state);
              notes.push(...answer.notEvaluated.map(({ what, reason }) => `${what}: ${reason}`));
              return answer.state;
            },
          }),
    });
    return { ...summary, name: server.api.name, notes };
  } finally {
    await server.api.close();
  }
}

/** How to reach the only live cluster that was chosen. */
function connectOptions({ live: [context], kubeconfig, clusterName, timeoutMs }: EvidenceChoices, config: Config) {
  return {
    knownClusters: config.clusters,
    deadlineMs: timeoutMs,
    ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(kubeconfig) }),
    ...(clusterName === undefined ? {} : { clusterName }),
    ...(context === undefined ? {} : { context }),
  };
}

export function openGit(): Git {
  return createGit({ environment: process.env });
}

export function openCache(): RenderCache {
  return createRenderCache();
}

export function openTools(): { readonly exec: Exec; readonly tools: ToolPaths } {
  const exec = createExec();
  return { exec, tools: createToolPaths({ exec }) };
}

const knownRules = rules;

/**
 * The operator's file wins. Otherwise gate.yaml of the base side: a change must not be judged by a policy that it
 * brings along.
 */
function chooseConfig(trees: TreePair, operatorFile: string | undefined): { config: Config; notes: readonly string[] } {
  if (operatorFile !== undefined) return { config: readOperatorConfig(resolve(operatorFile)), notes: [] };
  const before = trees.before.readText('gate.yaml');
  const after = trees.after.readText('gate.yaml');
  const config =
    before === undefined
      ? defaultConfig()
      : loadConfig({ text: before, file: 'gate.yaml', directory: trees.before.root, knownRules });
  if (before === after) return { config, notes: [] };
  if (after !== undefined) loadConfig({ text: after, file: 'gate.yaml', directory: trees.after.root, knownRules });
  const what = before === undefined ? 'is new' : after === undefined ? 'is removed' : 'is changed';
  return {
    config,
    notes: [
      `gate.yaml ${what} in this change; this run was judged with ${before === undefined ? 'the defaults' : 'the version of the base side'}`,
    ],
  };
}

function readOperatorConfig(file: string): Config {
  if (!existsSync(file)) {
    throw new GateError({
      code: 'config.missing',
      message: `there is no configuration file ${file}`,
      fault: 'user',
      next: 'Check the path given with --config.',
    });
  }
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new GateError({
      code: 'config.unreadable',
      message: `cannot read ${file}: ${messageOf(error)}`,
      fault: 'user',
      cause: error,
    });
  }
  return loadConfig({ text, file, directory: dirname(file), knownRules });
}

export { defaultVersions, supportedVersions };
