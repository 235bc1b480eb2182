/** Owns the crash-loop delays of one container: none before the first restart, then 10 s doubling to 5 min (as the kubelet). */

const INITIAL_MS = 10_000;
const MAX_MS = 300_000;
/** A container that lived this long starts afresh. */
const HEALTHY_MS = 600_000;

export interface CrashBackoff {
  /** Milliseconds to wait, counted from the end of the last run. */
  readonly delayMs: number;
  /** To be called when a run that lasted `lifetimeMs` is followed by another. */
  afterRun(lifetimeMs: number): CrashBackoff;
}

export function createCrashBackoff(delayMs = 0): CrashBackoff {
  return {
    delayMs,
    afterRun(lifetimeMs) {
      if (delayMs === 0 || lifetimeMs >= HEALTHY_MS) return createCrashBackoff(INITIAL_MS);
      return createCrashBackoff(Math.min(delayMs * 2, MAX_MS));
    },
  };
}
