import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createTurnstile } from './turnstile.ts';

it('lets few through at a time, in their order, and goes on after a failure', async () => {
  const pass = createTurnstile(2);
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  const work = (index: number) => async (): Promise<number> => {
    inside += 1;
    most = Math.max(most, inside);
    order.push(index);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
    if (index === 1) throw new Error('one fails');
    return index;
  };
  const results = await Promise.allSettled(Array.from({ length: 7 }, (_, index) => pass(work(index))));
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    results.map(({ status }) => status === 'fulfilled'),
    [true, false, true, true, true, true, true],
  );
});
