/** Owns when V8 optimises the code of a process that stays: not while it starts, and not before it has work. */

/**
 * For the command line of Node. Loading two hundred modules makes V8 optimise the normalising of their paths, for which it brings in
 * both optimising compilers: 8 MB of each process that then waits. A compile cache holds for one set of such flags only:
 * `scripts/warm-cache.ts` fills it with these too.
 */
export const STARTUP_FLAGS: readonly string[] = ['--no-opt', '--no-maglev'];

export interface BusyWatchOptions {
  readonly everyMs?: number;
  /** Part of a core that the main thread must use to be busy, from 0 to 1. */
  readonly share?: number;
}

/** Lets V8 optimise from the first time that the process is busy; changes nothing in one that was started without STARTUP_FLAGS. */
export function optimiseWhenBusy({ everyMs = 2000, share = 0.2 }: BusyWatchOptions = {}): void {
  if (!STARTUP_FLAGS.every((flag) => process.execArgv.includes(flag))) return;
  let before = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    if ((user + system) / 1000 < everyMs * share) return;
    clearInterval(timer);
    process.getBuiltinModule('node:v8').setFlagsFromString('--opt --maglev');
  }, everyMs);
  timer.unref();
}
