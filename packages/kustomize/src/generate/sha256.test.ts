import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sha256 } from './sha256.ts';

test('digests are those of node:crypto for every length around block ends, and for large texts', () => {
  const lengths = [...Array.from({ length: 200 }, (_, length) => length), 4095, 4096, 100_003, 1_000_003];
  for (const length of lengths) {
    const message = Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 256);
    assert.equal(sha256(message), createHash('sha256').update(message).digest('hex'), `${length} bytes`);
  }
});
