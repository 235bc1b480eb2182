/** Owns the bound of a whole command: when the time is up its work is told to stop, and soon after nobody waits for it any more. */
import { formatDuration, isAppError } from '@kfctl/core';
import { kfctlError } from '../errors.ts';

export interface TimeLimit {
  /** Aborts when the time is up, and when the person does. */
  readonly signal: AbortSignal;
  /** At least 1. */
  remainingMs(): number;
}

export interface TimeLimitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What the work is at, for the error. */
  stage(): string;
  /** "apply" */
  readonly command: string;
}

/** The reason of a limit's signal when nobody interrupted the work. */
class TimeUp extends Error {}

/** Throws where the person interrupted; who waited in vain goes on to say for what. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (!(signal.reason instanceof TimeUp)) signal.throwIfAborted();
}

/** For work that waits to say what it waited for. */
const LAST_WORDS_MS = 1000;

/** The work's own result, or `NOT_READY` with what it was at. What it has sent to the cluster by then may still happen. */
export async function withinTime<T>(options: TimeLimitOptions, work: (limit: TimeLimit) => Promise<T>): Promise<T> {
  const { timeoutMs, signal, stage, command } = options;
  const deadline = performance.now() + timeoutMs;
  const limit = new AbortController();
  const stop = (): void => limit.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let isLate = false;
  const tooLate = (cause?: unknown): Error =>
    kfctlError('NOT_READY', `not finished within ${formatDuration(timeoutMs)}: ${stage()}`, {
      cause,
      hint: `The same command continues where it stopped: kfctl ${command} --timeout 15m`,
    });
  const timers: NodeJS.Timeout[] = [];
  const givenUp = new Promise<never>((_resolve, reject) => {
    timers.push(
      setTimeout(() => {
        isLate = true;
        limit.abort(new TimeUp('the time is up'));
        timers.push(setTimeout(() => reject(tooLate()), LAST_WORDS_MS));
      }, timeoutMs),
    );
  });
  try {
    const remainingMs = (): number => Math.max(1, deadline - performance.now());
    return await Promise.race([work({ signal: limit.signal, remainingMs }), givenUp]);
  } catch (error) {
    // Who waited has said for what; another error is but the sign of having been stopped.
    const saysWhy = isAppError(error) && (error.code === 'NOT_READY' || error.code === 'DELETE_FAILED');
    throw isLate && !signal.aborted && !saysWhy ? tooLate(error) : error;
  } finally {
    timers.forEach((timer) => clearTimeout(timer));
    signal.removeEventListener('abort', stop);
  }
}
