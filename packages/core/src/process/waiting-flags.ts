/** Owns the flags of V8 for processes that mostly wait. */

/**
 * For the command line of Node. While two hundred modules load, the normalising of their paths becomes hot enough for both of V8's
 * optimising compilers, whose text then stays in memory: 5 to 8 MB of each process, for code that never runs again. With these numbers of
 * calls only code under load gets there. Not for what every request passes: the gateway served a quarter less with them. They hold
 * from the start: flags must not change while V8 runs. A compile cache is good for one set of such flags only: `scripts/warm-cache.ts`
 * fills it with these too.
 */
export const WAITING_FLAGS: readonly string[] = [
  '--invocation-count-for-maglev=20000',
  '--invocation-count-for-turbofan=100000',
];

/** The programs that are started with them, here and in the image. */
export const WAITING_PROGRAMS: readonly string[] = ['dashboard', 'profiles'];
