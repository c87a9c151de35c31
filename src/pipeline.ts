import { redactObject } from './core/redact.ts';
import { diffSides } from './diff/diff.ts';
import { liveSide } from './diff/live.ts';
import { runRules } from './engine/run-rules.ts';
import { compileWaivers, inForce } from './engine/waivers.ts';
import { causesOf, withCauses } from './pipeline/cause/of-run.ts';
import { withChangedFiles } from './pipeline/changed-in.ts';
import { withApprovals } from './pipeline/approvals.ts';
import { crdsOfTree } from './pipeline/crds.ts';
import { coverage, known, renderProblems, unrendered } from './pipeline/coverage.ts';
import { isProduction } from './pipeline/environments.ts';
import { changedYaml, collectBuildFiles } from './pipeline/files.ts';
import { clusterSummary, openClusters, withCapabilities } from './pipeline/clusters.ts';
import { discoverSides } from './pipeline/discover.ts';
import { runDryRun, type DryRunInput, type DryRunOutcome } from './pipeline/dry-run.ts';
import { gatherEvidence, type ClusterEvidence } from './pipeline/evidence.ts';
import { neighbours } from './pipeline/neighbours.ts';
import { notLookedAt } from './pipeline/ledger.ts';
import { expiredWaivers, foldNotes, openedByEnvironment } from './pipeline/not-evaluated.ts';
import { renderSelection, type SelectionResults } from './pipeline/render.ts';
import type { GatePorts, GateRequest, GateResult } from './pipeline/request.ts';
import { renderedDigests, withObjectDigests } from './pipeline/states.ts';
import { select } from './pipeline/select.ts';
import { buildWorld } from './rules/kit/world.ts';
import { blastRadius } from './score/blast.ts';
import { scoreFinding, scoreFindings } from './score/score.ts';
import { judge } from './verdict/verdict.ts';
import type { GateReport, Json, Target } from './core/model.ts';
import type { Cluster, Renderer } from './core/ports.ts';
import type { RuleContext } from './core/rule.ts';

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
  let renderer: Renderer | undefined;
  let asked: readonly Cluster[] = [];
  try {
    const loaded = ports.loadConfig(trees);
    asked = request.listOnly === true ? [] : ports.createClusters(loaded.config);
    const clusters = await openClusters(asked, ports.progress);
    const config = withCapabilities(loaded.config, clusters.open);

    // 1. sources
    renderer = ports.createRenderer(config);
    const goTemplate = ports.createGoTemplate(config);
    const { before, after } = await discoverSides(
      { config, trees, renderer, goTemplate, progress: ports.progress },
      clusters.open,
    );
    const selection = select({ before, after, trees, request, exclude: config.exclude });

    // 2. render
    const rendering = { renderer, trees, progress: ports.progress };
    let results = await renderSelection(
      request.listOnly === true ? [] : selection.filter((selected) => selected.action === 'render'),
      rendering,
    );

    // 3. diff; once more with the targets that depend on what goes away and the CRDs of what changes; and with what the
    // clusters hold of all that
    let diff = diffSides(sidesOf(results));
    const near = neighbours(diff.changes, selection);
    const crds = crdsOfTree(diff.changes, trees.after);
    if (near.length > 0 || crds.length > 0) {
      results = merge(results, await renderSelection(near, rendering));
      diff = diffSides({ ...sidesOf(results), crds });
    }
    const { progress, rules } = ports;
    const evidence = await gatherEvidence({
      open: request.capabilitiesOnly === true ? [] : clusters.open,
      selection,
      diff,
      rules,
      metrics: ports.createMetrics(config),
      config,
      now: started,
      progress,
    });
    const { live } = evidence;
    if (evidence.states.length > 0) {
      const schemas = evidence.states.flatMap(({ state }) => state.schemas ?? []);
      diff = diffSides({ ...sidesOf(results), crds: [...schemas, ...crds], live: (scope) => liveSide(live(scope)) });
    }

    const world = {
      before: buildWorld(diff.entries.before, unrendered(before.targets.values(), results.before)),
      after: buildWorld(diff.entries.after, unrendered(after.targets.values(), results.after)),
    };
    const dryRun = await dryRunOf(request, { changes: diff.changes, after: world.after, evidence, progress });

    // 4. rules
    const notEvaluated = notLookedAt({
      configuration: [...loaded.notes, ...expiredWaivers(config, started)],
      config,
      trees,
      before,
      after,
      selection,
      results,
      near,
      diff,
      cluster: [...clusters.notEvaluated, ...evidence.notEvaluated, ...(dryRun?.notEvaluated ?? [])],
    });
    const production = (target: Target) => isProduction(target, config);
    const context: Omit<RuleContext, 'options'> = {
      changes: diff.changes,
      ...world,
      live,
      targets: { before: known(before.targets, selection), after: known(after.targets, selection) },
      renderProblems: renderProblems(selection, results),
      yaml: changedYaml(trees),
      buildFiles: collectBuildFiles(trees),
      changedPaths: new Set(trees.changed),
      kubernetesVersion: (target) =>
        target.kubeVersion ?? live(target.scope)?.state.kubernetesVersion ?? config.kubernetesVersion,
      dryRun: dryRun?.find ?? (() => undefined),
      isProduction: production,
      notEvaluated,
    };
    ports.progress.start('Judging', diff.changes.length);
    const judged = runRules({
      rules: ports.rules,
      context,
      config,
      waiverFor: compileWaivers(config.waivers, started),
      scoring,
    });
    ports.progress.done();
    const causes = await causesOf(request, ports, renderer, trees, judged.findings, {
      results,
      targets: { before: before.targets, after: after.targets },
      crds,
      live: evidence.states.length > 0 ? (scope) => liveSide(live(scope)) : undefined,
      context,
      rules: ports.rules,
      config,
      scoring,
    });
    notEvaluated.push(
      ...judged.notEvaluated,
      ...renderer.notes.map((reason) => ({ what: 'this machine', reason, weight: 'note' as const })),
    );

    // 5. score, 6. verdict
    const targetsOf = (id: string) =>
      [after.targets.get(id), before.targets.get(id)].filter((target) => target !== undefined);
    const digests = renderedDigests(results.after);
    const found = withObjectDigests(withChangedFiles(withCauses(judged.findings, causes), targetsOf, trees.changed), {
      digests,
      targets: after.targets,
      removed: (id) => context.targets.before.has(id) && !context.targets.after.has(id),
      readFile: (path) => trees.after.readText(path),
    });
    const approved =
      ports.decisions === undefined
        ? undefined
        : await withApprovals(found, ports.decisions, { trees, targets: targetsOf, now: started });
    const findings = approved?.findings ?? found;
    notEvaluated.push(...(approved?.notEvaluated ?? []));
    const score = scoreFindings(findings);
    const listed = openedByEnvironment(notEvaluated, (id) => after.targets.get(id) ?? before.targets.get(id), config);
    const judgement = judge({ score, findings, notEvaluated: listed, onIncomplete: request.onIncomplete });

    // 7. report
    // Messages quote what they are about: URLs with passwords, values that a chart refuses.
    const withoutSecrets = <Part>(part: Part): Part => redactObject(part as Json, ports.redactKey) as Part;
    const report: GateReport = {
      schemaVersion: '1',
      verdict: judgement.verdict,
      reason: withoutSecrets(judgement.reason),
      score,
      findings: withoutSecrets(findings),
      changes: diff.changes,
      drift: diff.drift,
      coverage: withoutSecrets({
        targets: coverage(selection, near, results, digests),
        notEvaluated: foldNotes(listed),
      }),
      sides: { before: trees.before.label, after: trees.after.label },
      clusters: evidence.states.map(({ of, state }) => clusterSummary(state, of.cluster.live, started)),
      ...(dryRun === undefined ? {} : { dryRun: dryRun.summary }),
      tools: renderer.toolsUsed,
      policyDigest: config.digest,
      ...(approved === undefined ? {} : { approvals: withoutSecrets(approved.outcomes) }),
      waiversInForce: config.waivers.filter((waiver) => inForce(waiver, started)),
      durationSeconds: (ports.clock.now().getTime() - started.getTime()) / 1000,
      work: { ...renderer.statistics, ...(causes === undefined ? {} : { causes: causes.summary }) },
    };
    return {
      report,
      targets: [...after.targets.values()],
      rendered: { before: [...results.before.values()], after: [...results.after.values()] },
    };
  } finally {
    await renderer?.close();
    await Promise.all(asked.map(async (cluster) => cluster.close?.()));
    await trees.close();
  }
}

const scoring = { blastRadius, scoreFinding };

/** Undefined: the run does not ask for it. */
async function dryRunOf(
  { dryRun }: GateRequest,
  { evidence, ...input }: Pick<DryRunInput, 'changes' | 'after' | 'progress'> & { readonly evidence: ClusterEvidence },
): Promise<DryRunOutcome | undefined> {
  if (dryRun === undefined) return undefined;
  const { live, clusterOf } = evidence;
  return runDryRun({ ...input, ...dryRun, live, clusterOf: (scope) => clusterOf(scope)?.cluster });
}

function sidesOf(results: SelectionResults) {
  return { before: [...results.before.values()], after: [...results.after.values()] };
}

function merge(a: SelectionResults, b: SelectionResults): SelectionResults {
  return { before: new Map([...a.before, ...b.before]), after: new Map([...a.after, ...b.after]) };
}
