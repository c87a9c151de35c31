import { setTimeout as sleep } from 'node:timers/promises';

/** Lets requests through at a bounded rate, a bounded number at a time. */
export interface RateLimit {
  /** @throws AbortError when the signal is aborted while the request waits for its turn */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * A token bucket as client-go has it (util/flowcontrol), and a bound on concurrent requests.
 * @param options.qps requests per second in the long run
 * @param options.burst requests that may go at once after a pause
 */
export function createRateLimit(options: {
  readonly qps: number;
  readonly burst: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}): RateLimit {
  const { qps, burst, concurrency, signal } = options;
  let tokens = burst;
  let filledAt = performance.now();
  let running = 0;
  const waiting: (() => void)[] = [];

  /** Takes a token; returns how long to wait until it is there. */
  const takeToken = (): number => {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * qps);
    filledAt = now;
    tokens--;
    return tokens >= 0 ? 0 : (-tokens / qps) * 1000;
  };

  return {
    async run(work) {
      if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        signal.throwIfAborted();
        const wait = takeToken();
        if (wait > 0) await sleep(wait, undefined, { signal });
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
