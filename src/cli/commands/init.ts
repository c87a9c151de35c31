import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { renderConfigTemplate } from '../../config/write.ts';
import { GateError, messageOf } from '../../core/errors.ts';
import { runGate } from '../../pipeline.ts';
import { createPorts } from '../../wire.ts';
import { createProgress, silentProgress } from '../progress.ts';

export interface InitOptions {
  readonly directory: string;
  readonly force: boolean;
  readonly stdout: boolean;
  readonly quiet: boolean;
}

/** `gate init`: a commented gate.yaml from what detection finds in the working tree. */
export async function init(options: InitOptions): Promise<number> {
  const directory = resolve(options.directory);
  const file = join(directory, 'gate.yaml');
  if (!options.stdout && !options.force && existsSync(file)) {
    throw new GateError({
      code: 'init.exists',
      message: `${file} exists`,
      fault: 'user',
      next: 'Use --force to overwrite it, or --stdout to print what would be written.',
    });
  }
  const ports = await createPorts({ cache: true, progress: options.quiet ? silentProgress : createProgress() });
  const { targets } = await runGate(
    {
      trees: { kind: 'directories', before: directory, after: directory },
      targets: [],
      all: false,
      onIncomplete: 'warn',
      listOnly: true,
    },
    ports,
  );
  const charts = targets
    .flatMap((target) => target.sources)
    .flatMap((source) => (source.type === 'helm' ? [source.chart] : []));
  const urls = (from: 'repository' | 'oci' | 'git') =>
    [...new Set(charts.flatMap((chart) => (chart.from === from && 'url' in chart ? [chart.url] : [])))].sort();
  const text = renderConfigTemplate({
    targets,
    chartRepositories: [...urls('repository'), ...urls('oci')],
    gitRepositories: urls('git'),
  });
  if (options.stdout) {
    process.stdout.write(text);
    return 0;
  }
  try {
    writeFileSync(file, text, { flag: options.force ? 'w' : 'wx' });
  } catch (error) {
    throw new GateError({
      code: 'init.write',
      message: `cannot write ${file}: ${messageOf(error)}`,
      fault: 'user',
      next: 'Choose a folder that can be written, or use --stdout.',
      cause: error,
    });
  }
  process.stdout.write(`Wrote ${file}: ${targets.length} targets found. Read it, commit it, then run: gate check\n`);
  return 0;
}
