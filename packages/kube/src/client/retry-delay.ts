/** Owns the reading of Retry-After: how long a refusal to serve asks us to wait. */
import type { Answer } from './transport.ts';

const MAX_WAIT_MS = 10_000;

/** Milliseconds to wait before asking again, or undefined when the answer is final. 429 and 503 with Retry-After were not acted on. */
export function retryDelayMs(answer: Pick<Answer, 'status' | 'headers'>): number | undefined {
  if (answer.status !== 429 && answer.status !== 503) return undefined;
  const seconds = Number(answer.headers['retry-after']);
  if (!Number.isFinite(seconds) || seconds < 0 || answer.headers['retry-after'] === undefined) return undefined;
  return Math.min(seconds * 1000, MAX_WAIT_MS);
}
