import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareText } from './compare-text.ts';

test('names are ordered by code unit: no language, no ignored punctuation', () => {
  const names = ['b', 'a-b', 'ab', 'B', 'a', 'a-b'];
  assert.deepEqual(names.toSorted(compareText), ['B', 'a', 'a-b', 'a-b', 'ab', 'b']);
});
