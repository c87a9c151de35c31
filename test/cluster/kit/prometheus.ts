import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { toolCache } from '../../kit/tools.ts';
import { freePort } from './ports.ts';
import { startProcesses } from './processes.ts';

const run = promisify(execFile);

function program(name: string): string | undefined {
  const folders = [join(toolCache(), 'prometheus-distribution'), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** For `describe.skipIf(!hasPrometheus())`. With `CI` set a missing program fails instead of skipping. */
export function hasPrometheus(): boolean {
  const has = program('prometheus') !== undefined && program('promtool') !== undefined;
  if (!has && process.env['CI']) throw new Error('prometheus is missing; run: node scripts/setup.mjs --cluster');
  return has;
}

/** One point of a series: `name{labels}`, value as Prometheus writes it, Unix seconds. */
export interface Point {
  readonly series: string;
  readonly value: number | string;
  readonly at: number;
}

export interface RunningPrometheus {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * A real Prometheus on loopback.
 * @param points past data, of any age, put in with promtool
 * @param scrape address (`127.0.0.1:1234`) that it scrapes each second
 */
export async function startPrometheus(options: {
  readonly points?: readonly Point[];
  readonly scrape?: string;
  readonly honorLabels?: boolean;
}): Promise<RunningPrometheus> {
  const processes = startProcesses('prometheus');
  const data = join(processes.folder, 'data');
  mkdirSync(data);
  try {
    if (options.points !== undefined) await backfill(options.points, processes.folder, data);
    const job = `{job_name: cluster, honor_labels: ${options.honorLabels ?? true}, static_configs: [{targets: ['${options.scrape}']${
      options.honorLabels === false
        ? ', labels: {namespace: monitoring, pod: exporter-0, service: exporter, container: exporter}'
        : ''
    }}]}`;
    writeFileSync(
      join(processes.folder, 'prometheus.yml'),
      `global: {scrape_interval: 1s}\nscrape_configs: [${options.scrape === undefined ? '' : job}]\n`,
    );
    const port = await freePort();
    const started = processes.start('prometheus', program('prometheus')!, [
      `--config.file=${join(processes.folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=10y',
    ]);
    const url = `http://127.0.0.1:${port}`;
    for (let attempt = 0; ; attempt++) {
      const ready = await fetch(`${url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (ready) break;
      if (!started.isRunning() || attempt > 300) throw new Error(`Prometheus does not start:\n${started.log()}`);
      await sleep(100);
    }
    return { url, stop: () => processes.stop() };
  } catch (error) {
    await processes.stop();
    throw error;
  }
}

async function backfill(points: readonly Point[], folder: string, data: string): Promise<void> {
  const families = Map.groupBy(points, ({ series }) => series.slice(0, series.indexOf('{')));
  const lines = [...families].flatMap(([name, own]) => {
    const counter = name.endsWith('_total');
    return [
      `# TYPE ${counter ? name.slice(0, -'_total'.length) : name} ${counter ? 'counter' : 'gauge'}`,
      ...own.map(({ series, value, at }) => `${series} ${value} ${at}`),
    ];
  });
  const file = join(folder, 'points.om');
  writeFileSync(file, `${lines.join('\n')}\n# EOF\n`);
  await run(program('promtool')!, [
    'tsdb',
    'create-blocks-from',
    'openmetrics',
    '--max-block-duration=720h',
    file,
    data,
  ]).catch(async (error: { stderr?: string }) => {
    // Options differ between versions.
    if (!/unknown .*flag/.test(error.stderr ?? '')) throw error;
    await run(program('promtool')!, ['tsdb', 'create-blocks-from', 'openmetrics', file, data]);
  });
}
