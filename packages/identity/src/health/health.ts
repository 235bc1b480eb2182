/** Owns readiness: whether keys are there and the storage answers. */
import { describeError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import type { Storage } from '../storage/storage.ts';

export interface Health {
  /** Undefined when all is well, otherwise what is not. */
  problem(): Promise<string | undefined>;
}

export interface HealthDeps {
  readonly storage: Pick<Storage, 'get'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Probes of several callers share one look at the storage. */
const CACHE_MS = 5000;

export function createHealth({ storage, clock, log }: HealthDeps): Health {
  let last: { readonly at: number; readonly problem: Promise<string | undefined> } | undefined;
  const look = async (): Promise<string | undefined> => {
    try {
      await storage.get('client', 'health-check');
      return undefined;
    } catch (error) {
      log.warn('storage does not answer', { error: describeError(error) });
      return 'storage does not answer';
    }
  };
  return {
    problem: () => {
      if (last === undefined || clock.now() - last.at > CACHE_MS) last = { at: clock.now(), problem: look() };
      return last.problem;
    },
  };
}
