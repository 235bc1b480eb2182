import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turnEnd } from './turn-end.ts';

test('all who ask in one turn go on together, after what else the turn brings', async () => {
  const order: string[] = [];
  const ask = async (name: string): Promise<void> => {
    order.push(`${name} asks`);
    await turnEnd();
    order.push(name);
  };
  const asked = [ask('a'), ask('b')];
  await Promise.resolve();
  asked.push(ask('c'));
  await Promise.all(asked);
  assert.deepEqual(order, ['a asks', 'b asks', 'c asks', 'a', 'b', 'c']);
  await ask('d');
  assert.equal(order.at(-1), 'd');
});
