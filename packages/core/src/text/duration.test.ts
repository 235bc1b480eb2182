import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDurationMs } from './duration.ts';

test('reads what Go reads', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['300ms', 300],
    ['-10s', -10_000],
    ['+5m', 300_000],
    ['0', 0],
    ['.5s', 500],
    ['1µs', 0.001],
  ];
  for (const [text, ms] of cases) assert.equal(parseDurationMs(text), ms, text);
});

test('refuses what Go refuses', () => {
  for (const text of ['', '5', '1d', 'h', '1h 30m', '1..5s', '-', 'infinity'])
    assert.equal(parseDurationMs(text), undefined, text);
});

test('writes durations for people', () => {
  assert.deepEqual([350, 4200, 190_000, 7_500_000].map(formatDuration), ['350ms', '4.2s', '3m10s', '2h5m']);
});
