import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemorySource } from '../../rig/memory-sources.ts';
import { createPodGate } from './pod-gate.ts';

test('pods are waited for once, and not for ever', async () => {
  const known = new MemorySource<never>();
  const unknown = new MemorySource<never>();
  unknown.synced = new Promise(() => undefined);
  const asked: string[] = [];
  const of = (namespace: string): MemorySource<never> => {
    asked.push(namespace);
    return namespace === 'known' ? known : unknown;
  };
  const gate = createPodGate({ of }, 5);
  assert.equal(gate.wait([]), undefined);
  await gate.wait(['known', 'unknown']);
  assert.equal(gate.wait(['known', 'unknown']), undefined);
  assert.deepEqual(asked, ['known', 'unknown']);
});
