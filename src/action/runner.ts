import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateReport } from '../core/model.ts';
import { toHtml } from '../report/html.ts';
import { toJson } from '../report/json.ts';
import { clean, withoutJobCommands } from '../report/text.ts';

/** What the runner of GitHub Actions gives and takes: environment files and commands in the log. */

type Environment = Readonly<Record<string, string | undefined>>;

/** Text for the log of the job; nothing in it is a command to the runner. */
export function log(text: string): void {
  process.stdout.write(`${withoutJobCommands(clean(text))}\n`);
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A command that the runner shows above the log and, with a place, on the file. Property and data are escaped as the runner reads them. */
export function say(level: 'error' | 'warning' | 'notice', text: string, place?: Place): void {
  const data = escape(clean(text));
  const property = (value: string) => escape(clean(value)).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const where = place === undefined ? '' : ` file=${property(place.file)},line=${place.line}`;
  process.stdout.write(`::${level}${where}::${data}\n`);
}

function escape(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Sets an output of the step. A delimiter that nobody can guess keeps a value from adding outputs of its own. */
export function setOutput(environment: Environment, name: string, value: string): void {
  const file = environment['GITHUB_OUTPUT'];
  if (file === undefined || file === '') return;
  const delimiter = `gate_${randomUUID()}`;
  appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

/** Bytes that an earlier write of this step left of the summary's size. */
export function usedOfSummary(environment: Environment): number {
  const file = environment['GITHUB_STEP_SUMMARY'];
  if (file === undefined || file === '') return 0;
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

export function appendSummary(environment: Environment, markdown: string): void {
  const file = environment['GITHUB_STEP_SUMMARY'];
  if (file !== undefined && file !== '') appendFileSync(file, `${markdown}\n`);
}

/** Writes the full report in three forms for an upload step. Gives the outputs that name them. */
export function writeReports(folder: string, report: GateReport, markdown: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const files = {
    'report-json': [join(folder, 'gate.json'), toJson(report)],
    'report-markdown': [join(folder, 'gate.md'), `${markdown}\n`],
    'report-html': [join(folder, 'gate.html'), toHtml(report)],
  } as const;
  for (const [path, text] of Object.values(files)) writeFileSync(path, text);
  return {
    'report-directory': folder,
    ...Object.fromEntries(Object.entries(files).map(([name, [path]]) => [name, path])),
  };
}
