import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentMap } from './recent-map.ts';

test('what comes again is kept from then on, and what is used stays', () => {
  const map = new RecentMap<number, string>(10);
  map.set(0, 'used');
  assert.equal(map.get(0), undefined);
  map.set(0, 'used');
  for (let key = 1; key <= 1_000; key += 1) {
    map.set(key, 'once');
    assert.equal(map.get(key), undefined);
    assert.equal(map.get(0), 'used');
  }
  map.set(0, 'anew');
  assert.equal(map.get(0), 'anew');
});

test('it never holds more than it may', () => {
  const map = new RecentMap<number, string>(10);
  for (let key = 0; key < 1_000; key += 1) for (const value of ['once', 'twice']) map.set(key, value);
  const held = Array.from({ length: 1_000 }, (_, key) => key).filter((key) => map.get(key) !== undefined);
  assert.ok(held.length > 0 && held.length <= 10, `${held.length}`);
});
