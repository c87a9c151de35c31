import { GateError, isGateError, messageOf } from '../../core/errors.ts';
import { defaultVersions, openCache, openGit, openTools, supportedVersions } from '../../wire.ts';
import { version } from '../version.ts';

interface Line {
  readonly what: string;
  readonly state: 'ok' | 'missing' | 'note';
  readonly detail: string;
  readonly next?: string;
}

/** `gate doctor`: what a run would use here. Exits with 2 when something that every run needs is missing. */
export async function doctor(options: { readonly directory: string }): Promise<number> {
  const lines: Line[] = [
    { what: 'gate', state: 'ok', detail: version },
    { what: 'node', state: 'ok', detail: process.versions.node },
    await toolLine('helm', defaultVersions.helm, true),
    await toolLine('kustomize', defaultVersions.kustomize, true),
    await toolLine('helm', supportedVersions.helm4, false),
    await gitLine(),
    await repositoryLine(options.directory),
    await cacheLine(),
  ];
  for (const line of lines) {
    process.stdout.write(`${line.state.padEnd(8)} ${line.what.padEnd(12)} ${line.detail}\n`);
    if (line.next !== undefined) process.stdout.write(`${''.padEnd(22)}${line.next}\n`);
  }
  return lines.some((line) => line.state === 'missing') ? 2 : 0;
}

async function toolLine(tool: 'helm' | 'kustomize', wanted: string, needed: boolean): Promise<Line> {
  try {
    const found = await openTools().tools.find(tool, wanted);
    return { what: tool, state: 'ok', detail: `${found.version}  ${found.path}` };
  } catch (error) {
    const what = isGateError(error)
      ? error
      : new GateError({ code: 'tool.failed', message: messageOf(error), fault: 'tool' });
    const detail = needed ? what.message : `${what.message} (only needed for targets that ask for it)`;
    return {
      what: tool,
      state: needed ? 'missing' : 'note',
      detail,
      ...(what.next === undefined ? {} : { next: what.next }),
    };
  }
}

async function gitLine(): Promise<Line> {
  const result = await openTools().exec.run({ file: 'git', args: ['--version'], timeoutMs: 10_000 });
  if (result.exitCode === 0)
    return { what: 'git', state: 'ok', detail: result.stdout.trim().replace(/^git version /, '') };
  return {
    what: 'git',
    state: 'missing',
    detail: 'not found on PATH',
    next: 'Install git; two folders can be compared without it.',
  };
}

async function repositoryLine(directory: string): Promise<Line> {
  try {
    const trees = await openGit().open({ kind: 'refs', directory });
    await trees.close();
    return {
      what: 'repository',
      state: 'ok',
      detail: `gate check here compares ${trees.before.label} with ${trees.after.label}: ${trees.changed.length} changed files`,
    };
  } catch (error) {
    const next = isGateError(error) ? error.next : undefined;
    return { what: 'repository', state: 'note', detail: messageOf(error), ...(next === undefined ? {} : { next }) };
  }
}

async function cacheLine(): Promise<Line> {
  const cache = openCache();
  const { entries, bytes } = await cache.size();
  const detail = `${cache.folder}: ${entries} entries, ${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return cache.problem === undefined
    ? { what: 'cache', state: 'ok', detail }
    : { what: 'cache', state: 'note', detail: `${detail} (${cache.problem})` };
}
