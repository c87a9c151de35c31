import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { GateError } from '../core/errors.ts';
import type { TreeRequest } from '../core/ports.ts';
import type { GateRequest } from '../pipeline.ts';
import type { EvidenceChoices } from '../wire.ts';

/** Options that `check`, `diff` and `render` share, as commander hands them over. */
export interface ComparisonOptions {
  readonly base?: string;
  readonly head?: string;
  readonly before?: string;
  readonly after?: string;
  readonly directory: string;
  readonly snapshot: readonly string[];
  readonly live: boolean;
  readonly context: readonly string[];
  readonly kubeconfig?: string;
  readonly clusterName?: string;
  readonly clusterTimeout: number;
  readonly prometheus?: string;
  readonly config?: string;
  readonly environment?: string;
  readonly target: readonly string[];
  readonly all: boolean;
  readonly cache: boolean;
  readonly debug: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

/** @throws GateError usage.* when the options contradict each other */
export function treeRequest(options: ComparisonOptions): TreeRequest {
  const { before, after, base, head } = options;
  if (before !== undefined || after !== undefined) {
    if (before === undefined || after === undefined) {
      throw usage('--before and --after belong together', 'Name both folders, or use --base and --head for commits.');
    }
    if (base !== undefined || head !== undefined) {
      throw usage('folders (--before, --after) and commits (--base, --head) cannot be mixed', 'Choose one of the two.');
    }
    return { kind: 'directories', before: resolve(before), after: resolve(after) };
  }
  return {
    kind: 'refs',
    directory: resolve(options.directory),
    ...(base === undefined ? {} : { base }),
    ...(head === undefined ? {} : { head }),
  };
}

/** The part of a run that `check`, `diff` and `render` share. @throws GateError usage.* */
export function gateRequest(options: ComparisonOptions): GateRequest {
  return {
    trees: treeRequest(options),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
    targets: options.target,
    all: options.all,
    onIncomplete: 'fail',
  };
}

/**
 * Where the evidence of this run comes from.
 * @throws GateError usage.conflict when options about a live cluster are given without one
 */
export function evidenceChoices(options: ComparisonOptions): EvidenceChoices {
  const live = options.live || options.context.length > 0;
  for (const [name, given] of [
    ['--kubeconfig', options.kubeconfig !== undefined],
    ['--cluster-name', options.clusterName !== undefined],
  ] as const) {
    if (given && !live) throw usage(`${name} says how to reach a live cluster`, `Add --live, or leave ${name} out.`);
  }
  if (options.clusterName !== undefined && options.context.length > 1) {
    throw usage(
      '--cluster-name names one cluster, and there are several contexts',
      'Name them in gate.yaml (clusters).',
    );
  }
  return {
    snapshots: options.snapshot,
    live: options.context.length > 0 ? options.context : live ? [undefined] : [],
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
    ...(options.clusterName === undefined ? {} : { clusterName: options.clusterName }),
    timeoutMs: options.clusterTimeout * 1000,
    ...(options.prometheus === undefined ? {} : { prometheus: options.prometheus }),
  };
}

/** A number of seconds on the command line. @throws InvalidArgumentError for commander */
export function seconds(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 3600) {
    throw new InvalidArgumentError('It must be a number of seconds from 1 to 3600.');
  }
  return number;
}

export function usage(message: string, next: string): GateError {
  return new GateError({ code: 'usage.conflict', message, fault: 'user', next });
}

export const outputFormats = ['terminal', 'json', 'markdown', 'sarif', 'junit', 'html'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface Output {
  readonly format: OutputFormat;
  /** Absolute; absent: stdout. */
  readonly file?: string;
}

/**
 * `terminal`, `json=gate.json`, ... At most one output goes to stdout.
 * @throws GateError usage.output
 */
export function parseOutputs(values: readonly string[]): readonly Output[] {
  const outputs = (values.length === 0 ? ['terminal'] : values).map((value): Output => {
    const [name = '', ...rest] = value.split('=');
    const format = outputFormats.find((known) => known === name);
    if (format === undefined) {
      throw usage(
        `unknown output format "${name}"`,
        `Use one of ${outputFormats.join(', ')}, for example --output json=gate.json.`,
      );
    }
    const file = rest.join('=');
    if (rest.length > 0 && file === '')
      throw usage(`--output ${value} names no file`, `Write --output ${format}=FILE.`);
    return rest.length === 0 ? { format } : { format, file: resolve(file) };
  });
  const toStdout = outputs.filter((output) => output.file === undefined);
  if (toStdout.length > 1) {
    throw usage(
      `${toStdout.length} reports would be mixed on stdout (${toStdout.map((output) => output.format).join(', ')})`,
      'Give all but one a file: --output json=gate.json.',
    );
  }
  return outputs;
}

/** Colours: only on a terminal, never with NO_COLOR or --no-color; FORCE_COLOR switches them on. */
export function useColor(options: { readonly color: boolean }, stream: NodeJS.WriteStream): boolean {
  const { env } = process;
  if (!options.color || (env['NO_COLOR'] ?? '') !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
