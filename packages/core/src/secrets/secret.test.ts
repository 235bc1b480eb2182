import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { constantTimeEqual, createRandomReserve, randomToken } from './random.ts';
import { Secret } from './secret.ts';

test('a secret shows itself nowhere but through reveal', () => {
  const secret = new Secret('hunter2');
  for (const text of [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }),
  ]) {
    assert.doesNotMatch(text, /hunter2/);
    assert.match(text, /\[secret\]/);
  }
  assert.equal(secret.reveal(), 'hunter2');
});

test('compares equal and unequal strings of any length', () => {
  assert.equal(constantTimeEqual('abc', 'abc'), true);
  assert.equal(constantTimeEqual('abc', 'abd'), false);
  assert.equal(constantTimeEqual('abc', 'abcd'), false);
  assert.equal(constantTimeEqual('', ''), true);
});

test('tokens carry the asked-for randomness', () => {
  assert.equal(randomToken(32).length, 43);
  assert.equal(new Set(Array.from({ length: 1000 }, () => randomToken(16))).size, 1000);
});

test('randomness is taken ahead, given out once, and none is left behind', () => {
  let fills = 0;
  let reserve: Buffer = Buffer.alloc(0);
  const random = createRandomReserve((bytes) => {
    fills += 1;
    reserve = bytes;
    return bytes.fill(fills);
  });
  const given = Array.from({ length: 256 }, () => random(16));
  assert.equal(fills, 1);
  assert.ok(given.every((bytes) => bytes.length === 16 && bytes.every((byte) => byte === 1)));
  assert.ok(reserve.every((byte) => byte === 0));
  assert.deepEqual(random(3), Buffer.from([2, 2, 2]));
  assert.equal(fills, 2);
  assert.equal(random(5000).length, 5000);
});
