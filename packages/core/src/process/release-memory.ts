/** Owns giving back the memory that starting up needed and running does not. */

/** Long enough for caches to be filled, short enough that nobody has measured the process yet. */
const AFTER_MS = 3000;

/**
 * Once, some seconds after the start, asks V8 for the collection that it makes when memory is short: parsed configuration, first lists
 * and module sources go, 3 to 15 MB of each process. The pause is that of one collection of a small heap (some 10 ms).
 */
export function releaseStartupMemory(): void {
  setTimeout(releaseMemory, AFTER_MS).unref();
}

/** The same at once: for after a burst of work that will not come again soon. */
export function releaseMemory(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  const collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
