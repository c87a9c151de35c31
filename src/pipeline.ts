import { buildLiveWorld, buildWorld } from './rules/kit/world.ts';
import { compileWaivers, inForce } from './engine/waivers.ts';
import { runRules } from './engine/run-rules.ts';
import { assumedKubernetesVersion } from './render/engine-versions.ts';
import { diffSides } from './diff/diff.ts';
import { blastRadius } from './score/blast.ts';
import { scoreFinding, scoreFindings } from './score/score.ts';
import { judge } from './verdict/verdict.ts';
import { isProduction } from './pipeline/environments.ts';
import { neighbours } from './pipeline/neighbours.ts';
import { renderSelection, type SelectionResults } from './pipeline/render.ts';
import { coverageOf, notRendered, targetOf, type Selected } from './pipeline/selection.ts';
import { select } from './pipeline/select.ts';
import { discoverSide } from './pipeline/targets.ts';
import { unclaimedChanges } from './pipeline/unclaimed.ts';
import { changedYaml, collectBuildFiles } from './pipeline/files.ts';
import type { GatePorts, GateRequest, GateResult } from './pipeline/request.ts';
import type { Config } from './core/config.ts';
import type { ClusterState, GateReport, NotEvaluated, RenderResult, Target } from './core/model.ts';
import type { TreePair } from './core/ports.ts';
import type { LiveWorld, RuleContext } from './core/rule.ts';

export type { GatePorts, GateRequest, GateResult } from './pipeline/request.ts';

/**
 * One run: sources, render, diff, rules, score, verdict, report.
 * @throws GateError for what makes a run impossible (no repository, bad configuration, bad snapshot);
 *   everything else that could not be looked at is data in `report.coverage`
 */
export async function runGate(request: GateRequest, ports: GatePorts): Promise<GateResult> {
  const started = ports.clock.now();
  ports.progress.start('Reading both sides');
  const trees = await ports.git.open(request.trees);
  ports.progress.done();
  try {
    const cluster = await ports.cluster?.read();
    const loaded = ports.loadConfig(trees);
    const config = withCapabilities(loaded.config, cluster);

    // 1. sources
    const renderer = ports.createRenderer(config);
    const discovery = {
      config,
      trees,
      cluster,
      renderer,
      goTemplate: ports.createGoTemplate(config),
      progress: ports.progress,
    };
    const before = await discoverSide('before', discovery);
    const after = await discoverSide('after', discovery);
    const selection = select({ before, after, trees, request });

    // 2. render
    const rendering = { renderer, trees, progress: ports.progress };
    let results = await renderSelection(
      request.listOnly === true ? [] : selection.filter((selected) => selected.action === 'render'),
      rendering,
    );

    // 3. diff, and once more with the targets that depend on what goes away
    const live = clusterOf(cluster, selection);
    let diff = diffSides(withLive(results, live));
    const near = neighbours(diff.changes, selection);
    if (near.length > 0) {
      results = merge(results, await renderSelection(near, rendering));
      diff = diffSides(withLive(results, live));
    }

    // 4. rules
    const notEvaluated: NotEvaluated[] = [
      ...loaded.notes.map((note) => ({ what: 'configuration', reason: note, weight: 'note' as const })),
      ...dedupe([...before.notEvaluated, ...after.notEvaluated]),
      ...selection.filter((selected) => selected.action === 'withhold').map(withheld),
      ...failures(results),
      ...diff.notes,
      ...trees.after.problems.map((problem) => ({
        what: problem.path,
        reason: problem.reason,
        weight: 'note' as const,
      })),
      ...versionNote(config, selection),
      ...snapshotNotes(cluster, live, selection, started),
      ...unclaimedChanges(trees, [...before.targets.values(), ...after.targets.values()], config.detect),
    ];
    const production = (target: Target) => isProduction(target, config);
    const context: Omit<RuleContext, 'options'> = {
      changes: diff.changes,
      before: buildWorld(diff.entries.before, unrendered(before.targets.values(), results.before)),
      after: buildWorld(diff.entries.after, unrendered(after.targets.values(), results.after)),
      live,
      targets: { before: known(before.targets, selection), after: known(after.targets, selection) },
      renderProblems: renderProblems(selection, results),
      yaml: changedYaml(trees),
      buildFiles: collectBuildFiles(trees),
      changedPaths: new Set(trees.changed),
      kubernetesVersion: (target) =>
        target.kubeVersion ?? live(target.scope)?.state.kubernetesVersion ?? config.kubernetesVersion,
      isProduction: production,
      notEvaluated,
    };
    ports.progress.start('Judging', diff.changes.length);
    const judged = runRules({
      rules: ports.rules,
      context,
      config,
      waiverFor: compileWaivers(config.waivers, started),
      scoring: { blastRadius, scoreFinding },
    });
    ports.progress.done();
    notEvaluated.push(...judged.notEvaluated);

    // 5. score, 6. verdict
    const score = scoreFindings(judged.findings);
    const judgement = judge({ score, findings: judged.findings, notEvaluated, onIncomplete: request.onIncomplete });

    // 7. report
    const report: GateReport = {
      schemaVersion: '1',
      verdict: judgement.verdict,
      reason: judgement.reason,
      score,
      findings: judged.findings,
      changes: diff.changes,
      drift: diff.drift,
      coverage: { targets: coverage(selection, near, results), notEvaluated },
      sides: { before: trees.before.label, after: trees.after.label },
      ...(cluster === undefined ? {} : { cluster: clusterSummary(cluster, started) }),
      tools: renderer.toolsUsed,
      policyDigest: config.digest,
      waiversInForce: config.waivers.filter((waiver) => inForce(waiver, started)),
      durationSeconds: (ports.clock.now().getTime() - started.getTime()) / 1000,
      work: { ...renderer.statistics },
    };
    return {
      report,
      targets: [...after.targets.values()],
      rendered: { before: [...results.before.values()], after: [...results.after.values()] },
    };
  } finally {
    await trees.close();
  }
}

/** What the cluster says about its version and APIs stands in for what the configuration leaves open. */
function withCapabilities(config: Config, cluster: ClusterState | undefined): Config {
  const kubernetesVersion = config.kubernetesVersion ?? cluster?.kubernetesVersion;
  const apiVersions = config.apiVersions ?? cluster?.apiVersions;
  return {
    ...config,
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
  };
}

function withLive(results: SelectionResults, live: (scope: string) => LiveWorld | undefined) {
  return {
    before: [...results.before.values()],
    after: [...results.after.values()],
    live: (scope: string) => live(scope)?.objects,
  };
}

function merge(a: SelectionResults, b: SelectionResults): SelectionResults {
  return { before: new Map([...a.before, ...b.before]), after: new Map([...a.after, ...b.after]) };
}

/**
 * Which scope the given cluster is. By name (cluster, environment or scope); when nothing has that name and all
 * targets of this change live in one scope, that one.
 */
function clusterOf(
  cluster: ClusterState | undefined,
  selection: readonly Selected[],
): (scope: string) => LiveWorld | undefined {
  if (cluster === undefined) return () => undefined;
  const world = buildLiveWorld(cluster);
  const targets = selection.map(targetOf);
  const named = new Set(
    targets
      .filter((target) => [target.cluster, target.environment, target.scope].includes(cluster.name))
      .map((target) => target.scope),
  );
  if (named.size > 0) return (scope) => (named.has(scope) ? world : undefined);
  const scopes = new Set(selection.filter((entry) => entry.action === 'render').map((entry) => targetOf(entry).scope));
  return scopes.size === 1 ? (scope) => (scopes.has(scope) ? world : undefined) : () => undefined;
}

/** Charts branch on the Kubernetes version; when nobody says which it is, the report says which was assumed. */
function versionNote(config: Config, selection: readonly Selected[]): NotEvaluated[] {
  if (config.kubernetesVersion !== undefined) return [];
  const unknown = selection.filter(
    (selected) =>
      selected.action === 'render' &&
      targetOf(selected).kubeVersion === undefined &&
      targetOf(selected).sources.some((source) => source.type === 'helm'),
  );
  if (unknown.length === 0) return [];
  return [
    {
      what: 'Kubernetes version',
      reason: `not known, charts were rendered for ${assumedKubernetesVersion}`,
      next: 'Set kubernetesVersion in gate.yaml, or give a snapshot.',
      weight: 'note',
    },
  ];
}

const staleAfterMs = 24 * 60 * 60 * 1000;

/** A snapshot that is old or that no target of the change belongs to is evidence of little. */
function snapshotNotes(
  cluster: ClusterState | undefined,
  live: (scope: string) => LiveWorld | undefined,
  selection: readonly Selected[],
  now: Date,
): NotEvaluated[] {
  if (cluster === undefined) return [];
  const notes: NotEvaluated[] = [];
  const judged = selection.filter((selected) => selected.action === 'render').map(targetOf);
  const without = judged.filter((target) => live(target.scope) === undefined);
  if (without.length > 0) {
    const scopes = [...new Set(without.map((target) => target.scope))].slice(0, 5).join(', ');
    notes.push({
      what: `live evidence for ${without.length} of ${judged.length} targets`,
      reason: `the snapshot is of ${cluster.name}; these targets belong to ${scopes}`,
      next: 'Name the snapshot (metadata.name) like the cluster or environment of the targets, or choose one with --environment.',
      weight: 'note',
    });
  }
  const taken = cluster.takenAt === undefined ? Number.NaN : Date.parse(cluster.takenAt);
  if (Number.isFinite(taken) && now.getTime() - taken > staleAfterMs) {
    notes.push({
      what: `snapshot ${cluster.name}`,
      reason: `it was taken ${Math.round((now.getTime() - taken) / 3_600_000)} hours ago (${cluster.takenAt}); the cluster may have changed since`,
      next: 'Take a new snapshot.',
      weight: 'note',
    });
  }
  return notes;
}

function withheld(selected: Selected): NotEvaluated {
  const target = targetOf(selected);
  return {
    what: `target ${target.name}`,
    target: selected.id,
    reason: selected.reason,
    location: target.origin,
    weight: 'incomplete',
  };
}

function failures(results: SelectionResults): NotEvaluated[] {
  const found: NotEvaluated[] = [];
  for (const side of ['after', 'before'] as const) {
    for (const result of results[side].values()) {
      if (result.ok) continue;
      const other = results[side === 'after' ? 'before' : 'after'].get(result.target.id);
      const same = other !== undefined && !other.ok && other.problem.message === result.problem.message;
      if (same && side === 'before') continue;
      found.push(notRendered(result, same ? 'both sides' : side));
    }
  }
  return found;
}

function renderProblems(selection: readonly Selected[], results: SelectionResults): RuleContext['renderProblems'] {
  return selection.flatMap((selected) => {
    const before = results.before.get(selected.id);
    const after = results.after.get(selected.id);
    const failedBefore = before !== undefined && !before.ok ? { before: before.problem } : {};
    const failedAfter = after !== undefined && !after.ok ? { after: after.problem } : {};
    if (!('before' in failedBefore) && !('after' in failedAfter)) return [];
    return [{ target: targetOf(selected), ...failedBefore, ...failedAfter }];
  });
}

function unrendered(targets: Iterable<Target>, results: ReadonlyMap<string, RenderResult>): Target[] {
  return [...targets].filter((target) => results.get(target.id)?.ok !== true);
}

/** Targets whose existence on both sides is known: a withheld one must not look deleted. */
function known(targets: ReadonlyMap<string, Target>, selection: readonly Selected[]): ReadonlyMap<string, Target> {
  const withheldIds = new Set(selection.filter((entry) => entry.action === 'withhold').map((entry) => entry.id));
  return new Map([...targets].filter(([id]) => !withheldIds.has(id)));
}

function coverage(selection: readonly Selected[], near: readonly Selected[], results: SelectionResults) {
  const alsoRendered = new Set(near.map((selected) => selected.id));
  return selection.map((selected) =>
    coverageOf(
      alsoRendered.has(selected.id)
        ? {
            ...selected,
            status: 'rendered',
            reason: `${selected.reason}; rendered because it shares a namespace or cluster with the change`,
          }
        : selected,
      [results.before.get(selected.id), results.after.get(selected.id)],
    ),
  );
}

function clusterSummary(cluster: ClusterState, now: Date): NonNullable<GateReport['cluster']> {
  const taken = cluster.takenAt === undefined ? Number.NaN : Date.parse(cluster.takenAt);
  return {
    name: cluster.name,
    ...(cluster.takenAt === undefined ? {} : { takenAt: cluster.takenAt }),
    ...(Number.isFinite(taken) ? { ageSeconds: Math.max(0, Math.round((now.getTime() - taken) / 1000)) } : {}),
    ...(cluster.kubernetesVersion === undefined ? {} : { kubernetesVersion: cluster.kubernetesVersion }),
  };
}

/** The same thing found on both sides is said once. */
function dedupe(entries: readonly NotEvaluated[]): NotEvaluated[] {
  const seen = new Map<string, NotEvaluated>();
  for (const entry of entries) seen.set(`${entry.what}\u0000${entry.reason}`, entry);
  return [...seen.values()];
}

export type { Config, TreePair };
