/** Owns a time that costs nothing to read, for limits of many seconds, and the watch over everything that has such a limit. */

export interface Watched {
  /** Told the time at each tick. */
  check(now: number): void;
}

export interface CoarseClock {
  /** Milliseconds since the start, as of the last tick. */
  readonly now: number;
  watch(item: Watched): void;
  forget(item: Watched): void;
  stop(): void;
}

export function createCoarseClock(tickMs: number): CoarseClock {
  const watched = new Set<Watched>();
  let now = 0;
  const timer = setInterval(() => {
    now += tickMs;
    for (const item of watched) item.check(now);
  }, tickMs);
  timer.unref();
  return {
    get now() {
      return now;
    },
    watch: (item) => void watched.add(item),
    forget: (item) => void watched.delete(item),
    stop: () => clearInterval(timer),
  };
}
