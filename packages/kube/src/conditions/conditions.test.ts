import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isConditionTrue, withCondition } from './conditions.ts';

const early = new Date('2026-01-01T00:00:00Z');
const late = new Date('2026-01-02T00:00:00Z');

it('a condition keeps its transition time until its status changes', () => {
  const first = withCondition(undefined, { type: 'Ready', status: 'False', reason: 'A' }, early);
  const same = withCondition(first, { type: 'Ready', status: 'False', reason: 'B' }, late);
  assert.deepEqual(same, [{ type: 'Ready', status: 'False', reason: 'B', lastTransitionTime: '2026-01-01T00:00:00Z' }]);
  const changed = withCondition(same, { type: 'Ready', status: 'True' }, late);
  assert.deepEqual(changed, [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-02T00:00:00Z' }]);
  assert.equal(isConditionTrue(changed, 'Ready'), true);
  assert.equal(isConditionTrue(undefined, 'Ready'), false);
});

it('setting one condition leaves the others and their order', () => {
  const list = withCondition(
    [
      { type: 'A', status: 'True' },
      { type: 'B', status: 'True' },
    ],
    { type: 'A', status: 'False' },
    early,
  );
  assert.deepEqual(
    list.map((condition) => [condition.type, condition.status]),
    [
      ['A', 'False'],
      ['B', 'True'],
    ],
  );
});
