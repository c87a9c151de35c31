/** Bounds of the search for causes in one run. */
export interface CauseLimits {
  /** Renders with a part of the change left out, over all targets. */
  readonly renders: number;
  /** Wall clock. */
  readonly seconds: number;
  /** Nothing is tried after this time, ms since 1970: a run that has to end by then keeps its judgement. */
  readonly until?: number;
}

export const defaultCauseLimits: CauseLimits = { renders: 20, seconds: 5 };
