/** How fast and how cleanly an address moves, seen from the network. The times are told, not judged: the machine may be busy. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runInNamespace, whyNoBed } from '../bed/in-namespace.ts';

it('moves an address without a moment of two owners, and leaves it there', { skip: whyNoBed() }, async (t) => {
  const output = await runInNamespace('./fail-over-bed.ts', ['20', '5']);
  const { kill, stop, problems } = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, number[]>;
  const median = (times: number[] = []): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  t.diagnostic(`killed: median ${median(kill)} ms of ${kill?.join(', ')}`);
  t.diagnostic(`stopped: median ${median(stop)} ms of ${stop?.join(', ')}`);
  assert.deepEqual(problems, []);
});
