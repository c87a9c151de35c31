import { createLiveCluster } from '../../../src/cluster/kubernetes.ts';
import type { ObjectDryRun } from '../../../src/core/cluster.ts';
import type { RenderResult, ResourceChange, Target } from '../../../src/core/model.ts';
import type { Cluster } from '../../../src/core/ports.ts';
import type { LiveWorld, Problem, Rule, RuleContext } from '../../../src/core/rule.ts';
import { diffSides, type DiffResult } from '../../../src/diff/diff.ts';
import { resolveOptions } from '../../../src/engine/options.ts';
import { runDryRun, type DryRunOutcome } from '../../../src/pipeline/dry-run.ts';
import { parseManifests } from '../../../src/render/parse.ts';
import { buildLiveWorld, buildWorld } from '../../../src/rules/kit/world.ts';
import type { TestCluster } from '../kit/cluster.ts';

/** How the objects of a test are applied. */
export const engines = {
  argocd: { engine: 'argocd', apply: { mode: 'client-side', prune: true, automated: true } },
  flux: { engine: 'flux', apply: { mode: 'server-side', prune: true, automated: true } },
  kubectl: { engine: 'plain', apply: { mode: 'client-side', prune: 'unknown', automated: 'unknown' } },
  helm: { engine: 'helm', apply: { mode: 'helm', prune: true, automated: 'unknown' } },
} as const satisfies Record<string, Pick<Target, 'engine' | 'apply'>>;

export function targetOf(fields: Partial<Target>): Target {
  return {
    id: 'test:target',
    name: 'target',
    engine: 'argocd',
    scope: 'test',
    origin: { file: 'apps/target.yaml' },
    parents: [],
    sources: [],
    afterRender: { defaultNamespace: 'default' },
    apply: { mode: 'client-side', prune: true, automated: true },
    inputs: [],
    rendersTargets: false,
    ...fields,
  };
}

export interface Asked {
  readonly diff: DiffResult;
  readonly live: LiveWorld;
  readonly outcome: DryRunOutcome;
  readonly find: (kind: string, name: string) => ObjectDryRun | undefined;
  /** What a rule says, with the answers of the server or, `offline`, without them and without the live objects. */
  readonly problems: (rule: Rule, offline?: 'offline') => readonly Problem[];
}

export const quiet = { start: () => {}, advance: () => {}, done: () => {}, note: () => {} };

export function liveCluster(server: TestCluster, user = 'admin', deadlineMs = 60_000): Cluster {
  return createLiveCluster({
    exec: { run: () => Promise.reject(new Error('no plugin in this test')) },
    kubeconfig: server.kubeconfigFor(user),
    redactKey: new Uint8Array(32),
    cacheFolder: false,
    deadlineMs,
  });
}

/** Compares two sides, reads the live objects and asks the server as the pipeline does. */
export async function ask(
  server: TestCluster,
  before: string,
  after: string,
  how: {
    readonly target?: Partial<Target>;
    readonly pods?: boolean;
    readonly objects?: boolean;
    readonly user?: string;
    readonly deadlineMs?: number;
  } = {},
): Promise<Asked> {
  const target = targetOf(how.target ?? {});
  const side = (text: string): RenderResult[] => [
    { ok: true, target, manifests: parseManifests(text, { defaultNamespace: 'default' }).manifests, warnings: [] },
  ];
  const sides = { before: side(before), after: side(after) };
  const diff = diffSides(sides);
  const reader = liveCluster(server);
  const cluster = how.user === undefined ? reader : liveCluster(server, how.user, how.deadlineMs);
  try {
    const kinds = new Set([...diff.entries.before, ...diff.entries.after].map(({ ref }) => `${ref.group}/${ref.kind}`));
    const wanted = [...kinds, '/Namespace'].map((kind) => ({ kind }));
    const state = await reader.read(wanted);
    const live = buildLiveWorld(state);
    const world = buildWorld(diff.entries.after, []);
    const outcome = await runDryRun({
      changes: diff.changes,
      after: world,
      clusterOf: () => cluster,
      live: () => live,
      objects: how.objects ?? true,
      pods: how.pods ?? false,
      progress: quiet,
    });
    const context: Omit<RuleContext, 'options'> = {
      changes: diff.changes,
      before: buildWorld(diff.entries.before, []),
      after: world,
      live: () => live,
      dryRun: outcome.find,
      targets: { before: new Map([[target.id, target]]), after: new Map([[target.id, target]]) },
      renderProblems: [],
      yaml: [],
      buildFiles: { before: [], after: [] },
      changedPaths: new Set(),
      kubernetesVersion: () => state.kubernetesVersion,
      isProduction: () => true,
      notEvaluated: [],
    };
    return {
      diff,
      live,
      outcome,
      find: (kind, name) => {
        const change = changeOf(diff.changes, kind, name);
        return change === undefined ? undefined : outcome.find(target.id, change.ref);
      },
      problems: (rule, offline) => [
        ...rule.check({
          ...context,
          options: resolveOptions(rule, {}),
          ...(offline === undefined ? {} : { live: () => undefined, dryRun: () => undefined }),
        } as RuleContext<never>),
      ],
    };
  } finally {
    await reader.close?.();
    if (cluster !== reader) await cluster.close?.();
  }
}

function changeOf(changes: readonly ResourceChange[], kind: string, name: string): ResourceChange | undefined {
  return changes.find(({ ref }) => ref.kind === kind && ref.name === name);
}
