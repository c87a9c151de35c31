import { setMaxListeners } from 'node:events';

/** The time that gate may spend waiting for one cluster. */
export interface Budget {
  readonly totalMs: number;
  /** Aborted when the time is used up, or by {@link Budget.end}. */
  readonly signal: AbortSignal;
  remainingMs(): number;
  /** Runs something that waits for the cluster. Overlapping calls are counted once. */
  spend<T>(work: () => Promise<T>): Promise<T>;
  end(): void;
}

/**
 * A deadline for all calls to a cluster together. It runs only while at least one of them is under way: what happens
 * between them (rendering takes minutes in a large repository) is no waiting for the cluster.
 */
export function createBudget(totalMs: number): Budget {
  const controller = new AbortController();
  // Every request under way listens to it.
  setMaxListeners(0, controller.signal);
  let spent = 0;
  let active = 0;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  const remainingMs = (): number =>
    Math.max(0, totalMs - spent - (active === 0 ? 0 : Math.round(performance.now() - since)));
  return {
    totalMs,
    signal: controller.signal,
    remainingMs,
    async spend(work) {
      if (active++ === 0) {
        since = performance.now();
        timer = setTimeout(() => controller.abort(), totalMs - spent);
      }
      try {
        return await work();
      } finally {
        if (--active === 0) {
          clearTimeout(timer);
          spent += performance.now() - since;
        }
      }
    },
    end: () => controller.abort(),
  };
}
