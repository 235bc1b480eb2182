/** Owns a limit on what is done at once: 500 writes together would need as many connections, 100 KB each. */

/** Runs the work when its turn has come. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets through `limit` at a time, first come first served. */
export function createTurnstile(limit: number): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;
  const leave = (): void => {
    const next = waiting.shift();
    // Whoever waits takes the place of who leaves.
    if (next === undefined) inside -= 1;
    else next();
  };
  return async (work) => {
    if (inside < limit) inside += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
