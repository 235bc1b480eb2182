/** Owns the life of a server process: start, signals, orderly stop, exit code. The only place that ends the process. */
import type { Logger } from '../log/logger.ts';
import { releaseStartupMemory } from './release-memory.ts';
import { describeError, isAppError } from '../errors/app-error.ts';

export interface RunningProcess {
  /** Ends listeners and loops; called once, has `graceMs` to finish. */
  stop(): Promise<void>;
  /** Reads again what may have changed; called at SIGHUP, which ends a process that has nothing to read again. */
  reload?(): void;
}

export interface RunProcessOptions {
  readonly log: Logger;
  /** Starts everything; `signal` aborts when the process is asked to end. */
  start(signal: AbortSignal): Promise<RunningProcess>;
  readonly graceMs?: number;
}

/** Starts a process and keeps it until SIGTERM or SIGINT; a second signal or an overrun of `graceMs` ends it at once. */
export async function runProcess({ log, start, graceMs = 10_000 }: RunProcessOptions): Promise<void> {
  const abort = new AbortController();
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (abort.signal.aborted) process.exit(1);
        abort.abort();
        resolve(name);
      });
    }
  });
  process.on('unhandledRejection', (reason) => {
    log.error('unhandled rejection', { error: describeError(reason) });
    process.exit(70);
  });
  try {
    const running = await start(abort.signal);
    releaseStartupMemory();
    const { reload } = running;
    if (reload !== undefined) process.on('SIGHUP', () => reload());
    const signal = await stopped;
    log.info('stopping', { signal });
    setTimeout(() => process.exit(1), graceMs).unref();
    await running.stop();
    process.exit(0);
  } catch (error) {
    if (abort.signal.aborted) process.exit(0);
    log.error('cannot start', {
      error: describeError(error),
      ...(isAppError(error) && error.hint ? { hint: error.hint } : {}),
    });
    process.exit(1);
  }
}
