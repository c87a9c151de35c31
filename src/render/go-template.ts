import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Exec, ExecResult, GoTemplate, GoTemplateJob, GoTemplateResult, ToolPaths } from '../core/ports.ts';
import { GateError } from '../core/errors.ts';
import { adaptTemplate, helperTemplates, missingKey, readsNull } from './go-template-check.ts';

const chartName = 'gate';

/**
 * Executes the Go templates of ApplicationSets with the engine of the real helm: every distinct template is a file of a
 * temporary chart, every job an `include` of it with the job's data, and the results come out base64 encoded.
 * Differences between Helm's and Argo CD's functions are levelled before (go-template-check.ts). One stays: a field of a
 * missing key (`.missing.more`) without missingkey=error is an error here and `<no value>` in Argo CD.
 * @throws GateError when helm is missing or cannot be run; a template that fails is a result
 */
export function createGoTemplate(options: {
  readonly exec: Exec;
  readonly tools: ToolPaths;
  readonly helmVersion?: string;
}): GoTemplate {
  const known = new Map<string, GoTemplateResult>();
  return {
    async execute(jobs) {
      const keys = jobs.map((job) => JSON.stringify([job.template, job.data, job.options]));
      const open = new Map<string, GoTemplateJob>();
      for (const [index, job] of jobs.entries()) {
        const key = keys[index] as string;
        if (known.has(key) || open.has(key)) continue;
        const result = withoutEngine(job);
        if (result === undefined) open.set(key, job);
        else known.set(key, result);
      }
      const results = await runJobs([...open.values()], options);
      for (const [index, key] of [...open.keys()].entries()) known.set(key, results[index] as GoTemplateResult);
      return keys.map((key) => known.get(key) as GoTemplateResult);
    },
  };
}

/** Text without actions is itself; templates that Argo CD refuses need no engine either. */
function withoutEngine(job: GoTemplateJob): GoTemplateResult | undefined {
  if (!job.template.includes('{{')) return { ok: true, text: job.template };
  const unknown = job.options.find((option) => !/^missingkey=(?:default|invalid|zero|error)$/.test(option));
  if (unknown !== undefined) return { ok: false, error: `unrecognized option: ${unknown}` };
  const adapted = adaptTemplate(job.template);
  if ('error' in adapted) return { ok: false, error: adapted.error };
  const key = isStrict(job) ? missingKey(job.template, job.data) : undefined;
  return key === undefined ? undefined : { ok: false, error: `map has no entry for key "${key}"` };
}

function isStrict(job: GoTemplateJob): boolean {
  return job.options.findLast((option) => option.startsWith('missingkey=')) === 'missingkey=error';
}

interface Runner {
  readonly exec: Exec;
  readonly tools: ToolPaths;
  readonly helmVersion?: string;
}

/** One process for all; when a job breaks it, that job gets the error and the others run again. */
async function runJobs(jobs: readonly GoTemplateJob[], runner: Runner): Promise<readonly GoTemplateResult[]> {
  if (jobs.length === 0) return [];
  const outcome = await runOnce(jobs, runner);
  if ('texts' in outcome) return jobs.map((job, index) => finish(job, outcome.texts[index] ?? ''));
  if (jobs.length === 1) return [{ ok: false, error: outcome.error }];
  // A template that does not parse fails every job that uses it.
  const culprit = outcome.template;
  if (culprit !== undefined) {
    const bad = (job: GoTemplateJob): boolean => job.template === culprit;
    const others = await runJobs(
      jobs.filter((job) => !bad(job)),
      runner,
    );
    const results = others.values();
    return jobs.map((job) =>
      bad(job) ? { ok: false, error: outcome.error } : (results.next().value as GoTemplateResult),
    );
  }
  const half = Math.ceil(jobs.length / 2);
  return [...(await runJobs(jobs.slice(0, half), runner)), ...(await runJobs(jobs.slice(half), runner))];
}

function finish(job: GoTemplateJob, text: string): GoTemplateResult {
  // A null that is there prints the same.
  if (isStrict(job) && text.includes('<no value>') && !readsNull(job.template, job.data))
    return { ok: false, error: 'map has no entry for a key that the template reads' };
  return { ok: true, text };
}

type Outcome =
  | { readonly texts: readonly string[] }
  /** `template` is set when that template does not parse. */
  | { readonly error: string; readonly template?: string };

async function runOnce(jobs: readonly GoTemplateJob[], runner: Runner): Promise<Outcome> {
  const helm = await runner.tools.find('helm', runner.helmVersion);
  const folder = await mkdtemp(join(tmpdir(), 'gitops-gate-templates-'));
  try {
    const templates = [...new Set(jobs.map((job) => job.template))];
    await writeChart(folder, jobs, templates);
    const result = await runner.exec.run({
      file: helm.path,
      args: ['template', 'gate', folder],
      // A few lines per job: what takes longer counts without end.
      timeoutMs: 30_000,
      env: {
        HOME: folder,
        HELM_CACHE_HOME: folder,
        HELM_CONFIG_HOME: folder,
        HELM_DATA_HOME: folder,
        HELM_NO_PLUGINS: '1',
      },
    });
    if (result.exitCode === 0) return { texts: readResults(result.stdout, jobs.length) };
    return explain(result, templates);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeChart(folder: string, jobs: readonly GoTemplateJob[], templates: readonly string[]): Promise<void> {
  await mkdir(join(folder, 'templates'));
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text, { mode: 0o600 });
  const numbers = new Map(templates.map((template, index) => [template, index]));
  await Promise.all([
    write('Chart.yaml', `apiVersion: v2\nname: ${chartName}\nversion: 1.0.0\n`),
    // Data travels as text: fromJson gives what Argo CD has, floating-point numbers among it.
    write(
      'values.yaml',
      JSON.stringify({
        jobs: jobs.map((job) => ({ template: numbers.get(job.template), data: JSON.stringify(job.data) })),
      }),
    ),
    write('templates/_helpers.tpl', helperTemplates),
    write(
      'templates/results.yaml',
      `{{- range $index, $job := .Values.jobs }}\nr{{ $index }}: {{ include (printf "${chartName}/templates/_job-%v.tpl" $job.template) (fromJson $job.data) | b64enc | quote }}\n{{- end }}\n`,
    ),
    ...templates.map((template, index) => {
      const adapted = adaptTemplate(template);
      return write(`templates/_job-${index}.tpl`, 'text' in adapted ? adapted.text : '');
    }),
  ]);
}

function readResults(stdout: string, count: number): readonly string[] {
  const texts = Array.from({ length: count }, () => '');
  for (const [, index, encoded] of stdout.matchAll(/^r(\d+): "([A-Za-z0-9+/=]*)"$/gm)) {
    texts[Number(index)] = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  }
  return texts;
}

function explain(result: ExecResult, templates: readonly string[]): Outcome {
  if (result.spawnError !== undefined || result.stopped !== undefined) {
    throw new GateError({
      code: 'tool.failed',
      message: `helm could not execute the Go templates: ${result.spawnError ?? result.stopped}`,
      fault: 'tool',
    });
  }
  const message = result.stderr
    .replace(/^Error: /, '')
    .replace(/\s*Use --debug flag[^]*$/, '')
    .trim();
  const parse = /^parse error at \(gate\/templates\/_job-(\d+)\.tpl:(\d+)\): (?:template: [^:]+:\d+: )?/.exec(message);
  // Only the part that speaks of the job: the frame around it is gate's own.
  const error = (
    parse === null
      ? message.replace(/^[^]*error calling include: (?:template: )?/, '')
      : `line ${parse[2]}: ${message.slice(parse[0].length)}`
  ).replace(/gate\/templates\/_job-\d+\.tpl/g, 'template');
  const template = parse === null ? undefined : templates[Number(parse[1])];
  return template === undefined ? { error } : { error, template };
}
