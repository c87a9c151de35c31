import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadApprovals } from '../../config/approvals.ts';
import { GateError, messageOf } from '../../core/errors.ts';
import type { Decisions, GateReport } from '../../core/model.ts';
import { runGate, type GateRequest } from '../../pipeline.ts';
import { toHtml } from '../../report/html.ts';
import { toJson } from '../../report/json.ts';
import { toJunit } from '../../report/junit.ts';
import { toMarkdown } from '../../report/markdown.ts';
import { toSarif } from '../../report/sarif.ts';
import { toTargetList } from '../../report/targets.ts';
import { toTerminal } from '../../report/terminal.ts';
import { withoutJobCommands } from '../../report/text.ts';
import { rules } from '../../rules/index.generated.ts';
import { exitCode } from '../../verdict/verdict.ts';
import { createPorts } from '../../wire.ts';
import {
  evidenceChoices,
  parseOutputs,
  gateRequest,
  useColor,
  usage,
  type ComparisonOptions,
  type Output,
} from '../options.ts';
import { createProgress, silentProgress } from '../progress.ts';

export interface CheckOptions extends ComparisonOptions {
  readonly failOn: 'approval' | 'block' | 'never';
  readonly onIncomplete: 'fail' | 'warn';
  readonly output: readonly string[];
  readonly listTargets: boolean;
  readonly dryRun: boolean;
  readonly dryRunPods: boolean;
  readonly causes: boolean;
  readonly approvals?: string;
}

/** `gate check`. Returns the exit code. */
export async function check(options: CheckOptions): Promise<number> {
  const outputs = parseOutputs(options.output);
  const request = gateRequest(options);
  const decisions = options.approvals === undefined ? undefined : readApprovals(options.approvals);
  const ports = await createPorts({
    ...options,
    evidence: evidenceChoices(options),
    progress: options.quiet ? silentProgress : createProgress(),
  });
  const { report } = await runGate(
    {
      ...request,
      onIncomplete: options.onIncomplete,
      ...(options.listTargets ? { listOnly: true } : {}),
      ...dryRunOf(options),
      ...(options.causes ? { causes: {} } : {}),
    },
    { ...ports, ...(decisions === undefined ? {} : { decisions: () => Promise.resolve(decisions) }) },
  );
  if (options.listTargets) {
    process.stdout.write(withoutJobCommands(toTargetList(report)));
    return 0;
  }
  for (const output of outputs) write(output, format(output, report, options));
  return exitCode(report.verdict, options.failOn);
}

/** @throws GateError usage.conflict without a live cluster */
function dryRunOf(options: CheckOptions): Pick<GateRequest, 'dryRun'> {
  if (!options.dryRun && !options.dryRunPods) return {};
  if (!options.live && options.context.length === 0) {
    throw usage('a dry run asks a live cluster', 'Add --live or --context NAME; a snapshot cannot be asked.');
  }
  return { dryRun: { objects: options.dryRun, pods: options.dryRunPods } };
}

/** @throws GateError usage.approvals, config.* */
function readApprovals(file: string): Decisions {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new GateError({
      code: 'usage.approvals',
      message: `cannot read the approvals in ${file}: ${messageOf(error)}`,
      fault: 'user',
      next: 'Name a file that docs/schema/approvals.schema.json describes, or leave --approvals out.',
      cause: error,
    });
  }
  return loadApprovals({ text, file });
}

function format(output: Output, report: GateReport, options: CheckOptions): string {
  switch (output.format) {
    case 'terminal':
      return toTerminal(report, {
        color: output.file === undefined && useColor(options, process.stdout),
        width: Math.min(process.stdout.columns ?? (Number(process.env['COLUMNS']) || 100), 140),
      });
    case 'json':
      return toJson(report);
    case 'markdown':
      return toMarkdown(report);
    case 'sarif':
      return toSarif(report, rules);
    case 'junit':
      return toJunit(report);
    case 'html':
      return toHtml(report);
  }
}

function write(output: Output, text: string): void {
  if (output.file === undefined) {
    const safe = output.format === 'terminal' || output.format === 'markdown' ? withoutJobCommands(text) : text;
    process.stdout.write(safe.endsWith('\n') ? safe : `${safe}\n`);
    return;
  }
  try {
    mkdirSync(dirname(output.file), { recursive: true });
    writeFileSync(output.file, text);
  } catch (error) {
    throw new GateError({
      code: 'output.write',
      message: `cannot write the ${output.format} report to ${output.file}: ${messageOf(error)}`,
      fault: 'user',
      next: 'Name a file in a folder that can be written.',
      cause: error,
    });
  }
}
