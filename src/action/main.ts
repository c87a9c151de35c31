import { join, resolve } from 'node:path';
import { counts } from '../core/counts.ts';
import type { GateReport } from '../core/model.ts';
import { byEnvironment } from '../pipeline/by-environment.ts';
import { toComment, type CommentContext } from '../report/comment.ts';
import { isBlank, riskText } from '../report/summary.ts';
import { toTerminal } from '../report/terminal.ts';
import { exitCode } from '../verdict/verdict.ts';
import { rooms } from '../wire/forge.ts';
import { connect } from './connect.ts';
import { readEvent } from './event.ts';
import { describe } from './incomplete.ts';
import { readInputs, type Inputs } from './inputs.ts';
import { judge } from './judge.ts';
import { annotation, instanceOf, isQuiet, publications } from './publication.ts';
import { publishAll } from './publish.ts';
import { wantsRemarks } from './remarks.ts';
import { appendSummary, log, say, setOutput, usedOfSummary, writeReports } from './runner.ts';

const started = Date.now();
const { env } = process;

/** Summary, report files and outputs. What goes wrong is told after the pull request was. */
function writeLocally(report: GateReport, context: CommentContext, inputs: Inputs): Error | undefined {
  try {
    const [full] = toComment(report, context, { limit: Number.POSITIVE_INFINITY, length: (text) => text.length });
    const left = { ...rooms.summary, limit: rooms.summary.limit - usedOfSummary(env) };
    appendSummary(env, toComment(report, context, left)[0]);
    const folder = resolve(
      inputs.reportDirectory ?? join(env['RUNNER_TEMP'] ?? '.', 'gate-report', encodeURIComponent(instanceOf(inputs))),
    );
    const outputs = {
      verdict: report.verdict,
      score: isBlank(report) ? '' : report.score.total.toFixed(1),
      ...writeReports(folder, report, full),
    };
    for (const [name, value] of Object.entries(outputs)) setOutput(env, name, value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function run(): Promise<number> {
  const inputs = readInputs(env);
  const occasion = readEvent(env, inputs.base);
  if (occasion === undefined) {
    say('notice', 'A branch was deleted: there is nothing to judge.');
    return 0;
  }
  const connection = await connect(inputs, env, started + inputs.timeLimit * 1000);
  const { report, exit } = await judge(inputs, occasion, { environment: env, started });
  const page = `${env['GITHUB_SERVER_URL'] ?? 'https://github.com'}/${env['GITHUB_REPOSITORY'] ?? ''}`;
  const context: CommentContext = {
    headSha: occasion.headSha,
    commitUrl: `${page}/commit/${occasion.headSha}`,
    ...(env['GITHUB_RUN_ID'] === undefined ? {} : { runUrl: `${page}/actions/runs/${env['GITHUB_RUN_ID']}` }),
    environments: byEnvironment(report, inputs.onIncomplete),
    ...(instanceOf(inputs) === 'default' ? {} : { name: instanceOf(inputs) }),
  };
  if (!isBlank(report)) log(toTerminal(report, { color: false, width: 120 }));
  const unwritten = writeLocally(report, context, inputs);

  const order = [Number(env['GITHUB_RUN_NUMBER'] ?? 0), Number(env['GITHUB_RUN_ATTEMPT'] ?? 1)];
  const published = await publishAll(publications({ report, context, inputs, occasion, order }), inputs, connection, {
    environment: env,
    quiet: isQuiet(report),
    ...(wantsRemarks(inputs, occasion) ? { remarksOf: report } : {}),
  });
  if (!published.check)
    for (const { path, startLine, title, message } of report.findings.filter(counts).flatMap(annotation).slice(0, 10))
      say('warning', `${title}. ${message}`, { file: path, line: startLine });
  if (unwritten !== undefined) throw unwritten;
  const code = exit ?? exitCode(report.verdict, inputs.failOn);
  const missing = isBlank(report) ? (report.coverage.notEvaluated[0]?.next ?? '') : '';
  say(code === 0 ? 'notice' : 'error', `${report.verdict}, ${riskText(report)}: ${report.reason} ${missing}`.trim());
  return code;
}

// Leaving runs the exit handlers: children are ended, temporary folders removed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
try {
  process.exitCode = await run();
} catch (error) {
  const { message, next, exit } = describe(error);
  say('error', `gate: ${message}. ${next}`);
  process.exitCode = exit;
}
// A run that was given up still has children and timers.
process.stdout.write('', () => process.exit());
