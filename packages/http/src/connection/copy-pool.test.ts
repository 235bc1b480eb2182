import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCopyPool } from './copy-pool.ts';

test('memory is used again after it was given back, and by one holder at a time', () => {
  const pool = createCopyPool();
  const [first, second] = [pool.take(20_000), pool.take(65_536)];
  assert.notEqual(first.buffer, second.buffer);
  assert.deepEqual([first.length, second.length], [20_000, 65_536]);
  pool.giveBack(first);
  const third = pool.take(30_000);
  assert.equal(third.buffer, first.buffer);
  assert.equal(third.length, 30_000);
  const fourth = pool.take(30_000);
  assert.notEqual(fourth.buffer, third.buffer);
});

test('what is too large, or of other memory, is not kept', () => {
  const pool = createCopyPool();
  const large = pool.take(1_000_000);
  assert.equal(large.length, 1_000_000);
  pool.giveBack(large);
  pool.giveBack(Buffer.from('x'));
  assert.equal(pool.take(20_000).buffer.byteLength, 73_728);
});
