/** Whose move it is when something fails: the user's input, an external tool, or gate itself. */
export type Fault = 'user' | 'tool' | 'gate';

export interface SourceLocation {
  /** Path relative to the root of the tree, `/` separated. */
  readonly file: string;
  /** 1-based; absent when the position inside the file is not known. */
  readonly line?: number;
  readonly column?: number;
}

export interface GateErrorDetails {
  /** Stable identifier that scripts may match, for example `git.no-merge-base`. */
  readonly code: string;
  /** What happened, one sentence, without a trailing full stop being required. */
  readonly message: string;
  readonly fault: Fault;
  /** Where: a file of the tree, when there is one. */
  readonly location?: SourceLocation;
  /** What the reader should do next. */
  readonly next?: string;
  readonly cause?: unknown;
}

const brand = Symbol.for('gitops-gate.error');

/**
 * The one error class of gate. Says what, where, whose fault and the next step, and keeps its cause.
 * Recognise it with {@link isGateError}, not `instanceof`: the bundle may hold two copies of this module.
 */
export class GateError extends Error {
  readonly code: string;
  readonly fault: Fault;
  readonly location: SourceLocation | undefined;
  readonly next: string | undefined;
  readonly [brand] = true;

  constructor(details: GateErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'GateError';
    this.code = details.code;
    this.fault = details.fault;
    this.location = details.location;
    this.next = details.next;
  }
}

export function isGateError(error: unknown): error is GateError {
  return typeof error === 'object' && error !== null && brand in error;
}

/** `file:line:column`, as far as it is known. */
export function formatLocation(location: SourceLocation): string {
  const { file, line, column } = location;
  if (line === undefined) return file;
  return column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
