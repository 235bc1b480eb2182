/** Owns work that is done again and again: one run at a time, failures logged, ended by a signal. */
import { delay, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';

export interface PeriodicWork {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  work(): Promise<void>;
}

/** Runs the work now and after each `intervalMs`. */
export function every(intervalMs: number, { name, signal, log, work }: PeriodicWork): void {
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await work().catch((error: unknown) => log.warn(`${name} failed`, { error: describeError(error) }));
      await delay(intervalMs, signal);
    }
  };
  void loop();
}
