import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastReads } from './last-reads.ts';

const read = (n: number) => ({ kind: 'spentProof', text: `${n}`, record: { expiresAt: n } }) as const;

test('gives what was read last, once, and only as the kind it is', () => {
  const reads = new LastReads();
  reads.keep('a', read(1));
  reads.keep('a', read(2));
  assert.equal(reads.take('client', 'a'), undefined);
  assert.deepEqual(reads.take('spentProof', 'a'), read(2));
  assert.equal(reads.take('spentProof', 'a'), undefined);
});

test('forgets the oldest: whoever makes the provider read cannot fill its memory', () => {
  const reads = new LastReads();
  for (let n = 0; n < 10_000; n += 1) reads.keep(`${n}`, read(n));
  const kept = Array.from({ length: 10_000 }, (_, n) => reads.take('spentProof', `${n}`)).filter(Boolean);
  assert.ok(kept.length > 0 && kept.length < 1000);
  assert.deepEqual(kept.at(-1), read(9999));
});
