/** Owns the copy of a request's body for a mirror: it never makes the request itself wait, and ends where the mirror falls behind. */
import { Readable } from 'node:stream';
import type { ReplayBudget } from './replay-body.ts';

const MAX_BEHIND_BYTES = 1_048_576;

/** Gets what `source` gives to its reader; `onBehind`: the copy is not whole and must not look so. */
export function copyBody(source: Readable, budget: ReplayBudget, onBehind: () => void): Readable {
  const copy = new Readable({ read: () => undefined });
  let held = 0;
  let isOver = false;
  const hold = (bytes: number): boolean => {
    budget.giveBack(held);
    held = bytes <= MAX_BEHIND_BYTES && budget.take(bytes) ? bytes : 0;
    return held === bytes;
  };
  copy.on('close', () => void hold(0));
  const isFlowing = source.readableFlowing;
  source.on('data', (chunk: Buffer) => {
    if (isOver || copy.destroyed) return;
    if (hold(copy.readableLength + chunk.length)) return void copy.push(chunk);
    isOver = true;
    copy.destroy();
    onBehind();
  });
  source.on('end', () => {
    if (!isOver && !copy.destroyed) copy.push(null);
    isOver = true;
  });
  const onBreak = (): void => {
    if (!isOver) copy.destroy();
    isOver = true;
  };
  source.on('close', onBreak).on('error', onBreak);
  // Listening sets it going, which is for the request's own reader to do.
  if (isFlowing !== true) source.pause();
  return copy;
}
