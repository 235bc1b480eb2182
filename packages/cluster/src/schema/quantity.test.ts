import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalQuantity } from './quantity.ts';

test('quantities become canonical as the API writes them', () => {
  const pairs: readonly (readonly [unknown, string])[] = [
    ['0.5', '500m'], ['1000m', '1'], ['1.5Gi', '1536Mi'], ['1024Ki', '1Mi'], ['128Mi', '128Mi'], ['1e3', '1e3'], ['100', '100'], [2, '2'],
    ['0', '0'], ['1000k', '1M'], ['0.1m', '100u'], ['1.0', '1'], ['1Ki', '1Ki'], ['0.5Gi', '512Mi'], ['-1', '-1'], ['.5', '500m'],
  ]; // oxfmt-ignore
  for (const [given, expected] of pairs) assert.equal(canonicalQuantity(given), expected, String(given));
});

test('what is no quantity is told from one', () => {
  for (const text of ['', 'abc', '1.2.3', '1 Gi', '1GiB', '--1', '1e999999', 'x'.repeat(100), null, {}]) {
    assert.equal(canonicalQuantity(text), undefined, String(text));
  }
});
