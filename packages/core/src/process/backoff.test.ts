import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff } from './backoff.ts';
import { delay } from './clock.ts';

test('grows to the maximum and starts over after a reset', () => {
  const backoff = createBackoff({ initialMs: 100, maxMs: 500, jitter: 0 });
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next(), backoff.next()], [100, 200, 400, 500]);
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

test('jitter only shortens a delay', () => {
  const low = createBackoff({ initialMs: 100, maxMs: 100, jitter: 0.5, random: () => 0 });
  const high = createBackoff({ initialMs: 100, maxMs: 100, jitter: 0.5, random: () => 1 });
  assert.deepEqual([low.next(), high.next()], [50, 100]);
});

test('a delay ends at once when its signal aborts', async () => {
  const abort = new AbortController();
  const waiting = delay(3_600_000, abort.signal);
  abort.abort();
  await waiting;
  await delay(3_600_000, abort.signal);
});
