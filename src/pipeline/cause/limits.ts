/** Bounds of the search for causes in one run. */
export interface CauseLimits {
  /** Renders with a part of the change left out, over all targets. */
  readonly renders: number;
  /** Wall clock. */
  readonly seconds: number;
}

export const defaultCauseLimits: CauseLimits = { renders: 20, seconds: 5 };
