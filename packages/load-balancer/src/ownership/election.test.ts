import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rankNodes } from './election.ts';

it("ranks nodes as MetalLB's speakers do", () => {
  for (const [nodes, address, expected] of [
    ['node-a node-b node-c', '10.0.0.1', 'node-b node-a node-c'],
    ['node-a node-b node-c', '10.0.0.2', 'node-b node-c node-a'],
    ['node-a node-b', '10.20.30.1', 'node-b node-a'],
    ['iris1 iris2', '10.20.30.1', 'iris2 iris1'],
    ['iris1 iris2', '10.20.30.2', 'iris1 iris2'],
    ['node-1 node-2 node-3', 'default/nginx', 'node-2 node-1 node-3'],
    ['node-1 node-2 node-3', 'istio-system/istio-ingressgateway', 'node-2 node-1 node-3'],
  ] as const)
    assert.equal(rankNodes(nodes.split(' '), address).join(' '), expected);
});

it('puts the highest score first, and equals by the hash', () => {
  const scores = new Map([
    ['node-c', 30],
    ['node-a', 10],
    ['node-b', 10],
  ]);
  assert.deepEqual(rankNodes(['node-a', 'node-b', 'node-c', 'node-d'], '10.0.0.1', scores), [
    'node-c',
    'node-b',
    'node-a',
    'node-d',
  ]);
});
