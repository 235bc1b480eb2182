import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { TestContext } from 'node:test';
import { delay, silentLogger } from '@kfctl/core';
import { createInformer, resources } from '@kfctl/kube';
import { MemoryKubeClient } from '@kfctl/testkit';
import { rankNodes } from './election.ts';
import { LEASE_SELECTOR } from './speaker-lease.ts';
import { StatelessOwnership } from './stateless-ownership.ts';

const IP = '10.0.0.1';
const ORDER = rankNodes(['node-a', 'node-b', 'node-c'], IP);
const TIMING = { renewMs: 30, fenceMs: 90, expiryMs: 150, settleMs: 100 };

interface Member {
  readonly owned: Set<string>;
  leave(): Promise<void>;
}

async function join(context: TestContext, client: MemoryKubeClient, node: string): Promise<Member> {
  const abort = new AbortController();
  const place = { namespace: 'm', labelSelector: LEASE_SELECTOR };
  const leases = createInformer({ client, type: resources.leases, ...place, log: silentLogger });
  leases.start(abort.signal);
  await leases.synced;
  const owned = new Set<string>();
  const listener = {
    onAcquired: (address: string) => void owned.add(address),
    onLost: async (address: string) => void owned.delete(address),
    onCertain: () => undefined,
  };
  const ownership = new StatelessOwnership({
    client,
    leases,
    namespace: 'm',
    node,
    log: silentLogger,
    listener,
    timing: TIMING,
  });
  ownership.setPlan(new Map([[IP, ORDER]]));
  const leave = async (): Promise<void> => {
    await ownership.stop();
    owned.clear();
    abort.abort();
  };
  context.after(leave);
  return { owned, leave };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !isTrue(); round += 1) await delay(5);
  assert.ok(isTrue());
}

it('the first of the living announces, moves away with its node and comes back with it', async (t) => {
  const cluster = new MemoryKubeClient();
  const members = new Map<string, Member>();
  for (const node of ORDER) members.set(node, await join(t, cluster, node));
  const owners = (): string => ORDER.filter((node) => members.get(node)?.owned.has(IP) === true).join();
  await until(() => owners() === ORDER[0]);
  await members.get(ORDER[0] ?? '')?.leave();
  await until(() => owners() === ORDER[1]);
  members.set(ORDER[0] ?? '', await join(t, cluster, ORDER[0] ?? ''));
  await until(() => owners() === ORDER[0]);
});
