/**
 * Owns turns: how many attempts at one name are judged at the same time. Without it, guesses that are sent all at once would all be
 * judged before the first failure is counted.
 */
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../errors.ts';

export interface Turns {
  /** Runs the work when it is its turn; throws AppError 503 when too many wait for the same key. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
}

interface Lane {
  running: number;
  readonly waiting: (() => void)[];
}

export function createTurns({ atOnce, maxWaiting }: { readonly atOnce: number; readonly maxWaiting: number }): Turns {
  const lanes = new Map<string, Lane>();
  const enter = async (key: string): Promise<Lane> => {
    const lane = lanes.get(key) ?? { running: 0, waiting: [] };
    lanes.set(key, lane);
    if (lane.running < atOnce) lane.running += 1;
    else if (lane.waiting.length >= maxWaiting) throw tooBusy();
    // Whoever leaves hands its place on.
    else await new Promise<void>((resolve) => lane.waiting.push(resolve));
    return lane;
  };
  const leave = (key: string, lane: Lane): void => {
    const next = lane.waiting.shift();
    if (next !== undefined) return next();
    lane.running -= 1;
    if (lane.running === 0) lanes.delete(key);
  };
  return {
    take: async (key, work) => {
      const lane = await enter(key);
      try {
        return await work();
      } finally {
        leave(key, lane);
      }
    },
  };
}

function tooBusy(): AppError {
  return new AppError(IDENTITY_ERRORS.busy, 'too many attempts at one name are waiting', {
    status: 503,
    public: 'Too many people are logging in at the moment. Please try again in a few seconds.',
  });
}
