import { resolve } from 'node:path';
import { GateError } from '../core/errors.ts';
import type { TreeRequest } from '../core/ports.ts';
import type { GateRequest } from '../pipeline.ts';

/** Options that `check`, `diff` and `render` share, as commander hands them over. */
export interface ComparisonOptions {
  readonly base?: string;
  readonly head?: string;
  readonly before?: string;
  readonly after?: string;
  readonly directory: string;
  readonly snapshot: readonly string[];
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

function usage(message: string, next: string): GateError {
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
