import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createCoarseClock, NOT_WATCHED } from './coarse-clock.ts';

test('everything that is watched is told each tick, once, also when others leave meanwhile', (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const clock = createCoarseClock(100);
  const told: string[] = [];
  const item = (name: string, leaves = false) => {
    const self = {
      slot: NOT_WATCHED,
      check: (now: number) => {
        told.push(`${name} ${now}`);
        if (leaves) clock.forget(self);
      },
    };
    clock.watch(self);
    return self;
  };
  const [first] = [item('a'), item('b', true), item('c'), item('d', true)];
  mock.timers.tick(100);
  assert.deepEqual(told.splice(0).toSorted(), ['a 100', 'b 100', 'c 100', 'd 100']);
  clock.forget(first);
  clock.forget(first);
  mock.timers.tick(100);
  assert.deepEqual(told, ['c 200']);
  assert.equal(clock.now, 200);
  clock.stop();
});
