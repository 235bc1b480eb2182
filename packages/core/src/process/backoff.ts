/** Owns retry delays. */

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor?: number;
  /** 0..1, the share of each delay that is random; 0.2 when absent. */
  readonly jitter?: number;
  readonly random?: () => number;
}

export interface Backoff {
  /** The next delay in milliseconds, growing to `maxMs`. */
  next(): number;
  reset(): void;
}

/** Exponential back-off with jitter: initial, initial×factor, … up to max. */
export function createBackoff(options: BackoffOptions): Backoff {
  const { initialMs, maxMs, factor = 2, jitter = 0.2, random = Math.random } = options;
  let current = initialMs;
  return {
    next() {
      const base = Math.min(current, maxMs);
      current = Math.min(current * factor, maxMs);
      return Math.round(base * (1 - jitter + jitter * random()));
    },
    reset() {
      current = initialMs;
    },
  };
}
