import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentMap } from './recent-map.ts';

test('what is used stays, what is not goes, and it never holds more than it may', () => {
  const map = new RecentMap<number, string>(10);
  map.set(0, 'used');
  for (let key = 1; key <= 1_000; key += 1) {
    map.set(key, 'once');
    assert.equal(map.get(0), 'used');
  }
  const held = Array.from({ length: 1_000 }, (_, key) => key).filter((key) => map.get(key) !== undefined);
  assert.ok(held.length <= 10 && held.includes(0), `${held.length}`);
  assert.equal(map.get(1), undefined);
  map.set(0, 'anew');
  assert.equal(map.get(0), 'anew');
});
