import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarm } from './alarm.ts';

test('the earliest moment asked for counts, and it rings once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let rung = 0;
  const alarm = new Alarm(() => (rung += 1));
  alarm.ringIn(500);
  alarm.ringIn(100);
  alarm.ringIn(900);
  t.mock.timers.tick(99);
  assert.equal(rung, 0);
  t.mock.timers.tick(1);
  assert.equal(rung, 1);
  t.mock.timers.tick(10_000);
  assert.equal(rung, 1);
  alarm.ringIn(900);
  t.mock.timers.tick(900);
  assert.equal(rung, 2);
});

test('a stopped one never rings, whatever is asked', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let rung = 0;
  const alarm = new Alarm(() => (rung += 1));
  alarm.ringIn(5);
  alarm.stop();
  alarm.ringIn(1);
  t.mock.timers.tick(1000);
  assert.equal(rung, 0);
  assert.equal(alarm.isStopped, true);
});
