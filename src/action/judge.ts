import { resolve } from 'node:path';
import type { GateReport } from '../core/model.ts';
import { runGate } from '../pipeline.ts';
import { createPorts } from '../wire.ts';
import { decisionsOf } from './decisions.ts';
import type { Occasion } from './event.ts';
import { describe, incompleteReport } from './incomplete.ts';
import type { Inputs } from './inputs.ts';
import { createProgress } from './progress.ts';
import { wantsRemarks } from './remarks.ts';

/** Kept between the end of the search for causes, or of approvals, and the end of the judging. */
const marginMs = 1_000;

/** When the judging ends, ms since 1970: what is left of the time is kept for writing the result. */
function endOfJudging({ timeLimit }: Inputs, started: number): number {
  const limit = timeLimit * 1000;
  return started + limit - Math.min(60_000, limit / 4);
}

/**
 * Runs the pipeline on what the event names. Never throws: a run that fails or nears the end of its time gives a report
 * `incomplete`, and `exit` as the command line would end.
 * @param run.started when the step began, ms since 1970
 */
export async function judge(
  inputs: Inputs,
  occasion: Occasion,
  { environment: env, started }: { readonly environment: NodeJS.ProcessEnv; readonly started: number },
): Promise<{ readonly report: GateReport; readonly exit?: 2 | 3 }> {
  const progress = createProgress();
  const { headSha, base, baseBranch } = occasion;
  const gap = (what: string, reason: string, next: string) =>
    incompleteReport(what, reason, { next, headSha, seconds: (Date.now() - started) / 1000 });
  // Which branch the change goes to decides which Applications follow it; the runner says it for pull requests only.
  if (baseBranch !== undefined) env['GITHUB_BASE_REF'] = baseBranch;
  const end = endOfJudging(inputs, started);
  let timer: NodeJS.Timeout | undefined;
  const timeOver = new Promise<'over'>((done) => {
    timer = setTimeout(() => done('over'), end - Date.now());
  });
  try {
    const { snapshots, live, kubeconfig, clusterName, prometheus, config, environment } = inputs;
    const ports = await createPorts({
      evidence: {
        snapshots,
        live,
        timeoutMs: inputs.clusterTimeout * 1000,
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
        ...(clusterName === undefined ? {} : { clusterName }),
        ...(prometheus === undefined ? {} : { prometheus }),
      },
      ...(config === undefined ? {} : { config }),
      cache: true,
      progress,
    });
    const decisions = decisionsOf(inputs, occasion, { environment: env, until: end - marginMs });
    const directory = resolve(env['GITHUB_WORKSPACE'] ?? '.', inputs.directory ?? '.');
    const running = runGate(
      {
        trees: { kind: 'refs', directory, head: headSha, ...(base === undefined ? {} : { base }) },
        ...(environment === undefined ? {} : { environment }),
        targets: inputs.targets,
        all: inputs.all,
        onIncomplete: inputs.onIncomplete,
        ...(wantsRemarks(inputs, occasion) ? { causes: { until: end - marginMs } } : {}),
        ...(inputs.dryRun || inputs.dryRunPods ? { dryRun: { objects: inputs.dryRun, pods: inputs.dryRunPods } } : {}),
      },
      { ...ports, ...(decisions === undefined ? {} : { decisions }) },
    );
    const result = await Promise.race([running, timeOver]);
    if (result !== 'over') return { report: result.report };
    running.catch(() => {}); // It is given up, and ends with the process.
    const reason = `the time limit of ${inputs.timeLimit} s was near at the step "${progress.where()}"`;
    return {
      report: gap('the whole change', reason, 'Raise the input `time-limit`, or keep the render cache.'),
      exit: 3,
    };
  } catch (error) {
    const { message, next, exit } = describe(error);
    return { report: gap('the whole change', message, next), exit };
  } finally {
    clearTimeout(timer);
  }
}
